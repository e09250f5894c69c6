"""Workers: chunks are labelled in this process first, and then in several, as a stream in order."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from itertools import chain

from pipeline.encoding.encoder import Tokenised
from pipeline.jobs.input_table import Chunk
from pipeline.jobs.limits import PRELOAD
from pipeline.jobs.predict import Answers, OutputOptions, Predictor, answers
from pipeline.models.model import Model
from pipeline.parallel import map_ordered


def answer_chunks(
    model: Model, chunks: Iterator[Chunk], asked: OutputOptions, *, workers: int, solo_seconds: float
) -> Iterator[tuple[Chunk, Answers]]:
    """Each chunk with the model's answers.

    `workers`: processes, 0 for all cores; they start after `solo_seconds`, so that small tables don't pay for them.
    """
    workers = workers or os.cpu_count() or 1
    until = time.monotonic() + solo_seconds
    for chunk in chunks:
        if workers > 1 and time.monotonic() >= until:
            yield from _answered_by(workers, model, chain([chunk], chunks), asked)
        else:
            yield chunk, answers(model, chunk.texts, asked)


def _answered_by(
    workers: int, model: Model, chunks: Iterator[Chunk], asked: OutputOptions
) -> Iterator[tuple[Chunk, Answers]]:
    """The same in several processes, which receive the texts alone; the rows wait here for the answers."""
    waiting: deque[Chunk] = deque()

    def texts() -> Iterator[list[str | Tokenised]]:
        for chunk in chunks:
            waiting.append(chunk)
            yield chunk.texts

    found = map_ordered(
        Predictor.like(model, asked),
        texts(),
        workers=workers,
        chunk=1,
        here=lambda texts: answers(model, texts, asked),
        preload=PRELOAD,
    )
    with closing(found):  # type: ignore[type-var]
        for answered in found:
            yield waiting.popleft(), answered
