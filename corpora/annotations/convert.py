"""Convert: the annotated texts of one file into another format, and what that loses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora import findings
from corpora.annotated import AnnotatedText, TextSource
from corpora.annotations.fit import LOST, Fitting
from corpora.annotations.formats import Content, ReadOptions, WriteOptions, format_of, output_files
from corpora.errors import CorpusError, shown
from corpora.formats import corpus_files
from corpora.overlaps import OnOverlap
from corpora.tags import SCHEMES

MOST_FIELDS = 8  # other fields of records that are named


@dataclass(frozen=True, slots=True)
class Converted:
    """What was read and written, and what was lost on the way.

    Args:
        read: Texts of the input.
        written: Texts of the output.
        labels: Entities of the output by label, the most frequent first.
        lost: A sentence for each kind of loss.
        doubts: A sentence for each thing that the reader changed or doubts.
    """

    read: int
    written: int
    labels: dict[str, int]
    lost: tuple[str, ...]
    doubts: tuple[str, ...]


def convert(
    source: str | Path,
    target: str | Path,
    *,
    from_: str,
    to: str,
    options: ReadOptions | None = None,
    scheme: str = "BIO",
    overlaps: OnOverlap = "refuse",
    output_encoding: str | None = None,
    advance: Callable[[int], object] = lambda finished: None,
) -> Converted:
    """Writes the annotations of a file in another format. The input is read twice.

    Args:
        source: A file, or, in brat's format, a folder.
        target: The file to make or replace.
        from_, to: Formats, of `corpora.annotations.formats.FORMATS`.
        options: How the input is read.
        scheme: Of the tags in conll and huggingface; one of `corpora.tags.SCHEMES`.
        overlaps: Which of overlapping entities to keep where there is room for one; "refuse" to end with an error.
        output_encoding: By default that of the input.
        advance: Called with 1 after each text.

    Raises:
        CorpusError: The input cannot be read in its format, the output not written, or no text is left to write.
    """
    source, target, options = Path(source), Path(target), options or ReadOptions()
    if scheme not in SCHEMES:
        raise CorpusError(f'no scheme "{scheme}"; the schemes are {", ".join(SCHEMES)}')
    written = format_of(to)
    for file in output_files(target, to):
        if any(file.exists() and other.exists() and file.samefile(other) for other in corpus_files(source, from_)):
            raise CorpusError(f"{file}: is the input: name another output")
    texts = format_of(from_).read(source, options)
    content = _content(texts)
    doubts: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    fitting = Fitting(written.holds(content), overlaps)

    def fitted() -> Iterator[AnnotatedText]:
        for document in texts.counted(doubts):
            try:
                kept = fitting.fit(document)
            except CorpusError as error:
                raise CorpusError(f"{source}: {error}") from None
            if kept is not None:
                labels.update(span.label for span in kept.spans or ())
                yield kept
            advance(1)

    encoding = output_encoding or options.encoding
    count = written.write(target, _some(fitted(), source, fitting), WriteOptions(encoding, scheme, content))
    return Converted(
        read=content.texts,
        written=count,
        labels=dict(labels.most_common()),
        lost=(*said_of(fitting.counts), *_fields(doubts)),
        doubts=tuple(findings.said(doubts)),
    )


def said_of(counts: findings.Counts) -> list[str]:
    """A sentence for each kind of loss that was counted."""
    notes = [kind.removeprefix(findings.NOTE) for kind in counts if kind.startswith(findings.NOTE)]
    return [*(f"{counts[kind]:,} {sentence}" for kind, sentence in LOST.items() if counts.get(kind)), *notes]


def _fields(counts: findings.Counts) -> list[str]:
    """The other fields of records, which no format takes over."""
    found = sorted(kind for kind in counts if kind.startswith(findings.FIELD))
    names = [f'"{shown(kind.removeprefix(findings.FIELD), 20)}" ({counts[kind]:,})' for kind in found]
    more = f" and {len(names) - MOST_FIELDS} more" if len(names) > MOST_FIELDS else ""
    return [f"other fields of records: {', '.join(names[:MOST_FIELDS])}{more}"] if names else []


def _content(texts: TextSource) -> Content:
    content = Content()
    for document in texts.counted(Counter()):
        content.add(document)
    return content


def _some(documents: Iterator[AnnotatedText], source: Path, fitting: Fitting) -> Iterator[AnnotatedText]:
    """The texts. Raises CorpusError if there is none, before anything is written."""
    first = next(documents, None)
    if first is None:
        why = "; ".join(said_of(fitting.counts)) or "it has no texts"
        raise CorpusError(f"{source}: nothing is left to write: {why}")
    yield first
    yield from documents
