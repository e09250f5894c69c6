"""Likeness: the key that near-duplicates share, texts equal but for digits, punctuation, white space, width or case."""

import re
import unicodedata
from collections.abc import Iterable

DIGITS = re.compile(r"\d+")
# Categories of Unicode that say little: punctuation, separators, controls, mathematical signs and modifiers. Emojis
# (So) stay: they often are what a text says.
IGNORED = ("P", "Z", "C", "Sm", "Sk")


class _Kept(dict[int, str | None]):
    """For `str.translate`: each character as it is, or None for one that is ignored; looked up once."""

    def __missing__(self, code: int) -> str | None:
        sign = chr(code)
        self[code] = None if unicodedata.category(sign).startswith(IGNORED) else sign
        return self[code]


KEPT = _Kept()


def likeness(text: str) -> str:
    """The key of a text; near-duplicates have the same. A text of nothing but signs is its own key.

    >>> likeness("满２０减5！！ OK") == likeness("满100减30，ok。")
    True
    >>> likeness("？！") == likeness("。")
    False
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Digits come last, so that "1,000" and "1000" are alike.
    key = DIGITS.sub("0", folded.translate(KEPT))
    return key or text


def near_duplicates(texts: Iterable[str], others: Iterable[str]) -> int:
    """How many of `texts` have a near-duplicate among `others` without being equal to one of them."""
    known = set(others)
    keys = {likeness(text) for text in known}
    return sum(text not in known and likeness(text) in keys for text in texts)
