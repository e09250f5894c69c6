"""Messages: the problems of a config as sentences that name file, line and key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipeline.config.problems import Disagreement, expectation, nearest
from pipeline.config.section import Section, choices, is_section, subsection
from pipeline.config.settings import Settings

MOST_PROBLEMS = 5  # in one message


@dataclass(frozen=True)
class Source:
    """Where settings come from: a `name` for messages, the TOML `text`, and the dotted keys `overridden` by --set."""

    name: str
    text: str = ""
    overridden: Sequence[str] = ()

    def place(self, keys: Sequence[str], *, is_missing: bool = False) -> str:
        """`FILE:LINE` of a key, or `--set KEY` if it was overridden; a missing key has the line of its section."""
        name = ".".join(keys)
        line = self.line(keys[:-1] if is_missing else keys)
        return f"--set {name}" if self.sets(keys, line) else self.name + line

    def sets(self, keys: Sequence[str], line: str = "") -> bool:
        """Whether --set gave the key, or a key in it that the file does not have."""
        name = ".".join(keys)
        within = not line and any(key.startswith(f"{name}.") for key in self.overridden)
        return name in self.overridden or within

    def line(self, keys: Sequence[str]) -> str:
        """`:LINE` of a key or section in the text; empty if it is not there."""
        wanted, section = ".".join(keys), ""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*\[([^\[\]]+)\]", line):
                section = name = header[1].strip()
            elif key := re.match(r"\s*([\w.-]+)\s*=", line):
                name = f"{section}.{key[1]}".lstrip(".")
            else:
                continue
            if wanted == name:
                return f":{number}"
        return ""


def explain(error: ValidationError, source: Source) -> str:
    """The first problems of the settings as sentences, joined by `; `."""
    problems = _one_a_key(error.errors())[:MOST_PROBLEMS]
    return "; ".join(_sentence(problem, source) for problem in problems)


def _one_a_key(problems: Sequence[Any]) -> list[Any]:
    """One problem a key: a key of several types has one for each, and the one inside a list says most."""
    chosen: dict[str, Any] = {}
    for problem in problems:
        name = ".".join(_keys(problem))
        if name not in chosen or isinstance(chosen[name]["input"], list | tuple):
            chosen[name] = problem
    return list(chosen.values())


def _keys(problem: Any) -> list[str]:
    return [str(part) for part in problem["loc"] if not _is_type_name(part)]


def _is_type_name(part: Any) -> bool:
    return isinstance(part, int) or bool(re.search(r"[\[(]|^(str|int|float|bool|constrained-int)$", str(part)))


def _sentence(problem: Any, source: Source) -> str:
    keys = _keys(problem)
    name, kind = ".".join(keys), problem["type"]
    place = source.place(keys, is_missing=kind == "missing")
    if kind == "extra_forbidden":
        known = _known_keys(keys[:-1])
        return f'{place}: unknown key "{name}"{nearest(keys[-1], known)} (known here: {", ".join(known)})'
    if kind == "missing":
        return f'{place}: the key "{name}" is missing'
    if kind == "value_error":
        return _refusal(problem["ctx"]["error"], keys, place, source)
    received = problem["input"]
    hint = nearest(received, choices(_annotation(keys))) if isinstance(received, str) else ""
    named = place if place.startswith("--set ") else f"{place}: {name}"
    return f"{named}: {expectation(problem)}, received {received!r}{hint}"


def _refusal(error: ValueError, keys: Sequence[str], place: str, source: Source) -> str:
    """What a validator of ours says; a Disagreement names its own key."""
    if isinstance(error, Disagreement):
        return f"{source.place(error.key.split('.'))}: {error}"
    return f"{place}: {'.'.join(keys)}: {error}" if keys else f"{place}: {error}"


def _section(keys: Sequence[str]) -> type[Section] | None:
    section: type[Section] = Settings
    for key in keys:
        field = section.model_fields.get(key)
        if field is None or not is_section(field):
            return None
        section = subsection(field)
    return section


def _known_keys(keys: Sequence[str]) -> list[str]:
    section = _section(keys)
    return list(section.model_fields) if section else []


def _annotation(keys: Sequence[str]) -> Any:
    section = _section(keys[:-1])
    field = section.model_fields.get(keys[-1]) if section else None
    return field.annotation if field else None
