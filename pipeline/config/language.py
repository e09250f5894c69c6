"""Language settings: how a language model is trained and evaluated."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pipeline.config.section import Count, Section


class LanguageSettings(Section):
    """How a language model is trained and evaluated, if task is language."""

    table: ClassVar[str] = "language"

    bptt_steps: int = Field(
        64,
        ge=0,
        description="Tokens that gradients flow back through (truncated backpropagation through time), while states "
        "carry on through the whole text; 0 sets no limit.",
    )
    tied: bool = Field(False, description="Score tokens with the same vectors that they are read with.")
    sampled: int = Field(
        0,
        ge=0,
        description="Tokens of the vocabulary, drawn by frequency, that a training step scores; 0 scores all of them, "
        "and evaluation always does.",
    )
    ngram_order: Count = Field(5, description="Order of the Kneser-Ney n-gram baseline in the report.")
