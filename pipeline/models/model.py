"""Model: the folder that training leaves behind. Load it, predict with it, copy it anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np
import tomli_w

from corpora.normalise import normaliser
from embeddings.errors import EmbeddingError
from embeddings.vocabulary import Vocabulary
from pipeline import arrays
from pipeline.config.network import NetworkSettings
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.context_ngrams import ContextNgrams
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.features import FEATURES
from pipeline.encoding.labels import Labels
from pipeline.encoding.ngrams import NgramVocabulary
from pipeline.encoding.pretrained import Pretrained
from pipeline.errors import ModelError, NotFinite, SettingsError
from pipeline.models import files, ready_made, schema, segmenter_files
from pipeline.models.texts import checked_texts
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.segmentation.dictionary import Paths, UserDictionary
from pipeline.segmentation.model_engine import ModelEngine
from pipeline.segmentation.segmenter import Segmenter
from pipeline.tasks import TASKS, Answerer, Prediction, Task
from pipeline.tasks.prediction import Predictions

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 3
UNREADABLE = (ArithmeticError, AttributeError, MemoryError, OSError, RecursionError, TypeError, ValueError)
PRETRAINED_FILE = "vocabulary.encoder.txt"
Precision = Literal["float32", "int8"]
T = TypeVar("T")


@dataclass(frozen=True)
class Model:
    """A trained model, ready to predict; several threads may use one.

    Made by `Model.load`. `task` reads and judges, `answerer` answers with what training has learnt; `about` is what
    model.toml says: cell, scores, versions, fingerprints.

    >>> model = Model.load("runs/sample-mail/model")             # doctest: +SKIP
    >>> model.predict("您好，我正在休假，下周一回复您。").value            # doctest: +SKIP
    '自动回复'
    """

    task: Task[Any]
    answerer: Answerer[Any]
    segmenter: Segmenter
    normalise: Callable[[str], str]
    encoder: Encoder
    network: OnnxNetwork
    about: Mapping[str, Any] = field(default_factory=dict)
    extended: Extended | None = None

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        precision: Precision | None = None,
        threads: int = 0,
        dictionary: UserDictionary | Paths = (),
    ) -> Model:
        """Reads and checks a model folder; nothing in it can run code.

        `precision`: float32, or int8 where the folder has it; None for the one that model.toml names, with which the
        model was evaluated; `threads`: CPU threads, 0 for all cores; `dictionary`: that of `with_dictionary`, or its
        files of forced words.
        Raises ModelError if a file is missing, altered or not listed (SHA256SUMS), or no regular file; if the folder
        has another format version; or if something in it is not what zhpipe writes. Raises DictionaryError for a bad
        dictionary, and SettingsError for one that changes nothing.
        """
        folder = Path(folder)
        files.check_kinds(folder)
        about = schema.parse(folder / "model.toml", FORMAT_VERSION)
        files.check_sums(folder)
        schema.check(folder / "model.toml", about)
        precision = precision or about.get("precision", "float32")
        _check_network(folder, precision)
        try:
            model = cls._assemble(folder, about, OnnxNetwork(folder / files.NETWORKS[precision], threads=threads))
        except ModelError:
            raise
        except KeyError as error:
            raise ModelError(f"{folder / 'model.toml'}: {error} is missing or unknown: train anew") from None
        except UNREADABLE as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"{folder}: the model can't be read: {reason}: copy the model folder again") from None
        model._check_graph()
        if not isinstance(dictionary, UserDictionary):
            dictionary = UserDictionary.load(dictionary)
        return model.with_dictionary(dictionary) if len(dictionary) else model

    @classmethod
    def _assemble(cls, folder: Path, about: dict[str, Any], network: OnnxNetwork) -> Model:
        options = about.get("options", {})
        task = TASKS[about["task"]].load(folder, options, Labels.load(folder / "labels.txt"))
        if task.needs_labels and not len(task.labels):
            raise ValueError("labels.txt has no labels")
        if options.get("unit", about["encoder"]["units"][0]) not in about["encoder"]["units"]:
            raise ValueError(f"the task reads {options['unit']!r}, of which the encoder has no vocabulary")
        segmenter = segmenter_files.load(folder, about["segment"], open_segmenter)
        return cls(
            task=task,
            answerer=task.answerer.load(folder, options).obeying(segmenter.dictionary),
            segmenter=segmenter,
            normalise=normaliser(about["corpus"]["nfkc"], about["corpus"]["simplify"]),
            encoder=_load_encoder(folder, about),
            network=network,
            about=about,
        )

    def with_dictionary(self, dictionary: UserDictionary) -> Model:
        """The same model with new words, which win over those of its own dictionary; its folder stays as it is.

        Words are normalised as texts are. A tagger obeys them, with their tags, as it obeys the words of
        `segment.dictionaries` in training; other models cut their words accordingly. `extended` says what was added.
        Raises SettingsError if the dictionary changes nothing, because the model reads characters and is no tagger, or
        if it has frequencies, and no jieba cuts the model's words.
        """
        if self.segmenter.unit == "char" and not self.answerer.obeys:
            raise SettingsError(
                f"{self.network.path.parent}: reads characters, which no dictionary changes: leave the dictionary out"
            )
        added = dictionary.normalised(self.normalise)
        segmenter = self.segmenter.with_dictionary(added)
        return replace(
            self,
            segmenter=segmenter,
            answerer=self.answerer.obeying(segmenter.dictionary),
            extended=Extended(self, added),
        )

    def _check_graph(self) -> None:
        """Raises ModelError unless the graph is, but for its weights, what zhpipe writes for the model's settings."""
        from pipeline.networks import graph_check

        drafts = self.task.head.drafts(NetworkSettings(**self.about["network"]), self.encoder)
        if reason := graph_check.fault(self.network.path, drafts):
            raise ModelError(f"{self.network.path}: {reason}: use a model folder that zhpipe made")

    @property
    def precision(self) -> Precision:
        """Of the network that answers."""
        return "int8" if self.network.path.name == files.NETWORKS["int8"] else "float32"

    @property
    def labels(self) -> Labels:
        """The names of the possible answers, in the order of every distribution."""
        return self.task.labels

    @property
    def generates(self) -> bool:
        """Whether the model can generate text, so that a LanguageModel can be made of it."""
        return self.answerer.reader(self.network, self.encoder) is not None

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.about.get('name', '?')}: {self.task.name}, {len(self.labels)} labels, "
            f"{self.about.get('cell', '?')}, {self.network.path}>"
        )

    @overload
    def predict(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]  # a str holds strs, too
    @overload
    def predict(self, texts: Iterable[str]) -> Predictions: ...
    def predict(self, texts: str | Iterable[str]) -> Prediction | Predictions:
        """The Prediction of a text, or a list of one a text, in order.

        A text of white space has an empty Prediction with the score 0. Raises ValueError for a data frame, which
        `label_frame` takes, and for None, NaN and anything else that is no text, naming its position. Raises NotFinite,
        a ModelError, if the network's scores of a text are not finite.
        """
        if isinstance(texts, str):
            return self.predict_tokens(self.tokenise_all([texts]))[0]
        return Predictions(self.predict_tokens(self.tokenise_all(checked_texts(texts))))

    def label_frame(
        self,
        frame: pd.DataFrame,
        *,
        text: str | Sequence[str] = "text",
        probabilities: bool = False,
        review_below: float | None = None,
        prefix: str = "",
    ) -> pd.DataFrame:
        """A copy of a pandas data frame, or of a Dataset of Hugging Face, with the columns that `zhpipe label` adds.

        Probabilities and bits are numbers, with 4 decimals; `needs_review` is a boolean; entities, words and tags are
        lists. A row without text keeps its place, with None, NaN or an empty list.

        Arguments:
            text: The text column, or several, whose cells are joined by line feeds. A missing cell is empty.
            probabilities, review_below, prefix: As in `pipeline.jobs.options.LabelOptions`.

        Raises ValueError if a text column is missing or a new column's name is taken.
        """
        from pipeline.models import frame as frames

        kind: Any = type(frame)
        is_dataset = hasattr(kind, "to_pandas") and hasattr(kind, "from_pandas")  # of Hugging Face
        labelled = frames.label_frame(
            self.predict,
            self.answerer,
            frame.to_pandas() if is_dataset else frame,  # type: ignore[operator]  # it is no data frame then
            text=text,
            probabilities=probabilities,
            review_below=review_below,
            prefix=prefix,
        )
        return kind.from_pandas(labelled) if is_dataset else labelled

    def n_best(self, texts: Iterable[str], n: int) -> list[list[Prediction]]:
        """A tagger's n most probable answers to each text, best first; none to a text of white space.

        Raises PipelineError if the task has only one answer a text, or n is below 1.
        """
        return self.n_best_of_tokens(self.tokenise_all(checked_texts(texts)), n)

    def n_best_of_tokens(self, texts: Sequence[Tokenised], n: int) -> list[list[Prediction]]:
        """`n_best` of segmented texts."""
        filled = [index for index, text in enumerate(texts) if text.tokens]
        answers: list[list[Prediction]] = [[] for _ in texts]
        asked = [texts[index] for index in filled]
        found = _answered(filled, lambda: self.answerer.n_best(self.network, self.encoder, asked, n))
        for index, best in zip(filled, found, strict=True):
            answers[index] = best
        return answers

    def tokenise(self, text: str) -> Tokenised:
        """A text as the network reads it: normalised and segmented."""
        return self.tokenise_all([text])[0]

    def tokenise_all(self, texts: Sequence[str]) -> list[Tokenised]:
        """`tokenise` of each text."""
        normalised = [self.normalise(text) for text in texts]
        cut = self.segmenter.split_all(normalised)
        return [
            Tokenised(text, self.segmenter.content(tokens), original if original != text else "")
            for original, text, tokens in zip(texts, normalised, cut, strict=True)
        ]

    def given(self, text: str, words: Sequence[str]) -> Tokenised:
        """A text that is cut into words already, as the network reads it."""
        if len(self.normalise(text)) == len(text):
            whole = Tokenised(text, [word for word in words if not word.isspace()]).normalised(self.normalise)
            return replace(whole, tokens=self.segmenter.content(whole.tokens))
        return Tokenised(self.normalise(text), self.segmenter.content([self.normalise(word) for word in words]))

    def predict_tokens(self, texts: Sequence[Tokenised]) -> list[Prediction]:
        """`predict` of segmented texts."""
        return self.predict_tokens_at(texts, (self.answerer.temperature,))[0]

    def predict_tokens_at(self, texts: Sequence[Tokenised], temperatures: Sequence[float]) -> list[list[Prediction]]:
        """`predict_tokens` with confidences at each of several temperatures, in one pass of the network."""
        filled = [index for index, text in enumerate(texts) if text.text.strip()]
        asked = [texts[index] for index in filled]
        answers = []
        for found in _answered(
            filled, lambda: self.answerer.predict_at(self.network, self.encoder, asked, temperatures)
        ):
            predictions: list[Prediction] = [self.answerer.blank] * len(texts)
            for index, prediction in zip(filled, found, strict=True):
                predictions[index] = prediction
            answers.append(predictions)
        return answers


def _answered(places: Sequence[int], ask: Callable[[], T]) -> T:
    """What `ask` gives; NotFinite gets the place of the text among all texts, of which only `places` were asked for."""
    try:
        return ask()
    except NotFinite as error:
        raise NotFinite(error.network, places[error.text]) from None


@dataclass(frozen=True)
class Extended:
    """What a model has beside what its folder holds: the model `alone`, and the dictionary `added`, normalised."""

    alone: Model
    added: UserDictionary


def find_model(path: str | Path) -> Path:
    """The model folder for a path: that of a ready-made model if the path is its name, that of a run, or the path."""
    if isinstance(path, str) and (own := ready_made.folder_of(path)) is not None:
        return own
    path = Path(path)
    return path / "model" if (path / "model" / "model.toml").is_file() else path


def save(
    folder: Path,
    *,
    about: Mapping[str, Any],
    task: Task[Any],
    answerer: Answerer[Any],
    segmenter: Segmenter,
    encoder: Encoder,
) -> None:
    """Writes a model folder, where the network is already, and last the checksums of every file.

    `about` must have `task`, `corpus` (nfkc, simplify) and `network`; added are the format version, the segmenter, the
    encoder and the options of the task. If the segmenter cuts with a model, that is copied into the folder together
    with its checksums; model.toml names the engine by the checksum of these.
    """
    about = {
        "format_version": FORMAT_VERSION,
        **about,
        "segment": segmenter_files.save(folder, segmenter),
        "encoder": _save_encoder(folder, encoder),
    }
    if options := {**task.save(folder), **answerer.save(folder)}:
        about["options"] = options
    task.labels.save(folder / "labels.txt")
    (folder / "model.toml").write_text(tomli_w.dumps(about), encoding="utf-8", newline="\n")
    files.write_sums(folder)


def _save_encoder(folder: Path, encoder: Encoder) -> dict[str, Any]:
    for unit, vocabulary in encoder.vocabularies.items():
        vocabulary.save(folder / f"vocabulary.{unit}.txt")
    if encoder.affixes:
        encoder.affixes.vocabulary.save(folder / "affixes.txt")
    for unit, grams in encoder.ngrams.items():
        np.save(folder / f"grams.{unit}.npy", grams.keys)
    pretrained = encoder.pretrained
    if pretrained:
        pretrained.vocabulary.save(folder / PRETRAINED_FILE)
    return {
        "reads": list(encoder.reads),
        "max_tokens": encoder.max_tokens,
        "units": list(encoder.vocabularies),
        "longest_grams": {unit: grams.longest for unit, grams in encoder.ngrams.items()},
        "counted": [
            unit for unit, grams in encoder.ngrams.items() if isinstance(grams, NgramVocabulary) and grams.counts
        ],
        "windows": {unit: grams.window for unit, grams in encoder.ngrams.items() if isinstance(grams, ContextNgrams)},
        "longest_affix": encoder.affixes.longest if encoder.affixes else 0,
        "features": {name: feature.save(folder) for name, feature in encoder.features.items()},
        **({"pretrained": pretrained.about()} if pretrained else {}),
    }


def open_segmenter(folder: Path) -> ModelEngine:
    """The model in a folder as the engine of a segmenter. Raises ModelError if it is incomplete or finds no words."""
    made = ModelEngine(folder, Model.load)
    made.model  # noqa: B018 (loads and checks it)
    return made


def _check_network(folder: Path, precision: Precision) -> None:
    """Raises ModelError unless a model folder has the network of this precision."""
    if (folder / files.NETWORKS[precision]).is_file():
        return
    if not any((folder / name).is_file() for name in files.NETWORKS.values()):
        raise ModelError(f"{folder}: has no network: copy the model folder again")
    if precision == "int8":
        raise ModelError(f"{folder}: has no int8 network (only LSTMs have int8): use --float32")
    raise ModelError(
        f"{folder}: has no float32 network: use its int8 one, or train anew with train.keep_float32 = true"
    )


def _load_encoder(folder: Path, about: Mapping[str, Any]) -> Encoder:
    encoder = about["encoder"]
    if missing := {*encoder["reads"], *encoder["longest_grams"]} - {*encoder["units"]}:
        raise ValueError(f"the encoder reads {min(missing)!r}, of which it has no vocabulary")
    try:
        vocabularies = {unit: Vocabulary.load(folder / f"vocabulary.{unit}.txt") for unit in encoder["units"]}
        longest = encoder.get("longest_affix", 0)
        affixes = Affixes(Vocabulary.load(folder / "affixes.txt"), longest) if longest else None
        features = {name: FEATURES[name].load(folder, value) for name, value in encoder.get("features", {}).items()}
        known = encoder.get("pretrained")
        pretrained = Pretrained.of(Vocabulary.load(folder / PRETRAINED_FILE), known) if known else None
    except EmbeddingError as error:
        raise ModelError(str(error).splitlines()[0]) from None
    grams: dict[str, NgramVocabulary | ContextNgrams] = {}
    for unit, longest in encoder["longest_grams"].items():
        keys, window = arrays.load(folder / f"grams.{unit}.npy", np.int64), encoder.get("windows", {}).get(unit)
        if window is None:
            grams[unit] = NgramVocabulary(keys, longest, unit in encoder.get("counted", ()))
        else:
            grams[unit] = ContextNgrams(keys, longest, window)
    reads, unit_of_tokens = tuple(encoder["reads"]), about["segment"]["unit"]
    longest = int(encoder["max_tokens"])
    return Encoder(reads, vocabularies, grams, longest, unit_of_tokens, affixes, features, pretrained)
