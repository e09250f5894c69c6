"""Chunks of text cut into lines, in time linear in the text, however long a line is."""

from __future__ import annotations

import re
from io import StringIO

_LINE_END = re.compile(r"[\r\n]")


class LineCutter:
    r"""Takes chunks of text and gives the lines that are complete, with their ends: `\n`, `\r\n` or `\r`.

    Args:
        longest: Characters of a line that are kept, and one more to tell that there were others; None keeps all.

    >>> cutter = LineCutter()
    >>> cutter.feed("一\r"), cutter.feed("\n二\n三"), cutter.rest()
    ([], ['一\r\n', '二\n'], '三')
    """

    def __init__(self, longest: int | None = None) -> None:
        self._longest = longest
        self._pieces: list[str] = []
        self._kept = 0

    def feed(self, text: str) -> list[str]:
        """The lines that this chunk completes; the last one may go on in the next chunk, its end too."""
        if not text:
            return []
        if not _LINE_END.search(text) and not (self._pieces and self._pieces[-1].endswith(("\r", "\n"))):
            self._keep(text)
            return []
        lines = StringIO("".join([*self._pieces, text]), newline="").readlines()
        self._pieces, self._kept = [], 0
        self._keep(lines.pop())
        return lines if self._longest is None else [self._cut(line) for line in lines]

    def rest(self) -> str:
        """What no line end has completed."""
        return "".join(self._pieces)

    def _keep(self, text: str) -> None:
        if self._longest is not None and not _LINE_END.search(text):
            text = text[: max(0, self._longest + 1 - self._kept)]
        if text:
            self._pieces.append(text)
            self._kept += len(text)

    def _cut(self, line: str) -> str:
        if self._longest is None or len(line) <= self._longest:
            return line
        body = line.rstrip("\r\n")
        return body[: self._longest + 1] + line[len(body) :]
