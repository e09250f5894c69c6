"""LanguageModel: a trained language model, which scores texts, says what comes next, and writes texts of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import FIRST, UNKNOWN
from pipeline.errors import ModelError, PipelineError
from pipeline.language import BOUNDARY, generation
from pipeline.language.generation import Choice
from pipeline.language.reader import Reader
from pipeline.models.model import Model
from pipeline.tasks.language import Language, Likelihood

UNKNOWN_TEXT = "\ufffd"  # what stands for an unknown token in a text, where it is asked for


class Next(NamedTuple):
    """A token that may come next and its probability; None is the end of the text."""

    token: str | None
    probability: float


class Continuation(NamedTuple):
    """A text that begins with a prompt, and the natural logarithm of the probability of what comes behind that.

    `ended`: whether the text ends there, or was cut at the length asked for.
    """

    text: str
    log_probability: float
    ended: bool


@dataclass(frozen=True)
class LanguageModel(Model):
    """A Model whose task is language; several threads may use one.

    >>> model = LanguageModel.load("runs/sample-language/model")      # doctest: +SKIP
    >>> model.score(["河面上起了雾。"])[0].perplexity                      # doctest: +SKIP
    >>> model.next("河面上")[0].token                                    # doctest: +SKIP
    >>> model.generate("河面上", count=3, temperature=0.7, seed=1)       # doctest: +SKIP
    """

    @classmethod
    def of(cls, model: Model) -> LanguageModel:
        """The same model as a language model. Raises ModelError where it is of another task."""
        if not isinstance(model.task, Language):
            name = model.about.get("name", "the model")
            raise ModelError(f"{name}: its task is {model.about.get('task')}: a language model is needed here")
        return cls(**{field.name: getattr(model, field.name) for field in fields(Model)})

    @property
    def language(self) -> Language:
        """The task."""
        if not isinstance(self.task, Language):
            raise ModelError("a language model is needed here")
        return self.task

    @property
    def reader(self) -> Reader:
        """What reads tokens and remembers them."""
        return self.language.reader(self.network, self.encoder)

    def score(self, texts: Iterable[str]) -> list[Likelihood]:
        """How likely each text is, in order: an empty one too, which is as likely as its end at once."""
        found = self.language.predict(self.network, self.encoder, self.tokenise_all(list(texts)))
        return [likelihood for likelihood in found if isinstance(likelihood, Likelihood)]

    def next(self, text: str = "", count: int = 10) -> list[Next]:
        """The `count` most likely tokens behind a text's beginning, the likeliest first.

        Probabilities are those of all tokens; the unknown one is not listed. Where tokens are words, the beginning ends
        with a whole one.
        """
        scores, _ = generation.after(self.reader, self._ids(text))
        shares = generation.softmax(scores[0])
        order = [int(id) for id in np.argsort(-shares, kind="stable") if id != UNKNOWN]
        return [Next(None if id == BOUNDARY else self._token(id), float(shares[id])) for id in order[:count]]

    def stream(
        self,
        prompt: str = "",
        *,
        length: int = 200,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | tuple[int, ...] = 1,
        unknown: bool = False,
    ) -> Iterator[str]:
        """What follows a prompt, token by token as it is drawn, until the text ends or has `length` more tokens.

        See `generation.Choice` for temperature (0: always the likeliest), `top_k` and `top_p`. The same seed draws the
        same. The unknown token, written as U+FFFD, comes only where it is asked for. Characters of the prompt that the
        model never saw are read as unknown. Raises PipelineError for a value out of range.
        """
        choice = Choice(temperature, top_k, top_p)
        if length < 0:
            raise PipelineError(f"length: expected 0 or more, received {length}")
        generator = np.random.default_rng(seed)
        ids = generation.draw(self.reader, self._ids(prompt), choice, generator, length, unknown=unknown)
        return (self._token(id) for id in ids)

    def generate(self, prompt: str = "", *, count: int = 1, seed: int = 1, **options: Any) -> list[str]:
        """`count` texts that begin with a prompt, drawn as by `stream`, each with a seed of its own made of `seed`."""
        return [prompt + "".join(self.stream(prompt, seed=(seed, index), **options)) for index in range(count)]

    def search(
        self, prompt: str = "", *, width: int = 5, length: int = 200, unknown: bool = False
    ) -> list[Continuation]:
        """At most `width` likely texts that begin with a prompt, the likeliest a token first, by beam search."""
        found = generation.search(self.reader, self._ids(prompt), width, length, unknown=unknown)
        return [
            Continuation(prompt + "".join(map(self._token, one.ids)), one.log_probability, one.ended) for one in found
        ]

    def _ids(self, text: str) -> NDArray[np.int32]:
        return self.encoder.token_ids(self.language.unit, [self.tokenise(text)])[0]

    def _token(self, id: int) -> str:
        return self.encoder.vocabularies[self.language.unit].token(id) if id >= FIRST else UNKNOWN_TEXT
