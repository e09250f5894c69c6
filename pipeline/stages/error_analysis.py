"""Findings: what lies behind the scores of a run: its slices, the words that moved answers, the vectors of keywords."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from corpora import formats
from corpora.table import TABLES, TableReader
from pipeline.config.settings import Settings
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.analysis import keywords, occlusion, wordmap
from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.baselines.linear import Sample
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.models.model import Model
from pipeline.stages import embed
from pipeline.stages.segment import SegmentedRow
from pipeline.tasks import Prediction, Tag

UNKNOWN_ID = 1  # of a token that training has not seen
EXPLAINED = 50  # errors, the most confident ones
RECORDS = ("cluener", "doccano")  # formats of tagged text that are JSON lines, whose fields are columns
CHUNK = 1024  # texts with a word left out that are predicted at a time


def slice_cells(settings: Settings, parts: Sequence[str]) -> dict[str, dict[int, tuple[str, ...]]]:
    """Of each part, by row number, the cells in the columns of `evaluate.slices`.

    Raises CorpusError where a file can't be read or lacks such a column.
    """
    if not settings.evaluate.slices:
        return {}
    files = {part: slice_file(settings, part) for part in parts}
    read = {path: _cells(settings, path) for path in set(files.values())}
    return {part: read[path] for part, path in files.items()}


def slice_file(settings: Settings, part: str) -> str:
    """The file that a part's rows are of."""
    return getattr(settings.corpus, part) or settings.corpus.train


def _cells(settings: Settings, path: str) -> dict[int, tuple[str, ...]]:
    table = TableReader(path, format=_table_format(settings, path), encoding=settings.corpus.encoding)
    places = [table.position(column, "evaluate.slices") for column in settings.evaluate.slices]
    return {
        number: tuple("" if row[place] is None else str(row[place]) for place in places)
        for number, row in enumerate(table, start=1)
    }


def _table_format(settings: Settings, path: str) -> str:
    """The format in which a corpus has columns. Raises PipelineError where it has none."""
    name = formats.tagged_format if settings.task == "tag" else formats.corpus_format
    found = name(Path(path), settings.corpus.format)
    if found in RECORDS:
        return "jsonl"
    if found not in TABLES:
        raise PipelineError(
            f"{path}: a text of the format {found} has no columns to slice by: leave out evaluate.slices, or take a "
            f"format that has: {', '.join(RECORDS if settings.task == 'tag' else TABLES)}"
        )
    return found


def samples(rows: Sequence[SegmentedRow]) -> list[Sample]:
    """The rows as baselines read them."""
    return [Sample(row.tokenised.tokens, row.tokenised.text, row.label) for row in rows]


def sized(
    model: Model, rows: Sequence[SegmentedRow], outcomes: Sequence[Outcome], cells: Mapping[int, tuple[str, ...]]
) -> list[Outcome]:
    """The outcomes of rows with their tokens counted, those that training has not seen, and their `slice_cells`."""
    ids = model.encoder.token_ids(model.encoder.reads[0], [row.tokenised for row in rows])
    return [
        replace(
            outcome, length=len(tokens), unknown=int((tokens == UNKNOWN_ID).sum()), slices=cells.get(outcome.row, ())
        )
        for outcome, tokens in zip(outcomes, ids, strict=True)
    ]


def sure(model: Model, outcomes: Sequence[Outcome], predictions: Sequence[Prediction]) -> list[Outcome]:
    """The outcomes of a tagger with the confidence of each span, and what that would be at the temperature 1."""
    if not isinstance(model.task, Tag):
        return list(outcomes)
    plain = replace(model, task=model.task.at(1.0))
    texts = [Tokenised(outcome.text, outcome.tokens) for outcome in outcomes]
    unscaled = predictions if model.task.temperature == 1.0 else plain.predict_tokens(texts)
    return [
        replace(outcome, sure=_written(model, one), unscaled=_written(model, other))
        for outcome, one, other in zip(outcomes, predictions, unscaled, strict=True)
    ]


def _written(model: Model, prediction: Prediction) -> tuple[float, ...]:
    return tuple(round(claim.confidence, 4) for claim in model.task.claims(prediction))


def explained(model: Model, errors: Sequence[Outcome]) -> dict[int, Explained]:
    """By row number, the words that moved the first `EXPLAINED` of `errors`; {} where tokens don't make the text."""
    chosen = list(errors[:EXPLAINED])
    pieces = model.segmenter.split_all([outcome.text for outcome in chosen])
    if any("".join(found) != outcome.text for found, outcome in zip(pieces, chosen, strict=True)):
        return {}  # modes "search" and "full" give a character several times
    answers = [model.labels.id(outcome.predicted) for outcome in chosen]

    def probability(texts: Sequence[Sequence[str]], ids: Sequence[int]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(texts), CHUNK):
            tokenised = [
                Tokenised("".join(text), model.segmenter.content(text)) for text in texts[start : start + CHUNK]
            ]
            predictions = model.predict_tokens(tokenised)
            found += [
                prediction.distribution[place] if prediction.distribution else 0.0
                for prediction, place in zip(predictions, ids[start : start + CHUNK], strict=True)
            ]
        return found

    shaded = occlusion.explain(pieces, answers, probability)
    return {outcome.row: found for outcome, found in zip(chosen, shaded, strict=True)}


def words(settings: Settings, run: Path, train: Sequence[Sample], labels: Sequence[str]) -> dict[str, Any]:
    """Of the vectors that the run has made: their coverage of train, and the neighbours of the labels' keywords."""
    unit = embed.units(settings)[0]
    coverage = json.loads((run / "embed" / "coverage.json").read_text(encoding="utf-8"))
    samples = [
        Sample(Tokenised(sample.text, sample.tokens).tokens_of(unit, settings.segment.unit), sample.text, sample.label)
        for sample in train
    ]
    found = keywords.keywords(samples, labels)
    vectors = embed.read_vectors(run, unit) if any(chain.from_iterable(found.values())) else None
    listed = keywords.with_neighbours(found, vectors)
    placed = wordmap.mapped(listed, vectors)
    return {
        "unit": unit,
        "coverage": coverage.get(unit),
        "keywords": listed,
        **({"map": placed} if placed else {}),
    }


def card(encoder: Encoder, rows: Mapping[str, Sequence[SegmentedRow]]) -> dict[str, Any]:
    """Of train, dev and test: `labels`, label -> part -> rows; `lengths`, part -> tokens: least, median, 95 %, most."""
    counts = {part: Counter(row.label for row in found) for part, found in rows.items()}
    labels = sorted({label for counted in counts.values() for label in counted})
    lengths = {
        part: [len(ids) for ids in encoder.token_ids(encoder.reads[0], [row.tokenised for row in found])]
        for part, found in rows.items()
        if found
    }
    return {
        "labels": {label: {part: counted[label] for part, counted in counts.items()} for label in labels},
        "lengths": {part: np.percentile(found, (0, 50, 95, 100)).tolist() for part, found in lengths.items()},
    }
