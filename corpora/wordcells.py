"""Word cells: a text that a table's own column has cut into words, and whether the words are those of the text."""

import json

from corpora import segmented
from corpora.errors import CorpusError, shown


def words(cell: object) -> list[str]:
    """The words of a cell: a list, a JSON list, or words separated by spaces, as `corpora.segmented` writes them.

    White space at the ends of a word, and a word of nothing else, is left out.

    Raises:
        CorpusError: A backslash is no escape.

    >>> words("我 爱 New\\\\sYork"), words('["我", "爱 你"]'), words("[ 笑 ]")
    (['我', '爱', 'New York'], ['我', '爱 你'], ['[', '笑', ']'])
    """
    listed = cell if isinstance(cell, list) else _listed(cell)
    found = listed if listed is not None else segmented.split("" if cell is None else str(cell))
    return [bare for word in found if (bare := word.strip())]


def check(text: str, words: list[str]) -> None:
    """Raises CorpusError unless the text is these words one after the other, white space between them aside.

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
        raise CorpusError(f'the text goes on behind the last word, with "{shown(text[start:])}"')


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
