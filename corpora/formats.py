"""The formats of a corpus: documents, or tagged sentences, from a file of any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from pathlib import Path

from corpora import conll, conllu, contents, findings, label_sets, segmented, slashed, spans
from corpora.document import Document, Sentence
from corpora.errors import CorpusError, shown
from corpora.files import codec
from corpora.findings import Counts, TokenCheck
from corpora.labels import bare
from corpora.lines import LineDocuments
from corpora.span_records import FORMS as FORMS_OF_SPANS
from corpora.table import SUFFIXES, TableReader


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of a file; re-iterable, and none is held in memory.

    Args:
        path: The file they come from.
        format: One of `FORMATS`.
        source: The documents as they stand there, re-iterable.
        normalise: Applied to each text, or None.
    """

    path: Path
    format: str
    source: Iterable[Document]
    normalise: Callable[[str], str] | None = None

    def __iter__(self) -> Iterator[Document]:
        return self._normalised(self.source)

    def counted(self, counts: Counts) -> Iterator[Document]:
        """The documents; adds what is doubtful about their labels to `counts`, see `corpora.findings`."""
        source = self.source
        documents = source.counted(counts) if isinstance(source, TableDocuments) else source
        for document in self._normalised(documents):
            for label in document.label_set or ():
                findings.count_label(label, counts)
            yield document

    def _normalised(self, documents: Iterable[Document]) -> Iterator[Document]:
        if self.normalise is None:
            return iter(documents)
        return (replace(document, text=self.normalise(document.text)) for document in documents)


@dataclass(frozen=True, slots=True)
class TableDocuments:
    """The rows of a table as documents.

    Args:
        table: The rows.
        text: Positions of the cells with the text.
        label: Position of the cell with the label, or None.
        separator: Between the labels of a row; None: a row has one label.
    """

    table: TableReader
    text: tuple[int, ...]
    label: int | None
    separator: str | None = None

    def __iter__(self) -> Iterator[Document]:
        return self.counted({})

    def counted(self, counts: Counts) -> Iterator[Document]:
        """The documents; adds to `counts` what is odd about cells with several labels."""
        for row, cells in enumerate(self.table, start=1):
            text = "\n".join(_string(cells[index]) for index in self.text)
            if self.label is None:
                yield Document(text, None, row)
            elif self.separator is None:
                yield Document(text, self._single(cells[self.label], row), row)
            else:
                yield Document(text, None, row, labels=self._several(cells[self.label], row, counts))

    def _single(self, cell: object, row: int) -> str | None:
        if label_sets.is_list(cell):
            raise CorpusError(
                f"{self.table.path}: row {row}: the label is a list, {shown(_string(cell), 40)}, and a row has one "
                "label: set --label-separator to read several"
            )
        return bare(_string(cell)) or None

    def _several(self, cell: object, row: int, counts: Counts) -> tuple[str, ...]:
        try:
            found = label_sets.parse(cell, self.separator or "")
        except CorpusError as error:
            raise CorpusError(f"{self.table.path}: row {row}: {error}") from None
        findings.count_label_set(found, counts)
        return found.labels


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read: its columns, the options of `corpora.table.TableReader`, and what is between labels."""

    text: tuple[str, ...]
    label: str | None
    encoding: str
    delimiter: str | None = None
    quoting: bool | None = None
    label_separator: str | None = None


def read(
    path: str | Path,
    format: str | None = None,
    *,
    text: str | Sequence[str] = "text",
    label: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    quoting: bool | None = None,
    label_separator: str | None = None,
    normalise: Callable[[str], str] | None = None,
) -> Corpus:
    """Opens a corpus; columns are checked at once, rows while iterating.

    Args:
        path: The file.
        format: One of `FORMATS`; by suffix if None (`.txt` is "lines"; `.gz` may follow a text format).
        text: The column of the text, or several, whose cells are joined by a line feed. Not used by "lines".
        label: The column of the label. White space and invisible characters around a label are dropped; an empty cell
            is no label.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.
        delimiter: Of CSV and TSV, see `corpora.table.TableReader`.
        quoting: Of CSV and TSV, see `corpora.table.TableReader`.
        label_separator: Between the labels of a row, which may also be a list; None: a row has one label.
        normalise: Applied to each text, such as `corpora.normalise.normaliser`.

    Raises:
        CorpusError: The file, its format, its encoding or a column is wrong; here or while iterating.
    """
    path = Path(path)
    name = corpus_format(path, format)
    columns = (text,) if isinstance(text, str) else tuple(text)
    reading = Reading(columns, label, codec(encoding), delimiter, quoting, label_separator)
    return Corpus(path, name, FORMATS[name](path, name, reading), normalise)


def corpus_format(path: Path, format: str | None = None) -> str:
    """The format of a corpus: the given one, or else that of the suffix.

    Raises:
        CorpusError: There is no such format, or none for this suffix.

    >>> corpus_format(Path("新闻.txt.gz"))
    'lines'
    """
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    name = {**SUFFIXES, ".txt": "lines"}.get(suffix) if format is None else format
    if name not in FORMATS:
        unknown = f'no format "{format}"' if format is not None else f'no format has the suffix "{suffix}"'
        if format is None and suffix in contents.ADVICE:
            raise CorpusError(f"{path}: {unknown}{contents.advice(suffix)}")
        raise CorpusError(f"{path}: {unknown}; the formats are {', '.join(FORMATS)}: choose one with --format")
    return name


@dataclass(frozen=True, slots=True)
class TaggedCorpus:
    """The sentences of a tagged file; re-iterable.

    Args:
        path: The file they come from.
        format: One of `TAGGED`.
        source: The sentences as they stand there, re-iterable.
    """

    path: Path
    format: str
    source: Iterable[Sentence]

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.source)

    def counted(self, counts: Counts) -> Iterator[Sentence]:
        """The sentences; adds to `counts` what was changed or is doubtful, see `corpora.findings`."""
        check = TokenCheck()
        source = self.source
        sentences = source.counted(counts) if isinstance(source, spans.CharacterSentences) else source
        for sentence in sentences:
            check.add(sentence.tokens)
            findings.count_tags(sentence, counts)
            yield sentence
        check.finish(counts)


def read_tagged(path: str | Path, format: str | None = None, **options: object) -> TaggedCorpus:
    """The sentences of a tagged corpus: words of any format that has them, characters of texts with spans.

    Args:
        path: The file.
        format: One of `TAGGED`; by suffix if None (`.conll`, `.bio`, `.bmes`, `.bioes` and `.conllu`; `.gz` may
            follow).
        options: Arguments of the format's reader by name: `encoding` in all, `token`, `tag`, `separator`, `comment` for
            "conll", `tag` for "conllu", `separator`, `brackets` for "slashed", `text`, `scheme`, `overlaps`, `offsets`
            for spans.

    Raises:
        CorpusError: The format or an option is unknown. While iterating: what is wrong with the file.
    """
    path = Path(path)
    name = tagged_format(path, format)
    reader = TAGGED[name]
    known = [option for option in signature(reader).parameters if option not in ("path", "form")]
    for option in options:
        if option not in known:
            raise CorpusError(f'{path}: "{name}" has no option "{option}"; its options are {", ".join(known)}')
    return TaggedCorpus(path, name, reader(path, **options))


def tagged_format(path: Path, format: str | None = None) -> str:
    """The format of a tagged corpus: the given one, or else that of the suffix.

    Raises:
        CorpusError: There is no such format, or none for this suffix.

    >>> tagged_format(Path("实体.bio.gz"))
    'conll'
    """
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    name = TAGGED_SUFFIXES.get(suffix) if format is None else format
    if name not in TAGGED:
        unknown = (
            f'no tagged format "{format}"' if format is not None else f'no tagged format has the suffix "{suffix}"'
        )
        raise CorpusError(f"{path}: {unknown}; the formats are {', '.join(TAGGED)}: name one")
    return name


def _string(cell: object) -> str:
    return "" if cell is None else str(cell)


def _table(path: Path, format: str, reading: Reading) -> TableDocuments:
    table = TableReader(
        path, format=format, encoding=reading.encoding, delimiter=reading.delimiter, quoting=reading.quoting
    )
    if not reading.text:
        raise CorpusError(f"{path}: no text column: choose one with --text")
    positions = tuple(table.position(name, "--text") for name in reading.text)
    label = None if reading.label is None else table.position(reading.label, "--label")
    return TableDocuments(table, positions, label, reading.label_separator)


def _lines(path: Path, format: str, reading: Reading) -> LineDocuments:
    if reading.label is not None:
        raise CorpusError(f'{path}: plain lines have no label, but "{reading.label}" is asked for: leave out --label')
    return LineDocuments(path, reading.encoding)


FORMATS: dict[str, Callable[[Path, str, Reading], Iterable[Document]]] = {
    "csv": _table,
    "tsv": _table,
    "jsonl": _table,
    "parquet": _table,
    "xlsx": _table,
    "lines": _lines,
}


@dataclass(frozen=True, slots=True)
class SegmentedSentences:
    """The sentences of segmented text, without tags; re-iterable."""

    source: Iterable[Sequence[str]]

    def __iter__(self) -> Iterator[Sentence]:
        return (Sentence(tuple(words)) for words in self.source)


def _segmented(path: Path, *, encoding: str = "utf-8") -> SegmentedSentences:
    return SegmentedSentences(segmented.read(path, encoding))


def _characters(
    path: Path,
    *,
    form: str,
    text: str = "text",
    scheme: str = "BMES",
    overlaps: str = "refuse",
    offsets: spans.Offsets | None = None,
    encoding: str = "utf-8",
) -> spans.CharacterSentences:
    source = spans.read(path, form, text=text, offsets=offsets, encoding=encoding)
    return spans.CharacterSentences(source, scheme, overlaps)


TAGGED: dict[str, Callable[..., Iterable[Sentence]]] = {
    "conll": conll.read,
    "conllu": conllu.read,
    "slashed": slashed.read,
    "segmented": _segmented,
    **{form: partial(_characters, form=form) for form in FORMS_OF_SPANS},
}
TAGGED_SUFFIXES = {".conll": "conll", ".bio": "conll", ".bmes": "conll", ".bioes": "conll", ".conllu": "conllu"}
