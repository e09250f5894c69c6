"""The formats of a corpus: documents, or tagged sentences, from a file of any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

from corpora import conll, conllu, contents, findings, label_sets, packed, segmented, sheetmarks, slashed, spans
from corpora.annotations import brat, huggingface
from corpora.annotations.forms import FORMS as FORMS_OF_JSON
from corpora.annotations.offsets import Offsets
from corpora.document import Document, Sentence
from corpora.errors import CorpusError, shown
from corpora.findings import Counts, TokenCheck
from corpora.labels import bare
from corpora.lines import LineDocuments
from corpora.notation import CanonicalTags
from corpora.overlaps import OnOverlap
from corpora.rows import BadRow
from corpora.table import TableReader
from corpora.table_options import SUFFIXES, TABLES, TableOptions


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
        return map(self._normalised, self.source)

    def counted(self, counts: Counts) -> Iterator[Document]:
        """The documents; adds what is doubtful about the file and its labels to `counts`, see `corpora.findings`."""
        source = self.source.counted(counts) if isinstance(self.source, TableDocuments) else self.source
        labels: Counter[str] = Counter()
        for document in source if self.normalise is None else map(self._normalised, source):
            for label in document.label_set or ():
                findings.count_label(label, counts)
            labels.update(document.label_set or ())
            yield document
        findings.note_similar(labels, counts)

    def _normalised(self, document: Document) -> Document:
        return document if self.normalise is None else replace(document, text=self.normalise(document.text))


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
        """The documents; adds to `counts` the rows that were set aside, and what a sheet has beside values."""

        def set_aside(number: int, row: BadRow) -> None:
            if not counts.get("bad_rows"):
                findings.note(f"the first row set aside is row {number}: {row.reason}", counts)
            findings.count("bad_rows", counts)

        if self.table.format == "xlsx":
            sheetmarks.count(self.table.path, self.table.options, self._used, counts)
        table = TableReader(self.table.path, self.table.options, set_aside=set_aside)
        for row, cells in table.numbered():
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

    @property
    def _used(self) -> tuple[int, ...]:
        return self.text if self.label is None else (*self.text, self.label)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read as documents: its columns, its options, and what is between the labels of a row."""

    text: tuple[str, ...]
    label: str | None
    options: TableOptions
    label_separator: str | None = None


def read(
    path: str | Path,
    format: str | None = None,
    *,
    text: str | Sequence[str] = "text",
    label: str | None = None,
    label_separator: str | None = None,
    normalise: Callable[[str], str] | None = None,
    options: TableOptions | None = None,
    **given: Any,
) -> Corpus:
    """Opens a corpus; columns are checked at once, rows while iterating.

    Args:
        path: The file.
        format: One of `FORMATS`; by suffix if None (`.txt` is "lines"; `.gz` may follow a text format).
        text: The column of the text, or several, whose cells are joined by a line feed. Not used by "lines".
        label: The column of the label. White space and invisible characters around a label are dropped; an empty cell
            is no label.
        label_separator: Between the labels of a row, which may also be a list; None: a row has one label.
        normalise: Applied to each text, such as `corpora.normalise.normaliser`.
        options: How the file is read; the format is the one named above.
        given: Fields of `TableOptions` in place of those in `options`.

    Raises:
        CorpusError: The file, its format, its encoding or a column is wrong; here or while iterating.
    """
    path = Path(path)
    name = corpus_format(path, format or (options.format if options else None))
    columns = (text,) if isinstance(text, str) else tuple(text)
    chosen = replace(options or TableOptions(), **given, format=None if name == "lines" else name)
    return Corpus(path, name, FORMATS[name](path, Reading(columns, label, chosen, label_separator)), normalise)


def corpus_format(path: Path, format: str | None = None) -> str:
    """The format of a corpus: the given one, or else that of the suffix.

    Raises:
        CorpusError: There is no such format, or none for this suffix.

    >>> corpus_format(Path("新闻.txt.gz"))
    'lines'
    """
    suffix = packed.suffix_inside(path)
    name = {**SUFFIXES, ".txt": "lines"}.get(suffix) if format is None else format
    if name not in FORMATS:
        unknown = f'no format "{format}"' if format is not None else f'no format has the suffix "{suffix}"'
        if format is None and suffix in contents.ADVICE:
            raise CorpusError(f"{path}: {unknown}{contents.advice(suffix)}")
        raise CorpusError(f"{path}: {unknown}; the formats are {', '.join(FORMATS)}: choose one with --format")
    return name


def is_table(path: Path, format: str | None = None) -> bool:
    """Whether a corpus is a table, by its format or its suffix."""
    return format in TABLES if format else packed.suffix_inside(path) in SUFFIXES


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

    @property
    def as_written(self) -> TaggedCorpus:
        """The same with tags as they stand in the file, as parts of speech are to be read."""
        return replace(self, source=self.source.source) if isinstance(self.source, CanonicalTags) else self

    def counted(self, counts: Counts) -> Iterator[Sentence]:
        """The sentences; adds to `counts` what was changed or is doubtful, see `corpora.findings`."""
        check, labels = TokenCheck(), Counter[str]()
        source = self.source
        sentences = source.counted(counts) if isinstance(source, spans.CharacterSentences | CanonicalTags) else source
        for sentence in sentences:
            check.add(sentence.tokens)
            findings.count_tags(sentence, counts)
            labels.update(sentence.tags or ())
            yield sentence
        check.finish(counts)
        findings.note_similar(findings.types_of(labels), counts)


def read_tagged(path: str | Path, format: str | None = None, **options: object) -> TaggedCorpus:
    """The sentences of a tagged corpus: words of any format that has them, characters of texts with spans.

    Args:
        path: The file.
        format: One of `TAGGED`; by suffix if None (those of `TAGGED_SUFFIXES`; `.gz` may follow).
        options: Arguments of the format's reader by name: `encoding` in all, `token`, `tag`, `separator`, `comment` for
            "conll", `tag` for "conllu", `tag`, `names` for "huggingface", `separator`, `brackets` for "slashed",
            `scheme`, `overlaps`, `offsets` for "brat", and these and `text` for the other formats of spans.

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
    suffix = packed.suffix_inside(path)
    name = TAGGED_SUFFIXES.get(suffix) if format is None else format
    if name not in TAGGED:
        unknown = (
            f'no tagged format "{format}"' if format is not None else f'no tagged format has the suffix "{suffix}"'
        )
        raise CorpusError(f"{path}: {unknown}; the formats are {', '.join(TAGGED)}: name one")
    return name


def _string(cell: object) -> str:
    return "" if cell is None else str(cell)


def _table(path: Path, reading: Reading) -> TableDocuments:
    table = TableReader(path, reading.options)
    if not reading.text:
        raise CorpusError(f"{path}: no text column: choose one with --text")
    positions = tuple(table.position(name, "--text") for name in reading.text)
    label = None if reading.label is None else table.position(reading.label, "--label")
    return TableDocuments(table, positions, label, reading.label_separator)


def _lines(path: Path, reading: Reading) -> LineDocuments:
    if reading.label is not None:
        raise CorpusError(f'{path}: plain lines have no label, but "{reading.label}" is asked for: leave out --label')
    if reading.options != TableOptions(encoding=reading.options.encoding, bad_rows=reading.options.bad_rows):
        raise CorpusError(f"{path}: is read as plain lines, which have none of the options of tables: leave them out")
    return LineDocuments(path, reading.options.encoding)


FORMATS: dict[str, Callable[[Path, Reading], Iterable[Document]]] = {
    "csv": _table,
    "tsv": _table,
    "jsonl": _table,
    "json": _table,
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


def _conll(
    path: Path,
    *,
    token: int = 0,
    tag: int | None = -1,
    separator: str | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> CanonicalTags:
    return CanonicalTags(conll.Conll(path, token, tag, separator, comment, encoding))


def _iob2(path: Path, *, encoding: str = "utf-8") -> CanonicalTags:
    """Universal NER: a number, the token, its tag and two more columns."""
    return CanonicalTags(conll.Conll(path, token=1, tag=2, separator="\t", encoding=encoding))


def _huggingface(
    path: Path, *, tag: str | None = None, names: Sequence[str] | None = None, encoding: str = "utf-8"
) -> CanonicalTags:
    return CanonicalTags(huggingface.HuggingFace(path, tag, names, encoding), place="row")


def _brat(
    path: Path,
    *,
    scheme: str = "BMES",
    overlaps: OnOverlap = "refuse",
    offsets: Offsets | None = None,
    encoding: str = "utf-8",
) -> spans.CharacterSentences:
    return spans.CharacterSentences(brat.BratTexts(path, offsets, encoding), scheme, overlaps)


def _characters(
    path: Path,
    *,
    form: str,
    text: str = "text",
    scheme: str = "BMES",
    overlaps: OnOverlap = "refuse",
    offsets: Offsets | None = None,
    encoding: str = "utf-8",
) -> spans.CharacterSentences:
    source = spans.read(path, form, text=text, offsets=offsets, encoding=encoding)
    return spans.CharacterSentences(source, scheme, overlaps)


TAGGED: dict[str, Callable[..., Iterable[Sentence]]] = {
    "conll": _conll,
    "iob2": _iob2,
    "conllu": conllu.read,
    "slashed": slashed.read,
    "segmented": _segmented,
    "huggingface": _huggingface,
    "brat": _brat,
    **{form: partial(_characters, form=form) for form in FORMS_OF_JSON},
}
JSON_OF_SPANS = tuple(FORMS_OF_JSON)
OF_SPANS = ("brat", *JSON_OF_SPANS)  # formats of texts with spans, which may overlap
TAGGED_SUFFIXES = {
    **dict.fromkeys((".conll", ".bio", ".bmes", ".bioes", ".iob", ".bmeo", ".bieo"), "conll"),
    ".iob2": "iob2",
    ".conllu": "conllu",
    ".ann": "brat",
}


def corpus_files(path: Path, format: str | None = None) -> list[Path]:
    """The files that a corpus consists of: for brat the texts and their annotations, else the file alone.

    Raises:
        CorpusError: A text of brat is missing.
    """
    if format != "brat" and (format is not None or path.suffix.lower() != brat.ANNOTATIONS):
        return [path]
    texts = brat.texts_at(path)
    return [*texts, *(found for text in texts if (found := text.with_suffix(brat.ANNOTATIONS)).exists())]
