"""Problems: what is wrong in settings, in a user's words."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

# What a user reads, by pydantic's type of problem.
EXPECTED = {
    "missing": "is missing",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "string_type": "expected text in quotes",
    "string_too_short": "expected text",
    "string_pattern_mismatch": "expected letters, digits, _, - and ., not a . or - at the start",
    "tuple_type": "expected a list",
    "too_short": "expected at least one entry",
    "model_type": "expected a section with keys of its own",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected {ge} or more",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected {le} or less",
    "literal_error": "expected {expected}",
}


class Disagreement(ValueError):
    """A setting that other settings or the task rule out: its dotted `key`, and a message that names it."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def expectation(problem: Mapping[str, Any]) -> str:
    """What was expected in place of one of `ValidationError.errors()`; pydantic's message for rare types of problem."""
    found = EXPECTED.get(problem["type"])
    return found.format(**problem.get("ctx", {})) if found else str(problem["msg"])


def nearest(name: str, known: Sequence[str]) -> str:
    """A question that suggests the nearest of `known`, to append to a message; empty if none is near.

    >>> nearest("gur", ["lstm", "gru"])
    '; did you mean "gru"?'
    """
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'; did you mean "{found[0]}"?' if found else ""
