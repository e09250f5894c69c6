"""Generation: tokens are drawn one by one, or the most likely continuations found by beam search."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import UNKNOWN
from pipeline.encoding.batch import Ids
from pipeline.errors import PipelineError
from pipeline.language import BOUNDARY

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
CHUNK = 256  # tokens of a prompt that are read at a time


class IncrementalModel(Protocol):
    """What generation needs of a language model; see `pipeline.language.reader.StatefulReader`."""

    def initial_states(self, rows: int) -> Rows: ...
    def read(self, ids: Ids, lengths: Ids, states: Rows) -> tuple[Rows, Rows]: ...
    def step(self, ids: Ids, states: Rows) -> tuple[Rows, Rows]: ...


@dataclass(frozen=True)
class GenerationOptions:
    """How the next token is drawn.

    `temperature`: divides the scores; below 1 likely tokens become likelier, and 0 always takes the likeliest.
    `top_k`: draw from this many of the likeliest tokens, 0 for all (Fan et al., ACL 2018). `top_p`: draw from the
    fewest likeliest tokens that together have this probability, 1 for all (nucleus sampling, Holtzman et al., ICLR
    2020). The temperature is applied first, then `top_k`, then `top_p`. Raises PipelineError for a value out of range.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < np.inf:
            raise PipelineError(f"temperature: expected 0 or more, received {self.temperature}")
        if self.top_k < 0:
            raise PipelineError(f"top-k: expected 0 (all tokens) or more, received {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise PipelineError(f"top-p: expected more than 0 and at most 1, received {self.top_p}")

    def probabilities(self, scores: Rows, never: Collection[int] = ()) -> Floats:
        """Scores (vocabulary,) to the probabilities to draw with, float64 (vocabulary,); 0 for the ids in `never`."""
        scores = scores.astype(np.float64)
        scores[list(never)] = -np.inf
        if self.temperature == 0:
            best: NDArray[np.float64] = np.eye(len(scores))[np.argmax(scores)]
            return best
        with np.errstate(over="ignore"):  # so cold that all but the likeliest have none
            found = softmax((scores - scores.max()) / self.temperature)
        order = np.argsort(-scores, kind="stable")  # of scores, as the softmax may round different ones to the same
        kept = order[: self.top_k or len(order)]
        if self.top_p < 1:
            shares = np.cumsum(found[kept]) / found[kept].sum()
            kept = kept[: int(np.searchsorted(shares, self.top_p)) + 1]
        chosen = np.zeros_like(found)
        chosen[kept] = found[kept] / found[kept].sum()
        return chosen


def softmax(scores: NDArray[np.floating]) -> Floats:
    """exp(s) / sum exp(s) of a vector, shifted by the maximum so that nothing overflows."""
    exponents = np.exp(np.asarray(scores, np.float64) - np.max(scores))
    return exponents / exponents.sum()  # type: ignore[no-any-return]


def read_prompt(model: IncrementalModel, prompt: Ids, *, chunk: int = CHUNK) -> tuple[Rows, Rows]:
    """The scores (1, vocabulary) of the token after a prompt, and the states (1, width) to read on from."""
    ids = np.concatenate([[BOUNDARY], prompt]).astype(np.int32)
    states = model.initial_states(1)
    for start in range(0, len(ids), chunk):
        part = ids[None, start : start + chunk]
        scores, states = model.read(part, np.array([part.shape[1]], np.int32), states)
    return scores[:, -1], states


def sample(
    model: IncrementalModel,
    prompt: Ids,
    options: GenerationOptions,
    generator: np.random.Generator,
    length: int,
    *,
    unknown: bool = False,
) -> Iterator[int]:
    """At most `length` ids that follow a prompt, as they are drawn, until the text ends; one step of the model each.

    The unknown token is drawn only if `unknown`.
    """
    scores, states = read_prompt(model, prompt)
    never = () if unknown else (UNKNOWN,)
    for done in range(length):
        probabilities = options.probabilities(scores[0], never)
        token = int(generator.choice(len(probabilities), p=probabilities))
        if token == BOUNDARY:
            return
        yield token
        if done + 1 < length:
            scores, states = model.step(np.array([token], np.int32), states)


@dataclass(frozen=True)
class Hypothesis:
    """A continuation in a beam search.

    `ids`: its tokens; `log_probability`: the natural logarithm of its probability, the end included if it `ended`.
    """

    ids: tuple[int, ...]
    log_probability: float
    ended: bool

    @property
    def mean(self) -> float:
        """The log-probability a token, where the end counts as a token."""
        return self.log_probability / (len(self.ids) + self.ended)


def beam_search(
    model: IncrementalModel, prompt: Ids, width: int, length: int, *, unknown: bool = False
) -> list[Hypothesis]:
    """At most `width` continuations of at most `length` tokens, the highest mean log-probability first.

    Each step keeps the `width` likeliest, ended ones included; a beam as wide as there are continuations misses none.
    By the mean over tokens a long continuation is not unlikely for its length alone (Wu et al., 2016, equation 14,
    with alpha 1).
    """
    scores, states = read_prompt(model, prompt)
    going: list[tuple[int, ...]] = [()]
    values = np.zeros(1)
    ended: list[Hypothesis] = []
    for _ in range(length):
        logs = np.array([log_softmax(row) for row in scores]) + values[:, None]
        if not unknown:
            logs[:, UNKNOWN] = -np.inf
        best = np.argsort(-logs, axis=None, kind="stable")[: width - len(ended)]
        rows, tokens = np.unravel_index(best, logs.shape)
        ended += [Hypothesis(going[row], float(logs[row, BOUNDARY]), True) for row in rows[tokens == BOUNDARY]]
        goes_on = (tokens != BOUNDARY) & np.isfinite(logs[rows, tokens])
        rows, tokens = rows[goes_on], tokens[goes_on]
        values, going = logs[rows, tokens], [(*going[row], int(token)) for row, token in zip(rows, tokens, strict=True)]
        if not going:
            break
        scores, states = model.step(tokens.astype(np.int32), states[rows])
    cut = [Hypothesis(ids, float(value), False) for ids, value in zip(going, values, strict=True)]
    return sorted(ended + cut, key=lambda one: -one.mean)


def log_softmax(scores: NDArray[np.floating]) -> Floats:
    """The logarithm of `softmax`."""
    shifted = np.asarray(scores, np.float64) - np.max(scores)
    return shifted - np.log(np.exp(shifted).sum())  # type: ignore[no-any-return]
