"""Tagging: one tag a token, and the entities or words that the tags mark."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from corpora import formats, segmented, tags
from corpora.document import Document
from corpora.targets import Targets
from embeddings import wordlist
from pipeline.config.corpus import CorpusSettings, TaggedSettings
from pipeline.config.settings import Settings
from pipeline.config.tag import TagSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Batch, Example
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import NO_LABELS, Labels
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import Point, ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Advance
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.tagging import linear_chain
from pipeline.tagging.constraints import Constraints
from pipeline.tagging.decoder import DecodedTags, Decoder, ScoredSpans
from pipeline.tagging.linear_chain import LinearChain
from pipeline.tagging.overlapping_windows import OverlappingWindows
from pipeline.tagging.tagset import Allowed, Tagset
from pipeline.tasks.task import Claim, Prediction, Task

if TYPE_CHECKING:
    from pipeline.evaluation.baselines.linear import Keep, Sample
    from pipeline.evaluation.report.report import Detail, Report

Floats = NDArray[np.float32]
TABLES = ("transitions", "start", "end")
AT_ONCE = 1 << 18  # scores that are decoded together
FITTED = 1 << 22  # scores of dev that the temperature is fitted on
CONTEXT = 64  # tokens on each side of a window that are read and not answered
# The options that each format of tagged text has, by the name of the reader's argument.
READER_OPTIONS = {
    "conll": ("token", "tag", "separator", "comment"),
    "conllu": ("tag",),
    "slashed": ("separator", "brackets"),
    "cluener": ("overlaps",),
    "doccano": ("overlaps",),
    "label-studio": ("overlaps",),
}


@dataclass(frozen=True, slots=True)
class PredictedSpan:
    """An entity or a word: its characters in the text, half-open, its type ("" of a bare word), and how sure it is.

    `text` is `whole[start:end]` of the text that was handed in; `confidence` the probability, 0 to 1, that the tags of
    just these tokens are right, whatever the others are.
    """

    text: str
    type: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Tagged(Prediction):
    """What a tagger says of one text.

    `value`: the tags that the network gives, as one line of segmented text, or None for a text with nothing in it;
    `score`: the probability of all of them together. `tokens`, one tag each in `tags`, and one probability, 0 to 1,
    in `confidences`: the characters or words that were tagged, or the words that were found (then `tags` are their
    parts of speech, or empty). `spans`: the entities, or the words, of which the type is the part of speech.
    """

    tokens: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    confidences: tuple[float, ...] = ()
    spans: tuple[PredictedSpan, ...] = ()


class Tag(Task):
    """Answers with the best sequence of tags.

    Arguments:
        options: kind, scheme and decoding, see `settings.TagSettings`.
        unit: "char" or "word".
        labels: the tags.
        learnt: the chain that a network was trained with; None: all zero.
        words: those of the train split, for scores of known and unknown words; none where entities are learnt.
        dictionary: words that the answers obey, see `pipeline.tagging.constraints`.
        temperature: what all scores are divided by before they become probabilities.
    """

    per_token: ClassVar[bool] = True
    headlines: ClassVar[Mapping[str, str]] = {"f1": "F1", "token_accuracy": "token accuracy"}

    def __init__(
        self,
        options: TagSettings,
        unit: str,
        labels: Labels = NO_LABELS,
        learnt: LinearChain | None = None,
        words: frozenset[str] = frozenset(),
        dictionary: UserDictionary | None = None,
        temperature: float = 1.0,
    ) -> None:
        self.options = options
        self.unit = unit
        self.labels = labels
        self.learnt = learnt
        self.words = words
        self.dictionary = UserDictionary() if dictionary is None else dictionary
        self.temperature = temperature

    def forcing(self, dictionary: UserDictionary) -> Self:
        """The same, obeying these words before its own."""
        made = copy(self)
        made.dictionary = UserDictionary({**self.dictionary.words, **dictionary.words})
        vars(made).pop("_forced", None)
        return made

    def at(self, temperature: float) -> Self:
        """The same answers, with the confidence that a temperature gives them."""
        made = copy(self)
        made.temperature = temperature
        vars(made).pop("_decoder", None)
        return made

    @property
    def claimed(self) -> tuple[str, str]:  # type: ignore[override]
        """Entities or words."""
        return ("entity", "entities") if self.options.kind == "entities" else ("word", "words")

    @property
    def chained(self) -> bool:
        """Unless tokens are tagged one by one."""
        return self.options.decode != "greedy"

    @cached_property
    def tagset(self) -> Tagset:
        """The tags, and what the scheme says of them."""
        return Tagset(self.labels, None if self.options.kind == "pos" else self.options.scheme)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As in the section `[tag]`, with the dictionaries of `[segment]`."""
        paths = settings.segment.dictionaries
        return cls(settings.tag, settings.segment.unit, dictionary=UserDictionary.load(paths) if paths else None)

    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The sentences of a tagged corpus; neighbouring tags that break its scheme are counted."""
        tagged = corpus.tagged
        source = formats.read_tagged(path, corpus.format, **_reader_options(path, corpus))
        options = self.options
        targets = Targets(source, options.kind, self.unit, options.scheme, tagged.scheme, str(path))
        for document, illegal in targets.counted():
            counts["illegal_tags"] += illegal
            yield document

    def gold(self, document: Document) -> str | None:
        """The tags as a line of segmented text."""
        sentence = document.sentence
        return None if sentence is None or sentence.tags is None else segmented.join(sentence.tags)

    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Raises PipelineError where there are fewer than two tags."""
        found = {tag for document in train if document.sentence for tag in document.sentence.tags or ()}
        if len(found) < 2:
            shown = f"only {next(iter(found))!r}" if found else "none"
            raise PipelineError(f"{corpus.train}: a tagger needs at least two tags, found {shown}: check corpus.format")

    def fit(self, texts: Sequence[Tokenised], golds: Sequence[str]) -> Self:
        """With the tags and words of the train split."""
        found = set(chain.from_iterable(segmented.split(gold) for gold in golds))
        if self.options.kind == "entities":
            found.add("O")  # so that every text has a legal sequence
        elif self.options.kind != "pos":
            found |= self._missing(golds)
        fitted = type(self)(self.options, self.unit, Labels.build(found))
        words = frozenset(fitted._words(texts, golds))
        return type(self)(self.options, self.unit, fitted.labels, words=words, dictionary=self.dictionary)

    def _missing(self, golds: Sequence[str]) -> set[str]:
        """Tags that train may lack, and without which a word of one character, or a forced one, can't be answered."""
        scheme = self.options.scheme
        types = Counter(tag[1:] for gold in golds for tag in segmented.split(gold))
        alone = {f"{letter}{type_}" for type_ in types for letter in tags.lettering(1, scheme)}
        return alone | {f"{letter}{type_}" for type_, _ in types.most_common(1) for letter in tags.lettering(3, scheme)}

    def _words(self, texts: Sequence[Tokenised], golds: Sequence[str]) -> Iterator[str]:
        if self.options.kind == "entities":
            return
        for text, gold in zip(texts, golds, strict=True):
            ids = np.array([self.labels.id(tag) for tag in segmented.split(gold)], np.int32)
            found = self.tagset.spans(ids[None], np.array([len(ids)]))
            for start, stop in zip(found.starts.tolist(), found.stops.tolist(), strict=True):
                yield "".join(text.tokens[start:stop])

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """One Example a text, or several, one after the other, of a text of more than `max_tokens` tokens.

        A gold tag that the train split doesn't have leaves a text without targets.
        """
        pieces, targets = [], []
        for text, gold in zip(texts, golds, strict=True):
            ids = self._ids(gold)
            for start in range(0, len(text.tokens), encoder.max_tokens):
                stop = start + encoder.max_tokens
                pieces.append(_piece(text, start, stop))
                targets.append(None if ids is None else ids[start:stop])
        return encoder.examples(pieces, targets)

    def _ids(self, gold: str | None) -> NDArray[np.int32] | None:
        names = segmented.split(gold) if gold is not None else None
        if names is None or any(name not in self.labels for name in names):
            return None
        return np.array([self.labels.id(name) for name in names], np.int32)

    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """Minus the log-likelihood of the tags, by the chain that decodes them."""
        from pipeline.training import losses

        if not self.chained:
            return losses.independent()
        return losses.chain(self.options.decode, network.get_layer("chain"), self._allowed)

    @property
    def _allowed(self) -> Allowed:
        allowed = self.tagset.allowed
        return allowed if self.options.constrained else Allowed(*map(np.ones_like, allowed))

    @cached_property
    def chain(self) -> LinearChain:
        """What decodes: the learnt chain, or zeros, with -inf where the scheme forbids."""
        learnt = self.learnt or LinearChain(*(np.zeros(each.shape, np.float32) for each in self._allowed))
        return LinearChain(*(linear_chain.forbid(value, may) for value, may in zip(learnt, self._allowed, strict=True)))

    def with_weights(self, weights: Mapping[str, Floats]) -> Self:
        """With the trained chain."""
        learnt = LinearChain(*(weights[f"chain/{name}"] for name in TABLES)) if self.chained else None
        return type(self)(self.options, self.unit, self.labels, learnt, self.words, self.dictionary)

    def calibrated(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]
    ) -> tuple[Self, dict[str, Any], Sequence[Point]]:
        """With the temperature that fits dev's entities or words best: `calibration.temperature_of`.

        It is fitted on texts spread evenly over dev, at most `FITTED` scores of them, and measured on all.
        """
        step = math.ceil(sum(len(text.tokens) for text in texts) * self.head() / FITTED) or 1
        some = list(self._asserted(network, encoder, texts[::step], golds[::step]))

        def sure(factor: float) -> NDArray[np.float64]:
            return _joined([made.confidences(factor) for made, _ in some], np.float64)

        factor = calibration.temperature_of(sure, _joined([right for _, right in some], np.bool_))
        every = [
            (made.confidences(1.0), made.confidences(factor), right)
            for made, right in self._asserted(network, encoder, texts, golds)
        ]
        before, after = (_joined([found[side] for found in every], np.float64) for side in (0, 1))
        right = _joined([found[2] for found in every], np.bool_)
        about, points = calibration.calibrated_claims(before, after, right, factor)
        return self.at(about.pop("temperature")), about, points

    def _asserted(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]
    ) -> Iterator[tuple[ScoredSpans, NDArray[np.bool_]]]:
        """The entities or words that are found in some texts at a time, and which of them are right, (stretches,)."""
        from pipeline.evaluation.metrics import spans

        names = self.labels.names
        for places, scores, lengths in self._scores(network, encoder, texts):
            made = self._decoder.scored_spans(scores, lengths)
            outcomes = [
                Outcome(
                    place,
                    texts[place].text,
                    golds[place] or "",
                    segmented.join([names[tag] for tag in path[:length]]),
                    0.0,
                    tokens=tuple(texts[place].tokens),
                )
                for place, path, length in zip(places, made.paths.tolist(), lengths.tolist(), strict=True)
            ]
            right = [row.is_right(span) for row in spans.judged(outcomes, self.tagset.scheme) for span in row.said]
            yield made, np.array(right, np.bool_)

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes transitions.npy, start.npy and end.npy, and words.txt where words are learnt."""
        for name in TABLES:
            np.save(folder / f"{name}.npy", getattr(self.chain, name))
        if self.words:
            wordlist.write(folder / "words.txt", sorted(self.words))
        return {"tag": self.options.model_dump(), "unit": self.unit, "temperature": self.temperature}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """What `save` wrote."""
        learnt = LinearChain(*(np.load(folder / f"{name}.npy", allow_pickle=False) for name in TABLES))
        shapes, count = [each.shape for each in learnt], len(labels)
        if shapes != [(count, count), (count,), (count,)]:
            raise ValueError(f"transitions, start and end have shapes {shapes} for {count} tags")
        words = folder / "words.txt"
        known = frozenset(wordlist.read(words)) if words.exists() else frozenset()
        dictionary = UserDictionary.load(folder / "dictionary.txt")  # which stands there for the segmenter
        temperature = float(options["temperature"])
        return cls(TagSettings(**options["tag"]), options["unit"], labels, learnt, known, dictionary, temperature)

    def predict(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> list[Prediction]:
        """The tags of each text, all of it: what is longer than `max_tokens` is read in windows that overlap."""
        answers: dict[int, Prediction] = {}
        for places, scores, lengths in self._scores(network, encoder, texts):
            if len(places) == 1:
                found = [self._decoder.decode_long(scores[0, : lengths[0]])]
            else:
                found = self._decoder.decode(scores, lengths)
            answers.update((place, self._answer(texts[place], of)) for place, of in zip(places, found, strict=True))
        return [answers[index] for index in range(len(texts))]

    def n_best(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], n: int
    ) -> list[list[Prediction]]:
        """The n most probable sequences of tags of each text, best first; fewer where there are no more."""
        answers: dict[int, list[Prediction]] = {}
        for places, scores, lengths in self._scores(network, encoder, texts):
            found = self._decoder.n_best(scores, lengths, n)
            answers.update(
                (place, [self._answer(texts[place], each) for each in best])
                for place, best in zip(places, found, strict=True)
            )
        return [answers[index] for index in range(len(texts))]

    def answers(self, scores: Floats, lengths: NDArray[np.int64] | None) -> NDArray[np.int32]:
        """The tags of each text, int32 (batch, steps), -1 behind its end."""
        return self._decoder.paths(scores, np.asarray(lengths))

    def stretches(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]
    ) -> list[list[tuple[int, int]]]:
        """Where the entities or words of each text stand, in characters, half-open, and nothing of how sure that is."""
        answers: dict[int, list[tuple[int, int]]] = {}
        for places, scores, lengths in self._scores(network, encoder, texts):
            if len(places) == 1:
                ids = self._decoder.decode_long(scores[0, : lengths[0]]).ids
                paths = np.array([ids], np.int32)
            else:
                paths = self._decoder.paths(scores, lengths)
            found = self.tagset.spans(paths, lengths)
            rows: list[list[tuple[int, int]]] = [[] for _ in places]
            for row, start, stop in zip(found.rows.tolist(), found.starts.tolist(), found.stops.tolist(), strict=True):
                rows[row].append((start, stop))
            for place, row in zip(places, rows, strict=True):
                at = texts[place].places()
                answers[place] = [(at[start][0], at[stop - 1][1]) for start, stop in row]
        return [answers[index] for index in range(len(texts))]

    def _scores(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]
    ) -> Iterator[tuple[list[int], Floats, NDArray[Any]]]:
        """Places of some texts, their scores (batch, steps, tags), -inf where a tag is not allowed, and their lengths.

        Each text once, those of more than `max_tokens` tokens alone. More texts than the network reads at a time, as
        the steps of decoding cost as much for few of them as for many.
        """
        whole = [index for index, text in enumerate(texts) if len(text.tokens) <= encoder.max_tokens]
        examples = encoder.examples([texts[index] for index in whole], [None] * len(whole))
        for batches in _gathered(network.answers(examples, self.head())):
            places = [whole[position] for batch, _ in batches for position in batch.positions]
            lengths = np.concatenate([next(iter(batch.lengths.values())) for batch, _ in batches])
            scores = _side_by_side([found for _, found in batches])
            yield places, self._restricted(scores, [texts[place] for place in places]), lengths
        for index in sorted(set(range(len(texts))) - set(whole)):
            scores = self._window_scores(network, encoder, texts[index])[None]
            yield [index], self._restricted(scores, [texts[index]]), np.array([scores.shape[1]])

    def _window_scores(self, network: OnnxNetwork, encoder: Encoder, text: Tokenised) -> Floats:
        """Scores (tokens, tags) of a long text, each token's from the window in whose middle it stands."""
        windows = OverlappingWindows(len(text.tokens), encoder.max_tokens, min(CONTEXT, encoder.max_tokens // 4))
        bounds = list(zip(windows.starts.tolist(), windows.firsts.tolist(), windows.stops.tolist(), strict=True))
        pieces = [_piece(text, first, stop) for _, first, stop in bounds]
        joined = np.empty((windows.count, self.head()), np.float32)
        for batch, scores in network.answers(encoder.examples(pieces, [None] * len(pieces)), self.head()):
            for position, found in zip(batch.positions.tolist(), scores, strict=True):
                start, first, _ = bounds[position]
                stop = min(start + windows.step, windows.count)
                joined[start:stop] = found[start - first : stop - first]
        return joined

    def _restricted(self, scores: Floats, texts: Sequence[Tokenised]) -> Floats:
        """The same scores, -inf where white space or a word of the dictionary does not allow the tag."""
        for row, text in enumerate(texts):
            own = scores[row, : len(text.tokens)]
            may = self._forced.allowed(text, None if self.options.constrained else own)
            if may is not None:
                scores[row, : len(text.tokens)] = np.where(may, own, -np.inf)
        return scores

    @cached_property
    def _forced(self) -> Constraints:
        return Constraints(self.tagset, self.options.kind, self.dictionary)

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder(self.chain, self.tagset, self.options.decode == "maxent", self.temperature)

    def _answer(self, text: Tokenised, found: DecodedTags) -> Tagged:
        names, types = self.labels.names, self.tagset.types
        line = [names[tag] for tag in found.ids]
        value, score, places = segmented.join(line), math.exp(min(found.log_probability, 0.0)), text.places()
        spans = tuple(
            _stretch(text.text, places[start][0], places[stop - 1][1], types[tag], sure)
            for start, stop, tag, sure in found.spans
        )
        if self.options.kind in ("entities", "pos"):
            return Tagged(value, score, (), tuple(text.tokens), tuple(line), tuple(found.confidences), spans)
        words = tuple(span.text for span in spans)
        of_words = tuple(span.type for span in spans) if self.options.kind == "joint" else ()
        return Tagged(value, score, (), words, of_words, tuple(span.confidence for span in spans), spans)

    def claims(self, prediction: Prediction) -> Sequence[Claim]:
        """Each entity or word."""
        spans = prediction.spans if isinstance(prediction, Tagged) else ()
        return [Claim(span.type or self.claimed[0], span.confidence) for span in spans]

    def nothing(self) -> Prediction:
        """No token and no tag."""
        return Tagged(None, 0.0)

    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """F1 of exact spans, micro and macro, and the share of tokens with the right tag."""
        found = self.score(outcomes)
        return {name: found[name] for name in ("f1", "macro_f1", "token_accuracy")}

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Precision, recall and F1 of exact spans, and the like: `evaluation.spans.tagging`."""
        from pipeline.evaluation.metrics import spans

        return spans.tagging(outcomes, self.tagset.scheme, known=self.words)

    def claimed_of(self, outcomes: Sequence[Outcome]) -> ScoredClaims:
        """Each predicted span: `evaluation.report.tagged.scored_claims`."""
        from pipeline.evaluation.metrics import spans
        from pipeline.evaluation.report import tagged

        return tagged.scored_claims(spans.judged(outcomes, self.tagset.scheme))

    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """`f1`."""
        from pipeline.evaluation.metrics import bootstrap, spans

        rows = spans.judged(outcomes, self.tagset.scheme)
        return {"f1": bootstrap.f1(rows), "interval": bootstrap.intervals(rows)["f1"]}

    def compare(
        self,
        names: Sequence[str],
        train: Sequence[Sample],
        asked: Mapping[str, Sequence[Sample]],
        encoder: Encoder,
        advance: Advance,
        keep: Keep,
    ) -> dict[str, Any]:
        """Those of `evaluation.crfsuite` and `evaluation.jieba_tags`."""
        from pipeline.evaluation.baselines import crfsuite, jieba_tags

        scheme, kind, types = self.tagset.scheme, self.options.kind, self.tagset.types
        run = {
            "crfsuite": lambda: crfsuite.run(train, asked, scheme, self.words, advance=advance, keep=keep),
            "jieba": lambda: jieba_tags.run(asked, kind, types, scheme, self.words, advance=advance, keep=keep),
        }
        return {baseline: scores for name in names for baseline, scores in run[name]().items()}

    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """The files of `evaluation.tagged.write`."""
        from pipeline.evaluation.report import tagged

        scheme = self.tagset.scheme
        tagged.write(
            folder,
            written,
            outcomes,
            scheme,
            answers=detail.answers,
            columns=detail.columns,
            locale=detail.locale,
        )

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """`entities`, or `words` and, where they have such, `tags`; and `confidence`, of all tags together.

        With `probabilities` also `confidences`, of each token or word.
        """
        found = {"entities": ("entities",), "words": ("words",), "joint": ("words", "tags"), "pos": ("words", "tags")}
        return (*found[self.options.kind], "confidence", *(("confidences",) if probabilities else ()))

    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """Words and tags separated by spaces, entities and confidences as JSON; all blank for a text of nothing."""
        if prediction.value is None or not isinstance(prediction, Tagged):
            return ("",) * len(self.columns(probabilities))
        written = {
            "entities": lambda: _json([_entity(span) for span in prediction.spans]),
            "words": lambda: segmented.join(prediction.tokens),
            "tags": lambda: segmented.join(prediction.tags),
            "confidence": lambda: f"{prediction.score:.4f}",
            "confidences": lambda: _json([round(share, 4) for share in prediction.confidences]),
        }
        return tuple(written[column]() for column in self.columns(probabilities))


def _reader_options(path: str | Path, corpus: CorpusSettings) -> dict[str, object]:
    """What the reader of a format is handed: of its options those that are not left out."""
    name = formats.tagged_format(Path(path), corpus.format)
    defaults = TaggedSettings()
    chosen = {
        key: value
        for key in READER_OPTIONS.get(name, ())
        if (value := getattr(corpus.tagged, key)) != getattr(defaults, key)
    }
    if name in ("cluener", "doccano", "label-studio"):
        chosen["text"] = corpus.text_columns[0]
    return {"encoding": corpus.encoding, **chosen}


def _gathered(answers: Iterable[tuple[Batch, Floats]]) -> Iterator[list[tuple[Batch, Floats]]]:
    """Batches of like length, together until they have `AT_ONCE` scores."""
    held: list[tuple[Batch, Floats]] = []
    for batch, scores in answers:
        if held and sum(found.size for _, found in held) + scores.size > AT_ONCE:
            yield held
            held = []
        held.append((batch, scores))
    if held:
        yield held


def _side_by_side(scores: Sequence[Floats]) -> Floats:
    """Scores (batch, steps, tags) of batches as those of one, padded with 0."""
    if len(scores) == 1:
        return scores[0]
    rows, steps = sum(len(each) for each in scores), max(each.shape[1] for each in scores)
    joined, first = np.zeros((rows, steps, scores[0].shape[2]), np.float32), 0
    for each in scores:
        joined[first : first + len(each), : each.shape[1]] = each
        first += len(each)
    return joined


def _joined(arrays: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *arrays])


def _piece(text: Tokenised, start: int, stop: int) -> Tokenised:
    tokens = text.tokens[start:stop]
    return Tokenised("".join(tokens), tokens)


def _stretch(text: str, start: int, end: int, type_: str, confidence: float) -> PredictedSpan:
    return PredictedSpan(text[start:end], type_, start, end, confidence)


def _entity(span: PredictedSpan) -> dict[str, Any]:
    return {
        "text": span.text,
        "type": span.type,
        "start": span.start,
        "end": span.end,
        "confidence": round(span.confidence, 4),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
