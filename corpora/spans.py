"""JSON of texts with labelled character spans, in each of the forms of `corpora.annotations.forms`, in and out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.annotated import AnnotatedText, TextSource
from corpora.annotations.forms import form_of
from corpora.annotations.offsets import OFFSETS, Offsets, spans_in
from corpora.annotations.records import records
from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, unencodable
from corpora.findings import FIELD, Counts, count
from corpora.overlaps import OVERLAPS, OnOverlap


@dataclass(frozen=True, slots=True)
class AnnotatedTexts:
    """The texts of a file with their spans; re-iterable.

    JSON Lines (gzip too) are streamed; an array is held in memory while it is iterated. Equal spans are one. White
    space and invisible characters around a label are dropped. Everything else in a record is left out; relations are
    counted.

    Args:
        path: The file.
        form: One of `corpora.annotations.forms.FORMS`.
        text: The key of the text.
        offsets: What spans count: "characters" (code points) or "utf-16", in which a browser counts an emoji twice.
            None: characters, but UTF-16 units for a record whose spans come with their words, if these agree only so.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: There is no such form or no such offsets. While iterating: the file cannot be read, or a record is
            not of the form, has spans outside its text or words that disagree with it, or, in Label Studio, has several
            annotations of which not exactly one is marked as ground truth. Names the record and its line.
    """

    path: Path
    form: str = "doccano"
    text: str = "text"
    offsets: Offsets | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        form_of(self.form)
        if self.offsets is not None and self.offsets not in OFFSETS:
            raise CorpusError(f'offsets = "{self.offsets}": "characters" or "utf-16" is expected')

    def __iter__(self) -> Iterator[AnnotatedText]:
        return self.counted(Counter())

    def counted(self, counts: Counts) -> Iterator[AnnotatedText]:
        """The texts; adds to `counts` how many had their offsets converted, or may need it: see `corpora.findings`."""
        form, row = form_of(self.form), 0
        for where, record in records(self.path, self.encoding):
            try:
                for part in form.parts(record):
                    row += 1
                    text, found = form.reading(part, self.text, counts)
                    for key in part.keys() - form.keys - {self.text} if isinstance(part, dict) else ():
                        count(f"{FIELD}{key}", counts)
                    yield AnnotatedText(
                        text, None if found is None else spans_in(text, found, self.offsets, counts), row
                    )
            except CorpusError as error:
                raise CorpusError(f"{self.path}: {where}: {error}") from None


@dataclass(frozen=True, slots=True)
class CharacterSentences:
    """The texts of a file as sentences of characters with tags; re-iterable.

    Args:
        source: The texts.
        scheme: One of `corpora.tags.SCHEMES`.
        overlaps: "refuse" texts with overlapping spans, or keep the "longest" or "outermost", see
            `corpora.overlaps.flat`.

    Raises:
        CorpusError: `overlaps` is another word. While iterating: as the source, and where spans overlap.
    """

    source: TextSource
    scheme: str = "BMES"
    overlaps: OnOverlap = "refuse"

    def __post_init__(self) -> None:
        if self.overlaps not in OVERLAPS:
            raise CorpusError(f'overlaps = "{self.overlaps}": one of {", ".join(OVERLAPS)} is expected')

    def __iter__(self) -> Iterator[Sentence]:
        return self.counted(Counter())

    def counted(self, counts: Counts) -> Iterator[Sentence]:
        """The sentences; adds to `counts` how many spans were dropped, and what the source counts."""
        for document in self.source.counted(counts):
            kept = document
            if self.overlaps != "refuse":
                kept = document.flat(self.overlaps)
                count("overlaps_dropped", counts, len(document.spans or ()) - len(kept.spans or ()))
            try:
                yield kept.sentence(self.scheme)
            except CorpusError as error:
                hint = 'overlaps = "longest" or "outermost" keeps one of them'
                raise CorpusError(f"{self.source.path}: row {document.row}: {error}; {hint}") from None


def read(
    path: str | Path,
    form: str = "doccano",
    *,
    text: str = "text",
    offsets: Offsets | None = None,
    encoding: str = "utf-8",
) -> AnnotatedTexts:
    """The texts of a file with their spans; see `AnnotatedTexts`."""
    return AnnotatedTexts(Path(path), form, text, offsets, encoding)


def write(
    path: str | Path,
    documents: Iterable[AnnotatedText],
    form: str = "doccano",
    *,
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes texts with spans as JSON Lines or as one array, as the form has it, and returns their number.

    Raises:
        CorpusError: There is no such form, a text cannot be encoded, or the folder does not exist.
    """
    path, row, made = Path(path), 0, form_of(form)
    opening, between, closing = ("[\n", ",\n", "\n]\n") if made.is_array else ("", "\n", "\n")
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        stream.write(opening)
        for row, document in enumerate(documents, start=1):
            line = json.dumps(made.making(document.text, document.spans), ensure_ascii=False)
            try:
                stream.write(between + line if row > 1 else line)
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: row {row}", error) from None
            advance(1)
        stream.write(closing if row or opening else "")
    return row
