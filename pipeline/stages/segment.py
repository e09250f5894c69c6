"""The stage segment: reads, splits and audits the labelled corpus, and cuts every text into tokens."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any

from corpora import findings, formats, segmented
from corpora.document import Document
from corpora.errors import CorpusError
from corpora.split import Splits, audit, split
from corpora.table import TableReader, TableWriter
from pipeline.config.corpus import CorpusSettings
from pipeline.config.segment import SegmentSettings
from pipeline.config.settings import Settings
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.models.model import find_model, open_segmenter
from pipeline.parallel import split_texts
from pipeline.progress import Progress, silent
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.model_engine import FOLDER, ModelEngine
from pipeline.segmentation.segmenter import Segmenter, read_stop_words
from pipeline.stages.manifest import Inputs
from pipeline.stages.stage import Stage
from pipeline.tasks import TASKS, Task
from pipeline.tasks.classify import RENAMED

VERSION = 3
PARTS = ("train", "dev", "test")
COLUMNS = ("row", "label", "text", "tokens")
SMALL = 2000  # fewer texts are cut before worker processes have started
# What is counted while a corpus is read, and how the summary names it.
COUNTED = {
    "no_text": "rows with no text left out",
    "no_label": "rows with no label left out",
    "illegal_tags": "neighbouring tags that break the scheme, read as spans all the same",
    **findings.SAID,
}


@dataclass(frozen=True)
class SegmentedRow:
    """A row of a segmented part: its number in the source, its gold answer, and its text with the tokens."""

    row: int
    gold: Any
    tokenised: Tokenised


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes train.csv, dev.csv and test.csv (row, label, text, tokens), corpus.json (the audit) and segmenter.json.

    A trained engine is copied into the folder.
    """
    folder = made["segment"]
    task = TASKS[settings.task].from_settings(settings)
    splits, counts = read_splits(settings, task)
    segmenter = make_segmenter(settings.segment)
    occurring = _write_parts(folder, splits, task, segmenter, settings.segment.workers, progress)
    skipped = {name: counts[name] for name in ("no_text", "no_label")}
    doubts = {kind: counts[kind] for kind in findings.SAID if counts[kind]}
    report = {
        "skipped": skipped,
        "illegal_tags": counts["illegal_tags"],
        **({"findings": doubts} if doubts else {}),
        **audit(splits).as_dict(),
    }
    _write_json(folder / "corpus.json", report, indent=2)
    _write_json(folder / "segmenter.json", segmenter.settings())
    if isinstance(segmenter.trained, ModelEngine):
        segmenter.trained.copy(folder / FOLDER)
    notes = renamed_labels(settings.corpus, counts)
    summary, words = "; ".join([_summary(splits, counts, report), *notes]), len(segmenter.dictionary)
    return f"{summary}; {occurrence(len(occurring), words)}" if words else summary


def segment_file(
    source: str | Path,
    target: str | Path,
    settings: SegmentSettings,
    *,
    text: str | Sequence[str] = "text",
    format: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    quoting: bool | None = None,
    force: bool = False,
    progress: Progress = silent,
    occurring: set[str] | None = None,
) -> int:
    """Segments a plain text line by line, or a table, which gets a column `tokens`; returns the number of texts.

    `occurring` gets the words of the dictionaries that occur in the texts.
    Stop words are left out; white space is kept (`corpora.segmented` says how it is written). `delimiter` and `quoting`
    are those of `corpora.table.TableReader`. The target appears when it is complete. Raises CorpusError for a bad file
    or column, PipelineError if the target exists, unless `force`.
    """
    source, target = Path(source), Path(target)
    check_target(source, target, force)
    segmenter, workers = make_segmenter(settings), settings.workers or os.cpu_count() or 1

    def cut(texts: Iterable[str]) -> Iterator[list[str]]:
        for tokens in split_texts(segmenter, texts, workers=workers):
            if occurring is not None:
                occurring.update(forced_words(segmenter, tokens))
            yield without_stop_words(segmenter, tokens)

    with progress("segment", total=None, unit="texts") as advance:
        if formats.corpus_format(source, format) == "lines":
            texts = (document.text for document in formats.read(source, "lines", encoding=encoding))
            return segmented.write(target, cut(texts), encoding, advance)
        reader = TableReader(source, format=format, encoding=encoding, delimiter=delimiter, quoting=quoting)
        return _write_table(reader, target, (text,) if isinstance(text, str) else text, encoding, cut, advance)


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


def check_target(source: Path, target: Path, force: bool) -> None:
    """Raises PipelineError if `source` is missing, or if `target` cannot be written or would replace a file.

    `force` allows replacing a file, but never the source.
    """
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


def forced_words(segmenter: Segmenter, tokens: Sequence[str]) -> set[str]:
    """The words of the user's dictionary that occur in a text that the segmenter cut into tokens."""
    if segmenter.unit == "char":
        return segmenter.dictionary.occurring("".join(tokens))
    return segmenter.dictionary.occurring("", tokens)


def occurrence(occurring: int, words: int) -> str:
    """How many of a dictionary's words occur, in words.

    >>> occurrence(2, 1000)
    '2 of the 1,000 dictionary words occur in the text'
    """
    return f"{occurring:,} of the {words:,} dictionary words {'occurs' if occurring == 1 else 'occur'} in the text"


def renamed_labels(corpus: CorpusSettings, counts: Mapping[str, int]) -> list[str]:
    """What corpus.label_map did, in a sentence; none without one. A label that does not occur has 0 rows."""
    if not corpus.label_map:
        return []
    said = [f"{old} to {new} ({counts.get(f'{RENAMED}{old}', 0)})" for old, new in corpus.label_map.items()]
    return [f"labels renamed: {', '.join(said)}"]


def row_text(row: Sequence[object], positions: Sequence[int]) -> str:
    """The text of a table's row: its cells at `positions`, joined by a line feed."""
    return "\n".join("" if row[position] is None else str(row[position]) for position in positions)


def without_stop_words(segmenter: Segmenter, tokens: Sequence[str]) -> list[str]:
    """The tokens that are not stop words."""
    return [token for token in tokens if token not in segmenter.stop_words]


def read_splits(settings: Settings, task: Task[Any]) -> tuple[Splits, Counter[str]]:
    """The parts train, dev and test, and the counts of rows and tags named in `COUNTED`.

    Raises PipelineError for a wrong file or column, a file without a usable row, a train part that the task cannot
    learn from, or no dev part.
    """
    corpus = settings.corpus
    counts = Counter[str]()
    given = {part: _read_given(path, corpus, task, counts) for part in PARTS if (path := getattr(corpus, part))}
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
    task.check(splits.train, corpus)
    if not splits.dev:
        raise PipelineError(
            "no dev rows, on which the best epoch is chosen: name a file in corpus.dev or set corpus.dev_share"
        )
    return splits, counts


def split_seed(settings: Settings) -> int:
    """The seed of the split: `corpus.split_seed`, or else `seed`."""
    return settings.seed if settings.corpus.split_seed is None else settings.corpus.split_seed


def make_segmenter(settings: SegmentSettings) -> Segmenter:
    """The segmenter that the settings describe. Reads its dictionaries and stop words; loads a trained engine."""
    return Segmenter(
        unit=settings.unit,
        engine=_engine(settings),
        mode=settings.mode,
        hmm=settings.hmm,
        dictionary=UserDictionary.load(settings.dictionaries) if settings.dictionaries else None,
        stop_words=read_stop_words(settings.stop_words) if settings.stop_words else (),
        keep_whitespace=settings.keep_whitespace,
    )


def read_part(run: Path, part: str, parse_gold: Callable[[str], Any] = str) -> list[SegmentedRow]:
    """A segmented part of a run, tokens without stop words and white space. Loads no engine.

    `parse_gold`: that of the task, if gold answers are needed.
    """
    # The engine plays no part in `content`, and rjieba's is not loaded before it cuts.
    content = Segmenter.from_settings({**_described(run), "engine": "rjieba", "dictionary": []}).content
    table = TableReader(run / "segment" / f"{part}.csv", quoting=True)
    return [
        SegmentedRow(int(str(row)), parse_gold(str(gold)), Tokenised(str(text), content(segmented.split(str(tokens)))))
        for row, gold, text, tokens in table
    ]


def read_segmenter(run: Path) -> Segmenter:
    """The segmenter of a run; loads a trained engine from the run's own copy."""
    own = run / "segment" / FOLDER
    return Segmenter.from_settings(_described(run), open_segmenter(own) if own.is_dir() else None)


def _described(run: Path) -> dict[str, Any]:
    """What `Segmenter.settings` returned for the segmenter of a run."""
    described: dict[str, Any] = json.loads((run / "segment" / "segmenter.json").read_text(encoding="utf-8"))
    return described


def _engine(settings: SegmentSettings) -> Any:
    """The engine; no trained one is loaded where every character is a token."""
    if not settings.trained:
        return settings.engine
    return open_segmenter(find_model(Path(settings.engine))) if settings.unit == "word" else "rjieba"


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


def _read_given(path: str, corpus: CorpusSettings, task: Task[Any], counts: MutableMapping[str, int]) -> list[Document]:
    """The rows of a file with a text and a gold answer. Raises PipelineError if there is none."""
    try:
        documents = list(usable(task.read(path, corpus, counts), task, counts))
    except CorpusError as error:
        raise PipelineError(_with_settings(str(error))) from None
    if not documents:
        raise PipelineError(f"{path}: no row has {task.needs}: add such rows, or name another file")
    return documents


def _with_settings(message: str) -> str:
    """The message with settings of the config in place of the options of the command line."""
    message = re.sub(r"(?<=\s)--encoding (\S+)", r'corpus.encoding = "\1"', message)
    message = re.sub(r"(?<=\s)--no-quoting\b", "corpus.quoting = false", message)
    message = re.sub(r"(?<=\s)--quoting\b", "corpus.quoting = true", message)
    message = re.sub(r"(?<![\w.])(offsets|overlaps|brackets) = ", r"corpus.tagged.\1 = ", message)
    message = re.sub(r"(?<=\s)--label-separator\b", "corpus.label_separator", message)
    return re.sub(r"(?<=\s)--(text|label|format)\b", r"corpus.\1", message)


def _write_parts(
    folder: Path, splits: Splits, task: Task[Any], segmenter: Segmenter, workers: int, progress: Progress
) -> set[str]:
    """Writes the parts; returns the words of the dictionary that occur in them."""
    occurring: set[str] = set()
    parts: dict[str, list[Document]] = {part: getattr(splits, part) for part in PARTS}
    with progress("segment", total=sum(map(len, parts.values())), unit="texts") as advance:
        for part, documents in parts.items():
            _write_part(folder / f"{part}.csv", documents, task, segmenter, workers, advance, occurring)
    return occurring


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
            given = document.sentence is not None
            occurring |= segmenter.dictionary.occurring(document.text) if given else forced_words(segmenter, tokens)
            gold = task.format_gold(task.gold(document))
            table.write((document.row, gold, document.text, segmented.join(tokens)))
            advance(1)


def _summary(splits: Splits, counts: Mapping[str, int], report: Mapping[str, Any]) -> str:
    sizes = ", ".join(f"{part} {len(getattr(splits, part))}" for part in PARTS)
    notes = [f"{counts[name]} {_with_settings(said)}" for name, said in COUNTED.items() if counts[name]]
    notes += [
        f"{'all ' if leaked == len(getattr(splits, part)) else ''}{leaked} {part} rows leaked"
        for part in ("dev", "test")
        if (leaked := len(report[f"leaked_{part}"]))
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
        "task": settings.task,
        "tag": settings.tag.model_dump(include={"kind", "scheme"}),
        "seed": split_seed(settings),
    }
    return Inputs(used, [*map(Path, (*paths, *cut.dictionaries, *cut.stop_words)), *_engine_files(cut)], VERSION)


def _engine_files(cut: SegmentSettings) -> list[Path]:
    """The checksums of a trained engine, which tell it from any other."""
    if not cut.trained or cut.unit == "char":
        return []
    sums = find_model(Path(cut.engine)) / "SHA256SUMS"
    if not sums.is_file():
        raise PipelineError(f"{cut.engine}: no model here: segment.engine names a run with one, or a model's folder")
    return [sums]


STAGE = Stage("segment", ("segment",), _inputs, perform)
