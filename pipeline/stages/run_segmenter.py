"""The segmenter of settings or of a run, the files that it depends on, and what became of its dictionary's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.segment import SegmentSettings
from pipeline.errors import PipelineError
from pipeline.models.model import find_model, open_segmenter
from pipeline.models.segmenter_files import MAIN
from pipeline.segmentation.dictionary import load_dictionary
from pipeline.segmentation.main_dictionary import MainDictionary
from pipeline.segmentation.model_engine import FOLDER
from pipeline.segmentation.segmenter import Segmenter, read_stop_words

FILES = ("dictionaries", "weighted_dictionaries", "main_dictionary", "stop_words")  # settings that name files
SHOWN = 5  # names in a message


def make_segmenter(settings: SegmentSettings, normalise: Callable[[str], str] = str) -> Segmenter:
    """The segmenter that the settings describe. Reads its dictionaries and stop words; loads a trained engine.

    `normalise`: what the texts go through before they are cut, and so the words of the user's dictionaries.
    """
    return Segmenter(
        unit=settings.unit,
        engine=_engine(settings),
        mode=settings.mode,
        hmm=settings.hmm,
        dictionary=load_dictionary(settings, normalise),
        main=MainDictionary.load(settings.main_dictionary) if settings.main_dictionary else None,
        keep_whole=settings.keep_whole,
        stop_words=read_stop_words(settings.stop_words) if settings.stop_words else (),
        keep_whitespace=settings.keep_whitespace,
    )


def read_segmenter(run: Path) -> Segmenter:
    """The segmenter of a run; loads a trained engine from the run's own copy."""
    own, main = run / "segment" / FOLDER, run / "segment" / MAIN
    return Segmenter.from_settings(
        described(run),
        open_segmenter(own) if own.is_dir() else None,
        MainDictionary.load(main) if main.is_file() else None,
    )


def described(run: Path) -> dict[str, Any]:
    """What `Segmenter.settings` returned for the segmenter of a run."""
    written: dict[str, Any] = json.loads((run / "segment" / "segmenter.json").read_text(encoding="utf-8"))
    return {"keep_whole": False, **written}  # which older runs did not have


def _engine(settings: SegmentSettings) -> Any:
    """The engine; no trained one is loaded where every character is a token."""
    if not settings.trained:
        return settings.engine
    return open_segmenter(find_model(settings.engine)) if settings.unit == "word" else "rjieba"


def occurrence(occurring: int, words: int) -> str:
    """How many of a dictionary's words occur, in words.

    >>> occurrence(2, 1000)
    '2 of the 1,000 dictionary words occur in the text'
    """
    return f"{occurring:,} of the {words:,} dictionary words {'occurs' if occurring == 1 else 'occur'} in the text"


def listed(names: Sequence[str]) -> str:
    """The first few names, and the number of the others.

    >>> listed(["甲", "乙", "丙", "丁", "戊", "己"])
    '甲, 乙, 丙, 丁, 戊 and 1 more'
    """
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def dictionary_notes(segmenter: Segmenter, occurring: int) -> list[str]:
    """What became of the words of a segmenter's dictionary, of which so many occur in the text; none without words."""
    if not len(segmenter.dictionary):
        return []
    notes = [occurrence(occurring, len(segmenter.dictionary))]
    if dropped := segmenter.dictionary.dropped:
        words = "word has" if dropped == 1 else "words have"
        notes.append(f"{dropped:,} forced {words} a frequency, which only weighted words use")
    if lost := segmenter.unreachable:
        words = "word" if len(lost) == 1 else "words"
        notes.append(
            f"{len(lost):,} weighted {words} can't be found, since jieba always cuts inside: {listed(lost)}: force them"
        )
    return notes


def files(cut: SegmentSettings, name: str) -> Sequence[str]:
    """The files that a setting names."""
    value = getattr(cut, name)
    return (value,) if isinstance(value, str) else value or ()


def engine_files(cut: SegmentSettings) -> list[Path]:
    """The checksums of a trained engine, which tell it from any other."""
    if not cut.trained or cut.unit == "char":
        return []
    sums = find_model(cut.engine) / "SHA256SUMS"
    if not sums.is_file():
        raise PipelineError(f"{cut.engine}: no model here: segment.engine names a run with one, or a model's folder")
    return [sums]
