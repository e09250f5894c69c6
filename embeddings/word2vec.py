"""Word2Vec training; the only file that imports gensim."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from embeddings.errors import EmbeddingError
from embeddings.progress import Advance, counted, ignore
from embeddings.vectors import Vectors

Algorithm = Literal["skip-gram", "cbow"]
Loss = Literal["negative", "hierarchical"]
Sentences = Iterable[Sequence[str]]

_LONGEST_SENTENCE = 10_000  # gensim's compiled code drops what follows
_LOWEST_RATE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Word2VecOptions:
    """How to train vectors (Mikolov et al. 2013, "Distributed Representations of Words and Phrases").

    `algorithm`: "skip-gram" or "cbow". `loss`: "negative" sampling or "hierarchical" softmax.
    `vector_size`: the width of the vectors. `window`: largest distance, in words, to a word of the context.
    `min_count`: rarer words get no vector. `max_words`: at most so many words get one, the most frequent.
    `epochs`: passes over the sentences. `subsample`: share of the corpus above which a word's occurrences are
    thinned out, 0 for none. `negative`: noise words per word, for the "negative" loss only.
    `learning_rate`: at the start; it falls linearly to 0.0001.
    `seed`, `workers`: one worker gives the same vectors for the same seed in every run. More workers are faster, but
    give different vectors each time.

    Raises EmbeddingError for a value out of range.
    """

    algorithm: Algorithm = "skip-gram"
    loss: Loss = "negative"
    vector_size: int = 100
    window: int = 5
    min_count: int = 2
    epochs: int = 5
    subsample: float = 1e-3
    negative: int = 5
    learning_rate: float = 0.025
    seed: int = 1
    workers: int = 1
    max_words: int | None = None

    def __post_init__(self) -> None:
        for name, choices in (("algorithm", get_args(Algorithm)), ("loss", get_args(Loss))):
            if getattr(self, name) not in choices:
                raise EmbeddingError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        for name in ("vector_size", "window", "min_count", "epochs", "negative", "workers", "max_words"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise EmbeddingError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.subsample < 1:
            raise EmbeddingError(f"subsample must be from 0 to below 1, got {self.subsample}")
        if not self.learning_rate > 0:
            raise EmbeddingError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.seed < 2**32:
            raise EmbeddingError(f"seed must be from 0 to 4294967295, got {self.seed}")


def train(sentences: Sentences, options: Word2VecOptions, *, advance: Advance = ignore) -> Vectors:
    """Vectors for the words of `sentences`, the most frequent first, ties by first appearance.

    `sentences` must be re-iterable (a list, or an object that opens its file anew); it is read `epochs + 1` times. A
    sentence of more than 10,000 words is trained in pieces, so that nothing of it is lost. `advance` is called, from
    another thread, with the number of sentences done: in total `epochs` times their number.

    With one worker the result depends only on the sentences and the options, not on the process or PYTHONHASHSEED.
    More workers are faster, but not reproducible: their threads write to one matrix in any order.

    Raises EmbeddingError for an iterator, which can be read only once, for an empty token, and if no word reaches
    `min_count`. Exceptions of `sentences` and `advance` are passed on.

    >>> options = Word2VecOptions(vector_size=8, min_count=1, epochs=1)
    >>> train([["今天", "天气", "好"], ["今天", "下雨"]], options).words
    ('今天', '天气', '好', '下雨')
    """
    if iter(sentences) is sentences:
        raise EmbeddingError(
            f"sentences are read more than once, got a one-shot {type(sentences).__name__}: pass a list or "
            "an object whose __iter__ starts anew"
        )
    counts = _count(sentences)
    kept = _frequent(counts, options)
    with _silent_gensim():
        values = _trained(sentences, kept, counts.total(), options, advance)
    return Vectors(tuple(kept), values)


def _count(sentences: Sentences) -> Counter[str]:
    """The count of each token, in order of first appearance."""
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(sentence)
    if "" in counts:
        raise EmbeddingError(f"a token can't be empty, {counts['']} of {counts.total()} are")
    return counts


def _frequent(counts: Counter[str], options: Word2VecOptions) -> dict[str, int]:
    """The words that get a vector and their counts, in the order of the result."""
    kept = {word: count for word, count in counts.most_common(options.max_words) if count >= options.min_count}
    if not kept:
        most = max(counts.values(), default=0)
        raise EmbeddingError(
            f"no word occurs min_count = {options.min_count} times: the corpus has {counts.total()} words, "
            f"{len(counts)} different, the most frequent {most} times: lower min_count or give more text"
        )
    return kept


def _model(kept: dict[str, int], options: Word2VecOptions) -> Any:
    """An untrained gensim model with these words in this order."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=options.vector_size,
        window=options.window,
        min_count=1,
        sg=int(options.algorithm == "skip-gram"),
        hs=int(options.loss == "hierarchical"),
        negative=options.negative if options.loss == "negative" else 0,
        sample=options.subsample,
        alpha=options.learning_rate,
        min_alpha=min(_LOWEST_RATE, options.learning_rate),
        seed=options.seed,
        workers=options.workers,
        sorted_vocab=0,  # they are sorted already, and gensim would reverse ties
    )
    model.build_vocab_from_freq(kept)
    return model


def _trained(
    sentences: Sentences, kept: dict[str, int], n_words: int, options: Word2VecOptions, advance: Advance
) -> npt.NDArray[np.float32]:
    """The trained vectors of the words in `kept`, (n_kept, vector_size).

    gensim's `corpus_file` is not used: on 15,000 sentences with two workers it was no faster, and its vectors were
    worse for each of three seeds (mean Spearman on wordsim-297 0.06, instead of 0.14).
    """
    model = _model(kept, options)
    stream = _Stream(sentences, advance)
    try:
        model.train(corpus_iterable=stream, total_words=n_words, epochs=options.epochs)
    finally:
        stream.stopped = True
    if stream.error is not None:
        raise stream.error
    return np.array(model.wv.vectors, dtype=np.float32)


def keyed_vectors(vectors: Vectors) -> Any:
    """The same words and vectors as gensim's `KeyedVectors`.

    >>> found = keyed_vectors(Vectors(("猫", "狗"), np.array([[1, 0], [1, 1]], np.float32)))
    >>> found.index_to_key, found["狗"].tolist()
    (['猫', '狗'], [1.0, 1.0])
    """
    from gensim.models import KeyedVectors

    made = KeyedVectors(vectors.width, count=0)
    made.add_vectors(list(vectors.words), vectors.values)
    return made


class _Stream:
    """The sentences for gensim's reading thread.

    If that thread raised, gensim would wait for it for ever. An exception therefore ends the stream and is kept in
    `error`. Setting `stopped` also ends it, so that the thread does not outlive an interrupted training.
    """

    def __init__(self, sentences: Sentences, advance: Advance) -> None:
        self.error: Exception | None = None
        self.stopped = False
        self._sentences = sentences
        self._advance = advance

    def __iter__(self) -> Iterator[Sequence[str]]:
        if self.error is not None:
            return
        try:
            yield from self._pieces()
        except Exception as error:
            self.error = error

    def _pieces(self) -> Iterator[Sequence[str]]:
        for sentence in counted(self._sentences, self._advance):
            if self.stopped:
                return
            for start in range(0, len(sentence), _LONGEST_SENTENCE):
                yield sentence[start : start + _LONGEST_SENTENCE]


@contextmanager
def _silent_gensim() -> Iterator[None]:
    """Turns off gensim's log inside the block."""
    logger = logging.getLogger("gensim")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
