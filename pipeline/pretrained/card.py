"""Card: what an encoder's folder says of itself in encoder.toml, checked before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from pipeline.errors import ModelError
from pipeline.models import schema
from pipeline.models.files import ENCODER
from pipeline.models.schema import LAYERS, UNITS, Name, Table

FORMAT_VERSION = 1
Width = Annotated[int, Field(ge=1, le=UNITS)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]


class PerplexityTable(Table):
    """Perplexity a character of each direction on text that training did not see."""

    forward: float = Field(gt=1)
    backward: float = Field(gt=1)


class SourceTable(Table):
    """A file that was read, also for the texts that were held out."""

    name: Name
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    texts: int = Field(ge=1)
    characters: int = Field(ge=1)


class Card(Table):
    """The whole of encoder.toml.

    `precision`: of the arrays; `width`: of the vectors of characters; `units`: of each layer; `texts`: what it was
    trained on; `characters`: how many these have; `sources`: their files; `training`: how it was trained, flat.
    """

    format_version: int
    name: Name
    cell: Literal["lstm"]
    precision: Literal["float16", "int8"]
    width: Width
    units: Annotated[list[Width], Field(min_length=1, max_length=LAYERS)]
    licence: Name
    attribution: Text
    texts: Text
    characters: int = Field(ge=1)
    perplexity: PerplexityTable
    sources: list[SourceTable] = Field(default_factory=list)
    training: dict[str, int | float | str] = Field(default_factory=dict)
    notes: Annotated[str, Field(max_length=4000)] = ""


def read(path: Path) -> Card:
    """The card in a file that is known to be small. Raises ModelError, with the first wrong key, if it is damaged."""
    about = schema.parsed(path, ENCODER.again)
    version = about.get("format_version")
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{path}: format version {version}, this zhpipe reads {FORMAT_VERSION}: "
            "install the zhpipe that wrote it, or use another encoder"
        )
    try:
        return Card.model_validate(about)
    except ValidationError as error:
        raise ModelError(f"{path}: {schema.problem_of(error)}: {ENCODER.again}") from None
