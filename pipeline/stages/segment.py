"""Segment: the labelled corpus is read, split and audited, and every text cut into tokens."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any

from corpora import formats, segmented
from corpora.document import Document
from corpora.errors import CorpusError
from corpora.normalise import normaliser
from corpora.split import Splits, audit, split
from corpora.table import TableReader, TableWriter
from pipeline.dictionary import UserDictionary
from pipeline.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.manifest import Inputs
from pipeline.parallel import split_texts
from pipeline.progress import Progress, silent
from pipeline.segmenter import Segmenter, read_stop_words
from pipeline.settings import CorpusSettings, SegmentSettings, Settings
from pipeline.stages.stage import Stage

VERSION = 1
PARTS = ("train", "dev", "test")
COLUMNS = ("row", "label", "text", "tokens")
SMALL = 2000  # texts that are cut sooner than worker processes start


@dataclass(frozen=True)
class Row:
    """A line of a segmented part: row number in its source, label, and the text with its tokens."""

    row: int
    label: str
    tokenised: Tokenised


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes train.csv, dev.csv and test.csv (row, label, text, tokens), corpus.json (the audit) and segmenter.json."""
    folder = made["segment"]
    splits, skipped = read_splits(settings)
    segmenter = make_segmenter(settings.segment)
    with progress("segment", total=sum(len(getattr(splits, part)) for part in PARTS), unit="texts") as advance:
        for part in PARTS:
            _write_part(folder / f"{part}.csv", getattr(splits, part), segmenter, settings.segment.workers, advance)
    report = {"skipped": skipped, **audit(splits).as_dict()}
    (folder / "corpus.json").write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (folder / "segmenter.json").write_text(
        json.dumps(segmenter.settings(), ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return _summary(splits, report)


def segment_file(
    source: str | Path,
    target: str | Path,
    settings: SegmentSettings,
    *,
    text: str | Sequence[str] = "text",
    format: str | None = None,
    encoding: str = "utf-8",
    force: bool = False,
    progress: Progress = silent,
) -> int:
    """Cuts a plain text line by line, or a table, which gets a column `tokens`; returns the number of texts.

    Stop words are left out, white space is not (see `corpora.segmented` for how it is written). The target appears
    when it is
    whole. Raises CorpusError for a bad file or column, PipelineError where the target exists and `force` is off.
    """
    source, target = Path(source), Path(target)
    check_target(source, target, force)
    segmenter = make_segmenter(settings)
    workers = settings.workers or os.cpu_count() or 1
    with progress("segment", total=None, unit="texts") as advance:
        if formats.corpus_format(source, format) == "lines":
            texts = (document.text for document in formats.read(source, "lines", encoding=encoding))
            cut = split_texts(segmenter, texts, workers=workers)
            return segmented.write(target, (_kept(segmenter, tokens) for tokens in cut), encoding, advance)
        reader = TableReader(source, format=format, encoding=encoding)
        positions = [reader.position(name) for name in ((text,) if isinstance(text, str) else text)]
        rows, cut_rows = tee(reader)
        cut = split_texts(segmenter, (joined(row, positions) for row in cut_rows), workers=workers)
        with TableWriter(target, (*reader.columns, "tokens"), encoding=encoding) as table:
            for row, tokens in zip(rows, cut, strict=True):
                table.write((*row, segmented.join(_kept(segmenter, tokens))))
                advance(1)
        return table.rows


def check_target(source: Path, target: Path, force: bool) -> None:
    """Raises PipelineError where there is nothing to read, or the input or, without `force`, a file would be lost."""
    if not source.exists():
        raise PipelineError(f"{source}: no such file")
    if target.exists() and target.resolve() == source.resolve():
        raise PipelineError(f"{target}: is the input: name another output")
    if target.is_dir():
        raise PipelineError(f"{target}: is a folder: name a file")
    if target.exists() and not force:
        raise PipelineError(f"{target}: exists already: name another output, or pass --force to replace it")
    if not target.absolute().parent.is_dir():
        raise PipelineError(f"{target}: the folder {target.parent} does not exist: make it first")


def joined(row: Sequence[object], positions: Sequence[int]) -> str:
    """The text of a table's row: its text cells, joined by a line feed."""
    return "\n".join("" if row[position] is None else str(row[position]) for position in positions)


def _kept(segmenter: Segmenter, tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if token not in segmenter.stop_words]


def read_splits(settings: Settings) -> tuple[Splits, dict[str, int]]:
    """The three parts, and how many rows were skipped because they have no text or no label.

    Raises PipelineError where a file or column is wrong, a file has no usable row, train has fewer than two labels, or
    there is no dev part.
    """
    corpus = settings.corpus
    skipped = {"no_text": 0, "no_label": 0}
    given = {part: _read_given(path, corpus, skipped) for part in PARTS if (path := getattr(corpus, part))}
    try:
        rest = split(
            given["train"],
            dev=0.0 if "dev" in given else corpus.dev_share,
            test=0.0 if "test" in given else corpus.test_share,
            seed=split_seed(settings),
        )
    except CorpusError as error:
        raise PipelineError(f"{corpus.train}: {error}") from None
    splits = Splits(rest.train, given.get("dev", rest.dev), given.get("test", rest.test))
    _check(splits, corpus)
    return splits, skipped


def split_seed(settings: Settings) -> int:
    """The seed of the split: its own, or else that of everything."""
    return settings.seed if settings.corpus.split_seed is None else settings.corpus.split_seed


def make_segmenter(settings: SegmentSettings) -> Segmenter:
    """The segmenter that the settings describe, dictionaries and stop words read."""
    return Segmenter(
        unit=settings.unit,
        engine=settings.engine,
        mode=settings.mode,
        hmm=settings.hmm,
        dictionary=UserDictionary.load(settings.dictionaries) if settings.dictionaries else None,
        stop_words=read_stop_words(settings.stop_words) if settings.stop_words else (),
    )


def read_part(run: Path, part: str) -> list[Row]:
    """A segmented part of a run, tokens without white space and stop words."""
    segmenter = read_segmenter(run)
    table = TableReader(run / "segment" / f"{part}.csv")
    return [
        Row(int(str(row)), str(label), Tokenised(str(text), segmenter.content(segmented.split(str(tokens)))))
        for row, label, text, tokens in table
    ]


def read_segmenter(run: Path) -> Segmenter:
    """The segmenter of a run."""
    return Segmenter.from_settings(json.loads((run / "segment" / "segmenter.json").read_text(encoding="utf-8")))


def read_audit(run: Path) -> dict[str, Any]:
    """What corpus.json of a run holds."""
    audited: dict[str, Any] = json.loads((run / "segment" / "corpus.json").read_text(encoding="utf-8"))
    return audited


def process_count(workers: int, texts: int) -> int:
    """How many processes cut so many texts: `workers`, all cores where that is 0, one where the texts are few."""
    return 1 if texts < SMALL else workers or os.cpu_count() or 1


def _documents(path: str, corpus: CorpusSettings) -> Iterable[Document]:
    return formats.read(
        path,
        corpus.format,
        text=corpus.text_columns,
        label=corpus.label,
        encoding=corpus.encoding,
        normalise=normaliser(corpus.nfkc, corpus.simplify),
    )


def _read_given(path: str, corpus: CorpusSettings, skipped: dict[str, int]) -> list[Document]:
    """The rows of a file that have a text and a label, one or more."""
    try:
        documents = list(_usable(_documents(path, corpus), skipped))
    except CorpusError as error:
        raise PipelineError(_with_settings(str(error))) from None
    if not documents:
        raise PipelineError(f"{path}: no row has both a text and a label: add such rows, or name another file")
    return documents


def _with_settings(message: str) -> str:
    """A message that says which option would help, with the setting in its place."""
    message = re.sub(r"(?<=\s)--encoding (\S+)", r'corpus.encoding = "\1"', message)
    return re.sub(r"(?<=\s)--(text|label|format)\b", r"corpus.\1", message)


def _usable(documents: Iterable[Document], skipped: dict[str, int]) -> Iterator[Document]:
    for document in documents:
        if not document.text.strip():
            skipped["no_text"] += 1
        elif document.label is None:
            skipped["no_label"] += 1
        else:
            yield document


def _check(splits: Splits, corpus: CorpusSettings) -> None:
    labels = {document.label for document in splits.train}
    if len(labels) < 2:
        found = f"only {next(iter(labels))!r}" if labels else "none"
        raise PipelineError(
            f'{corpus.train}: a classifier needs at least two labels in column "{corpus.label}", found {found}: '
            "check corpus.label, or add rows of another label"
        )
    if not splits.dev:
        raise PipelineError(
            "no dev rows, on which the best epoch is chosen: name a file in corpus.dev or set corpus.dev_share"
        )


def _write_part(path: Path, documents: list[Document], segmenter: Segmenter, workers: int, advance: Any) -> None:
    texts = (document.text for document in documents)
    with TableWriter(path, COLUMNS) as table:
        cut = split_texts(segmenter, texts, workers=process_count(workers, len(documents)))
        for document, tokens in zip(documents, cut, strict=True):
            table.write((document.row, document.label, document.text, segmented.join(tokens)))
            advance(1)


def _summary(splits: Splits, report: Mapping[str, Any]) -> str:
    sizes = ", ".join(f"{part} {len(getattr(splits, part))}" for part in PARTS)
    notes = [
        f"{count} rows with {name.replace('_', ' ')} left out" for name, count in report["skipped"].items() if count
    ]
    notes += [
        f"{len(report[f'leaked_{part}'])} {part} rows leaked" for part in ("dev", "test") if report[f"leaked_{part}"]
    ]
    notes += [f"{report['conflicts']} texts with two labels"] if report["conflicts"] else []
    notes += [f"labels that train lacks: {', '.join(report['unseen_labels'])}"] if report["unseen_labels"] else []
    return "; ".join([f"rows: {sizes}", *notes])


def _inputs(settings: Settings, run: Path) -> Inputs:
    corpus, cut = settings.corpus, settings.segment
    paths = [path for part in PARTS if (path := getattr(corpus, part))]
    used = {
        "corpus": corpus.model_dump(exclude={*PARTS, "split_seed"}),
        "segment": cut.model_dump(exclude={"workers", "dictionaries", "stop_words"}),
        "seed": split_seed(settings),
    }
    return Inputs(used, [Path(path) for path in (*paths, *cut.dictionaries, *cut.stop_words)], VERSION)


STAGE = Stage("segment", ("segment",), _inputs, perform)
