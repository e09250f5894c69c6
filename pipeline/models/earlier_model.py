"""Earlier model: a classifier or tagger that training goes on from: its settings, tokens, n-grams, labels, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.config.network import ENCODERS, NetworkSettings
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.context_ngrams import ContextNgrams
from pipeline.encoding.encoder import Encoder
from pipeline.encoding.features import Feature, WordCharacters
from pipeline.encoding.ngrams import NgramVocabulary
from pipeline.errors import PipelineError
from pipeline.models.model import Model, find_model
from pipeline.pretrained import encoder as encoders
from pipeline.pretrained.encoder import PretrainedEncoder
from pipeline.segmentation.model_engine import FOLDER
from pipeline.tasks import Task

if TYPE_CHECKING:
    from pipeline.config.settings import Settings

Array = NDArray[np.float32]
Places = NDArray[np.intp]
Grams = NgramVocabulary | ContextNgrams

TASKS = ("classify", "tag")
FEATURES = ("segmentation", "characters")
CHAIN = ("transitions", "start", "end")
FREE = {  # settings of training alone
    "dropout",
    "embedding_dropout",
    "min_count",
    "min_count_identifiers",
    "max_features",
    "l2",
    "linear",
}


@dataclass(frozen=True)
class EarlierModel:
    """What a model brings to the training that goes on from it.

    `folder`: its model folder; `pretrained`: the encoder that it was trained with, as it comes with zhpipe.
    """

    folder: Path
    model: Model
    pretrained: PretrainedEncoder | None = None

    @classmethod
    def load(cls, path: str | Path) -> EarlierModel:
        """From a run or a model folder. Raises ModelError, or PipelineError if training can't go on from it."""
        folder = find_model(path)
        model = Model.load(folder, precision="float32", threads=1)
        if model.task.name not in TASKS:
            raise PipelineError(
                f"{path}: training goes on from a classifier or a tagger, this is {model.task.described}"
            )
        if "vector_size" not in model.about:
            raise PipelineError(f"{path}: an earlier zhpipe made it, whose training can't go on: train anew")
        if stuck := [name for name in model.encoder.features if name not in FEATURES]:
            raise PipelineError(f"{path}: training can't go on from a tagger with network.features.{stuck[0]}")
        return cls(folder, model, _pretrained(model, path))

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the training has to share with the model, by dotted key."""
        about, folder, segmenter = self.model.about, self.folder, self.model.segmenter
        chosen = {f"segment.{key}": value for key, value in about["segment"].items()}
        if (folder / FOLDER).is_dir():
            chosen["segment.engine"] = str(folder / FOLDER)
        if segmenter.dictionary:
            chosen["segment.dictionaries"] = [str(folder / "dictionary.txt")]
        if segmenter.stop_words:
            chosen["segment.stop_words"] = [str(folder / "stop_words.txt")]
        tag = about.get("options", {}).get("tag", {})
        return {
            "task": about["task"],
            **chosen,
            **{f"corpus.{key}": about["corpus"][key] for key in ("nfkc", "simplify")},
            **{f"tag.{key}": value for key, value in tag.items()},
            **_flat(about["network"], "network"),
            "network.encoder": self.pretrained.card.name if self.pretrained else "none",
            "embed.vector_size": about["vector_size"],
        }

    def check(self, settings: Settings) -> None:
        """Raises PipelineError, naming the key, if settings differ in what they have to share with the model."""
        given = _flat(settings.model_dump(), "")
        for key, value in self.settings.items():
            if key.rpartition(".")[2] in FREE or key.startswith("segment.dict") or key == "segment.engine":
                continue
            asked = given.get(key)
            if _plain(asked) != _plain(value):
                raise PipelineError(
                    f"train.from_model: the model has {key} = {value}, the config {asked}: leave it out, or train anew"
                )

    def vocabulary(self, unit: str, tokens: Vocabulary) -> Vocabulary:
        """The model's tokens, and then those that it has not."""
        before = self.model.encoder.vocabularies[unit]
        return Vocabulary((*before.tokens, *(token for token in tokens.tokens if token not in before)))

    def ngrams(self, unit: str, grams: Grams) -> Grams:
        """The model's n-grams and these, made with the tokens of `vocabulary`."""
        return replace(grams, keys=np.union1d(self.model.encoder.ngrams[unit].keys, grams.keys))

    def affixes(self, affixes: Affixes) -> Affixes:
        """The model's affixes, and then those that it has not."""
        before = self.model.encoder.affixes
        known = before.vocabulary if before else Vocabulary(())
        more = (token for token in affixes.vocabulary.tokens if token not in known)
        return replace(affixes, vocabulary=Vocabulary((*known.tokens, *more)))

    def feature(self, name: str, feature: Feature) -> Feature:
        """A feature with what the model knows, and then what it does not know."""
        before = self.model.encoder.features[name]
        if not (isinstance(before, WordCharacters) and isinstance(feature, WordCharacters)):
            return feature
        more = (token for token in feature.vocabulary.tokens if token not in before.vocabulary)
        return WordCharacters(Vocabulary((*before.vocabulary.tokens, *more)))

    def values(self, part: str, values: Array, encoder: Encoder) -> Array:
        """The value of each n-gram of a wide part: the model's where it has the n-gram, else from `values`."""
        merged = values.copy()
        merged[self._ids(part, encoder)] = self.weights[f"{part}_wide/idf"]
        return merged

    def carried(self, fresh: Mapping[str, Array], task: Task[Any], encoder: Encoder) -> dict[str, Array]:
        """The arrays of a new network, `fresh`, with the model's weights in the places of what both have."""
        carried = {}
        for name, array in fresh.items():
            if name in self.weights:
                carried[name] = array.copy()
                places = self._places(name, task, encoder)
                carried[name][np.ix_(*(places.get(axis, np.arange(size)) for axis, size in enumerate(array.shape)))] = (
                    self.weights[name]
                )
        return carried

    @cached_property
    def weights(self) -> dict[str, Array]:
        """The model's, by the names of `networks.network.weights`; of a linear chain too."""
        from pipeline.networks import graph_weights, network
        from pipeline.networks.network import Tables

        model, about = self.model, self.model.about
        settings, encoder, head = NetworkSettings(**about["network"]), model.encoder, model.task.head
        sizes = {unit: len(encoder.vocabularies[unit]) for unit in encoder.reads}
        embeddings = {unit: np.zeros((size, about["vector_size"]), np.float32) for unit, size in sizes.items()}
        idf = {part: np.zeros(len(_grams(encoder, part)) + 1, np.float32) for part in encoder.linear_parts}
        features = {name: _blank(encoder.features[name], settings.features.widths[name]) for name in encoder.features}
        own = self.pretrained.weights if self.pretrained else {}
        tables = Tables(embeddings, idf, head.outputs, head.per_token, head.chained, features, own)
        shapes = {name: array.shape for name, array in network.weights(network.build(settings, tables, 0)).items()}
        drafted = graph_weights.read(model.network.path, shapes, lambda given: head.draft(settings, given, encoder))
        return {**drafted, **self._chain()}

    def _chain(self) -> dict[str, Array]:
        learnt = getattr(self.model.answerer, "learnt", None)
        if not self.model.task.head.chained or learnt is None:
            return {}
        return {
            f"chain/{name}": np.where(np.isfinite(table), table, 0).astype(np.float32)
            for name, table in zip(CHAIN, learnt, strict=True)
        }

    def _places(self, name: str, task: Task[Any], encoder: Encoder) -> dict[int, Places]:
        """Where, along each axis that may have grown, the model's entries are in the new network."""
        layer, _, part = name.partition("/")
        labels = np.array([task.labels.id(label) for label in self.model.labels.names], np.intp)
        if layer == "chain":
            return {0: labels, 1: labels} if part == "transitions" else {0: labels}
        if layer == "scores":
            return {1: labels} if part == "kernel" else {0: labels}
        if (unit := layer.removesuffix("_embedding")) in self.model.encoder.vocabularies:
            return {0: np.arange(len(self.model.encoder.vocabularies[unit]))}
        if layer.endswith("_feature"):
            return {0: np.arange(len(self.model.encoder.features[layer.removesuffix("_feature")]))}
        if layer.endswith("_wide"):
            ids = self._ids(layer.removesuffix("_wide"), encoder)
            return {0: ids, 1: labels} if part == "table" else {0: ids}
        return {}

    def _ids(self, part: str, encoder: Encoder) -> Places:
        """The id that a new encoder has for each id of the model's n-grams, 0 included."""
        before, now = _grams(self.model.encoder, part), _grams(encoder, part)
        if isinstance(before, Affixes):
            return np.arange(len(before) + 1)
        if isinstance(before, ContextNgrams):
            return before.ids_in(now)
        return np.append(0, np.searchsorted(now.keys, before.keys) + 1)


def _pretrained(model: Model, path: str | Path) -> PretrainedEncoder | None:
    """The encoder of a model, if it has one. Raises PipelineError unless it comes with zhpipe."""
    own = model.encoder.pretrained
    if own is None:
        return None
    found = encoders.load(encoders.folder_of(own.name)) if own.name in ENCODERS else None
    if found is None or (found.vocabulary.tokens, found.pretrained.about()) != (own.vocabulary.tokens, own.about()):
        raise PipelineError(f"{path}: training can't go on from a model with an encoder of your own: train anew")
    return found


def _grams(encoder: Encoder, part: str) -> Any:
    return encoder.affixes if part == "affix" else encoder.ngrams[part]


def _blank(feature: Any, width: int) -> Any:
    from pipeline.networks.layers import FeatureTable

    return FeatureTable(np.zeros((len(feature), width), np.float32), np.ones(len(feature), np.float32), feature.groups)


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Nested tables by dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else key
        found.update(_flat(value, name) if isinstance(value, Mapping) else {name: value})
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
