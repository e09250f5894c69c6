"""Plain text: one document per line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.document import Document
from corpora.files import text_lines


@dataclass(frozen=True, slots=True)
class LineDocuments:
    r"""The lines of a text file (gzip too) as documents without labels; re-iterable.

    No line is skipped, so `row` is the number of the line. Only `\n`, `\r\n` and `\r` end a line, and only they are
    removed from a text.

    Args:
        path: The file.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: While iterating: the file cannot be read or decoded; names the line and the byte.
    """

    path: Path
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[Document]:
        for row, line in enumerate(text_lines(self.path, self.encoding), start=1):
            yield Document(line.rstrip("\r\n"), row=row)
