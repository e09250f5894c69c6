"""jieba and rjieba as the engines of a segmenter, each with a dictionary of its own; and their full mode."""

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Protocol

# The blocks in which jieba looks for words, and the white space that it keeps apart between them.
_BLOCK = re.compile(r"([\u4E00-\u9FD5a-zA-Z0-9+#&._%\-]+)")
WHITE_SPACE = re.compile(r"(\r\n|\s)")
_LETTER_OR_DIGIT = re.compile(r"[a-zA-Z0-9]")
_SURROGATE = re.compile(r"([\ud800-\udfff])")
_LONGEST_WORD = 16  # characters, in the dictionary that both engines ship


class JiebaEngine(Protocol):
    """What a segmenter asks of jieba or rjieba."""

    def cut(self, text: str, hmm: bool, /) -> list[str]:
        """The words of the text in order, without overlap."""

    def search(self, text: str, hmm: bool, /) -> list[str]:
        """The same, each word after the shorter dictionary words inside it."""

    def knows(self, word: str, /) -> bool:
        """Whether the word is in the engine's dictionary."""


class Rjieba:
    """rjieba with a dictionary of its own: anyone could change the one of the module."""

    def __init__(self) -> None:
        import rjieba

        jieba = rjieba.Jieba()
        self.cut = _with_surrogates(jieba.cut)
        self.search = _with_surrogates(jieba.cut_for_search)
        self._has_word = jieba.has_word

    def knows(self, word: str, /) -> bool:
        """As `JiebaEngine.knows`."""
        return not _SURROGATE.search(word) and bool(self._has_word(word))


class Jieba:
    """jieba, the reference."""

    def __init__(self) -> None:
        self._tokenizer = jieba_tokenizer()

    def cut(self, text: str, hmm: bool, /) -> list[str]:
        """As `JiebaEngine.cut`."""
        return list(self._tokenizer.cut(text, HMM=hmm))

    def search(self, text: str, hmm: bool, /) -> list[str]:
        """As `JiebaEngine.search`."""
        return list(self._tokenizer.cut_for_search(text, HMM=hmm))

    def knows(self, word: str, /) -> bool:
        """As `JiebaEngine.knows`."""
        return bool(self._tokenizer.FREQ.get(word))


def jieba_tokenizer() -> Any:
    """A `jieba.Tokenizer` with a dictionary of its own, read from its text file.

    `Tokenizer.initialize` is never called: it would read and write a file of marshalled data that all users of the
    machine share, and log to standard error.
    """
    with warnings.catch_warnings():
        # jieba has escapes that newer Pythons warn of, and may import pkg_resources, which warns too.
        warnings.simplefilter("ignore")
        import jieba

        tokenizer = jieba.Tokenizer()
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer


def cut_full(text: str, knows: Callable[[str], bool]) -> Iterator[str]:
    """The tokens of mode "full": those of blocks that may hold words, and the white space and punctuation between."""
    for position, block in enumerate(_BLOCK.split(text)):
        if position % 2:
            yield from _every_word(block, knows)
        else:
            yield from filter(None, WHITE_SPACE.split(block))


def _every_word(block: str, knows: Callable[[str], bool]) -> Iterator[str]:
    """Every dictionary word of the block by start and length, and the characters that no word covers."""
    run, covered = "", 0
    for start, character in enumerate(block):
        ends = range(start + 2, min(start + _LONGEST_WORD, len(block)) + 1)
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
