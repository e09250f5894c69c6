"""Language weights: the arrays of one direction of an encoder as the weights of a language model, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import UNKNOWN, Vocabulary

Array = NDArray[np.float32]
LAYER = {"input": "kernel", "recurrent": "recurrent_kernel", "bias": "bias"}
OTHERS = {
    "embedding": "embedding/embeddings",
    "projection": "projection/kernel",
    "projection_bias": "projection/bias",
    "scores_bias": "scores/bias",
}
SCORING = ("projection", "scores")  # layers that give no states
TIED = "scores/embeddings"  # the table again
TABLE, BIAS = OTHERS["embedding"], OTHERS["scores_bias"]  # with a row a character


def of(arrays: Mapping[str, Array], direction: str) -> dict[str, Array]:
    """The weights of `language_network.build`, tied, from a `PretrainedEncoder`'s arrays."""
    weights = {}
    for name, array in arrays.items():
        of_direction, *layer, part = name.split(".")
        if of_direction == direction:
            named = f"layer_{layer[0]}/{LAYER[part]}" if layer else OTHERS[part]
            weights[named] = array.T if _is_turned(named) else array
    return weights


def arrays(weights: Mapping[str, Array], direction: str) -> dict[str, Array]:
    """What `of` was given, for one direction."""
    layer_part = {variable: part for part, variable in LAYER.items()}
    other_part = {named: part for part, named in OTHERS.items()}
    found = {}
    for named, array in weights.items():
        if named == TIED:
            continue
        layer, variable = named.split("/")
        is_layer = layer.startswith("layer_")
        part = f"{layer.removeprefix('layer_')}.{layer_part[variable]}" if is_layer else other_part[named]
        found[f"{direction}.{part}"] = array.T if _is_turned(named) else array
    return found


def carried(weights: Mapping[str, Array], known: Vocabulary, wanted: Vocabulary, seed: int) -> dict[str, Array]:
    """The weights of the same model over other characters.

    A new character has the vector of an unknown one, moved a little, and all of them together have the probability
    that an unknown one had.
    """
    ids = known.ids(wanted.tokens)
    rows = np.concatenate([[0, UNKNOWN], ids])
    table, bias = weights[TABLE][rows], weights[BIAS][rows]
    new = rows == UNKNOWN
    moved = np.flatnonzero(new)[1:]
    table[moved] += np.random.default_rng(seed).uniform(-0.05, 0.05, (len(moved), table.shape[1])).astype(np.float32)
    bias[new] -= np.float32(np.log(new.sum()))
    return {**weights, TABLE: table, BIAS: bias}


def _is_turned(name: str) -> bool:
    """Whether Keras has the matrix transposed."""
    return name.endswith("kernel")
