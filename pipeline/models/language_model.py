"""LanguageModel: a trained language model, which scores texts, predicts next tokens and generates texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import FIRST, UNKNOWN
from pipeline.errors import ModelError, PipelineError
from pipeline.language import BOUNDARY, generation
from pipeline.language.generation import GenerationOptions
from pipeline.language.reader import StatefulReader
from pipeline.models.model import Model
from pipeline.models.texts import checked_texts
from pipeline.tasks.language import Likelihood

UNKNOWN_TEXT = "\ufffd"  # an unknown token in a generated text


class Next(NamedTuple):
    """A possible next token and its probability; None is the end of the text."""

    token: str | None
    probability: float


class Continuation(NamedTuple):
    """A text that begins with a prompt, and the natural logarithm of the probability of what follows the prompt.

    `ended`: whether the text ends there; if not, it was cut at the length asked for.
    """

    text: str
    log_probability: float
    ended: bool


@dataclass(frozen=True, repr=False)
class LanguageModel(Model):
    """A Model that can generate text; several threads may use one.

    >>> model = LanguageModel.load("runs/sample-language/model")      # doctest: +SKIP
    >>> model.score(["河面上起了雾。"])[0].perplexity                      # doctest: +SKIP
    >>> model.next("河面上")[0].token                                    # doctest: +SKIP
    >>> model.generate("河面上", count=3, temperature=0.7, seed=1)       # doctest: +SKIP
    """

    @classmethod
    def of(cls, model: Model) -> LanguageModel:
        """The same model as a language model. Raises ModelError if it cannot generate text."""
        if not model.generates:
            name = model.about.get("name", "the model")
            raise ModelError(f"{name}: its task is {model.task.name}: a language model is needed here")
        return cls(**{field.name: getattr(model, field.name) for field in fields(Model)})

    @property
    def reader(self) -> StatefulReader:
        """What reads on token by token. Raises ModelError if the model cannot generate text."""
        found = self.answerer.reader(self.network, self.encoder)
        if found is None:
            raise ModelError("a language model is needed here")
        return found

    def score(self, texts: Iterable[str]) -> list[Likelihood]:
        """How likely each text is, in order; an empty text too, which is as likely as an immediate end."""
        return self.answerer.predict(self.network, self.encoder, self.tokenise_all(checked_texts(texts)))

    def next(self, text: str = "", count: int = 10) -> list[Next]:
        """The `count` most likely tokens after the beginning of a text, the likeliest first.

        Probabilities are among all tokens; the unknown one is not listed. Where tokens are words, the beginning is
        taken to end with a whole word.
        """
        scores, _ = generation.read_prompt(self.reader, self._ids(text))
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
        """What follows a prompt, token by token as it is drawn, until the text ends or `length` tokens are drawn.

        See `generation.GenerationOptions` for `temperature` (0: always the likeliest), `top_k` and `top_p`. The same
        seed draws the same text. The unknown token, written as U+FFFD, is drawn only if `unknown`. Characters of the
        prompt that the model has never seen are read as unknown. Raises PipelineError for a value out of range.
        """
        options = GenerationOptions(temperature, top_k, top_p)
        if length < 0:
            raise PipelineError(f"length: expected 0 or more, received {length}")
        generator = np.random.default_rng(seed)
        ids = generation.sample(self.reader, self._ids(prompt), options, generator, length, unknown=unknown)
        return (self._token(id) for id in ids)

    def generate(self, prompt: str = "", *, count: int = 1, seed: int = 1, **options: Any) -> list[str]:
        """`count` texts that begin with a prompt, drawn as by `stream`, each with a seed made from `seed`."""
        return [prompt + "".join(self.stream(prompt, seed=(seed, index), **options)) for index in range(count)]

    def texts(self, count: int, *, length: int = 200, seed: int = 1) -> list[str]:
        """Up to `count` texts without a prompt, none blank and no two alike, drawn as by `generate`."""
        drawn = self.generate(count=2 * count, seed=seed, length=length)
        return [text for text in dict.fromkeys(drawn) if text.strip()][:count]

    def search(
        self, prompt: str = "", *, width: int = 5, length: int = 200, unknown: bool = False
    ) -> list[Continuation]:
        """At most `width` likely texts that begin with a prompt, by beam search; highest probability a token first."""
        found = generation.beam_search(self.reader, self._ids(prompt), width, length, unknown=unknown)
        return [
            Continuation(prompt + "".join(map(self._token, one.ids)), one.log_probability, one.ended) for one in found
        ]

    @property
    def _unit(self) -> str:
        return self.encoder.reads[0]

    def _ids(self, text: str) -> NDArray[np.int32]:
        return self.encoder.token_ids(self._unit, [self.tokenise(text)])[0]

    def _token(self, id: int) -> str:
        return self.encoder.vocabularies[self._unit].token(id) if id >= FIRST else UNKNOWN_TEXT
