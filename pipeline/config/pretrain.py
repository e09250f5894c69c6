"""Pretrain settings: the encoder that `zhpipe pretrain` makes."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from pipeline.config.section import Section


class PretrainSettings(Section):
    """The encoder that zhpipe pretrain makes of a language model in both directions."""

    table: ClassVar[str] = "pretrain"

    precision: Literal["int8", "float16"] = Field(
        "int8", description="How matrices are stored; int8 has a scale for each row, and takes half the space."
    )
