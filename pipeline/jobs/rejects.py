"""Rejects: rows that can't be read or written, set aside with the reason, and when one of them ends a job."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from corpora.blocks import FORMATS as TEXT_FORMATS
from corpora.errors import CorpusError
from corpora.files import codec, unescaped
from corpora.rows import BadRow


class Rejects:
    """The bad rows of one input.

    `strict`: the first one ends the job; `limit`: so many ones at the start of the file, with no good one, end it;
    `reason`: what is wrong with the first one, "" if there is none.
    """

    def __init__(self, source: Path, *, strict: bool, limit: int) -> None:
        self.source = source
        self.strict = strict
        self.limit = limit
        self.reason = ""

    def add(self, bad: BadRow, number: int, *, all_bad: bool) -> None:
        """Notes a bad row, the `number`-th; `all_bad`: no good row came before. Raises CorpusError to end the job."""
        place = f"row {number} (line {bad.line})" if bad.line else f"row {number}"
        self.reason = self.reason or f"{place}: {bad.reason}"
        if self.strict:
            raise CorpusError(f"{self.source}: {place}: {bad.reason}")
        if number == self.limit and all_bad:
            raise CorpusError(f"{self.source}: none of the first {number} rows can be read; {self.reason}")


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
