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

from embeddings.vocabulary import UNKNOWN, Vocabulary
from pipeline.pretrained import encoder as encoders
from pipeline.pretrained.card import Card
from pipeline.pretrained.encoder import DIRECTIONS, PretrainedEncoder

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
TOLERANCE = 1e-4
OTHERS = ("<pad>", "<unk>", "<eot>")  # the first tokens of the source's vocabulary
END = 2  # the id of <eot> there
MOST = 20_000  # characters from which on no further texts are read for a perplexity
BATCH = 64


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--card", required=True, type=click.Path(exists=True, path_type=Path), help="What it says but for sizes.")
@click.option("--texts", required=True, type=click.Path(exists=True, path_type=Path), help="Held-out ones, one a line.")
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
            compare(made, direction, check)
    lines = texts.read_text(encoding="utf-8").splitlines()
    for direction in DIRECTIONS:
        before, after = (perplexity(each, direction, lines) for each in (made, stored))
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
        arrays |= {f"{direction}.{name}": table[name] for name in ("projection", "projection_bias")}
        bias = table["output_bias"]
        arrays[f"{direction}.scores_bias"] = np.concatenate([bias[[END, 1]], bias[END + 1 :]])
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    units = [arrays[f"forward.{layer}.recurrent"].shape[1] for layer in range(layers)]
    sizes = {"format_version": 1, "cell": "lstm", "width": arrays["forward.embedding"].shape[1], "units": units}
    card = Card(**{**about, **sizes})
    return PretrainedEncoder(card, Vocabulary(characters), arrays)


def states_of(encoder: PretrainedEncoder, direction: str, ids: Ids) -> Array:
    """The states of the last layer after each id, by the equations of the LSTM: (texts, steps) -> (..., units)."""
    read = encoder.arrays[f"{direction}.embedding"][ids]
    for layer, units in enumerate(encoder.card.units):
        parts = (encoder.arrays[f"{direction}.{layer}.{part}"] for part in ("input", "recurrent", "bias"))
        read = lstm(read, *parts, units)
    return read


def lstm(read: Array, of_input: Array, recurrent: Array, bias: Array, units: int) -> Array:
    """The states of an LSTM, (texts, steps, width) -> (texts, steps, units); gates input, forget, cell, output."""
    state = memory = np.zeros((len(read), units), np.float32)
    states = np.zeros((*read.shape[:2], units), np.float32)
    for step in range(read.shape[1]):
        gates = read[:, step] @ of_input.T + state @ recurrent.T + bias
        enter, forget, new, leave = np.split(gates, 4, axis=1)
        memory = sigmoid(forget) * memory + sigmoid(enter) * np.tanh(new)
        state = sigmoid(leave) * np.tanh(memory)
        states[:, step] = state
    return states


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-values))


def log_probabilities(
    encoder: PretrainedEncoder, direction: str, texts: Sequence[str]
) -> list[tuple[Array, Array, NDArray[np.bool_]]]:
    """Of each text: the states after its beginning and each character, ln p of what comes next, whether that is known.

    What comes next is each character, then the end.
    """
    ids = [encoder.vocabulary.ids(text[:: 1 if direction == "forward" else -1]) for text in texts]
    padded = np.zeros((len(texts), 2 + max(map(len, ids))), np.int64)
    for row, own in enumerate(ids):
        padded[row, 1 : 1 + len(own)] = own
    states = states_of(encoder, direction, padded[:, :-1])
    names = ("embedding", "projection", "projection_bias", "scores_bias")
    vectors, projection, shift, bias = (encoder.arrays[f"{direction}.{name}"] for name in names)
    answers = []
    for row, own in enumerate(ids):
        reached, coming = states[row, : 1 + len(own)], padded[row, 1 : 2 + len(own)]
        scores = (reached @ projection.T + shift) @ vectors.T + bias
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        answers.append((reached, scores[np.arange(len(coming)), coming], coming != UNKNOWN))
    return answers


def compare(encoder: PretrainedEncoder, direction: str, check: Mapping[str, Any]) -> None:
    """Prints the largest differences from the source's own values; ends if one is above 1e-4."""
    ((*found, _),) = log_probabilities(encoder, direction, [str(check["text"])])
    expected = check[f"{direction}_states"], check[f"{direction}_log_probabilities"]
    differences = [float(np.abs(ours - theirs).max()) for ours, theirs in zip(found, expected, strict=True)]
    click.echo(
        f"{direction}: differs from check.npz by {differences[0]:.1e} in states, {differences[1]:.1e} in logarithms"
    )
    if max(differences) > TOLERANCE:
        raise click.ClickException("the conversion is wrong")


def perplexity(encoder: PretrainedEncoder, direction: str, texts: Sequence[str]) -> float:
    """Of texts with 20,000 characters or more in all, ends counted, unknown characters left out."""
    nats: list[float] = []
    for start in range(0, len(texts), BATCH):
        for _, found, known in log_probabilities(encoder, direction, texts[start : start + BATCH]):
            nats += found[known].tolist()
        if len(nats) > MOST:
            break
    return float(np.exp(-np.mean(nats)))


if __name__ == "__main__":
    main()
