"""The stage segment: reads, splits and audits the labelled corpus, and cuts every text into tokens."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import chain, tee
from pathlib import Path
from typing import Any

from corpora import findings, formats, rejected, segmented
from corpora.document import Document
from corpora.errors import CorpusError
from corpora.files import written_as
from corpora.normalise import normaliser
from corpora.rows import BadRow
from corpora.split import Splits, audit, split
from corpora.table import TableReader, TableWriter
from corpora.table_options import TableOptions
from pipeline.config.corpus import CorpusSettings
from pipeline.config.segment import SegmentSettings
from pipeline.config.settings import Settings
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.models.segmenter_files import MAIN
from pipeline.parallel import split_texts
from pipeline.progress import Progress, silent
from pipeline.segmentation.model_engine import FOLDER, ModelEngine
from pipeline.segmentation.segmenter import Segmenter
from pipeline.stages import corrected, rejected_rows
from pipeline.stages.advice import with_settings
from pipeline.stages.corrected import Corrector
from pipeline.stages.manifest import Inputs
from pipeline.stages.run_segmenter import FILES, described, dictionary_notes, engine_files, files, make_segmenter
from pipeline.stages.stage import Stage
from pipeline.stages.table_rows import check_target, row_text, without_stop_words
from pipeline.tasks import TASKS, Task
from pipeline.tasks.classify import RENAMED

VERSION = 4
PARTS = ("train", "dev", "test")
COLUMNS = ("row", "label", "text", "tokens")
SMALL = 2000  # fewer texts are cut before worker processes have started
# What is counted while a corpus is read, and how the summary names it.
COUNTED = {
    "no_text": "rows with no text left out",
    "no_label": "rows with no label left out",
    "illegal_tags": "neighbouring tags that break the scheme, read as spans all the same",
}


@dataclass(frozen=True)
class SegmentedRow:
    """A row of a segmented part: its number in the source, its gold answer, and its text with the tokens."""

    row: int
    gold: Any
    tokenised: Tokenised


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes train.csv, dev.csv and test.csv (row, label, text, tokens), corpus.json (the audit) and segmenter.json.

    A trained engine and a main dictionary are copied into the folder.
    """
    folder = made["segment"]
    task = TASKS[settings.task].from_settings(settings)
    splits, counts, corrected_rows = read_splits(settings, task)
    segmenter = make_segmenter(settings.segment, normaliser(settings.corpus.nfkc, settings.corpus.simplify))
    occurring = _write_parts(folder, splits, task, segmenter, settings.segment.workers, progress)
    skipped = {name: counts[name] for name in ("no_text", "no_label")}
    doubts = findings.found(counts)
    report = {
        "skipped": skipped,
        "illegal_tags": counts["illegal_tags"],
        **({"findings": doubts} if doubts else {}),
        **({"corrections": corrected_rows} if corrected_rows else {}),
        **audit(splits).as_dict(),
    }
    _write_json(folder / "corpus.json", report, indent=2)
    given = {part: path for part in PARTS if (path := getattr(settings.corpus, part))}
    rejected_rows.write(folder, given, settings.corpus)
    _write_json(folder / "segmenter.json", segmenter.settings())
    if isinstance(segmenter.trained, ModelEngine):
        segmenter.trained.copy(folder / FOLDER)
    if segmenter.main:
        segmenter.main.save(folder / MAIN)
    notes = renamed_labels(settings.corpus, counts)
    notes += corrected.said(corrected_rows)
    return "; ".join([_summary(splits, counts, report), *notes, *dictionary_notes(segmenter, len(occurring))])


def segment_file(
    source: str | Path,
    target: str | Path,
    settings: SegmentSettings,
    *,
    text: str | Sequence[str] = "text",
    force: bool = False,
    progress: Progress = silent,
    notes: list[str] | None = None,
    output_encoding: str | None = None,
    **reading: Any,
) -> int:
    """Segments a plain text line by line, or a table, which gets a column `tokens`; returns the number of texts.

    `notes` gets what became of the words of the dictionaries. Stop words are left out; white space is kept
    (`corpora.segmented` says how it is written). `reading`: fields of `corpora.table_options.TableOptions`; rows that
    are set aside go to TARGET.rejected.csv. The target appears when it is complete, in the encoding of the source
    unless another is named. Raises CorpusError for a bad file or column, PipelineError if the target exists, unless
    `force`.
    """
    source, target = Path(source), Path(target)
    check_target(source, target, force)

    segmenter, workers = make_segmenter(settings), settings.workers or os.cpu_count() or 1
    occurring: set[str] = set()

    def cut(texts: Iterable[str]) -> Iterator[list[str]]:
        texts, again = tee(texts)
        for text, tokens in zip(again, split_texts(segmenter, texts, workers=workers), strict=True):
            occurring.update(segmenter.dictionary.occurring(text, tokens))
            yield without_stop_words(segmenter, tokens)

    options = TableOptions(**{**reading, "format": None})
    encoding = output_encoding or written_as(source, options.encoding)
    with progress("segment", total=None, unit="texts") as advance:
        if formats.corpus_format(source, reading.get("format")) == "lines":
            texts = (document.text for document in formats.read(source, "lines", options=options))
            count = segmented.write(target, cut(texts), encoding, advance)
        else:
            bad: list[tuple[int, BadRow]] = []
            reader = TableReader(
                source, options, format=reading.get("format"), set_aside=lambda number, row: bad.append((number, row))
            )
            columns = (text,) if isinstance(text, str) else text
            count = _write_table(reader, target, columns, encoding, cut, advance)
            rejected.write(rejected.rejected_path(target), bad, reader.format, reader.encoding)
    if notes is not None:
        notes += dictionary_notes(segmenter, len(occurring))
    return count


def _write_table(
    reader: TableReader,
    target: Path,
    columns: Sequence[str],
    encoding: str,
    cut: Callable[[Iterable[str]], Iterator[list[str]]],
    advance: Any,
) -> int:
    """The rows of a table with the tokens of their text; returns the number of rows."""
    positions = [reader.position(name) for name in columns]
    rows, cut_rows = tee(reader)
    tokens_of_rows = cut(row_text(row, positions) for row in cut_rows)
    with TableWriter(target, (*reader.columns, "tokens"), encoding=encoding) as table:
        for row, tokens in zip(rows, tokens_of_rows, strict=True):
            table.write((*row, segmented.join(tokens)))
            advance(1)
    return table.rows


def renamed_labels(corpus: CorpusSettings, counts: Mapping[str, int]) -> list[str]:
    """What corpus.label_map did, in a sentence; none without one. A label that does not occur has 0 rows."""
    if not corpus.label_map:
        return []
    said = [f"{old} to {new} ({counts.get(f'{RENAMED}{old}', 0)})" for old, new in corpus.label_map.items()]
    return [f"labels renamed: {', '.join(said)}"]


def read_splits(settings: Settings, task: Task[Any]) -> tuple[Splits, Counter[str], dict[str, Any]]:
    """The parts train, dev and test, the counts of rows and tags named in `COUNTED`, and what became of corrections.

    The split is that of the labels before their correction, so that a correction moves no row to another part.
    Raises PipelineError for a wrong file or column, a file without a usable row, a train part that the task cannot
    learn from, or no dev part.
    """
    corpus = settings.corpus
    counts, corrector = Counter[str](), Corrector.from_settings(corpus, task)
    given = {
        part: _read_given(path, part, corpus, task, counts, corrector)
        for part in PARTS
        if (path := getattr(corpus, part))
    }
    try:
        rest = split(
            given["train"],
            dev=0.0 if "dev" in given else corpus.dev_share,
            test=0.0 if "test" in given else corpus.test_share,
            seed=split_seed(settings),
        )
    except CorpusError as error:
        raise PipelineError(f"{corpus.train}: {error}") from None
    whole = {"train": rest.train, "dev": given.get("dev", rest.dev), "test": given.get("test", rest.test)}
    splits = Splits(**{part: corrector.corrected(documents, part) for part, documents in whole.items()})
    task.check(splits.train, corpus)
    if not splits.dev:
        raise PipelineError(
            "no dev rows, on which the best epoch is chosen: name a file in corpus.dev or set corpus.dev_share"
        )
    return splits, counts, corrector.audit(*(chain.from_iterable(parts) for parts in (whole.values(), _parts(splits))))


def split_seed(settings: Settings) -> int:
    """The seed of the split: `corpus.split_seed`, or else `seed`."""
    return settings.seed if settings.corpus.split_seed is None else settings.corpus.split_seed


def read_part(run: Path, part: str, parse_gold: Callable[[str], Any] = str) -> list[SegmentedRow]:
    """A segmented part of a run, tokens without stop words and white space. Loads no engine.

    `parse_gold`: that of the task, if gold answers are needed.
    """
    # Engine and dictionaries play no part in `content`, and rjieba is not loaded before it cuts.
    without = {"engine": "rjieba", "dictionary": [], "weighted": [], "main": ""}
    content = Segmenter.from_settings({**described(run), **without}).content
    table = TableReader(run / "segment" / f"{part}.csv", quoting=True)
    return [
        SegmentedRow(int(str(row)), parse_gold(str(gold)), Tokenised(str(text), content(segmented.split(str(tokens)))))
        for row, gold, text, tokens in table
    ]


def read_audit(run: Path) -> dict[str, Any]:
    """The audit of a run's corpus, from corpus.json."""
    audited: dict[str, Any] = json.loads((run / "segment" / "corpus.json").read_text(encoding="utf-8"))
    return audited


def process_count(workers: int, texts: int) -> int:
    """The number of processes to cut `texts` texts: 1 if they are few, else `workers`, or all cores if that is 0."""
    return 1 if texts < SMALL else workers or os.cpu_count() or 1


def usable(documents: Iterable[Document], task: Task[Any], counts: MutableMapping[str, int]) -> Iterator[Document]:
    """The documents with a text and a gold answer; counts the others in `counts`."""
    for document in documents:
        if not document.text.strip():
            counts["no_text"] += 1
        elif task.gold(document) is None:
            counts["no_label"] += 1
        else:
            yield document


def _read_given(
    path: str,
    part: str,
    corpus: CorpusSettings,
    task: Task[Any],
    counts: MutableMapping[str, int],
    corrector: Corrector,
) -> list[Document]:
    """The rows of a file with a text and a gold answer. Raises PipelineError if there is none."""
    try:
        documents = list(usable(corrector.labelled(task.read(path, corpus, counts), part), task, counts))
    except CorpusError as error:
        raise PipelineError(with_settings(str(error))) from None
    if not documents:
        raise PipelineError(f"{path}: no row has {task.needs}: add such rows, or name another file")
    return documents


def _write_parts(
    folder: Path, splits: Splits, task: Task[Any], segmenter: Segmenter, workers: int, progress: Progress
) -> set[str]:
    """Writes the parts; returns the words of the dictionary that occur in them."""
    occurring: set[str] = set()
    parts = _parts(splits)
    with progress("segment", total=sum(map(len, parts)), unit="texts") as advance:
        for part, documents in zip(PARTS, parts, strict=True):
            _write_part(folder / f"{part}.csv", documents, task, segmenter, workers, advance, occurring)
    return occurring


def _parts(splits: Splits) -> tuple[list[Document], ...]:
    return splits.train, splits.dev, splits.test


def _write_json(path: Path, value: Any, indent: int | None = None) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def _write_part(
    path: Path,
    documents: list[Document],
    task: Task[Any],
    segmenter: Segmenter,
    workers: int,
    advance: Any,
    occurring: set[str],
) -> None:
    """Writes a part; a document whose source has tokens keeps them. Adds the dictionary's words that occur."""
    texts = [document.text for document in documents if document.sentence is None]
    with TableWriter(path, COLUMNS) as table:
        cut = split_texts(segmenter, texts, workers=process_count(workers, len(texts)))
        for document in documents:
            tokens = next(cut) if document.sentence is None else document.sentence.tokens
            occurring |= segmenter.dictionary.occurring(document.text, tokens)
            gold = task.format_gold(task.gold(document))
            table.write((document.row, gold, document.text, segmented.join(tokens)))
            advance(1)


def _leaked(part: str, leaked: int, rows: int) -> str:
    if leaked == 1:
        return f"the only {part} row leaked" if rows == 1 else f"1 {part} row leaked"
    return f"{'all ' if leaked == rows else ''}{leaked} {part} rows leaked"


def _summary(splits: Splits, counts: Mapping[str, int], report: Mapping[str, Any]) -> str:
    sizes = ", ".join(f"{part} {len(getattr(splits, part))}" for part in PARTS)
    notes = [f"{counts[name]} {said}" for name, said in COUNTED.items() if counts[name]]
    notes += map(with_settings, findings.said(counts))
    notes += [
        _leaked(part, leaked, len(getattr(splits, part)))
        for part in ("dev", "test")
        if (leaked := len(report[f"leaked_{part}"]))
    ]
    notes += [
        f"{count} {part} {'row is' if count == 1 else 'rows are'} like a row of "
        f"{'train' if part == 'dev' else 'train or dev'} but for digits, punctuation, width or case"
        for part, count in report["near_duplicates"].items()
        if count
    ]
    conflicts = report["conflicts"]
    notes += [f"{conflicts} text{'' if conflicts == 1 else 's'} with two labels"] if conflicts else []
    notes += [f"labels that train lacks: {', '.join(report['unseen_labels'])}"] if report["unseen_labels"] else []
    return "; ".join([f"rows: {sizes}", *notes])


def _inputs(settings: Settings, run: Path) -> Inputs:
    corpus, cut = settings.corpus, settings.segment
    paths = [Path(path) for part in PARTS if (path := getattr(corpus, part))]
    sources = [file for path in paths for file in formats.corpus_files(path, corpus.format)]
    used = {
        "corpus": corpus.model_dump(exclude={*PARTS, "corrections", "split_seed"}),
        "segment": {
            **cut.model_dump(exclude={"workers", *FILES}),
            "files": {name: len(files(cut, name)) for name in FILES},
        },
        "task": settings.task,
        "tag": settings.tag.model_dump(include={"kind", "scheme"}),
        "seed": split_seed(settings),
    }
    named = [path for name in FILES for path in files(cut, name)]
    return Inputs(used, [*sources, *map(Path, [*corpus.corrections, *named]), *engine_files(cut)], VERSION)


STAGE = Stage("segment", ("segment",), _inputs, perform)
