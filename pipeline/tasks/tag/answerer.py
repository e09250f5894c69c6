"""The answerer of a tagger: the best sequence of tags, the spans that it marks, and how confident each is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline import arrays
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.evaluation.metrics import calibration, spans
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.networks.onnx_network import GREATEST, OnnxNetwork
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.tagging import linear_chain
from pipeline.tagging.constraints import Constraints
from pipeline.tagging.decoder import DecodedTags, Decoder, ScoredSpans
from pipeline.tagging.linear_chain import LinearChain
from pipeline.tagging.tagset import Tagset
from pipeline.tasks.answerer import Answerer, Calibrated
from pipeline.tasks.head import Weights
from pipeline.tasks.prediction import Claim, PredictedSpan, Prediction
from pipeline.tasks.tag.head import allowed
from pipeline.tasks.tag.output import TagOutput
from pipeline.tasks.tag.scores import Floats, TokenScorer
from pipeline.tasks.tag.words import TagWordFinder

if TYPE_CHECKING:
    from pipeline.config.tag import TagSettings

TABLES = ("transitions", "start", "end")
FITTED = 1 << 22  # scores of dev that the temperature is fitted on


@dataclass(frozen=True, eq=False)
class TagAnswerer(Answerer[Prediction]):
    """Answers with the most probable sequence of tags.

    Arguments:
        options: kind, scheme and decoding, see `settings.TagSettings`.
        tagset: the tags.
        learnt: the chain that a network was trained with; None: all zero.
        words: those of the train split.
        dictionary: words that the answers obey, see `pipeline.tagging.constraints`.
        temperature: divides all scores before they become probabilities.
    """

    options: TagSettings
    tagset: Tagset
    learnt: LinearChain | None = None
    words: frozenset[str] = frozenset()
    dictionary: UserDictionary = field(default_factory=UserDictionary)
    temperature: float = 1.0
    has_alternatives = True
    obeys = True

    @property
    def claimed(self) -> tuple[str, str]:
        """Entities or words."""
        return ("entity", "entities") if self.options.kind == "entities" else ("word", "words")

    @property
    def word_finder(self) -> TagWordFinder | None:
        """Where words are found in characters."""
        if self.options.kind not in ("words", "joint"):
            return None
        return TagWordFinder(self.decoder, self.scorer, self.words)

    def obeying(self, dictionary: UserDictionary) -> Self:
        """With answers that obey the words of a dictionary, and their tags."""
        return replace(self, dictionary=dictionary)

    # What training leaves behind.

    def with_weights(self, weights: Weights) -> Self:
        """With the trained chain."""
        if self.options.decode == "greedy":
            return replace(self, learnt=None)
        return replace(self, learnt=LinearChain(*(weights[f"chain/{name}"] for name in TABLES)))

    def calibrated(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[Sequence[str]]
    ) -> Calibrated:
        """With the temperature that fits dev's entities or words best: `calibration.temperature_of`.

        It is fitted on texts spread evenly over dev, at most `FITTED` scores, and measured on all.
        """
        step = math.ceil(sum(len(text.tokens) for text in texts) * len(self.tagset.labels) / FITTED) or 1
        some = list(self._judged_spans(network, encoder, texts[::step], golds[::step]))

        def confidences(temperature: float) -> NDArray[np.float64]:
            return _joined([found.confidences(temperature) for found, _ in some], np.float64)

        temperature = calibration.temperature_of(confidences, _joined([right for _, right in some], np.bool_))
        every = [
            (found.confidences(1.0), found.confidences(temperature), right)
            for found, right in self._judged_spans(network, encoder, texts, golds)
        ]
        before, after = (_joined([found[side] for found in every], np.float64) for side in (0, 1))
        right = _joined([found[2] for found in every], np.bool_)
        about, points = calibration.calibrated_claims(before, after, right, temperature)
        return Calibrated(replace(self, temperature=about.pop("temperature")), about, points)

    def _judged_spans(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[Sequence[str]]
    ) -> Iterator[tuple[ScoredSpans, NDArray[np.bool_]]]:
        """The entities or words found in some texts at a time, and which of them are right, (spans,)."""
        names = self.tagset.labels.names
        for places, scores, lengths in self.scorer.scores(network, encoder, texts):
            found = self.decoder.scored_spans(scores, lengths)
            outcomes = [
                Outcome.of_tags(place, texts[place], golds[place], [names[tag] for tag in path[:length]])
                for place, path, length in zip(places, found.paths.tolist(), lengths.tolist(), strict=True)
            ]
            right = [row.is_right(span) for row in spans.judged(outcomes, self.tagset.scheme) for span in row.said]
            yield found, np.array(right, np.bool_)

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes transitions.npy, start.npy and end.npy."""
        for name in TABLES:
            np.save(folder / f"{name}.npy", getattr(self.chain, name))
        return {"temperature": self.temperature}

    def load(self, folder: Path, options: Mapping[str, Any]) -> Self:
        """With the chain and the temperature."""
        learnt = LinearChain(*(arrays.load(folder / f"{name}.npy", np.float32) for name in TABLES))
        shapes, count = [each.shape for each in learnt], len(self.tagset.labels)
        if shapes != [(count, count), (count,), (count,)]:
            raise ValueError(f"transitions, start and end have shapes {shapes} for {count} tags")
        if not all(np.all(each < GREATEST) for each in learnt):  # -inf forbids; NaN is not less than anything
            raise ValueError("transitions, start and end have scores that are not finite")
        made = replace(self, learnt=learnt, temperature=float(options["temperature"]))
        made.decoder  # noqa: B018 (made now, so that tags outside the scheme are refused)
        return made

    # Scores to predictions.

    def predict_at(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], temperatures: Sequence[float]
    ) -> list[list[Prediction]]:
        """The tags of each text, all of it: a text of more than `max_tokens` is read in windows that overlap."""
        decoders = {temperature: replace(self.decoder, temperature=temperature) for temperature in temperatures}
        answers: dict[float, dict[int, Prediction]] = {temperature: {} for temperature in decoders}
        for places, scores, lengths in self.scorer.scores(network, encoder, texts):
            for temperature, decoder in decoders.items():
                if len(places) == 1:
                    decoded = [decoder.decode_long(scores[0, : lengths[0]])]
                else:
                    decoded = decoder.decode(scores, lengths)
                pairs = zip(places, decoded, strict=True)
                answers[temperature].update((place, self._answer(texts[place], tags)) for place, tags in pairs)
        return [[answers[temperature][index] for index in range(len(texts))] for temperature in temperatures]

    def n_best(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], n: int
    ) -> list[list[Prediction]]:
        """The n most probable sequences of tags of each text, best first; fewer where there are no more."""
        answers: dict[int, list[Prediction]] = {}
        for places, scores, lengths in self.scorer.scores(network, encoder, texts):
            found = self.decoder.n_best(scores, lengths, n)
            answers.update(
                (place, [self._answer(texts[place], each) for each in best])
                for place, best in zip(places, found, strict=True)
            )
        return [answers[index] for index in range(len(texts))]

    def choices(self, scores: Floats, lengths: NDArray[np.int64] | None) -> NDArray[np.int32]:
        """The tags of each text, int32 (texts, steps), -1 after its end."""
        return self.decoder.paths(scores, np.asarray(lengths))

    @cached_property
    def chain(self) -> LinearChain:
        """What decodes: the learnt chain, or zeros, with -inf where the scheme forbids."""
        may = allowed(self.options, self.tagset)
        learnt = self.learnt or LinearChain(*(np.zeros(each.shape, np.float32) for each in may))
        return LinearChain(*(linear_chain.forbid(value, flags) for value, flags in zip(learnt, may, strict=True)))

    @cached_property
    def scorer(self) -> TokenScorer:
        """What scores texts, and forbids what white space and the dictionary forbid."""
        return TokenScorer(Constraints(self.tagset, self.options.kind, self.dictionary), self.options.constrained)

    @cached_property
    def decoder(self) -> Decoder:
        """What finds the best sequences, at the temperature."""
        return Decoder(self.chain, self.tagset, self.options.decode == "maxent", self.temperature)

    def _answer(self, text: Tokenised, decoded: DecodedTags) -> Prediction:
        names, types, places, shown = self.tagset.labels.names, self.tagset.types, text.places(), text.shown
        raw_tags, score = tuple(names[tag] for tag in decoded.ids), math.exp(min(decoded.log_probability, 0.0))
        found = tuple(
            _span(shown, places[start][0], places[stop - 1][1], types[tag], confidence)
            for start, stop, tag, confidence in decoded.spans
        )
        if self.options.kind in ("entities", "pos"):
            tokens, tags, confidences = (
                tuple(shown[start:end] for start, end in places),
                raw_tags,
                tuple(decoded.confidences),
            )
        else:
            tokens, confidences = tuple(span.text for span in found), tuple(span.confidence for span in found)
            tags = tuple(span.type for span in found) if self.options.kind == "joint" else ()
        return Prediction(None, score, (), tokens, tags, confidences, found, raw_tags, shown)

    def obeyed(self, text: Tokenised) -> list[tuple[int, int]]:
        """Where the words of the dictionary stand that it obeys."""
        return self.scorer.constraints.obeyed(text)

    def claims(self, prediction: Prediction) -> Sequence[Claim]:
        """Each entity or word."""
        return [Claim(span.type or self.claimed[0], span.confidence) for span in prediction.spans]

    @property
    def blank(self) -> Prediction:
        """No token and no tag."""
        return Prediction(None, 0.0)

    @property
    def output(self) -> TagOutput:
        """Entities, or words with their tags."""
        return TagOutput(self.options.kind)


def _joined(arrays: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *arrays])


def _span(text: str, start: int, end: int, type_: str, confidence: float) -> PredictedSpan:
    return PredictedSpan(text[start:end], type_, start, end, confidence)
