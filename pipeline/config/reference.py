"""Reference: a commented config of every key, made from the descriptions of the settings."""

from __future__ import annotations

from typing import Any, get_args

from pydantic.fields import FieldInfo

from pipeline.config.section import Section, choices, is_section, subsection, toml_value
from pipeline.config.settings import Settings

EXAMPLES = {"name": "mail", "train": "train.csv"}  # values of the required keys
BOUNDS = {"ge": "{} or more", "gt": "more than {}", "le": "{} or less", "lt": "less than {}"}
ABOUT = (
    "# Every key that zhpipe knows. A key with a default may be left out.",
    "# If left out, some follow the number and the length of the texts, and what they become is printed:",
    "# docs/configs.md, Defaults that follow the corpus.",
)


def reference() -> str:
    """A commented TOML of every key: its meaning, the values allowed, and its default."""
    return "\n".join([*ABOUT, "", *_keys(Settings), *_subsections(Settings)]) + "\n"


def _keys(section: type[Section]) -> list[str]:
    fields = section.model_fields.items()
    return [line for key, field in fields if not is_section(field) for line in _documented(key, field)]


def _subsections(section: type[Section]) -> list[str]:
    lines = []
    for field in section.model_fields.values():
        if is_section(field):
            inner = subsection(field)
            lines += ["", f"# {(inner.__doc__ or '').partition(chr(10))[0]}", f"[{inner.table}]"]
            lines += [*_keys(inner), *_subsections(inner)]
    return lines


def _documented(key: str, field: FieldInfo) -> list[str]:
    """A comment and the key with its default; the key alone, commented out, if it has no default."""
    is_number_too = int in get_args(field.annotation)
    allowed = "" if is_number_too else " | ".join(choices(field.annotation)) or _bounds(field)
    note = f"# {field.description}{f' Allowed: {allowed}.' if allowed else ''}"
    if field.is_required():
        return [f"{note} Required.", f"{key} = {toml_value(EXAMPLES[key])}"]
    if field.default is None or isinstance(field.default, dict):
        return [note, f"# {key} ="]
    return [note, f"{key} = {toml_value(field.default)}"]


def _bounds(field: FieldInfo) -> str:
    """The numbers that a field allows, in words; empty if it has no limits."""
    limits = [*field.metadata, *_limits(field.annotation)]
    found = [
        words.format(int(value) if float(value).is_integer() else value)
        for name, words in BOUNDS.items()
        for limit in limits
        if (value := getattr(limit, name, None)) is not None
    ]
    return ", ".join(dict.fromkeys(found))


def _limits(annotation: Any) -> list[Any]:
    """The limits inside a type, such as those of each entry of a list."""
    own = annotation.metadata if isinstance(annotation, FieldInfo) else []
    return [*own, *(limit for part in get_args(annotation) for limit in _limits(part))]
