"""jieba and rjieba as the engines of a segmenter, each with a dictionary of its own; and their full mode."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Protocol

from pipeline.segmentation import rjieba_module
from pipeline.segmentation.main_dictionary import MainDictionary, jieba_frequencies, suggested

Weights = Mapping[str, int | None]
_NONE: Weights = MappingProxyType({})

# The blocks in which jieba looks for words, and the white space that it keeps apart between them.
_BLOCK = re.compile(r"([\u4E00-\u9FD5a-zA-Z0-9+#&._%\-]+)")
WHITE_SPACE = re.compile(r"(\r\n|\s)")
_LETTER_OR_DIGIT = re.compile(r"[a-zA-Z0-9]")
_SURROGATE = re.compile(r"([\ud800-\udfff])")
_LONGEST_WORD = 16  # characters, in the dictionary that both engines ship


class JiebaEngine(Protocol):
    """What a segmenter asks of jieba or rjieba."""

    longest: int  # characters of its longest word that is not in jieba's own dictionary

    def cut(self, text: str, hmm: bool, /) -> list[str]:
        """The words of the text in order, without overlap."""

    def search(self, text: str, hmm: bool, /) -> list[str]:
        """The same, each word after the shorter dictionary words inside it."""

    def knows(self, word: str, /) -> bool:
        """Whether the word is in the engine's dictionary."""


class Rjieba:
    """rjieba with a dictionary of its own: anyone could change the one of the module.

    Arguments:
        weights, main: see `Jieba`.
    """

    def __init__(self, weights: Weights = _NONE, main: MainDictionary | None = None) -> None:
        rjieba = rjieba_module.load()
        removed = [word for word, frequency in weights.items() if frequency == 0]
        if main is None and not removed:
            jieba, given = rjieba.Jieba(), {}
        else:  # rjieba can't remove a word: a dictionary without it is built anew
            jieba = rjieba.Jieba.empty()
            given = dict(main.frequencies) if main else jieba_frequencies()
            for word in removed:
                given.pop(word, None)
        for word, frequency in {**given, **_explicit(weights)}.items():
            jieba.add_word(word, frequency, "")
        if unknown := [word for word, frequency in weights.items() if frequency is None]:
            frequencies = {**(given or jieba_frequencies()), **_explicit(weights)}
            total = sum(frequencies.values())
            cut = _with_surrogates(jieba.cut)
            for word, frequency in suggested(unknown, lambda word: cut(word, False), frequencies, total).items():
                jieba.add_word(word, frequency, "")
        self.longest = _longest(weights, main)
        self.cut = _with_surrogates(jieba.cut)
        self.search = _with_surrogates(jieba.cut_for_search)
        self._has_word = jieba.has_word

    def knows(self, word: str, /) -> bool:
        """As `JiebaEngine.knows`."""
        return not _SURROGATE.search(word) and bool(self._has_word(word))


class Jieba:
    """jieba, the reference.

    Arguments:
        weights: words that its dictionary has in addition -> their frequency, None for one that is suggested from
            those of their parts, 0 for a word that the dictionary must not have.
        main: the dictionary in place of jieba's own.
    """

    def __init__(self, weights: Weights = _NONE, main: MainDictionary | None = None) -> None:
        self._tokenizer = tokenizer = jieba_tokenizer(main.frequencies if main else None)
        _put(tokenizer, {**_explicit(weights), **{word: 0 for word, given in weights.items() if given == 0}})
        unknown = [word for word, frequency in weights.items() if frequency is None]
        cut = partial(tokenizer.lcut, HMM=False)
        _put(tokenizer, suggested(unknown, cut, tokenizer.FREQ, tokenizer.total))
        self.longest = _longest(weights, main)

    def cut(self, text: str, hmm: bool, /) -> list[str]:
        """As `JiebaEngine.cut`."""
        return list(self._tokenizer.cut(text, HMM=hmm))

    def search(self, text: str, hmm: bool, /) -> list[str]:
        """As `JiebaEngine.search`."""
        return list(self._tokenizer.cut_for_search(text, HMM=hmm))

    def knows(self, word: str, /) -> bool:
        """As `JiebaEngine.knows`."""
        return bool(self._tokenizer.FREQ.get(word))


def _explicit(weights: Weights) -> dict[str, int]:
    """The words with a frequency of their own above 0."""
    return {word: frequency for word, frequency in weights.items() if frequency}


def _longest(weights: Weights, main: MainDictionary | None) -> int:
    """Characters of the longest word that is not in the dictionary of jieba itself."""
    return max(map(len, chain(weights, main.frequencies if main else ())), default=0)


def _put(tokenizer: Any, words: Mapping[str, int]) -> None:
    """Sets the frequencies of words, as `Tokenizer.add_word` does, but for the total, which stays their sum.

    `add_word` also makes words of frequency 0 known to all tokenizers of the process.
    """
    frequencies = tokenizer.FREQ
    for word, frequency in words.items():
        tokenizer.total += frequency - frequencies.get(word, 0)
        frequencies[word] = frequency
        for end in range(1, len(word)):
            frequencies.setdefault(word[:end], 0)


def jieba_tokenizer(frequencies: Mapping[str, int] | None = None) -> Any:
    """A `jieba.Tokenizer` with a dictionary of its own: these words, or those of jieba's text file.

    `Tokenizer.initialize` is never called: it would read and write a file of marshalled data that all users of the
    machine share, and log to standard error.
    """
    with warnings.catch_warnings():
        # jieba has escapes that newer Pythons warn of, and may import pkg_resources, which warns too.
        warnings.simplefilter("ignore")
        import jieba

        tokenizer = jieba.Tokenizer()
        if frequencies is None:
            tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    if frequencies is not None:
        _put(tokenizer, frequencies)
    return tokenizer


def can_be_found(word: str) -> bool:
    """Whether jieba can find a word at all: it cuts at all other characters than those of its own words."""
    return _BLOCK.fullmatch(word) is not None


def cut_full(text: str, engine: JiebaEngine) -> Iterator[str]:
    """The tokens of mode "full": those of blocks that may hold words, and the white space and punctuation between."""
    for position, block in enumerate(_BLOCK.split(text)):
        if position % 2:
            yield from _every_word(block, engine)
        else:
            yield from filter(None, WHITE_SPACE.split(block))


def _every_word(block: str, engine: JiebaEngine) -> Iterator[str]:
    """Every dictionary word of the block by start and length, and the characters that no word covers."""
    run, covered, knows, longest = "", 0, engine.knows, max(engine.longest, _LONGEST_WORD)
    for start, character in enumerate(block):
        ends = range(start + 2, min(start + longest, len(block)) + 1)
        words = [block[start:end] for end in ends if knows(block[start:end])]
        if not words and start >= covered and _LETTER_OR_DIGIT.match(character):
            run += character
            continue
        if run:
            yield run
            run = ""
        yield from words
        if words:
            covered = start + len(words[-1])
        elif start >= covered:
            yield character
    if run:
        yield run


def _with_surrogates(cut: Callable[[str, bool], list[str]]) -> Callable[[str, bool], list[str]]:
    """A function as `cut` that keeps lone surrogates as tokens: UTF-8, which rjieba reads, cannot hold them."""

    def cut_any(text: str, hmm: bool, /) -> list[str]:
        try:
            return cut(text, hmm)
        except UnicodeEncodeError:
            parts = [part for part in _SURROGATE.split(text) if part]
            return [token for part in parts for token in ([part] if _SURROGATE.match(part) else cut(part, hmm))]

    return cut_any
