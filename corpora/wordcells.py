"""Word cells: the words of a text in a column of their own, and a check that they are those of the text."""

import json

from corpora import segmented
from corpora.errors import CorpusError, shown


def words(cell: object) -> list[str]:
    """The words of a cell: a list, a JSON list, or words separated by spaces, as `corpora.segmented` writes them.

    White space at the ends of a word is dropped, and so is a word of white space alone.

    Raises:
        CorpusError: A backslash is not an escape.

    >>> words("我 爱 New\\\\sYork"), words('["我", "爱 你"]'), words("[ 笑 ]")
    (['我', '爱', 'New York'], ['我', '爱 你'], ['[', '笑', ']'])
    """
    listed = cell if isinstance(cell, list) else _listed(cell)
    found = listed if listed is not None else segmented.split("" if cell is None else str(cell))
    return [bare for word in found if (bare := word.strip())]


def check(text: str, words: list[str]) -> None:
    """Raises CorpusError unless the text consists of these words in order, apart from white space between them.

    >>> check("我爱 北京", ["我", "爱", "北京"])
    """
    end = 0
    for number, word in enumerate(words, start=1):
        start = _past_space(text, end)
        if not text.startswith(word, start):
            found = shown(text[start : start + len(word)])
            raise CorpusError(f'word {number} is "{shown(word)}", and the text has "{found}" there (character {start})')
        end = start + len(word)
    if (start := _past_space(text, end)) < len(text):
        raise CorpusError(f'the text goes on after the last word, with "{shown(text[start:])}"')


def _past_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _listed(cell: object) -> list[str] | None:
    if not isinstance(cell, str) or not cell.startswith("["):
        return None
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None
