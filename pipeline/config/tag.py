"""Tag settings: what a tagger learns and how it decodes."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from pipeline.config.section import Section


class TagSettings(Section):
    """What a tagger learns and how it decodes, if task is tag."""

    table: ClassVar[str] = "tag"

    kind: Literal["entities", "words", "joint", "pos"] = Field(
        "entities",
        description="What is tagged: entities are spans with a type; words are word boundaries; joint is words and "
        "their tags, both from characters; pos is one tag for each word.",
    )
    scheme: Literal["BIO", "BMES", "BIOES"] = Field(
        "BMES", description="Scheme that turns entities and words into tags, whatever the scheme of the files."
    )
    decode: Literal["greedy", "maxent", "crf"] = Field(
        "crf",
        description="How tags are predicted: greedy takes each token by itself; maxent takes each tag given the one "
        "before it, normalised at each token; crf takes the sequence as a whole.",
    )
    constrained: bool = Field(True, description="Never predict a sequence of tags that the scheme forbids.")
