"""Text from files and models, fit for a terminal: no control character reaches it."""

from __future__ import annotations


def escaped(text: str, keep: str = "") -> str:
    r"""The text with every character that cannot be shown written as an escape, except those in `keep`.

    >>> escaped("好\x1b[31m"), escaped("a\u202eb"), escaped("a\tb", keep="\t")
    ('好\\x1b[31m', 'a\\u202eb', 'a\tb')
    """
    return "".join(
        character if character.isprintable() or character in keep else repr(character)[1:-1] for character in text
    )
