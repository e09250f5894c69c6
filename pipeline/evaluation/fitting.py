"""Fitting: which models beside the network are remembered, and how the others are fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pipeline.evaluation.memory import FORGETFUL, Basis, Memory

A = TypeVar("A")
PRELOAD = ("sklearn.svm", "sklearn.linear_model", "sklearn.multiclass", "sklearn.feature_extraction.text")


@dataclass(frozen=True)
class Fitting:
    """How models are fitted: what is remembered of earlier ones, and over how many processes."""

    memory: Memory = FORGETFUL
    workers: int = 1


ALONE = Fitting()


class Fitted(Protocol[A]):
    """Baselines that are fitted on the same texts."""

    def answer(self, name: str) -> A:
        """The answers of a baseline, the same at each call and in each process."""

    def basis(self, name: str) -> Basis:
        """All that the answers of a baseline depend on."""

    def packed(self, answers: A) -> Any:
        """Answers as JSON has them."""

    def unpacked(self, content: Any) -> A:
        """Answers of a content. Raises KeyError, TypeError or ValueError unless it can be `packed` answers."""


def answers(
    groups: Sequence[Sequence[str]], contest: Fitted[A], fitting: Fitting, advance: Callable[[int], object]
) -> dict[str, tuple[A, bool]]:
    """The answers of baselines by name, and whether they are remembered.

    The baselines of a group share what is computed from the texts, and are fitted in one process. `advance(1)` is
    called for each baseline that is done.
    """
    found: dict[str, tuple[A, bool]] = {}
    for name in (name for group in groups for name in group):
        remembered = fitting.memory.recall(name, contest.basis(name), contest.unpacked)
        if remembered is not None:
            found[name] = (remembered, True)
            advance(1)
    missing = [[name for name in group if name not in found] for group in groups]
    for name, fitted in _fitted([group for group in missing if group], contest, fitting.workers):
        fitting.memory.keep(name, contest.basis(name), contest.packed(fitted))
        found[name] = (fitted, False)
        advance(1)
    return found


def _fitted(groups: Sequence[Sequence[str]], contest: Fitted[A], workers: int) -> Iterator[tuple[str, A]]:
    if not groups:
        return
    from pipeline.parallel import map_ordered

    parts = map_ordered(_Answering(contest), groups, workers=min(workers, len(groups)), chunk=1, preload=PRELOAD)
    with closing(parts):  # type: ignore[type-var]
        for group, fitted in zip(groups, parts, strict=True):
            yield from zip(group, fitted, strict=True)


@dataclass(frozen=True)
class _Answering:
    """Fits the baselines of a group; it is sent to the processes that do so."""

    contest: Any

    def __call__(self, names: Sequence[str]) -> list[Any]:
        return [self.contest.answer(name) for name in names]
