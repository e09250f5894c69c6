"""Evaluate: the frozen model answers dev and test, is scored beside baselines, and the report is written."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from corpora import findings
from corpora.document import Document
from corpora.errors import CorpusError
from pipeline.config.corpus import CorpusSettings
from pipeline.config.load import corpus_settings, dumps
from pipeline.config.settings import Settings
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import ModelError, NotFinite, PipelineError
from pipeline.evaluation.analysis import suspects
from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.metrics import calibration, significance, slices
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.report import markdown, tables, tracking
from pipeline.evaluation.report.page import most_confident
from pipeline.evaluation.report.report import Detail, Report
from pipeline.evaluation.report.summary import all_leaked
from pipeline.evaluation.report.translations import Locale
from pipeline.models import thresholds
from pipeline.models.language_model import LanguageModel
from pipeline.models.model import Model, find_model
from pipeline.progress import Advance, Progress, silent
from pipeline.provenance import sha256, versions
from pipeline.stages import baselines, error_analysis, rejected_rows, segment, train
from pipeline.stages.advice import with_overrides
from pipeline.stages.baselines import Rows, ScoredSplit, Splits
from pipeline.stages.manifest import Inputs
from pipeline.stages.segment import SegmentedRow
from pipeline.stages.stage import Stage

VERSION = 6
CHUNK = 4096  # rows predicted between two steps of the progress bar


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes report.json, report.txt, report.html and the tables of `report.write`."""
    if settings.evaluate.mlflow:
        tracking.check()
    cells = error_analysis.slice_cells(settings, ("dev", "test"))
    model = Model.load(run / "model")
    audit = segment.read_audit(run)
    rows = {name: segment.read_part(run, name, model.task.parse_gold) for name in ("train", "dev", "test")}
    with progress("evaluate", total=len(rows["dev"]) + len(rows["test"]), unit="texts") as advance:
        parts = {
            name: _scored(model, rows[name], audit[f"leaked_{name}"], advance, cells.get(name, {}))
            for name in ("dev", "test")
        }
    notes: list[str] = []
    fitting = baselines.fitting(settings, run, made["evaluate"], sum(map(len, rows.values())), notes.append)
    compared, answers = baselines.compared(settings, model, rows["train"], parts, fitting, progress)
    written = _report(settings, run, model, audit, parts, compared)
    beside = {name: found[_judged(parts)] for name, found in answers.items()}
    chosen = settings.evaluate
    detail = Detail(locale=chosen.language, answers=beside, columns=chosen.slices, excel_safe=chosen.excel_safe)
    if model.task.judge.single_label:
        doubtful = baselines.suspicious(settings, model, rows, fitting, progress)
        written, detail = _in_depth(settings, run, model, rows, parts, detail, written, doubtful, progress)
    _write(made["evaluate"], model, written, parts, detail)
    tables.encode(made["evaluate"], chosen.encoding)
    if settings.evaluate.mlflow:
        tracking.log(settings.evaluate.mlflow, written.as_dict(), made["evaluate"])
    return "; ".join([_summary(written, model), *baselines.told(compared), *notes])


def evaluate_file(
    model_folder: str | Path,
    corpus: str | Path,
    out: str | Path,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    label_separator: str | None = None,
    overrides: Sequence[str] = (),
    language: Locale = "en",
    progress: Progress = silent,
    notify: Callable[[str], object] = lambda note: None,
    summarise: Callable[[str], object] = lambda summary: None,
    output_encoding: str = "utf-8",
    **reading: Any,
) -> Report:
    """Scores a model (or a run's model) on a labelled file, writes the report's files into `out`, and returns it.

    `reading`: fields of `corpora.table_options.TableOptions`; `overrides` set other settings of the corpus, such as
    `corpus.tagged.offsets=utf-16`; `label_separator` is between the labels of a row, by default the model's own if a
    text has several; `output_encoding`: of the CSV files. Rows without text or label are skipped and counted. Labels
    that equal the model's as numbers, such as 1.0 and 1, are taken for them. `notify` is called with a sentence for
    each thing that looks wrong, `summarise` with the headline scores in a line. Raises CorpusError for a bad file or
    column, ModelError for a bad model, PipelineError if no row is left to score, or if the model knows the label of
    none.
    """
    if Path(out).exists() and not Path(out).is_dir():
        raise PipelineError(f"{out}: is a file: name a folder for the report")
    folder = find_model(model_folder)
    model = Model.load(folder)
    if label_separator is not None and not model.task.several_labels:
        raise PipelineError(f"{folder}: is {model.task.described}, not of several labels: leave out --label-separator")
    given: dict[str, Any] = {"text": text, "label": label, "label_separator": label_separator, **reading}
    read_as = corpus_settings(given, overrides)
    rows, skipped = _read(model, corpus, read_as, notify)
    with progress("evaluate", total=len(rows), unit="texts") as advance:
        part = _scored(model, rows, (), advance)
    written = _report_of_file(folder, model, Path(corpus), part, skipped)
    detail = Detail(locale=language)
    if model.task.judge.single_label:
        written = replace(written, intervals=_intervals(model, {"test": part}))
        detail = replace(detail, explained=_explained(model, part, progress))
    _write(Path(out), model, written, {"test": part}, detail)
    tables.encode(Path(out), output_encoding)
    rejected_rows.write(Path(out), {"": str(corpus)}, read_as)
    summarise(_summary(written, model))
    return written


def _read(
    model: Model, corpus: str | Path, read_as: CorpusSettings, notify: Callable[[str], object]
) -> tuple[list[SegmentedRow], int]:
    """The rows of a file that can be scored, one or more, and the number of the others."""
    task, counts = model.task, Counter[str]()
    try:
        documents = list(segment.usable(task.read(corpus, read_as, counts), task, counts))
    except CorpusError as error:
        raise CorpusError(with_overrides(str(error))) from None
    skipped = counts["no_text"] + counts["no_label"]
    if not documents:
        raise PipelineError(f"{corpus}: no row has {task.needs}; {skipped} rows were read")
    for note in (*findings.said(counts), *segment.renamed_labels(read_as, counts)):
        notify(note)
    golds = task.judge.matched([task.gold(document) for document in documents], str(corpus), notify)
    tokenised = _tokenised(model, documents)
    rows = [
        SegmentedRow(document.row, gold, cut) for document, gold, cut in zip(documents, golds, tokenised, strict=True)
    ]
    return rows, skipped


def _tokenised(model: Model, documents: Sequence[Document]) -> list[Tokenised]:
    """The documents with the tokens of their source, or else those of the model's segmenter."""
    cut = iter(model.tokenise_all([document.text for document in documents if document.sentence is None]))
    return [
        next(cut) if document.sentence is None else Tokenised(document.text, document.sentence.tokens)
        for document in documents
    ]


def _scored(
    model: Model,
    rows: list[SegmentedRow],
    leaked: Sequence[int],
    advance: Advance,
    cells: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
) -> ScoredSplit:
    outcomes: list[Outcome] = []
    known, judge, temperature = frozenset(leaked), model.task.judge, model.answerer.temperature
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        try:
            answers, uncalibrated = model.predict_tokens_at([row.tokenised for row in chunk], (temperature, 1.0))
        except NotFinite as error:
            raise ModelError(error.message(f"row {chunk[error.text].row}")) from None
        found = [
            judge.outcome(row.row, row.tokenised, row.gold, answer, uncalibrated=plain)
            for row, answer, plain in zip(chunk, answers, uncalibrated, strict=True)
        ]
        found = [replace(one, leaked=index in known) for index, one in enumerate(found, start=start)]
        outcomes += error_analysis.sized(model, chunk, found, cells)
        advance(len(chunk))
    return ScoredSplit(rows, outcomes, known)


def _in_depth(
    settings: Settings,
    run: Path,
    model: Model,
    rows: Rows,
    parts: Splits,
    detail: Detail,
    written: Report,
    doubtful: list[suspects.Suspect] | None,
    progress: Progress,
) -> tuple[Report, Detail]:
    """What a report has about single labels besides their scores; `doubtful`: the suspects, None if not asked for."""
    judged = _judged(parts)
    train_samples = error_analysis.samples(model, rows["train"])
    written = replace(
        written,
        intervals=_intervals(model, parts),
        against=_against(parts[judged], detail.answers),
        words=error_analysis.words(settings, run, train_samples, model.labels.names),
        suspects=suspects.summary(doubtful) if doubtful is not None else {},
        corpus={**written.corpus, **error_analysis.card(model.encoder, rows)},
    )
    explained = _explained(model, parts[judged], progress)
    return written, replace(detail, explained=explained, doubtful=doubtful or ())


def _explained(model: Model, part: ScoredSplit, progress: Progress) -> dict[int, Explained]:
    with progress("explain", total=None, unit="errors"):
        return error_analysis.explained(model, most_confident(part.outcomes))


def _slices(model: Model, outcomes: Sequence[Outcome], columns: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Scores by length, by unknown tokens, and by columns."""
    judge = model.task.judge
    return slices.scored(outcomes, judge.slice_score, columns, lengths=judge.lengths_are_sliced)


def _against(part: ScoredSplit, answers: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Each baseline beside the model, over the rows that did not leak; {} if all did."""
    clean = part.without_leaked(part.outcomes)
    if not clean:
        return {}
    return {name: significance.against(clean, part.without_leaked(found)) for name, found in answers.items()}


def _intervals(model: Model, parts: Splits) -> dict[str, Any]:
    """For each part, and for the part without its leaked rows if there are any."""
    outcomes = {name: part.outcomes for name, part in parts.items()}
    clean = {
        f"{name}_without_leaked": part.without_leaked(part.outcomes) for name, part in parts.items() if part.leaked
    }
    return {name: significance.intervals(found, model.labels.names) for name, found in {**outcomes, **clean}.items()}


def _confidence(folder: Path, model: Model, parts: Splits) -> dict[str, Any]:
    if not model.answerer.claimed:
        return {}
    points = thresholds.read(folder) if (folder / thresholds.FILE).is_file() else []
    temperature, judge = model.answerer.temperature, model.task.judge
    claimed = {name: judge.claimed_of(part.outcomes, temperature) for name, part in parts.items()}
    return calibration.measured(claimed, temperature, points)


def _report(
    settings: Settings,
    run: Path,
    model: Model,
    audit: Mapping[str, Any],
    parts: Splits,
    compared: Mapping[str, Any],
) -> Report:
    dev, test, judge = parts["dev"], parts["test"], model.task.judge
    training = train.read_training(run)
    return Report(
        task=judge.kind,
        model={**_model_facts(model), **training},
        counts={
            "scored": len(test.rows),
            "scored_dev": len(dev.rows),
            "skipped": sum(audit["skipped"].values()),
            "truncated": _truncated(model, test.rows),
            "truncated_train": training["train_truncated"],
            "leaked": len(test.leaked),
            "leaked_dev": len(dev.leaked),
        },
        test=judge.score(test.outcomes),
        dev=judge.score(dev.outcomes),
        test_without_leaked=judge.score(test.without_leaked(test.outcomes)) if test.leaked else None,
        dev_without_leaked=judge.score(dev.without_leaked(dev.outcomes)) if dev.leaked else None,
        baselines=compared,
        confidence=_confidence(run / "model", model, parts),
        slices=_slices(model, parts[_judged(parts)].outcomes, settings.evaluate.slices),
        history=train.read_history(run),
        corpus={name: value for name, value in audit.items() if not name.startswith("leaked_")},
        made=_made(settings, run),
    )


def _made(settings: Settings, run: Path) -> dict[str, Any]:
    return {
        "name": settings.name,
        "seed": settings.seed,
        "versions": versions(),
        "train_sha256": sha256(run / "segment" / "train.csv"),
        "commands": [f"zhpipe run {run.as_posix()}/config.toml"],
        "config": tomllib.loads(dumps(settings)),
    }


def _report_of_file(folder: Path, model: Model, corpus: Path, part: ScoredSplit, skipped: int) -> Report:
    return Report(
        task=model.task.judge.kind,
        model=_model_facts(model),
        counts={"scored": len(part.rows), "skipped": skipped, "truncated": _truncated(model, part.rows)},
        test=model.task.judge.score(part.outcomes),
        confidence=_confidence(folder, model, {"test": part}),
        slices=_slices(model, part.outcomes),
        made={
            "name": f"{model.about['name']} on {corpus.name}",
            "versions": versions(),
            "corpus_sha256": sha256(corpus),
        },
    )


def _model_facts(model: Model) -> dict[str, Any]:
    network = model.about["network"]
    names = ("cell", "bidirectional", "layers", "units", "pooling", "inputs", "embedding")
    facts = {"wide": network["wide"], "labels": len(model.labels), **model.answerer.facts}
    return {**{name: network[name] for name in names}, **facts}


def _truncated(model: Model, rows: Sequence[SegmentedRow]) -> int:
    texts: list[Tokenised] = [row.tokenised for row in rows]
    return sum(example.truncated for example in model.task.examples(model.encoder, texts, [None] * len(texts)))


def _write(folder: Path, model: Model, written: Report, parts: Splits, detail: Detail) -> None:
    if model.generates:
        detail = replace(detail, generated=LanguageModel.of(model).texts(10, length=60))
    model.task.judge.report(folder, written, {name: part.outcomes for name, part in parts.items()}, detail)
    markdown.write(folder, json.loads((folder / "report.json").read_text(encoding="utf-8")), detail.locale)


def _judged(parts: Splits) -> str:
    """The part that the tables are about."""
    return "test" if parts["test"].rows else "dev"


def _summary(written: Report, model: Model) -> str:
    name, scores = ("test", written.test) if written.counts["scored"] else ("dev", written.dev or {})
    headline = next(iter(model.task.judge.headlines))
    shown = [f"{name} {model.task.judge.summary(scores)}"]
    if all_leaked({"counts": written.counts}, name):
        return f"{shown[0]}; every {name} row leaked: its text was also trained on"
    shown += [
        f"{baseline} {found[name][headline]:.4f}" for baseline, found in written.baselines.items() if name in found
    ]
    return "; ".join(shown)


def _inputs(settings: Settings, run: Path) -> Inputs:
    used = {"evaluate": settings.evaluate.model_dump(), "name": settings.name}
    files = [run / "segment" / name for name in ("train.csv", "dev.csv", "test.csv", "corpus.json", "segmenter.json")]
    if settings.evaluate.slices:
        files += sorted({Path(error_analysis.slice_file(settings, part)) for part in ("dev", "test")})
    files += [run / "embed" / "coverage.json"]
    files += [run / "train" / "history.csv", run / "train" / "training.json", run / "model" / "SHA256SUMS"]
    return Inputs(used, files, VERSION)


STAGE = Stage("evaluate", ("evaluate",), _inputs, perform)
