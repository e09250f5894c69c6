"""Segment settings: how texts are cut into tokens."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from pipeline.config.problems import nearest
from pipeline.config.section import Section

Unit = Literal["word", "char"]
ENGINES = ("rjieba", "jieba")
READY = ("zh-words-pos",)  # ready-made models that find words


class SegmentSettings(Section):
    """How texts are cut into tokens."""

    table: ClassVar[str] = "segment"

    unit: Unit = Field(
        "word",
        description="What a token is: a word, or a single character (char); the default is char if task is tag, unless "
        "tag.kind is pos.",
    )
    engine: str = Field(
        "rjieba",
        description="What finds the words: rjieba, the fast one; jieba, the reference; zh-words-pos, a ready-made "
        "model; or the folder of a segmenter that zhpipe trained, such as runs/NAME.",
    )
    mode: Literal["default", "search", "full"] = Field(
        "default", description="jieba's mode; search and full give overlapping words."
    )
    hmm: bool = Field(
        True, description="Let jieba's hidden Markov model find words that are missing from its dictionary."
    )
    dictionaries: tuple[str, ...] = Field(
        (), description="User dictionaries in jieba's format; each of their words is always one token."
    )
    weighted_dictionaries: tuple[str, ...] = Field(
        (),
        description="User dictionaries whose words jieba weighs by their frequency, as it does those of its own; only "
        "if words are cut by jieba or rjieba.",
    )
    main_dictionary: str | None = Field(
        None, description="Dictionary in place of jieba's own, such as one of traditional words, or dict.txt.big."
    )
    keep_whole: bool = Field(
        True,
        description="Words: keep runs of Latin letters and digits whole where a word of a dictionary is only a part of "
        "one, and make each URL, e-mail address, @name, #topic#, time and emoji of several code points one token.",
    )
    stop_words: tuple[str, ...] = Field(
        (), description="Files of words, one a line, that are hidden from the network and the vectors."
    )
    keep_whitespace: bool = Field(
        False, description="Keep white space as tokens; the default is true if task is language."
    )
    workers: int = Field(0, ge=0, description="Number of processes; 0 uses all cores.")

    @property
    def trained(self) -> bool:
        """Whether the engine is a model that zhpipe trained."""
        return self.engine not in ENGINES

    @model_validator(mode="after")
    def _check_engine(self) -> SegmentSettings:
        names = (*ENGINES, *READY)
        if self.trained and self.engine not in READY and not is_path(self.engine):
            raise ValueError(
                f"engine is {self.engine!r}{nearest(self.engine, names)}: expected {' or '.join(names)}, or the "
                "folder of a trained segmenter, with a / in it"
            )
        if self.trained and self.mode != "default":
            raise ValueError(f'mode = "{self.mode}" needs jieba: a trained engine has the mode "default" alone')
        for name in ("weighted_dictionaries", "main_dictionary"):
            if self.trained and getattr(self, name):
                raise ValueError(f"{name} needs jieba: a trained engine weighs no words: leave it out")
        return self


def is_path(name: str) -> bool:
    """Whether an engine or an encoder is given as a folder, not by its name."""
    return "/" in name or "\\" in name
