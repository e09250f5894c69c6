"""Section: the base of every table of a config, frozen and checked, and what its fields say about themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from pipeline.config.problems import Disagreement
from pipeline.config.renames import renamed

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Section(BaseModel):
    """A table of the config: frozen, and without keys that it does not know.

    `table` is its dotted name in a config; empty for the whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
    table: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _refuse_renamed(cls, values: Any) -> Any:
        found = renamed(f"{cls.table}.{key}" for key in values) if isinstance(values, Mapping) else {}
        if found:
            raise Disagreement(next(iter(found)), "; ".join(found.values()))
        return values


def is_section(field: FieldInfo) -> bool:
    """Whether a field is a table of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)


def subsection(field: FieldInfo) -> type[Section]:
    """The class of a field that is a table. Raises TypeError for any other field."""
    if not isinstance(field.annotation, type) or not issubclass(field.annotation, Section):
        raise TypeError(f"expected a field that is a section, received {field!r}")
    return field.annotation


def key_names(section: type[Section], prefix: str = "") -> list[str]:
    """Dotted names of all keys of a section and of the sections in it, in order."""
    names = []
    for key, field in section.model_fields.items():
        names += key_names(subsection(field), f"{prefix}{key}.") if is_section(field) else [prefix + key]
    return names


def choices(annotation: Any) -> list[str]:
    """The values that a field's type lists; empty for a type that lists none.

    >>> choices(Literal["rnn", "lstm"] | None)
    ['rnn', 'lstm']
    """
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return list(dict.fromkeys(choice for part in get_args(annotation) for choice in choices(part)))


def toml_value(value: Any) -> str:
    """A value as TOML writes it, on one line.

    >>> toml_value((1, "a"))
    '[ 1, "a" ]'
    """
    written = tomli_w.dumps({"": list(value) if isinstance(value, tuple) else value}).partition("= ")[2].strip()
    return written.replace("\n    ", " ").replace(",\n", "\n").replace("\n", " ")
