"""The pretrained encoder: two language models of characters, one that reads forwards and one backwards, in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tomli_w
from numpy.typing import DTypeLike, NDArray

from embeddings.errors import EmbeddingError
from embeddings.vocabulary import Vocabulary
from pipeline import arrays
from pipeline.config.segment import is_path
from pipeline.encoding.pretrained import Pretrained
from pipeline.errors import ModelError, PipelineError
from pipeline.models import files
from pipeline.models.files import ENCODER
from pipeline.pretrained import card as cards
from pipeline.pretrained import language_weights
from pipeline.pretrained.card import Card

DIRECTIONS = ("forward", "backward")
LARGEST = 1e4  # absolute value of a weight; a trained one is far below
VOCABULARY = "vocabulary.txt"
Array = NDArray[np.float32]


@dataclass(frozen=True)
class PretrainedEncoder:
    """An encoder as it is in a folder.

    `arrays`: float32, by the names of their files. For each direction, `DIRECTION.embedding` (vocabulary, width), and
    for each layer, counted from 0, `DIRECTION.LAYER.input` (4 * units, width of what it reads),
    `DIRECTION.LAYER.recurrent` (4 * units, units) and `DIRECTION.LAYER.bias` (4 * units,), whose rows are those of the
    gates input, forget, cell and output. Row 0 of an embedding is the end of a text, row 1 an unknown character.

    What comes next has the scores `embedding @ (projection @ state + projection_bias) + scores_bias`, of which each
    direction has `DIRECTION.projection` (width, units), `DIRECTION.projection_bias` (width,), both only if its last
    layer is not as wide as its vectors, and `DIRECTION.scores_bias` (vocabulary,).
    """

    card: Card
    vocabulary: Vocabulary
    arrays: Mapping[str, Array]

    @property
    def pretrained(self) -> Pretrained:
        """What it is, without its weights."""
        card = self.card
        return Pretrained(card.name, self.vocabulary, tuple(card.units), card.licence, card.attribution)

    def check_sizes(self, widths: Sequence[int], vector_size: int) -> None:
        """Raises PipelineError unless a network whose layers have these widths, and its vectors this one, fits it."""
        units, width = self.card.units, self.card.width
        if (list(widths), vector_size) != (units, width):
            raise PipelineError(
                f"network.encoder: {self.card.name} has vectors of {width} and layers of {units}, and the network has "
                f"vectors of {vector_size} and layers of {list(widths)}: set embed.vector_size = {width}, "
                f"network.layers = {len(units)} and network.units = {units}"
            )

    @property
    def weights(self) -> dict[str, Array]:
        """The arrays that give states as Keras has them, by the names that they have in `networks.network.weights`."""
        weights = {}
        for direction in DIRECTIONS:
            for name, array in language_weights.of(self.arrays, direction).items():
                layer, variable = name.split("/")
                if layer not in language_weights.SCORING:
                    weights[f"encoder_{direction}_{layer.removeprefix('layer_')}/{variable}"] = array
        return weights


def folder_of(encoder: str) -> Path:
    """The folder for a value of `network.encoder`: a path, or the name of an encoder that comes with zhpipe.

    Raises ModelError if there is no encoder.
    """
    folder = Path(encoder) if is_path(encoder) else Path(__file__).parent / encoder
    files.check_kinds(folder, ENCODER)
    return folder


def load(folder: Path) -> PretrainedEncoder:
    """Reads and checks an encoder's folder; nothing in it can run code.

    Raises ModelError if a file is missing, altered or not listed (SHA256SUMS), or no regular file; if the folder has
    another format version; or if something in it is not what `save` writes.
    """
    files.check_kinds(folder, ENCODER)
    card = cards.read(folder / ENCODER.card)
    files.check_sums(folder, ENCODER)
    try:
        vocabulary = Vocabulary.load(folder / VOCABULARY)
        read = {
            name: _read(folder, name, card.precision, shape) for name, shape in _shapes(card, len(vocabulary)).items()
        }
    except EmbeddingError as error:
        raise ModelError(f"{str(error).splitlines()[0]}: {ENCODER.again}") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: the encoder can't be read: {error}: {ENCODER.again}") from None
    return PretrainedEncoder(card, vocabulary, read)


def save(encoder: PretrainedEncoder, folder: Path) -> None:
    """Writes an encoder into an empty folder, in the precision that its card names."""
    encoder.vocabulary.save(folder / VOCABULARY)
    for name, array in encoder.arrays.items():
        for suffix, stored in _stored(array, encoder.card.precision):
            np.save(folder / f"{name}{suffix}.npy", np.ascontiguousarray(stored))
    text = tomli_w.dumps(encoder.card.model_dump(), multiline_strings=True)
    (folder / ENCODER.card).write_text(text, encoding="utf-8", newline="\n")
    files.write_sums(folder)


def rounded(array: Array, precision: str) -> Array:
    """An array as it is after `save` and `load`."""
    stored = dict(_stored(array, precision))
    values = stored[""].astype(np.float32)
    return values * stored[".scales"].astype(np.float32)[:, None] if ".scales" in stored else values


def _shapes(card: Card, characters: int) -> dict[str, tuple[int, ...]]:
    """The shape of each array."""
    shapes: dict[str, tuple[int, ...]] = {}
    for direction in DIRECTIONS:
        shapes[f"{direction}.embedding"] = (characters, card.width)
        for layer, (read, units) in enumerate(zip([card.width, *card.units], card.units, strict=False)):
            shapes[f"{direction}.{layer}.input"] = (4 * units, read)
            shapes[f"{direction}.{layer}.recurrent"] = (4 * units, units)
            shapes[f"{direction}.{layer}.bias"] = (4 * units,)
        if card.units[-1] != card.width:
            shapes[f"{direction}.projection"] = (card.width, card.units[-1])
            shapes[f"{direction}.projection_bias"] = (card.width,)
        shapes[f"{direction}.scores_bias"] = (characters,)
    return shapes


def _stored(array: Array, precision: str) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """The arrays that stand for one, each with the end of its file's name."""
    if precision == "float16" or array.ndim == 1:
        yield "", array.astype(np.float16)
        return
    scales = np.maximum(np.abs(array).max(axis=1), np.finfo(np.float32).tiny * 127).astype(np.float32) / 127
    yield "", np.rint(array / scales[:, None]).astype(np.int8)
    yield ".scales", scales


def _read(folder: Path, name: str, precision: str, shape: tuple[int, ...]) -> Array:
    """The array that `_stored` stored."""
    if precision == "float16" or len(shape) == 1:
        return _values(folder, name, np.float16, shape)
    return _values(folder, name, np.int8, shape) * _values(folder, f"{name}.scales", np.float32, shape[:1])[:, None]


def _values(folder: Path, name: str, kind: DTypeLike, shape: tuple[int, ...]) -> Array:
    """The values in a file. Raises ValueError if it has another type or shape, or any is not finite."""
    array = arrays.load(folder / f"{name}.npy", kind).astype(np.float32)
    if array.shape != shape:
        raise ValueError(f"{name}.npy has the shape {array.shape}, expected {shape}")
    if not np.all(np.abs(array) < LARGEST):
        raise ValueError(f"{name}.npy has values that are not finite, or above {LARGEST:g}")
    return array
