"""The queue of a run: the rows whose labels people should look at, the most doubtful first."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from corpora.corrections import fingerprint
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.analysis import suspects
from pipeline.models.model import Model
from pipeline.progress import Progress, silent
from pipeline.review.forms import answered
from pipeline.stages import segment
from pipeline.stages.segment import PARTS, SegmentedRow
from pipeline.tasks import Prediction

Reason = Literal["doubtful", "error", "unsure", "teaches"]
RUN_REASONS: tuple[Reason, ...] = ("doubtful", "error")
CHUNK = 1024  # texts that are predicted at a time


@dataclass(frozen=True)
class Item:
    """A text to decide about.

    Arguments:
        file, row: Where it stands: the name of a file, and its number there from 1.
        part: train, dev or test; "" for a row of a table.
        text: As the model reads it.
        old: The label that it was given, as corrections have it; "" for none.
        answer: The label that is suggested in its place, in the same form, and its probability, 0 to 1.
        reason: "doubtful", models that were trained without the row expect the answer; "error", the model answers so;
            "unsure", the model's confidence is low; "teaches", the row was chosen to be labelled.
    """

    file: str
    row: int
    part: str
    text: Tokenised
    old: str
    answer: str
    confidence: float
    reason: Reason

    @cached_property
    def fingerprint(self) -> str:
        """Of its text."""
        return fingerprint(self.text.text)


def of_run(
    run: Path,
    model: Model,
    *,
    reasons: Sequence[Reason] = RUN_REASONS,
    parts: Sequence[str] = PARTS,
    progress: Progress = silent,
) -> list[Item]:
    """The doubtful labels of a run, as its report lists them, then the rows that its model answers otherwise.

    Of errors, the most confident come first. A text that comes several times with one label is asked about once. Only
    classifiers of one label have doubtful labels. Raises PipelineError if the folder is no run.
    """
    _check(run)
    rows = {part: segment.read_part(run, part, model.task.parse_gold) for part in PARTS}
    files = _files(run)
    found: list[Item] = []
    if "doubtful" in reasons and model.task.judge.single_label:
        found += _doubtful(rows, model, files, progress)
    if "error" in reasons:
        chosen = {part: rows[part] for part in parts}
        found += sorted(_errors(chosen, model, files, progress), key=lambda item: (-item.confidence, item.row))
    return distinct(item for item in found if item.part in parts)


def every_row(run: Path, model: Model) -> list[Item]:
    """All rows of a run, without suggestions."""
    _check(run)
    files = _files(run)
    return distinct(
        Item(files[part], row.row, part, row.tokenised, model.task.format_gold(row.gold), "", 0.0, "error")
        for part in PARTS
        for row in segment.read_part(run, part, model.task.parse_gold)
    )


def distinct(items: Iterable[Item]) -> list[Item]:
    """The first item of each text and label."""
    first: dict[tuple[str, str], Item] = {}
    for item in items:
        first.setdefault((item.fingerprint, item.old), item)
    return list(first.values())


def predictions(model: Model, texts: Sequence[Tokenised], progress: Progress) -> Iterator[Prediction]:
    """The model's prediction of each text."""
    with progress("predict", total=len(texts), unit="texts") as advance:
        for start in range(0, len(texts), CHUNK):
            found = model.predict_tokens(texts[start : start + CHUNK])
            yield from found
            advance(len(found))


def _doubtful(
    rows: Mapping[str, Sequence[SegmentedRow]], model: Model, files: Mapping[str, str], progress: Progress
) -> Iterator[Item]:
    texts = {(part, row.row): row.tokenised for part, found in rows.items() for row in found}
    with progress("suspects", total=suspects.FOLDS, unit="folds") as advance:
        found = suspects.find(suspects.by_part(rows), model.labels.names, advance=advance)
    for one in found:
        part, row = one.labelled.part, one.labelled.row
        text = texts[part, row]
        yield Item(files[part], row, part, text, one.labelled.label, one.expected, one.confidence, "doubtful")


def _errors(
    rows: Mapping[str, Sequence[SegmentedRow]], model: Model, files: Mapping[str, str], progress: Progress
) -> Iterator[Item]:
    every = [(part, row) for part, found in rows.items() for row in found]
    answers = predictions(model, [row.tokenised for _, row in every], progress)
    for (part, row), prediction in zip(every, answers, strict=True):
        given, answer = model.task.format_gold(row.gold), answered(model.task, prediction)
        if answer != given:
            yield Item(files[part], row.row, part, row.tokenised, given, answer, prediction.score, "error")


def _check(run: Path) -> None:
    if not (run / "segment" / "train.csv").is_file():
        raise PipelineError(f"{run}: has no stage segment, so it is no run: name a run, or a TABLE to review")


def _files(run: Path) -> dict[str, str]:
    """The name of the file that each part's rows stand in."""
    path = run / "config.toml"
    try:
        corpus: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["corpus"]
        return {part: Path(corpus.get(part) or corpus["train"]).name for part in PARTS}
    except (OSError, ValueError, KeyError) as error:
        raise PipelineError(f"{path}: can't be read ({error}): name a run that zhpipe made") from None
