"""brat's standoff: a text, `NAME.txt`, and beside it `NAME.ann` with lines like `T1 → 地点 2 4 → 北京`.

Each line of the text is a text of its own, since brat's users put one sentence on a line. Entities of one stretch are
read; a discontinuous one, and relations, events, attributes, normalisations and notes, are counted and left out.
Source: https://brat.nlplab.org/standoff.html
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.annotated import AnnotatedText
from corpora.annotations.offsets import Offsets, spans_in
from corpora.annotations.records import RawSpan
from corpora.document import Span
from corpora.errors import CorpusError, excerpt
from corpora.files import open_text, replace_when_done, text_lines, unencodable
from corpora.findings import Counts, count

TEXT, ANNOTATIONS = ".txt", ".ann"
_ENTITY = re.compile(r"T\S*\t(\S+) ([0-9]+) ([0-9]+)((?:;[0-9]+ [0-9]+)*)(?:\t(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BratTexts:
    """The lines of brat's texts with their entities; re-iterable. Blank lines are skipped.

    Args:
        path: A `.txt` or `.ann` file, or a folder with pairs of them. A text without `.ann` is not annotated.
        offsets: What offsets count, as for `corpora.spans.AnnotatedTexts`.
        encoding: One of `corpora.files.ENCODINGS`; brat's is UTF-8.

    Raises:
        CorpusError: While iterating: a file is missing or cannot be read, or a line of `.ann` is none of brat's, lies
            outside the text or disagrees with it; names the line.
    """

    path: Path
    offsets: Offsets | None = None
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[AnnotatedText]:
        return self.counted(Counter())

    def counted(self, counts: Counts) -> Iterator[AnnotatedText]:
        """The texts; adds to `counts` what was left out."""
        row = 0
        for path in texts_at(self.path):
            text = "".join(text_lines(path, self.encoding))
            annotations = path.with_suffix(ANNOTATIONS)
            spans = self._entities(annotations, text, counts) if annotations.exists() else None
            for line, found in _lines(text, spans, counts):
                row += 1
                yield AnnotatedText(line, found, row)

    def _entities(self, path: Path, text: str, counts: Counts) -> list[Span]:
        raw: list[tuple[int, RawSpan]] = []
        for number, line in enumerate(text_lines(path, self.encoding), start=1):
            line = line.rstrip("\r\n")
            if not line.startswith("T"):
                count("relations", counts, int(bool(line.strip())))
                continue
            try:
                raw += [(number, found) for found in [_entity(line, counts)] if found]
            except CorpusError as error:
                raise CorpusError(f"{path}: line {number}: {error}") from None
        try:
            return list(spans_in(text, [found for _, found in raw], self.offsets, counts))
        except CorpusError as error:
            raise CorpusError(f"{path}: {self._place(text, raw)}{error}") from None

    def _place(self, text: str, raw: list[tuple[int, RawSpan]]) -> str:
        """The line of the first entity that is wrong by itself."""
        for number, one in raw:
            try:
                spans_in(text, [one], self.offsets, Counter())
            except CorpusError:
                return f"line {number}: "
        return ""


def read(path: str | Path, *, offsets: Offsets | None = None, encoding: str = "utf-8") -> BratTexts:
    """The lines of brat's texts with their entities; see `BratTexts`."""
    return BratTexts(Path(path), offsets, encoding)


def write(path: str | Path, documents: Iterable[AnnotatedText], *, encoding: str = "utf-8") -> int:
    """Writes the texts as the lines of `NAME.txt`, and their spans as `NAME.ann`; returns the number of texts.

    `path` is either of the two. The entities are written last, so that a text without them is never complete.

    Raises:
        CorpusError: A text has a line end or is blank, a label has white space, or a character cannot be encoded.
    """
    path = Path(path)
    place = number = row = 0
    with (
        replace_when_done(path.with_suffix(ANNOTATIONS)) as entities,
        replace_when_done(path.with_suffix(TEXT)) as lines,
        open_text(lines, encoding, "w") as text,
        open_text(entities, encoding, "w") as annotations,
    ):
        for row, document in enumerate(documents, start=1):
            if re.search(r"[\r\n]", document.text) or not document.text.strip():
                raise CorpusError(f"{path}: row {row}: a text of one line is expected, {excerpt(document.text)} came")
            try:
                text.write(document.text + "\n")
                for span in document.spans or ():
                    number += 1
                    annotations.write(_line(number, span, place, document.text[span.start : span.end]))
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: row {row}", error) from None
            place += len(document.text) + 1
    return row


def texts_at(path: Path) -> list[Path]:
    """The `.txt` files that a path stands for, in order.

    Raises:
        CorpusError: There is none.
    """
    found = sorted(path.glob(f"*{TEXT}")) if path.is_dir() else [path.with_suffix(TEXT)]
    if not found:
        raise CorpusError(f"{path}: has no {TEXT} files, which brat's texts are")
    if not found[0].exists():
        raise CorpusError(f"{found[0]}: no such file, but brat's {path.name} is about this text")
    return found


def _entity(line: str, counts: Counts) -> RawSpan | None:
    parts = _ENTITY.fullmatch(line)
    if parts is None:
        raise CorpusError(f'{excerpt(line)} is no entity: "T1", a tab, "地点 2 4", a tab and its text are expected')
    label, start, end, more, words = parts.groups()
    if more:
        count("discontinuous", counts)
        return None
    return RawSpan(int(start), int(end), label, words)


def _lines(text: str, spans: list[Span] | None, counts: Counts) -> Iterator[tuple[str, tuple[Span, ...] | None]]:
    """The lines that are not blank, each with its spans, which then count from its beginning."""
    breaks = [found.start() for found in re.finditer("\n", text)]
    by_line: defaultdict[int, list[Span]] = defaultdict(list)
    for span in spans or ():
        if re.search(r"[\r\n]", text[span.start : span.end]):
            count("across_lines", counts)
        else:
            by_line[bisect_left(breaks, span.start)].append(span)
    start = 0
    for number, line in enumerate(text.split("\n")):
        if line.strip():
            found = tuple(Span(span.start - start, span.end - start, span.label) for span in sorted(by_line[number]))
            yield line.removesuffix("\r"), None if spans is None else found
        start += len(line) + 1


def _line(number: int, span: Span, place: int, words: str) -> str:
    if re.search(r"\s", span.label):
        raise CorpusError(f'the label "{span.label}" has white space, which brat does not allow: rename it')
    return f"T{number}\t{span.label} {place + span.start} {place + span.end}\t{words}\n"
