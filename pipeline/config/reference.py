"""Reference: a commented config of every key, from what the settings say of themselves."""

from __future__ import annotations

import tomli_w
from pydantic.fields import FieldInfo

from pipeline.config.settings import Section, Settings, choices, is_section


def reference() -> str:
    """A commented TOML of every key: what it means, what it may be, its default."""
    lines = ["# Every key that zhpipe knows. A key with a default may be left out.", ""]
    lines += [
        line
        for name, field in Settings.model_fields.items()
        if not is_section(field)
        for line in _documented(name, field)
    ]
    for name, field in Settings.model_fields.items():
        if is_section(field):
            lines += _section_lines(name, field.annotation)  # type: ignore[arg-type]
    return "\n".join(lines) + "\n"


def _section_lines(name: str, section: type[Section]) -> list[str]:
    lines = ["", f"# {(section.__doc__ or '').strip()}", f"[{name}]"]
    lines += [
        line for key, field in section.model_fields.items() if not is_section(field) for line in _documented(key, field)
    ]
    for key, field in section.model_fields.items():
        if is_section(field):
            lines += _section_lines(f"{name}.{key}", field.annotation)  # type: ignore[arg-type]
    return lines


def _documented(name: str, field: FieldInfo) -> list[str]:
    allowed = choices(field.annotation)
    note = f"# {field.description}" + (f" ({' | '.join(allowed)})" if allowed else "")
    if field.is_required():
        example = {"name": '"mail"', "train": '"train.csv"'}[name]
        return [f"{note}; required", f"{name} = {example}"]
    default = field.default
    if default is None or isinstance(default, dict):
        return [note, f"# {name} ="]
    value = list(default) if isinstance(default, tuple) else default
    return [
        note,
        tomli_w.dumps({name: value}, multiline_strings=False)
        .strip()
        .replace("\n    ", " ")
        .replace(",\n", "\n")
        .replace("\n", " "),
    ]
