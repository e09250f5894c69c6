"""Estimators for scikit-learn: TextClassifier and Tagger, which train on lists and hold their model in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from corpora import tags
from corpora.labels import bare
from corpora.table import TableWriter
from pipeline.models.model import Model
from pipeline.models.packed_model import PackedModel
from pipeline.models.texts import checked_texts
from pipeline.tasks.prediction import Predictions
from zhpipe import fitting

# The setting of each argument; None leaves it to zhpipe.
SETTINGS = {
    "unit": "segment.unit",
    "cell": "network.cell",
    "units": "network.units",
    "epochs": "train.epochs",
    "learning_rate": "train.learning_rate",
    "batch_size": "train.batch_size",
    "dev_share": "corpus.dev_share",
    "seed": "seed",
}
Tokens = str | Sequence[str]


class Fitted(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators share: their settings, and the model that `fit` leaves in memory."""

    packed_: PackedModel

    @property
    def model_(self) -> Model:
        """The trained model; its `predict` gives confidences and spans. Raises NotFittedError before `fit`."""
        check_is_fitted(self, "packed_")
        return self.packed_.model

    def save(self, folder: str | Path) -> None:
        """Writes the model folder, for `zhpipe label` and `zhpipe.load`. Raises ModelError if it is not empty."""
        check_is_fitted(self, "packed_")
        self.packed_.write(Path(folder))

    def _earlier(self) -> PackedModel | None:
        """The model that `fit` goes on from."""
        return getattr(self, "packed_", None) if self.warm_start else None

    def _settings(self) -> dict[str, Any]:
        """The settings by dotted key; those of `settings` win."""
        named = {key: getattr(self, name) for name, key in SETTINGS.items()}
        return {**{key: value for key, value in named.items() if value is not None}, **(self.settings or {})}

    def __sklearn_tags__(self) -> Any:
        found = super().__sklearn_tags__()
        found.input_tags.string, found.input_tags.one_d_array, found.input_tags.two_d_array = True, True, False
        return found


class TextClassifier(ClassifierMixin, Fitted):  # type: ignore[misc]  # scikit-learn has no types
    """Sorts texts into classes, with a recurrent network.

    Arguments:
        unit: What a token is, "word" or "char".
        cell, units: "rnn", "gru" or "lstm", and its width.
        epochs, learning_rate, batch_size: Of training.
        dev_share: Share of the texts that chooses the best epoch and calibrates the probabilities; training does not
            learn from them.
        seed: Of all random numbers.
        warm_start: Whether `fit` goes on from the model that it made before, with these texts: same classes or more.
        settings: Any other settings by dotted key, such as `{"network.wide.characters": 2}`.

    An argument that is None has zhpipe's default, see `zhpipe config`. Fitted: `classes_`, `class_prior_` (their shares
    in y), `model_`, and `packed_`, the bytes of the model folder.

    >>> TextClassifier(cell="gru", epochs=3)
    TextClassifier(cell='gru', epochs=3)
    """

    classes_: NDArray[Any]
    class_prior_: NDArray[np.float64]

    def __init__(
        self,
        *,
        unit: str | None = None,
        cell: str | None = None,
        units: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        dev_share: float = 0.1,
        seed: int = 1,
        warm_start: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.unit = unit
        self.cell = cell
        self.units = units
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.dev_share = dev_share
        self.seed = seed
        self.warm_start = warm_start
        self.settings = settings

    def fit(self, X: Iterable[str], y: Iterable[Any]) -> Self:
        """Trains on texts and their classes: lists, arrays or pandas Series. Texts of white space are left out.

        Raises ValueError for anything that is no text, naming its position, for other lengths of X and y, and for fewer
        than two classes; SettingsError and PipelineError as `zhpipe.run` does.
        """
        texts, labels = checked_texts(X), np.asarray(list(y))
        if len(texts) != len(labels):
            raise ValueError(f"expected a class for each text, received {len(texts)} texts and {len(labels)} classes")
        if not texts:
            raise ValueError("expected texts, received none")
        check_classification_targets(labels)
        earlier = self._earlier()
        classes = np.unique(np.concatenate([self.classes_, labels]) if earlier else labels)
        places, names = np.searchsorted(classes, labels), _class_names(classes)

        def write(path: Path) -> None:
            with TableWriter(path, ("text", "label")) as table:
                for text, place in zip(texts, places.tolist(), strict=True):
                    table.write((text, names[place]))

        self.packed_ = fitting.train(write, "texts.jsonl", {**self._settings(), "task": "classify"}, earlier)
        self.classes_, self.class_prior_ = classes, np.bincount(places, minlength=len(classes)) / len(texts)
        return self

    def predict_proba(self, X: Iterable[str]) -> NDArray[np.float64]:
        """Calibrated probabilities, float64 (texts, classes). A text of white space gets `class_prior_`."""
        texts, model = checked_texts(X), self.model_
        columns = {name: place for place, name in enumerate(_class_names(self.classes_))}
        order = [columns[name] for name in model.labels.names]
        found = np.zeros((len(texts), len(self.classes_)))
        for row, prediction in zip(found, model.predict(texts), strict=True):
            if prediction.is_blank:
                row[:] = self.class_prior_
            else:
                row[order] = prediction.distribution
        return found

    def predict(self, X: Iterable[str]) -> NDArray[Any]:
        """The most probable class of each text, (texts,)."""
        found = self.predict_proba(X)
        best: NDArray[Any] = self.classes_[found.argmax(axis=1)]
        return best


class Tagger(Fitted):
    """Gives each token of a text a tag: entities, words, or parts of speech.

    X is a list of texts, each a str, whose characters are the tokens, or a sequence of tokens; y has a sequence of as
    many tags for each.

    Arguments:
        kind: "entities" (tags such as B-PER, I-PER and O), "words" (B, M, E and S), "joint" (such as B-noun), all in
            BIO, BMES or BIOES; or "pos", one tag for each word.
        unit: What a token is, "char" or "word"; None: "char" if every token is one character.
        settings and the other arguments: As of TextClassifier.

    Fitted: `classes_` (the tags in y, sorted), `unit_`, `model_` and `packed_`.

    >>> Tagger(epochs=3).kind
    'entities'
    """

    classes_: NDArray[Any]
    unit_: str

    def __init__(
        self,
        *,
        kind: str = "entities",
        unit: str | None = None,
        cell: str | None = None,
        units: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        dev_share: float = 0.1,
        seed: int = 1,
        warm_start: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self.unit = unit
        self.cell = cell
        self.units = units
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.dev_share = dev_share
        self.seed = seed
        self.warm_start = warm_start
        self.settings = settings

    def fit(self, X: Iterable[Tokens], y: Iterable[Sequence[str]]) -> Self:
        """Trains on tokens and their tags. White space is not learnt.

        Raises ValueError for tokens or tags that cannot be read, naming the text; SettingsError and PipelineError as
        `zhpipe.run` does.
        """
        texts, golds = _checked_tokens(X), [list(map(str, gold)) for gold in y]
        if len(texts) != len(golds):
            raise ValueError(f"expected tags for each text, received {len(texts)} texts and tags of {len(golds)}")
        for place, (tokens, gold) in enumerate(zip(texts, golds, strict=True)):
            if len(tokens) != len(gold):
                raise ValueError(f"y[{place}]: expected {len(tokens)} tags, one for each token, received {len(gold)}")
        known = sorted({tag for gold in golds for tag in gold})
        self.unit_ = self.unit or ("char" if all(len(token) == 1 for text in texts for token in text) else "word")
        chosen = {**self._settings(), "task": "tag", "segment.unit": self.unit_, "tag.kind": self.kind}
        if self.kind != "pos":
            chosen["tag.scheme"] = chosen["corpus.tagged.scheme"] = tags.scheme_of(known)

        def write(path: Path) -> None:
            with path.open("w", encoding="utf-8", newline="\n") as file:
                for tokens, gold in zip(texts, golds, strict=True):
                    pairs = zip(tokens, gold, strict=True)
                    file.writelines(f"{token}\t{tag}\n" for token, tag in pairs if not token.isspace())
                    file.write("\n")

        earlier = self._earlier()
        self.packed_ = fitting.train(write, "texts.conll", chosen, earlier)
        self.classes_ = np.array(sorted({*known, *(self.classes_.tolist() if earlier else ())}))
        return self

    def predict(self, X: Iterable[Tokens]) -> list[list[str]]:
        """The tags of each text, as many as it has tokens; white space is tagged "O"."""
        answers = self._answers(texts := _checked_tokens(X))
        return [
            [tag for _, tag in _with_space(tokens, answer.raw_tags)]
            for tokens, answer in zip(texts, answers, strict=True)
        ]

    def score(self, X: Iterable[Tokens], y: Iterable[Sequence[str]]) -> float:
        """F1 of exact spans over all texts; of parts of speech, the share of right tags."""
        pairs = list(zip(self.predict(X), [list(map(str, gold)) for gold in y], strict=True))
        if self.kind == "pos":
            right = sum(one == other for found, gold in pairs for one, other in zip(found, gold, strict=True))
            return right / max(1, sum(len(gold) for _, gold in pairs))
        scheme = tags.scheme_of(map(str, self.classes_))
        spans = [(_spans(found, scheme), _spans(gold, scheme)) for found, gold in pairs]
        right = sum(len(found & gold) for found, gold in spans)
        return 2 * right / max(1, sum(len(found) + len(gold) for found, gold in spans))

    def _answers(self, texts: Sequence[Sequence[str]]) -> Predictions:
        model = self.model_
        return Predictions(model.predict_tokens([model.given("".join(tokens), tokens) for tokens in texts]))


def _class_names(classes: NDArray[Any]) -> list[str]:
    """The label of each class in the model folder. Raises ValueError unless there are two or more different ones."""
    names = [str(each) for each in classes.tolist()]
    if len(names) < 2:
        raise ValueError(f"expected two classes or more, y has {len(names)} class: {', '.join(names) or 'none'}")
    for name in names:
        if not name or bare(name) != name:
            raise ValueError(f"class {name!r}: expected a name without white space at its ends")
    if len(set(names)) < len(names):
        twice = ", ".join(name for name, count in Counter(names).items() if count > 1)
        raise ValueError(f"different classes have the same name: {twice}: rename one")
    return names


def _checked_tokens(texts: Iterable[Tokens]) -> list[list[str]]:
    """The tokens of each text. Raises ValueError naming the text if one is no token."""
    if isinstance(texts, str) or (hasattr(texts, "iloc") and hasattr(texts, "columns")):
        checked_texts(texts)  # type: ignore[arg-type]  # it raises the error
    found = []
    for place, text in enumerate(texts):
        if not isinstance(text, str | list | tuple | np.ndarray):
            raise ValueError(f"X[{place}]: expected a text or its tokens, received {type(text).__name__}")
        tokens = list(text)
        for token in tokens:
            if not isinstance(token, str) or not token or not (token.isspace() or token.split() == [token]):
                raise ValueError(f"X[{place}]: expected tokens without white space, received {token!r}")
        found.append(tokens)
    return found


def _with_space(tokens: Sequence[str], found: Sequence[str]) -> list[tuple[str, str]]:
    """Each token with its tag; the model has left out white space."""
    rest = iter(found)
    return [(token, tags.OUTSIDE if token.isspace() else next(rest)) for token in tokens]


def _spans(found: Sequence[str], scheme: str) -> set[tuple[int, int, str]]:
    """The spans of tags; a word without a tag of its own is labelled "-"."""
    named = [tag if tag == tags.OUTSIDE or "-" in tag else f"{tag}--" for tag in found]
    return {(span.start, span.end, span.label) for span in tags.spans(named, scheme).spans}
