"""Evaluate: the frozen model answers for dev and test, is scored beside baselines, and the report is written."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from corpora.document import Document
from pipeline.config.corpus import CorpusSettings
from pipeline.config.load import dumps
from pipeline.config.settings import Settings
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.analysis import suspects
from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.metrics import calibration, significance, slices
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.report import markdown, tracking
from pipeline.evaluation.report.page import most_confident
from pipeline.evaluation.report.report import Detail, Report
from pipeline.evaluation.report.translations import Locale
from pipeline.models import thresholds
from pipeline.models.model import Model, find_model
from pipeline.progress import Advance, Progress, silent
from pipeline.provenance import sha256, versions
from pipeline.stages import error_analysis, segment, train
from pipeline.stages.manifest import Inputs
from pipeline.stages.segment import SegmentedRow
from pipeline.stages.stage import Stage

VERSION = 5
CHUNK = 4096  # rows predicted between two signs of progress


@dataclass(frozen=True)
class ScoredSplit:
    """A scored part: its rows, their outcomes, and which of them leaked (their text was trained on, or chosen by)."""

    rows: list[SegmentedRow]
    outcomes: list[Outcome]
    leaked: frozenset[int]

    def without_leaked(self, values: Sequence[Any]) -> list[Any]:
        """The values of the rows that did not leak."""
        return [value for index, value in enumerate(values) if index not in self.leaked]


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes report.json, report.txt, report.html and the tables of `report.write`."""
    if settings.evaluate.mlflow:
        tracking.check()
    cells = error_analysis.slice_cells(settings, ("dev", "test"))
    model = Model.load(run / "model")
    audit = segment.read_audit(run)
    rows = {name: segment.read_part(run, name) for name in ("train", "dev", "test")}
    with progress("evaluate", total=len(rows["dev"]) + len(rows["test"]), unit="texts") as advance:
        parts = {
            name: _part(model, rows[name], audit[f"leaked_{name}"], advance, cells.get(name, {}))
            for name in ("dev", "test")
        }
    with progress("baselines", total=len(settings.evaluate.baselines), unit="baselines") as advance:
        compared, answers = _baselines(settings, rows["train"], parts, model, advance)
    written = _report(settings, run, model, audit, parts, compared)
    beside = {name: found[_judged(parts)] for name, found in answers.items()}
    detail = Detail(locale=settings.evaluate.language, answers=beside, columns=settings.evaluate.slices)
    judged = parts[_judged(parts)].outcomes
    written = replace(
        written,
        confidence=_confidence(run / "model", model, parts),
        slices=_slices(model, judged, settings.evaluate.slices),
    )
    if model.task.single_label:
        written, detail = _in_depth(settings, run, model, rows, parts, detail, written, progress)
    _write(made["evaluate"], model, written, parts, detail)
    if settings.evaluate.mlflow:
        tracking.log(settings.evaluate.mlflow, written.as_dict(), made["evaluate"])
    return _summary(written, model)


def evaluate_file(
    model_folder: str | Path,
    corpus: str | Path,
    out: str | Path,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    format: str | None = None,
    encoding: str = "utf-8",
    language: Locale = "en",
    progress: Progress = silent,
) -> Report:
    """Scores a model (or a run's model) on any labelled file, writes the report's files into `out`, and returns it.

    Rows without text or label are skipped and counted. Raises CorpusError for a bad file or column, ModelError for a
    bad model, PipelineError where no row is left to score.
    """
    if Path(out).exists() and not Path(out).is_dir():
        raise PipelineError(f"{out}: is a file: name a folder for the report")
    folder = find_model(Path(model_folder))
    model = Model.load(folder)
    task, counts = model.task, Counter[str]()
    given: dict[str, Any] = {"text": text, "label": label, "format": format, "encoding": encoding}
    read_as = CorpusSettings.model_construct(**given)  # checked by what reads
    documents = list(segment.usable(task.read(corpus, read_as, counts), task, counts))
    rows = [
        SegmentedRow(document.row, str(task.gold(document)), tokenised)
        for document, tokenised in zip(documents, _tokenised(model, documents), strict=True)
    ]
    skipped = counts["no_text"] + counts["no_label"]
    if not rows:
        raise PipelineError(f"{corpus}: no row has {task.needs}; {skipped} rows were read")
    with progress("evaluate", total=len(rows), unit="texts") as advance:
        part = _part(model, rows, (), advance)
    written = Report(
        task=str(model.about["task"]),
        model=_model_facts(model),
        counts={
            "scored": len(rows),
            "skipped": skipped,
            "truncated": _truncated(model, rows),
        },
        test=task.score(part.outcomes),
        confidence=_confidence(folder, model, {"test": part}),
        slices=_slices(model, part.outcomes),
        made={
            "name": f"{model.about['name']} on {Path(corpus).name}",
            "versions": versions(),
            "corpus_sha256": sha256(Path(corpus)),
        },
    )
    detail = Detail(locale=language)
    if task.single_label:
        written = replace(written, intervals=_intervals(model, {"test": part}))
        detail = replace(detail, explained=_explained(model, part, progress))
    _write(Path(out), model, written, {"test": part}, detail)
    return written


def _write(folder: Path, model: Model, written: Report, parts: Mapping[str, ScoredSplit], detail: Detail) -> None:
    model.task.report(folder, written, {name: part.outcomes for name, part in parts.items()}, detail)
    markdown.write(folder, json.loads((folder / "report.json").read_text(encoding="utf-8")), detail.locale)


def _judged(parts: Mapping[str, ScoredSplit]) -> str:
    return "test" if parts["test"].rows else "dev"


def _tokenised(model: Model, documents: Sequence[Document]) -> list[Tokenised]:
    """As the source has cut them, or else as the model cuts."""
    cut = iter(model.tokenise_all([document.text for document in documents if document.sentence is None]))
    return [
        next(cut) if document.sentence is None else Tokenised(document.text, document.sentence.tokens)
        for document in documents
    ]


def _part(
    model: Model,
    rows: list[SegmentedRow],
    leaked: Sequence[int],
    advance: Advance,
    cells: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
) -> ScoredSplit:
    outcomes: list[Outcome] = []
    known = frozenset(leaked)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        predictions = model.predict_tokens([row.tokenised for row in chunk])
        answered = [
            row.outcome(prediction, leaked=index in known)
            for index, (row, prediction) in enumerate(zip(chunk, predictions, strict=True), start=start)
        ]
        outcomes += error_analysis.sized(model, chunk, error_analysis.sure(model, answered, predictions), cells)
        advance(len(chunk))
    return ScoredSplit(rows, outcomes, known)


def _baselines(
    settings: Settings, train_rows: list[SegmentedRow], parts: Mapping[str, ScoredSplit], model: Model, advance: Advance
) -> tuple[dict[str, Any], dict[str, dict[str, list[str]]]]:
    """Their scores, and by name what each of them answered to each part, if that can be set beside the model's."""
    names = [
        name
        for name in settings.evaluate.baselines
        if not (name.startswith("tfidf_words") and settings.segment.unit == "char")
    ]
    asked = {name: error_analysis.samples(part.rows) for name, part in parts.items() if part.rows}
    clean = {
        f"{name}_without_leaked": part.without_leaked(asked[name])
        for name, part in parts.items()
        if part.rows and part.leaked
    }
    answers: dict[str, dict[str, list[str]]] = {}
    parts_asked = {**asked, **clean}
    train_samples = error_analysis.samples(train_rows)
    scores = model.task.compare(names, train_samples, parts_asked, model.encoder, advance, answers.__setitem__)
    return scores, answers


def _in_depth(
    settings: Settings,
    run: Path,
    model: Model,
    rows: Mapping[str, list[SegmentedRow]],
    parts: Mapping[str, ScoredSplit],
    detail: Detail,
    written: Report,
    progress: Progress,
) -> tuple[Report, Detail]:
    """What a report says of a classifier beside its scores."""
    judged = _judged(parts)
    doubtful = _suspects(settings, rows, model, progress)
    written = replace(
        written,
        intervals=_intervals(model, parts),
        against=_against(parts[judged], detail.answers),
        words=error_analysis.words(settings, run, error_analysis.samples(rows["train"]), model.labels.names),
        suspects=suspects.summary(doubtful) if doubtful is not None else {},
        corpus={**written.corpus, **error_analysis.card(model.encoder, rows)},
    )
    return written, replace(
        detail,
        explained=_explained(model, parts[judged], progress),
        doubtful=doubtful or (),
    )


def _explained(model: Model, part: ScoredSplit, progress: Progress) -> dict[int, Explained]:
    with progress("explain", total=None, unit="errors"):
        return error_analysis.explained(model, most_confident(part.outcomes))


def _slices(model: Model, outcomes: Sequence[Outcome], columns: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Scores by length, which the scores of language models have themselves, by unknown tokens, and by columns."""
    return slices.scored(outcomes, model.task.slice_score, columns, lengths=model.about["task"] != "language")


def _against(part: ScoredSplit, answers: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Each baseline beside the model, over the rows that did not leak, unless there are no others."""
    clean = part.without_leaked(part.outcomes)
    return {
        name: significance.against(clean or part.outcomes, part.without_leaked(found) if clean else found)
        for name, found in answers.items()
    }


def _suspects(
    settings: Settings, rows: Mapping[str, list[SegmentedRow]], model: Model, progress: Progress
) -> list[suspects.Suspect] | None:
    """Of all parts, as far as they are asked for."""
    if not settings.evaluate.suspects:
        return None
    with progress("suspects", total=suspects.FOLDS, unit="folds") as advance:
        return suspects.find(suspects.by_part(rows), model.labels.names, advance=advance)


def _intervals(model: Model, parts: Mapping[str, ScoredSplit]) -> dict[str, Any]:
    """Of each part, and of it without the leaked rows where there are some."""
    outcomes = {name: part.outcomes for name, part in parts.items()}
    clean = {
        f"{name}_without_leaked": part.without_leaked(part.outcomes) for name, part in parts.items() if part.leaked
    }
    return {name: significance.intervals(found, model.labels.names) for name, found in {**outcomes, **clean}.items()}


def _confidence(folder: Path, model: Model, parts: Mapping[str, ScoredSplit]) -> dict[str, Any]:
    if not model.task.claimed:
        return {}
    points = thresholds.read(folder) if (folder / thresholds.FILE).is_file() else []
    claimed = {name: model.task.claimed_of(part.outcomes) for name, part in parts.items()}
    return calibration.measured(claimed, model.task.temperature, points)


def _report(
    settings: Settings,
    run: Path,
    model: Model,
    audit: Mapping[str, Any],
    parts: Mapping[str, ScoredSplit],
    compared: Mapping[str, Any],
) -> Report:
    dev, test = parts["dev"], parts["test"]
    training = train.read_training(run)
    return Report(
        task=settings.task,
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
        test=model.task.score(test.outcomes),
        dev=model.task.score(dev.outcomes),
        test_without_leaked=model.task.score(test.without_leaked(test.outcomes)) if test.leaked else None,
        dev_without_leaked=model.task.score(dev.without_leaked(dev.outcomes)) if dev.leaked else None,
        baselines=compared,
        history=train.read_history(run),
        corpus={name: value for name, value in audit.items() if not name.startswith("leaked_")},
        made={
            "name": settings.name,
            "seed": settings.seed,
            "versions": versions(),
            "train_sha256": sha256(run / "segment" / "train.csv"),
            "commands": [f"zhpipe run {run.as_posix()}/config.toml"],
            "config": tomllib.loads(dumps(settings)),
        },
    )


def _model_facts(model: Model) -> dict[str, Any]:
    network = model.about["network"]
    names = ("cell", "bidirectional", "layers", "units", "pooling", "inputs", "embedding")
    return {**{name: network[name] for name in names}, "wide": network["wide"], "labels": len(model.labels)}


def _truncated(model: Model, rows: Sequence[SegmentedRow]) -> int:
    texts: list[Tokenised] = [row.tokenised for row in rows]
    return sum(example.truncated for example in model.task.examples(model.encoder, texts, [None] * len(texts)))


def _summary(written: Report, model: Model) -> str:
    name, scores = ("test", written.test) if written.counts["scored"] else ("dev", written.dev or {})
    headline = next(iter(model.task.headlines))
    shown = [f"{name} {model.task.said(scores)}"]
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
