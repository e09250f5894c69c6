"""The formats of a corpus, and what makes documents, or tagged sentences, of any of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from pathlib import Path

from corpora import conll, conllu, slashed, spans
from corpora.document import Document, Sentence
from corpora.errors import CorpusError
from corpora.files import codec
from corpora.lines import Lines
from corpora.segmented import Segmented
from corpora.table import SUFFIXES, TableReader


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of a file; can be iterated again and again, and holds none of them in memory.

    Args:
        path: The file they come from.
        format: One of `FORMATS`.
        source: The documents as they stand there, re-iterable.
        normalise: What is done to each text, or None.
    """

    path: Path
    format: str
    source: Iterable[Document]
    normalise: Callable[[str], str] | None = None

    def __iter__(self) -> Iterator[Document]:
        if self.normalise is None:
            return iter(self.source)
        return (replace(document, text=self.normalise(document.text)) for document in self.source)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table as documents: which cells are text, which one the label, by position."""

    table: TableReader
    text: tuple[int, ...]
    label: int | None

    def __iter__(self) -> Iterator[Document]:
        for row, cells in enumerate(self.table, start=1):
            text = "\n".join(_string(cells[index]) for index in self.text)
            label = None if self.label is None else _string(cells[self.label]).strip() or None
            yield Document(text, label, row)


def read(
    path: str | Path,
    format: str | None = None,
    *,
    text: str | Sequence[str] = "text",
    label: str | None = None,
    encoding: str = "utf-8",
    normalise: Callable[[str], str] | None = None,
) -> Corpus:
    """Opens a corpus: checks the columns at once and leaves the rows to the iteration.

    Args:
        path: The file.
        format: One of `FORMATS`; by suffix if None (`.txt` is "lines"; `.gz` may stand behind a text format).
        text: The column of the text, or several, whose cells are joined by a line feed. Not used by "lines".
        label: The column of the label, stripped of white space; an empty cell is no label.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.
        normalise: Done to each text, as by `corpora.normalise.normaliser`.

    Raises:
        CorpusError: The file, its format, its encoding or a column is wrong; here or while iterating.
    """
    path = Path(path)
    name = corpus_format(path, format)
    columns = (text,) if isinstance(text, str) else tuple(text)
    return Corpus(path, name, FORMATS[name](path, name, columns, label, codec(encoding)), normalise)


def corpus_format(path: Path, format: str | None = None) -> str:
    """The name of a corpus's format: the given one, or else by suffix.

    Raises:
        CorpusError: There is no such format, or none for this suffix.

    >>> corpus_format(Path("新闻.txt.gz"))
    'lines'
    """
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    name = {**SUFFIXES, ".txt": "lines"}.get(suffix) if format is None else format
    if name not in FORMATS:
        unknown = f'no format "{format}"' if format is not None else f'no format has the suffix "{suffix}"'
        raise CorpusError(f"{path}: {unknown}; the formats are {', '.join(FORMATS)}: choose one with --format")
    return name


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of segmented text, without tags; can be iterated again and again."""

    source: Iterable[Sequence[str]]

    def __iter__(self) -> Iterator[Sentence]:
        return (Sentence(tuple(words)) for words in self.source)


def read_tagged(path: str | Path, format: str | None = None, **options: object) -> Iterable[Sentence]:
    """The sentences of a tagged corpus, re-iterable; words of any format that has them, characters of spans.

    Args:
        path: The file.
        format: One of `TAGGED`; by suffix if None (`.conll`, `.bio`, `.bmes`, `.bioes` and `.conllu`; `.gz` may stand
            behind).
        options: What the format's reader takes by name: `encoding` in all, `token`, `tag`, `separator`, `comment` for
            "conll", `tag` for "conllu", `separator`, `brackets` for "slashed", `text`, `scheme`, `overlaps` for spans.

    Raises:
        CorpusError: The format or an option is unknown; while iterating, what is wrong with the file.
    """
    path = Path(path)
    name = tagged_format(path, format)
    reader = TAGGED[name]
    known = [option for option in signature(reader).parameters if option not in ("path", "form")]
    for option in options:
        if option not in known:
            raise CorpusError(f'{path}: "{name}" has no option "{option}"; its options are {", ".join(known)}')
    return reader(path, **options)


def tagged_format(path: Path, format: str | None = None) -> str:
    """The name of a tagged corpus's format: the given one, or else by suffix.

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


def _table(path: Path, format: str, text: tuple[str, ...], label: str | None, encoding: str) -> Rows:
    table = TableReader(path, format=format, encoding=encoding)
    if not text:
        raise CorpusError(f"{path}: no text column: choose one with --text")
    positions = tuple(table.position(name, "--text") for name in text)
    return Rows(table, positions, None if label is None else table.position(label, "--label"))


def _lines(path: Path, format: str, text: tuple[str, ...], label: str | None, encoding: str) -> Lines:
    if label is not None:
        raise CorpusError(f'{path}: plain lines have no label, but "{label}" is asked for: leave out --label')
    return Lines(path, encoding)


FORMATS: dict[str, Callable[[Path, str, tuple[str, ...], str | None, str], Iterable[Document]]] = {
    "csv": _table,
    "tsv": _table,
    "jsonl": _table,
    "parquet": _table,
    "xlsx": _table,
    "lines": _lines,
}


def _segmented(path: Path, *, encoding: str = "utf-8") -> Words:
    return Words(Segmented(path, encoding))


def _characters(
    path: Path,
    *,
    form: str,
    text: str = "text",
    scheme: str = "BMES",
    overlaps: str = "refuse",
    encoding: str = "utf-8",
) -> spans.Characters:
    return spans.Characters(spans.read(path, form, text=text, encoding=encoding), scheme, overlaps)


TAGGED: dict[str, Callable[..., Iterable[Sentence]]] = {
    "conll": conll.read,
    "conllu": conllu.read,
    "slashed": slashed.read,
    "segmented": _segmented,
    **{form: partial(_characters, form=form) for form in spans.FORMS},
}
TAGGED_SUFFIXES = {".conll": "conll", ".bio": "conll", ".bmes": "conll", ".bioes": "conll", ".conllu": "conllu"}
