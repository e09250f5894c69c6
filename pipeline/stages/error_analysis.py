"""Error analysis: the slices of the rows, the words that moved answers, and the vectors of keywords."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from corpora.table import TableReader
from corpora.table_options import TABLES
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
from pipeline.tasks import TASKS

UNKNOWN_ID = 1  # of a token that training has not seen
EXPLAINED = 50  # errors, the most confident ones
CHUNK = 1024  # texts with a word left out that are predicted at a time


def slice_cells(settings: Settings, parts: Sequence[str]) -> dict[str, dict[int, tuple[str, ...]]]:
    """For each part, by row number, the cells in the columns of `evaluate.slices`.

    Raises CorpusError if a file can't be read or lacks such a column.
    """
    if not settings.evaluate.slices:
        return {}
    files = {part: slice_file(settings, part) for part in parts}
    read = {path: _cells(settings, path) for path in set(files.values())}
    return {part: read[path] for part, path in files.items()}


def slice_file(settings: Settings, part: str) -> str:
    """The file that a part's rows come from."""
    return getattr(settings.corpus, part) or settings.corpus.train


def _cells(settings: Settings, path: str) -> dict[int, tuple[str, ...]]:
    corpus = settings.corpus
    table = TableReader(path, corpus.table_options, format=_table_format(settings, path))
    places = [table.position(column, "evaluate.slices") for column in settings.evaluate.slices]
    return {
        number: tuple("" if row[place] is None else str(row[place]) for place in places)
        for number, row in table.numbered()
    }


def _table_format(settings: Settings, path: str) -> str:
    """The format to read a corpus's columns in. Raises PipelineError if it has none."""
    task = TASKS[settings.task]
    found, known = task.corpus_format(path, settings.corpus), task.formats_with_columns
    if found not in known:
        raise PipelineError(
            f"{path}: a text of the format {found} has no columns to slice by: leave out evaluate.slices, or take a "
            f"format that has: {', '.join(known)}"
        )
    return found if found in TABLES else "json"


def samples(model: Model, rows: Sequence[SegmentedRow]) -> list[Sample]:
    """The rows as baselines read them."""
    return [model.task.judge.sample(row.tokenised, row.gold) for row in rows]


def sized(
    model: Model, rows: Sequence[SegmentedRow], outcomes: Sequence[Outcome], cells: Mapping[int, tuple[str, ...]]
) -> list[Outcome]:
    """The outcomes of rows with the number of their tokens, that of unseen ones among these, and their slice cells."""
    ids = model.encoder.token_ids(model.encoder.reads[0], [row.tokenised for row in rows])
    return [
        replace(
            outcome, length=len(tokens), unknown=int((tokens == UNKNOWN_ID).sum()), slices=cells.get(outcome.row, ())
        )
        for outcome, tokens in zip(outcomes, ids, strict=True)
    ]


def explained(model: Model, errors: Sequence[Outcome]) -> dict[int, Explained]:
    """By row number, the words that moved the first `EXPLAINED` errors; {} if the tokens don't make up the text."""
    chosen = list(errors[:EXPLAINED])
    shaded = explained_answers(model, [outcome.text for outcome in chosen], [outcome.predicted for outcome in chosen])
    return {outcome.row: found for outcome, found in zip(chosen, shaded, strict=False)}


def explained_answers(model: Model, texts: Sequence[str], labels: Sequence[str]) -> list[Explained]:
    """The words of each text that speak for its label; [] if the tokens don't make up the texts."""
    pieces = model.segmenter.split_all(texts)
    if any("".join(found) != text for found, text in zip(pieces, texts, strict=True)):
        return []  # in the modes "search" and "full" a character is in several tokens
    answers = [model.labels.id(label) for label in labels]

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

    return occlusion.explain(pieces, answers, probability)


def words(settings: Settings, run: Path, train: Sequence[Sample], labels: Sequence[str]) -> dict[str, Any]:
    """About the run's vectors: how much of train they cover, and the neighbours of the labels' keywords."""
    unit = embed.units(settings)[0]
    coverage = json.loads((run / "embed" / "coverage.json").read_text(encoding="utf-8"))
    cut = [
        Sample(Tokenised(sample.text, sample.tokens).tokens_of(unit, settings.segment.unit), sample.text, sample.label)
        for sample in train
    ]
    found = keywords.keywords(cut, labels)
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
    """About train, dev and test: `labels`, label -> part -> rows; `lengths`, part -> [least, median, 95 %, most]."""
    counts = {part: Counter(row.gold for row in found) for part, found in rows.items()}
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
