"""The header: the names of a table's columns, and the column that a user named."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from corpora.errors import CorpusError, shown
from corpora.table_options import WITH_HEADER, TableOptions, table_format

SHOWN = 40  # columns that an error names
COMPARED = 1000  # columns among which it looks for the nearest name


def position(path: Path, columns: Sequence[str], name: str, option: str = "--text") -> int:
    """The position of a column's cell in each row of a file; see `TableReader.position`."""
    found = columns.count(name)
    if found == 1:
        return columns.index(name)
    distinct = list(dict.fromkeys(columns))
    known = ", ".join(f'"{shown(column)}"' for column in distinct[:SHOWN]) + (", …" if len(distinct) > SHOWN else "")
    if found:
        raise CorpusError(f'{path}: {found} columns are named "{shown(name)}" (columns: {known}): rename one')
    close = get_close_matches(name, distinct[:COMPARED], 1, 0.4)
    hint = f', "{shown(close[0])}" is the nearest' if close else ""
    raise CorpusError(f'{path}: no column "{shown(name)}"; the columns are {known}{hint}: choose one with {option}')


def named(path: Path, first: Sequence[object], options: TableOptions) -> tuple[str, ...]:
    """The names of the columns of a table that begins with this row: its cells, or numbers from 1 on.

    >>> named(Path("评论.csv"), ["很好", "好评"], TableOptions(header=False))
    ('1', '2')
    """
    if options.header or table_format(path, options.format) not in WITH_HEADER:
        return tuple(map(str, first))
    return tuple(str(number) for number in range(1, len(first) + 1))
