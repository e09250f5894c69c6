"""Texts: what a model may be asked about, checked before it reads any of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LONGEST = 60  # characters of a value that a message quotes
MISSING = ("None", "nan", "NaT", "<NA>")  # what stands for no value in Python, NumPy and pandas


def checked_texts(texts: Iterable[str]) -> list[str]:
    """The texts as a list. Raises ValueError, naming the position, for anything that is no text.

    >>> checked_texts(("很好", None))
    Traceback (most recent call last):
    ...
    ValueError: texts[1]: expected a text, received None: leave it out, or pass "" for a row without text
    """
    if hasattr(texts, "columns") and hasattr(texts, "iloc"):
        names = ", ".join(map(str, texts.columns))
        raise ValueError(
            f"expected texts, received a data frame with the columns {names}: pass one column, as in "
            'predict(frame["COLUMN"]), or call label_frame(frame, text="COLUMN")'
        )
    if isinstance(texts, str):
        raise ValueError(f"expected a sequence of texts, received one text: pass it in a list, [{_quoted(texts)}]")
    if isinstance(texts, bytes | Mapping) or not isinstance(texts, Iterable):
        raise ValueError(f"expected a text or a sequence of texts, received {_quoted(texts)}")
    return [_checked(text, position) for position, text in enumerate(texts)]


def _checked(text: object, position: int) -> str:
    if isinstance(text, str):
        return text
    if str(text) in MISSING:
        way_out = 'leave it out, or pass "" for a row without text'
    elif isinstance(text, bytes):
        way_out = "decode it first"
    else:
        way_out = "pass a str"
    raise ValueError(f"texts[{position}]: expected a text, received {_quoted(text)}: {way_out}")


def _quoted(value: Any) -> str:
    shown = repr(value)
    if isinstance(value, str):
        return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…'"
    cut = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    return cut if isinstance(value, bytes) or str(value) in MISSING else f"{cut} ({type(value).__name__})"
