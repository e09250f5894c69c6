"""Configs: a TOML file or a mapping becomes checked settings, or a sentence that says where it is wrong and how."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from pipeline.config.problems import expectation, nearest
from pipeline.config.settings import Section, Settings, choices, is_path, is_section
from pipeline.errors import SettingsError

MOST_PROBLEMS = 5  # that a message names
PATHS = (
    ("corpus", "train"),
    ("corpus", "dev"),
    ("corpus", "test"),
    ("segment", "dictionaries"),
    ("segment", "stop_words"),
    ("embed", "extra"),
    ("embed", "pretrained"),
    ("embed", "pretrained_characters"),
    ("network.features", "bigrams_table"),
    ("network.features", "lexicon_table"),
)


def load(path: str | Path, overrides: Sequence[str] = ()) -> Settings:
    """Settings from a TOML file, with `overrides` such as `train.epochs=3` put on top.

    Paths are taken from the working directory, or from the config's folder where that has no such file, and made
    absolute. Raises SettingsError naming the file, the line where it can be told, the key, and what is allowed.
    """
    path = Path(path)
    text = _read(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    for override in overrides:
        _override(values, override)
    overridden = [override.partition("=")[0].strip() for override in overrides]
    return parse(values, source=str(path), text=text, folder=path.parent, overridden=overridden)


def parse(
    values: Mapping[str, Any],
    *,
    source: str = "settings",
    text: str = "",
    folder: Path | None = None,
    overridden: Sequence[str] = (),
) -> Settings:
    """Settings from a nested mapping; the rest says where it came from, for messages and relative paths.

    `overridden`: the keys, such as `train.epochs`, that were given by --set.
    """
    values = _copy(values)
    for section, key in PATHS:
        table: Any = values
        for name in section.split("."):
            table = table.get(name) if isinstance(table, dict) else None
        _resolve(table, key, folder or Path())
    if isinstance(cut := values.get("segment"), dict) and is_path(str(cut.get("engine", ""))):
        _resolve(cut, "engine", folder or Path())
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = _one_a_key(error.errors())[:MOST_PROBLEMS]
        raise SettingsError("; ".join(_sentence(problem, source, text, overridden) for problem in problems)) from None


def overridden(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    """The settings with others in their places, by dotted names, and without ranges. Raises SettingsError."""
    values = tomllib.loads(dump(settings))
    values.pop("tune", None)
    for key, value in overrides.items():
        *sections, last = key.split(".")
        table = values
        for section in sections:
            table = table.setdefault(section, {})
        table[last] = value
    return parse(values)


def dump(settings: Settings) -> str:
    """The settings as TOML, every default written out."""
    return tomli_w.dumps(_without_none(settings.model_dump(mode="json")))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such config") from None
    except IsADirectoryError:
        raise SettingsError(f"{path}: a folder, expected a TOML file") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start} is not UTF-8: save the config as UTF-8") from None


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise SettingsError(f'--set {override}: expected KEY=VALUE, such as train.epochs=3 or corpus.train="a.csv"')
    *sections, last = key.strip().split(".")
    table: Any = values
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise SettingsError(f"--set {override}: {section} is a value, not a section")
    table[last] = _value(text.strip())


def _value(text: str) -> Any:
    """A TOML value, or the text itself where it is none, so that `corpus.train=a.csv` needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _copy(values: Any) -> Any:
    """A nested mapping whose tables can be written to."""
    return {key: _copy(value) for key, value in values.items()} if isinstance(values, Mapping) else values


def _resolve(section: Any, key: str, folder: Path) -> None:
    if not isinstance(section, dict) or key not in section:
        return
    value = section[key]
    if isinstance(value, str) and value:
        section[key] = _absolute(value, folder)
    elif isinstance(value, list | tuple):
        section[key] = [_absolute(item, folder) if isinstance(item, str) else item for item in value]


def _absolute(path: str, folder: Path) -> str:
    here = Path(path).expanduser()
    found = here if here.exists() or not (folder / here).exists() else folder / here
    return str(found.resolve())


def _one_a_key(problems: Sequence[Any]) -> list[Any]:
    """One problem a key: a key of several types has one for each, and that within a list says most."""
    chosen: dict[str, Any] = {}
    for problem in problems:
        name = ".".join(_keys(problem))
        if name not in chosen or isinstance(chosen[name]["input"], list | tuple):
            chosen[name] = problem
    return list(chosen.values())


def _keys(problem: Any) -> list[str]:
    return [str(part) for part in problem["loc"] if not _is_type_name(part)]


def _sentence(problem: Any, source: str, text: str, overridden: Sequence[str]) -> str:
    keys = _keys(problem)
    name = ".".join(keys)
    is_missing = problem["type"] == "missing"
    line = _line(keys[:-1] if is_missing else keys, text)
    is_overridden = name in overridden or (not line and any(key.startswith(f"{name}.") for key in overridden))
    place = f"--set {name}" if is_overridden else source + line
    if problem["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1])
        return f'{place}: unknown key "{name}"{nearest(keys[-1], known)} (known here: {", ".join(known)})'
    if is_missing:
        return f'{place}: the key "{name}" is missing'
    if problem["type"] == "value_error":
        message = str(problem["msg"]).removeprefix("Value error, ")
        return f"{place}: {name}: {message}" if name else f"{place}: {message}"
    received = problem["input"]
    hint = nearest(received, choices(_annotation(keys))) if isinstance(received, str) else ""
    named = place if is_overridden else f"{place}: {name}"
    return f"{named}: {expectation(problem)}, received {received!r}{hint}"


def _is_type_name(part: Any) -> bool:
    return isinstance(part, int) or bool(re.search(r"[\[(]|^(str|int|float|bool|constrained-int)$", str(part)))


def _section(keys: Sequence[str]) -> type[Section] | None:
    section: type[Section] = Settings
    for key in keys:
        field = section.model_fields.get(key)
        if field is None or not is_section(field):
            return None
        section = field.annotation  # type: ignore[assignment]
    return section


def _known_keys(keys: Sequence[str]) -> list[str]:
    section = _section(keys)
    return list(section.model_fields) if section else []


def _annotation(keys: Sequence[str]) -> Any:
    section = _section(keys[:-1])
    field = section.model_fields.get(keys[-1]) if section else None
    return field.annotation if field else None


def _line(keys: Sequence[str], text: str) -> str:
    """`:LINE` of a key in a TOML text, or nothing where it isn't written there."""
    if not keys:
        return ""
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := re.match(r"\s*\[([^\[\]]+)\]", line):
            section = match[1].strip()
            if section == ".".join(keys):
                return f":{number}"
        elif (match := re.match(r"\s*([\w.-]+)\s*=", line)) and ".".join(filter(None, (section, match[1]))) == ".".join(
            keys
        ):
            return f":{number}"
    return ""


def _without_none(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _without_none(value) for key, value in values.items() if value is not None}
    return values
