"""Language: how likely a text is, token by token."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from corpora import formats
from corpora.document import Document
from corpora.normalise import normaliser
from embeddings.vocabulary import FIRST, UNKNOWN, Vocabulary
from pipeline.config.settings import CorpusSettings, NetworkSettings, Settings, TrainSettings
from pipeline.encoding.batch import Batch, Example, bptt_batches
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import Labels
from pipeline.evaluation.baselines.kneser_ney import KneserNey
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.language import BOUNDARY
from pipeline.language.reader import Reader
from pipeline.language.sampling import Sampling
from pipeline.language.spelling import Spelling
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Advance
from pipeline.tasks.task import Learner, Prediction, ScoredTwice, Task

if TYPE_CHECKING:
    from pipeline.evaluation.baselines.linear import Keep, Sample
    from pipeline.evaluation.report.report import Detail, Report
    from pipeline.networks.network import Tables

Ids = NDArray[np.int32]
LN2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Likelihood(Prediction):
    """How likely a text is.

    `value`: the text, or None where there is nothing in it; `score`: its probability, which is 0 for any but a short
    one; `distribution`: the natural logarithm of each token's probability given all before it, and last that of the
    text's end, whose sum is the text's; `tokens`: these tokens, one less.

    >>> half = Likelihood("好吃", 0.125, (math.log(0.5),) * 3, ("好", "吃"))
    >>> round(half.log_probability, 4), half.perplexity, half.bits
    (-2.0794, 2.0, (1.0, 1.0, 1.0))
    """

    tokens: tuple[str, ...] = ()

    @property
    def log_probability(self) -> float:
        """The natural logarithm of the text's probability, its end included."""
        return math.fsum(self.distribution)

    @property
    def perplexity(self) -> float:
        """The inverse of the geometric mean of the probabilities, the end's included; infinite above 1e307."""
        mean = -self.log_probability / len(self.distribution)
        return math.exp(mean) if mean < 709 else math.inf

    @property
    def bits(self) -> tuple[float, ...]:
        """-log2 of each of these probabilities: how surprising each token is, and the end."""
        return tuple(-log / LN2 for log in self.distribution)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where each token stands in the text, in characters, half-open; last the end, which is empty."""
        ends = np.cumsum([0, *map(len, self.tokens)]).tolist()
        return [*pairwise(ends), (ends[-1], ends[-1])]


class Language(Task):
    """Reads a text from the left and gives each token a probability, and its end.

    Arguments:
        unit: "char" or "word".
        width: of the network's states.
        window: steps that training reads at a time, 0 for whole texts.
        tied: whether tokens are scored by the vectors that they are read with.
        sampled: tokens of the vocabulary that a step of training scores, 0 for all.
        order: of the n-gram model to compare with.
        rare: tokens that come less often in train are what unknown ones are expected to look like.
        spelling: how unknown tokens are written; learnt from train.
        vocabulary: of a model that is loaded, by falling frequency in train.
    """

    per_token: ClassVar[bool] = True
    needs: ClassVar[str] = "a text"
    headlines: ClassVar[Mapping[str, str]] = {
        "perplexity": "perplexity",
        "bits_per_token": "bits a token",
        "bits_per_character": "a character",
    }

    def __init__(
        self,
        unit: str,
        width: int,
        *,
        window: int = 64,
        tied: bool = False,
        sampled: int = 0,
        order: int = 5,
        rare: int = 2,
        spelling: Spelling | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self.labels = Labels(())
        self.unit = unit
        self.width = width
        self.window: int = window
        self.tied = tied
        self.sampled = sampled
        self.order = order
        self.rare = rare
        self.spelling = spelling or Spelling(unit, {}, 0)
        self.vocabulary = vocabulary

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As in the section `[language]`."""
        language = settings.language
        return cls(
            settings.segment.unit,
            settings.network.state_width,
            window=language.window,
            tied=language.tied,
            sampled=language.sampled,
            order=language.order,
            rare=max(2, settings.embed.min_count),
        )

    # What comes out of a corpus.

    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The texts of a table, or the lines of a file."""
        return formats.read(
            path,
            corpus.format,
            text=corpus.text_columns,
            encoding=corpus.encoding,
            normalise=normaliser(corpus.nfkc, corpus.simplify),
        )

    def gold(self, document: Document) -> str | None:
        """Nothing beside the text, which is what is to be predicted."""
        return ""

    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Any text will do."""

    # What is learnt.

    def fit(self, texts: Sequence[Tokenised], golds: Sequence[str]) -> Self:
        """With the spelling of train's rare tokens."""
        counts = Counter(token for text in texts for token in text.tokens)
        rare = [token for token, count in counts.items() for _ in range(count) if count < self.rare]
        return self._with(spelling=Spelling.learn(self.unit, rare))

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """One Example a text: the boundary and its tokens, and as targets its tokens and the boundary. None is cut."""
        rows = (np.concatenate([[BOUNDARY], ids, [BOUNDARY]]).astype(np.int32) for ids in self._ids(encoder, texts))
        return [Example({self.unit: row[:-1]}, target=row[1:]) for row in rows]

    def _ids(self, encoder: Encoder, texts: Sequence[Tokenised]) -> list[Ids]:
        return encoder.token_ids(self.unit, texts)

    def build(self, settings: Settings, tables: Tables) -> Any:
        """A network that keeps its states from window to window."""
        from pipeline.networks import language_network

        table = tables.embeddings[self.unit]
        rows, seed = settings.train.batch_size, settings.seed
        return language_network.build(settings.network, table, rows, seed, unit=self.unit, tied=self.tied)

    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """Minus the logarithm of the probability of a token, among all or among a sample."""
        from pipeline.training import losses

        return losses.sampled_next_token() if self.sampled else losses.next_token()

    def learner(self, network: Any, examples: Sequence[Example]) -> Learner:
        """The network, or where tokens are sampled that with fewer scores, fed with targets and a sample."""
        if not self.sampled:
            return Learner(network)
        from pipeline.networks.language_network import with_sampled_scores

        targets = np.concatenate([np.asarray(example.target) for example in examples])
        counts = np.bincount(targets, minlength=network.output_shape[-1])
        sampling = Sampling.of(counts, self.sampled)

        def feed(batch: Batch, generator: np.random.Generator) -> dict[str, Any]:
            return {"targets": batch.targets, "sample": sampling.draw(generator)}

        return Learner(with_sampled_scores(network, sampling.logs), feed)

    def graph(self, settings: NetworkSettings, weights: Mapping[str, NDArray[np.float32]], encoder: Encoder) -> Any:
        """The graph that takes its states and gives them back."""
        from pipeline.networks import language_graph

        return language_graph.build(settings, weights)

    def scores_of_both(
        self, network: Any, frozen: OnnxNetwork, encoder: Encoder, batch: Batch
    ) -> Iterator[ScoredTwice]:
        """What the trained network and its graph give a batch, window after window, each with states of its own."""
        from pipeline.networks.network import reset_states

        reset_states(network)
        reader = self.reader(frozen, encoder)
        states = reader.beginning(len(batch.positions))
        for window in bptt_batches(batch, self.window, network.inputs[0].shape[0]):
            [lengths] = window.lengths.values()
            going = np.flatnonzero(lengths)
            trained = np.asarray(network.predict_on_batch(window.inputs))[going]
            scores, states[going] = reader.read(window.ids[self.unit][going], lengths[going], states[going])
            yield ScoredTwice(trained, scores, lengths[going].astype(np.int64))

    def answers(self, scores: NDArray[np.float32], lengths: NDArray[np.int64] | None) -> Ids:
        """Nothing but the scores themselves: int32 (batch, 0)."""
        return np.empty((len(scores), 0), np.int32)

    # The model's folder.

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes spelling.json."""
        content = json.dumps(self.spelling.as_dict(), ensure_ascii=True) + "\n"
        (folder / "spelling.json").write_text(content, encoding="utf-8", newline="\n")
        return {"unit": self.unit, "width": self.width, "order": self.order}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """What `save` wrote, and the vocabulary."""
        unit = str(options["unit"])
        spelling = Spelling.from_dict(unit, json.loads((folder / "spelling.json").read_text(encoding="utf-8")))
        vocabulary = Vocabulary.load(folder / f"vocabulary.{unit}.txt")
        return cls(unit, int(options["width"]), order=int(options["order"]), spelling=spelling, vocabulary=vocabulary)

    # What is answered.

    def reader(self, network: OnnxNetwork, encoder: Encoder) -> Reader:
        """What reads tokens, and remembers them."""
        return Reader(network, self.width, len(encoder.vocabularies[self.unit]))

    def predict(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> list[Prediction]:
        """How likely each text is, all of it, whatever stands beside it; a text without tokens too."""
        found = self.reader(network, encoder).log_probabilities(self.examples(encoder, texts, [None] * len(texts)))
        return [
            Likelihood(text.text, 0.0, self._spelt(text, ids, logs), tuple(text.tokens))
            for text, ids, logs in zip(texts, self._ids(encoder, texts), found, strict=True)
        ]

    def _spelt(self, text: Tokenised, ids: Ids, logs: NDArray[np.float64]) -> tuple[float, ...]:
        """The log-probabilities with what it costs to spell the unknown tokens."""
        logs = logs.copy()
        for place in np.flatnonzero(ids == UNKNOWN).tolist():
            logs[place] += self.spelling.log_probability(text.tokens[place])
        return tuple(logs.tolist())

    def nothing(self) -> Prediction:
        """No token, and no probability."""
        return Likelihood(None, 0.0)

    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """Perplexity, bits a token and a character, and the loss: nats a token, unknown ones spelt."""
        found = self.score(outcomes)
        return {**{name: found[name] for name in self.headlines}, "loss": found["bits_per_token"] * LN2}

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Perplexity and the like: `evaluation.perplexity.perplexity`."""
        from pipeline.evaluation.metrics.perplexity import perplexity

        return perplexity(outcomes, self._rank)

    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """`perplexity`, and the `bits_per_character`, which do not depend on how texts are cut."""
        from pipeline.evaluation.metrics.perplexity import interval, over

        logs = [log for outcome in outcomes for log in outcome.probabilities]
        found = over(logs, sum(len(outcome.text) for outcome in outcomes))
        kept = {name: found[name] for name in ("tokens", "perplexity", "bits_per_character")}
        return {**kept, "interval": interval(outcomes) or [found["perplexity"]] * 2}

    def _rank(self, token: str) -> int | None:
        """1 for the most frequent token of train, None for an unknown one."""
        if self.vocabulary is None or token not in self.vocabulary:
            return None
        return int(self.vocabulary.ids([token])[0]) - FIRST + 1

    def compare(
        self,
        names: Sequence[str],
        train: Sequence[Sample],
        asked: Mapping[str, Sequence[Sample]],
        encoder: Encoder,
        advance: Advance,
        keep: Keep,
    ) -> dict[str, Any]:
        """N-gram models of train, over the same vocabulary and with the same spelling of unknown ones, on the parts."""
        parts = {part: [Tokenised(one.text, one.tokens) for one in samples] for part, samples in asked.items()}
        ids = self._ids(encoder, [Tokenised(one.text, one.tokens) for one in train])
        orders, outputs = {"unigram": 1, "kneser_ney": self.order}, len(encoder.vocabularies[self.unit])
        found = {}
        for name in names:
            start = time.perf_counter()
            model = KneserNey.train(ids, order=orders[name], outputs=outputs)
            scores = {part: self._compared(model, texts, encoder) for part, texts in parts.items()}
            found[name] = {**scores, "seconds": time.perf_counter() - start, "weights": model.weights}
            advance(1)
        return found

    def _compared(self, model: KneserNey, texts: Sequence[Tokenised], encoder: Encoder) -> dict[str, Any]:
        ids = self._ids(encoder, texts)
        found = zip(texts, ids, model.log_probabilities(ids), strict=True)
        outcomes = [
            Outcome(0, text.text, "", "", 1.0, self._spelt(text, row, values), tokens=tuple(text.tokens))
            for text, row, values in found
        ]
        return self.score(outcomes)

    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """The files of `evaluation.surprise.write`."""
        from pipeline.evaluation.report import surprise

        surprise.write(folder, written, outcomes, columns=detail.columns, language=detail.language)

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """`log_probability` (natural, of the whole text, its end included), `perplexity`, and with `probabilities`
        `surprisal`: JSON, a list of [start, end, bits] for each token, characters half-open, and for the end.
        """
        return ("log_probability", "perplexity", *(("surprisal",) if probabilities else ()))

    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """With 4 decimals; all blank for a text with nothing in it."""
        if prediction.value is None or not isinstance(prediction, Likelihood):
            return ("",) * len(self.columns(probabilities))
        shown = (f"{prediction.log_probability:.4f}", f"{prediction.perplexity:.4f}")
        if not probabilities:
            return shown
        pairs = zip(prediction.places, prediction.bits, strict=True)
        return (*shown, json.dumps([[start, end, round(bits, 4)] for (start, end), bits in pairs]))

    def _with(self, **changed: Any) -> Self:
        names = ("window", "tied", "sampled", "order", "rare", "spelling", "vocabulary")
        kept = {name: getattr(self, name) for name in names}
        return type(self)(self.unit, self.width, **{**kept, **changed})
