"""The pretrained encoder: its arrays become the folder that comes with zhpipe, checked and measured on the way.

SOURCE holds forward.npz, backward.npz, vocabulary.txt and check.npz. Perplexities are of held-out texts, one a line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import FIRST, Vocabulary
from pipeline.pretrained import encoder as encoders
from pipeline.pretrained.card import Card
from pipeline.pretrained.encoder import DIRECTIONS, PretrainedEncoder

Array = NDArray[np.float32]
TOLERANCE = 1e-4
OTHERS = ("<pad>", "<unk>", "<eot>")  # the first tokens of the source's vocabulary
END = 2  # the id of <eot> there
MOST = 20_000  # characters that a perplexity is measured on


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--card", required=True, type=click.Path(exists=True, path_type=Path), help="TOML of what is no size.")
@click.option(
    "--texts", required=True, type=click.Path(exists=True, path_type=Path), help="Held-out texts, one a line."
)
def main(source: Path, target: Path, card: Path, texts: Path) -> None:
    """Make the folder TARGET of the arrays in SOURCE, check it against check.npz, and measure what rounding costs."""
    tables = {name: dict(np.load(source / f"{name}.npz", allow_pickle=False)) for name in DIRECTIONS}
    characters = (source / "vocabulary.txt").read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    if tuple(characters[: len(OTHERS)]) != OTHERS:
        raise click.ClickException(f"{source}: the vocabulary begins with {characters[:3]}, expected {OTHERS}")
    made = converted(tables, characters[len(OTHERS) :], tomllib.loads(card.read_text(encoding="utf-8")))
    target.mkdir(parents=True, exist_ok=True)
    encoders.save(made, target)
    stored = encoders.load(target)
    with np.load(source / "check.npz", allow_pickle=False) as check:
        for direction in DIRECTIONS:
            compare(made, tables, direction, check)
    lines = texts.read_text(encoding="utf-8").splitlines()
    for direction in DIRECTIONS:
        before, after = (perplexity(each, tables[direction], direction, lines) for each in (made, stored))
        click.echo(f"{direction}: perplexity {before:.3f} as given, {after:.3f} in {stored.card.precision}")
    size = sum(path.stat().st_size for path in target.iterdir())
    click.echo(f"{target}: {size / 1e6:.2f} MB")


def converted(
    tables: Mapping[str, Mapping[str, NDArray[Any]]], characters: Sequence[str], about: Mapping[str, Any]
) -> PretrainedEncoder:
    """The encoder of the source's arrays; row 0 becomes the end of a text, which pads, too."""
    arrays: dict[str, Array] = {}
    for direction, table in tables.items():
        embedding = table["embedding"]
        arrays[f"{direction}.embedding"] = np.concatenate([embedding[[END, 1]], embedding[END + 1 :]])
        layers = sum(name.endswith("_recurrent") for name in table)
        for layer in range(layers):
            for part in ("input", "recurrent", "bias"):
                arrays[f"{direction}.{layer}.{part}"] = table[f"lstm{layer + 1}_{part}"]
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    units = [arrays[f"forward.{layer}.recurrent"].shape[1] for layer in range(layers)]
    card = Card(format_version=1, cell="lstm", width=arrays["forward.embedding"].shape[1], units=units, **about)
    return PretrainedEncoder(card, Vocabulary(characters), arrays)


def states_of(encoder: PretrainedEncoder, direction: str, ids: Sequence[int]) -> Array:
    """The states of the last layer after each id, (ids, units), computed by the equations of the LSTM alone."""
    read = encoder.arrays[f"{direction}.embedding"][np.array(ids)]
    for layer, units in enumerate(encoder.card.units):
        parts = (encoder.arrays[f"{direction}.{layer}.{part}"] for part in ("input", "recurrent", "bias"))
        read = lstm(read, *parts, units)
    return read


def lstm(read: Array, of_input: Array, recurrent: Array, bias: Array, units: int) -> Array:
    """The states of an LSTM, (steps, units), from what it reads, (steps, width); gates input, forget, cell, output."""
    state, memory, states = np.zeros(units, np.float32), np.zeros(units, np.float32), []
    for step in read @ of_input.T + bias:
        enter, forget, new, leave = np.split(step + recurrent @ state, 4)
        memory = sigmoid(forget) * memory + sigmoid(enter) * np.tanh(new)
        state = sigmoid(leave) * np.tanh(memory)
        states.append(state)
    return np.array(states, np.float32)


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-values))


def log_probabilities(
    encoder: PretrainedEncoder, table: Mapping[str, NDArray[Any]], direction: str, text: str
) -> tuple[Array, Array]:
    """The states after the end of a text and after each character, and ln p of each next one, then of the end."""
    ids = [0, *encoder.vocabulary.ids(text[:: 1 if direction == "forward" else -1]).tolist(), 0]
    states = states_of(encoder, direction, ids[:-1])
    projection, shift, bias = (
        table[name].astype(np.float32) for name in ("projection", "projection_bias", "output_bias")
    )
    bias = np.concatenate([bias[[END, 1]], bias[END + 1 :]])
    scores = (states @ projection.T + shift) @ encoder.arrays[f"{direction}.embedding"].T + bias
    scores -= scores.max(axis=1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return states, scores[np.arange(len(states)), ids[1:]]


def compare(
    encoder: PretrainedEncoder,
    tables: Mapping[str, Mapping[str, NDArray[Any]]],
    direction: str,
    check: Mapping[str, Any],
) -> None:
    """Prints the largest differences from the source's own values; ends if one is above 1e-4."""
    found = log_probabilities(encoder, tables[direction], direction, str(check["text"]))
    expected = check[f"{direction}_states"], check[f"{direction}_log_probabilities"]
    differences = [float(np.abs(ours - theirs).max()) for ours, theirs in zip(found, expected, strict=True)]
    click.echo(
        f"{direction}: differs from check.npz by {differences[0]:.1e} in states, {differences[1]:.1e} in logarithms"
    )
    if max(differences) > TOLERANCE:
        raise click.ClickException("the conversion is wrong")


def perplexity(
    encoder: PretrainedEncoder, table: Mapping[str, NDArray[Any]], direction: str, texts: Sequence[str]
) -> float:
    """Of the texts up to 20,000 characters, ends counted, characters that the vocabulary lacks left out."""
    nats: list[float] = []
    for text in texts:
        known = encoder.vocabulary.ids([*text[:: 1 if direction == "forward" else -1]]) >= FIRST
        found = log_probabilities(encoder, table, direction, text)[1]
        nats += found[[*known, True]].tolist()
        if len(nats) > MOST:
            break
    return float(np.exp(-np.mean(nats)))


if __name__ == "__main__":
    main()
