"""Rejected rows: those of a table that cannot be read, set aside in a CSV file with their numbers and the reasons."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from corpora.blocks import FORMATS as TEXT_FORMATS
from corpora.files import codec, replace_when_done, unescaped
from corpora.rows import BadRow


def rejected_path(target: Path) -> Path:
    """Where the rows go that an output lacks.

    >>> rejected_path(Path("out.csv")).name
    'out.csv.rejected.csv'
    """
    return target.with_name(f"{target.name}.rejected.csv")


def write(path: Path, bad: Sequence[tuple[int, BadRow]], format: str, encoding: str) -> None:
    """Writes bad rows and their numbers; removes the file of an earlier run if there are none.

    `format`, `encoding`: of the input.
    """
    if not bad:
        path.unlink(missing_ok=True)
        return
    with replace_when_done(path) as temporary:
        temporary.write_bytes(reject_lines(bad, format, encoding, header=True))


def reject_lines(bad: Sequence[tuple[int, BadRow]], format: str, encoding: str, *, header: bool) -> bytes:
    """Bad rows and their numbers as CSV: row, reason, content, which has the bytes that stood in the input.

    `format`, `encoding`: of the input.
    """
    if not bad:
        return b""
    name = _encoding(format, encoding)
    lines = StringIO()
    writer = csv.writer(lines, lineterminator="\n", quoting=csv.QUOTE_ALL)
    if header:
        writer.writerow(("row", "reason", "content"))
    for number, row in bad:
        body = row.raw.removesuffix("\n").removesuffix("\r")
        reason = row.reason.encode(name, "backslashreplace").decode(name)
        writer.writerow((number, reason, body))
    return unescaped(lines.getvalue(), name)


def _encoding(format: str, encoding: str) -> str:
    """The encoding of the input, since bytes that it can't decode are written as they were; UTF-8 for any other."""
    name = codec(encoding)
    return name if format in TEXT_FORMATS and name in ("gb18030", "cp950", "big5hkscs") else "utf-8"
