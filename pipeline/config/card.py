"""Card settings: what the folder of a model or an encoder tells those who get it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from pipeline.config.section import Section

Told = Annotated[str, Field(max_length=2000)]


class CardSettings(Section):
    """What a model or encoder is for, what it learnt from, and on what terms it is given; copied into its folder."""

    table: ClassVar[str] = "card"

    description: Told = Field("", description="What the model does, for whoever is given it.")
    texts: Told = Field("", description="What it was trained on.")
    licence: Told = Field("", description="On what terms it is given, such as CC BY-SA 4.0.")
    attribution: Told = Field("", description="Whom to name when it is given on.")
    limits: Told = Field("", description="What it is not good at.")

    def told(self) -> dict[str, str]:
        """The keys that say something."""
        return {key: value for key, value in self.model_dump().items() if value}
