"""Pretrained: what of a pretrained encoder a text meets before the network, and what a model says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from embeddings.vocabulary import Vocabulary

STREAM = "encoder"  # the ids of a text's characters in its vocabulary
STATES = "encoder_states"  # what it gives the network, float32 (batch, steps, state_width)


@dataclass(frozen=True)
class Pretrained:
    """Two stacks of LSTMs, one that reads characters forwards and one backwards, without their weights.

    Id 0, which pads, is also the end of a text, which both stacks read before its characters.

    Arguments:
        name: of the encoder.
        vocabulary: its characters.
        units: the width of each layer of a stack.
        licence, attribution: of its weights.
    """

    name: str
    vocabulary: Vocabulary = field(repr=False)
    units: tuple[int, ...]
    licence: str
    attribution: str

    @property
    def state_width(self) -> int:
        """Width of the states of a character: those of both stacks."""
        return 2 * self.units[-1]

    @classmethod
    def of(cls, vocabulary: Vocabulary, about: Mapping[str, Any]) -> Self:
        """What `about` gave, with the vocabulary."""
        return cls(about["name"], vocabulary, tuple(about["units"]), about["licence"], about["attribution"])

    def about(self) -> dict[str, Any]:
        """All but the vocabulary, as values that TOML holds."""
        return {
            "name": self.name,
            "units": list(self.units),
            "licence": self.licence,
            "attribution": self.attribution,
        }
