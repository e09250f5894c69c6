"""Tagsets: the tags of a scheme, which tags may be neighbours, and the spans that a sequence of tags marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora import tags
from pipeline.encoding.labels import Labels

Flags = NDArray[np.bool_]
Places = NDArray[Any]


@dataclass(frozen=True)
class Allowed:
    """What a scheme allows, as bool arrays.

    `transitions` (tags, tags): `[i, j]` whether tag j may follow tag i; `start` and `end` (tags,): whether a tag may
    begin and end a text.
    """

    transitions: Flags
    start: Flags
    end: Flags

    def __iter__(self) -> Iterator[Flags]:
        return iter((self.transitions, self.start, self.end))


@dataclass(frozen=True)
class TokenSpans:
    """The spans (entities or words) of a batch of tag sequences, text by text and in order; int arrays (spans,).

    `rows`: the text of each span; `starts`: its first token; `stops`: the token after its last; `tags`: the tag id of
    its first token.
    """

    rows: Places
    starts: Places
    stops: Places
    tags: Places


@dataclass(frozen=True)
class Tagset:
    """The tags of a scheme; without a scheme (None) each token is a span of its own.

    >>> tagset = Tagset(Labels(("B-人", "I-人", "O")), "BIO")
    >>> tagset.allowed.transitions.tolist()
    [[True, True, True], [True, True, True], [True, False, True]]
    >>> found = tagset.spans(np.array([[2, 0, 1], [1, -1, -1]]), np.array([3, 1]))
    >>> found.rows.tolist(), found.starts.tolist(), found.stops.tolist()
    ([0, 1], [1, 0], [3, 1])
    """

    labels: Labels
    scheme: str | None

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The span type in each tag, "" if it has none; the tag itself where there is no scheme."""
        names = self.labels.names
        return names if self.scheme is None else tuple(name.partition("-")[2] for name in names)

    @cached_property
    def allowed(self) -> Allowed:
        """What the scheme allows; everything where there is no scheme."""
        names, count = self.labels.names, len(self.labels)
        if self.scheme is None:
            return Allowed(np.ones((count, count), bool), np.ones(count, bool), np.ones(count, bool))
        found = tags.allowed(names, self.scheme)
        return Allowed(np.array(found.between), np.array(found.start), np.array(found.end))

    @cached_property
    def joined(self) -> Flags:
        """Whether neighbours with the tags i and j belong to one span, (tags, tags)."""
        count = len(self.labels)
        if self.scheme is None:
            return np.zeros((count, count), bool)
        return np.array(tags.joined(self.labels.names, self.scheme))

    @cached_property
    def _inside(self) -> Flags:
        return np.array([self.scheme is None or name != tags.OUTSIDE for name in self.labels.names])

    def spans(self, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> TokenSpans:
        """The spans of tag ids (batch, steps), read as `corpora.tags.spans` reads any sequence, legal or not."""
        rows, steps = np.nonzero(np.arange(paths.shape[1]) < np.asarray(lengths)[:, None])
        found = paths[rows, steps]
        begins = np.ones(len(found), bool)
        begins[1:] = (steps[1:] == 0) | ~self.joined[found[:-1], found[1:]]
        first = np.flatnonzero(begins)
        stops = steps[np.append(first[1:], len(found)) - 1] + 1
        kept = self._inside[found[first]]
        return TokenSpans(rows[first][kept], steps[first][kept], stops[kept], found[first][kept])
