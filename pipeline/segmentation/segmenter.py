"""Segmenter: text -> words, cut by jieba, rjieba or a trained model around the words a user forces, or characters."""

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, Literal, Protocol, get_args

from pipeline.errors import DictionaryError, SettingsError
from pipeline.segmentation.dictionary import Paths, UserDictionary, each_path, numbered_lines, refuse

Unit = Literal["word", "char"]
Engine = Literal["rjieba", "jieba"]
Mode = Literal["default", "search", "full"]

# The blocks in which jieba looks for words, and the white space it keeps apart between them.
_BLOCK = re.compile(r"([\u4E00-\u9FD5a-zA-Z0-9+#&._%\-]+)")
_SPACE = re.compile(r"(\r\n|\s)")
_LETTER_OR_DIGIT = re.compile(r"[a-zA-Z0-9]")
_SURROGATE = re.compile(r"([\ud800-\udfff])")
_LONGEST_WORD = 16  # characters, in the dictionary that both engines ship


class WordEngine(Protocol):
    """A model of our own that finds words: `pipeline.segmentation.model_engine`."""

    @property
    def name(self) -> str:
        """What tells it from every other, `sha256:` and a checksum."""

    def words(self, texts: Sequence[str], dictionary: UserDictionary) -> list[list[tuple[int, int]]]:
        """Where the words of each text stand, in characters, half-open, apart and in order; white space may be in none.

        The model is told of the words of the dictionary; what it does against them is put right here.
        """

    def knows(self, word: str, /) -> bool:
        """Whether the word was in its training text."""


class Segmenter:
    """Cuts text into tokens, and never changes a character of it.

    Construction stores and checks; the engine and its dictionary (a fraction of a second for rjieba, a second
    or two for jieba) are loaded by the first call that needs them. Every segmenter has an engine of its own,
    which nothing writes to once it is loaded: segmenters with different dictionaries don't touch each other,
    and threads may share one. No cache file is read or written, and nothing is logged. Pickling sends
    `settings()`, dictionary included.

    Arguments:
        unit: "word", or "char" for one token a code point (a combining mark or the parts of a joined emoji
            are tokens of their own: grapheme clusters aren't joined; engine, mode, hmm and forced words play
            no part in it).
        engine: "rjieba" (Rust, more than ten times as fast) or "jieba" (the reference). They share one
            dictionary and differ in the cut of rare ideographs beyond U+9FD5, of some ASCII runs with `-`,
            `_` or `.`, and of long repeated interjections, where the HMM has ties. Or a `WordEngine` model, which looks
            at a text as a whole, has no other mode and no HMM, and ends words at white space.
        mode: "default" cuts the text into words that don't overlap. "search" adds the dictionary words of two
            and three characters inside each of them, before it. "full" gives every dictionary word of two
            characters or more at every place, and what no word covers: runs of ASCII letters and digits
            whole, other characters one by one, punctuation in runs. The words of "full" are looked up here,
            by jieba's rule, for both engines, as rjieba leaves out characters that start no word, and jieba
            glues letters to a word that starts with a letter (`x` to `T恤`).
        hmm: whether unknown words are guessed by jieba's hidden Markov model (in "default" and "search").
        dictionary: forced words. The leftmost and longest are found first; each is one token, in every mode,
            whatever characters it holds. The stretches between them are cut with jieba's own dictionary.
        stop_words: what `content` leaves out.
        keep_whitespace: whether `content` keeps white space.

    Raises:
        SettingsError: unit, engine or mode isn't one of the above.

    Laws, for every str: in mode "default" and in unit "char", `"".join(split(text)) == text`. In the modes
    "search" and "full" every token stands in the text, and every character of the text is in a token. No
    token is empty.

    >>> Segmenter().split("周末在滨江步道骑车")
    ['周末', '在', '滨江', '步', '道', '骑车']
    >>> Segmenter(dictionary=UserDictionary({"滨江步道": "nt"})).split("周末在滨江步道骑车")
    ['周末', '在', '滨江步道', '骑车']
    """

    def __init__(
        self,
        *,
        unit: Unit = "word",
        engine: Engine | WordEngine = "rjieba",
        mode: Mode = "default",
        hmm: bool = True,
        dictionary: UserDictionary | None = None,
        stop_words: Collection[str] = (),
        keep_whitespace: bool = False,
    ) -> None:
        self.trained = None if isinstance(engine, str) else engine
        named = engine if isinstance(engine, str) else "rjieba"
        for name, value, kind in (("unit", unit, Unit), ("engine", named, Engine), ("mode", mode, Mode)):
            if value not in get_args(kind):
                raise SettingsError(f"segmenter: {name} is {value!r}: choose one of {', '.join(get_args(kind))}")
        if self.trained and mode != "default":
            raise SettingsError(f"segmenter: mode is {mode!r}, which a trained engine does not have: leave it out")
        self.unit: Unit = unit
        self.engine: str = self.trained.name if self.trained else named
        self.mode: Mode = mode
        self.hmm = hmm
        self.dictionary = UserDictionary() if dictionary is None else dictionary
        self.stop_words = frozenset(stop_words)
        self.keep_whitespace = keep_whitespace

    def split(self, text: str) -> list[str]:
        """The tokens of `text`, white space and punctuation included; [] for the empty text."""
        return self._split(text)

    def split_all(self, texts: Sequence[str]) -> list[list[str]]:
        """`split` of each text; a trained engine cuts many together much faster."""
        if self.trained is None or self.unit == "char":
            return [self._split(text) for text in texts]
        found = self.trained.words(texts, self.dictionary)
        return [self._cut_at(text, words) for text, words in zip(texts, found, strict=True)]

    def content(self, tokens: Iterable[str]) -> list[str]:
        """The tokens that a network or Word2Vec sees: no stop words, and no white space unless `keep_whitespace`."""
        stop_words, keep_whitespace = self.stop_words, self.keep_whitespace
        return [token for token in tokens if token not in stop_words and (keep_whitespace or not token.isspace())]

    def tokens(self, text: str) -> list[str]:
        """`content(split(text))`."""
        return self.content(self._split(text))

    def tag(self, word: str) -> str | None:
        """The tag that the user dictionary gives to `word`, if any."""
        return self.dictionary.words.get(word)

    def is_known(self, word: str) -> bool:
        """Whether `word` is in the user's dictionary or in the engine's own."""
        return word in self.dictionary.words or (self.trained or self._cutter).knows(word)

    def settings(self) -> dict[str, Any]:
        """All that builds this segmenter again, in types that JSON and TOML hold.

        Keys are the arguments; `dictionary` is the list of its lines, `stop_words` a sorted list, a trained `engine`
        its name.
        """
        return {
            "unit": self.unit,
            "engine": self.engine,
            "mode": self.mode,
            "hmm": self.hmm,
            "dictionary": self.dictionary.lines(),
            "stop_words": sorted(self.stop_words),
            "keep_whitespace": self.keep_whitespace,
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], trained: WordEngine | None = None) -> "Segmenter":
        """The segmenter that `settings()` describes; keys left out have their defaults.

        Arguments:
            trained: the engine, where `settings` have the name of one that is trained.

        Raises:
            SettingsError: a key or a value isn't one that `settings()` gives.
            DictionaryError: a line of the dictionary isn't an entry.

        >>> Segmenter.from_settings({"unit": "char"}).split("天气")
        ['天', '气']
        """
        known = cls().settings()
        for key, value in settings.items():
            if key not in known:
                raise SettingsError(f"segmenter: no setting {key!r}: choose from {', '.join(known)}")
            if type(value) is not type(known[key]):
                expected = type(known[key]).__name__
                raise SettingsError(f"segmenter: {key} is {value!r}: expected a value of type {expected}")
        lines = settings.get("dictionary", [])
        engine = trained if trained and settings.get("engine") == trained.name else settings.get("engine", "rjieba")
        return cls(**{**settings, "engine": engine, "dictionary": UserDictionary.parse(lines)})

    def __reduce__(self) -> tuple[object, ...]:
        return Segmenter.from_settings, (self.settings(), self.trained)

    @cached_property
    def _cutter(self) -> "_Cutter":
        return _Rjieba() if self.engine == "rjieba" else _Jieba()

    @cached_property
    def _split(self) -> Callable[[str], list[str]]:
        """The way from text to tokens that the settings ask for, chosen once and not at every call."""
        if self.unit == "char":
            return list
        if self.trained:
            return lambda text: self.split_all([text])[0]
        return self._split_around if self.dictionary.words else self._cut

    @cached_property
    def _cut(self) -> Callable[[str], list[str]]:
        cutter, hmm = self._cutter, self.hmm
        if self.mode == "full":
            return lambda text: list(_full(text, cutter.knows))
        cut = cutter.cut if self.mode == "default" else cutter.search

        def split(text: str) -> list[str]:
            try:
                return cut(text, hmm)
            except UnicodeEncodeError:  # rjieba is handed UTF-8, which has no lone surrogates
                return [token for part in _SURROGATE.split(text) if part for token in _cut_encodable(part)]

        def _cut_encodable(part: str) -> list[str]:
            return [part] if _SURROGATE.match(part) else cut(part, hmm)

        return split

    def _cut_at(self, text: str, words: Sequence[tuple[int, int]]) -> list[str]:
        """The text cut around white space, where a word begins or ends; and, against all this, forced words whole."""
        edges = {0, len(text)}
        edges.update(edge for space in _SPACE.finditer(text) for edge in space.span())
        for start, end in chain(words, self.dictionary.find(text)):
            edges.difference_update(range(start + 1, end))
            edges.update((start, end))
        return [text[start:end] for start, end in pairwise(sorted(edges))]

    def _split_around(self, text: str) -> list[str]:
        cut, tokens, done = self._cut, list[str](), 0
        for start, end in self.dictionary.find(text):
            if done < start:
                tokens += cut(text[done:start])
            tokens.append(text[start:end])
            done = end
        if done < len(text):
            tokens += cut(text[done:])
        return tokens


def read_stop_words(paths: Paths) -> frozenset[str]:
    """The stop words of one or several UTF-8 files, one a line; BOM, CRLF and blank lines are fine.

    Raises:
        DictionaryError: a file can't be read, or lines aren't UTF-8: the first 20 are named with file and
            number.
    """
    words: set[str] = set()
    faults: list[str] = []
    for place, line in chain.from_iterable(map(numbered_lines, each_path(paths))):
        if isinstance(line, DictionaryError):
            faults.append(f"{place}: {line}")
        else:
            words.add(line.strip())
    refuse(faults)
    return frozenset(words)


class _Cutter(Protocol):
    """What a segmenter asks of an engine."""

    def cut(self, text: str, hmm: bool, /) -> list[str]:
        """The words of the text, one after the other."""

    def search(self, text: str, hmm: bool, /) -> list[str]:
        """The same, each after the shorter dictionary words in it."""

    def knows(self, word: str, /) -> bool:
        """Whether the word is in the engine's dictionary."""


class _Rjieba:
    """rjieba with a dictionary of its own: the one of the module could be changed by anyone."""

    def __init__(self) -> None:
        import rjieba

        jieba = rjieba.Jieba()
        self.cut = jieba.cut
        self.search = jieba.cut_for_search
        self._has_word = jieba.has_word

    def knows(self, word: str, /) -> bool:
        return not _SURROGATE.search(word) and self._has_word(word)


def jieba_tokenizer() -> Any:
    """A `jieba.Tokenizer` with a dictionary of its own, read from its text file.

    `Tokenizer.initialize` is never called: it would read and write a file of marshalled data that all users
    of the machine share, and log to standard error.
    """
    with warnings.catch_warnings():
        # It holds escapes that newer Pythons warn of, and may import pkg_resources, which warns too.
        warnings.simplefilter("ignore")
        import jieba

        tokenizer = jieba.Tokenizer()
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer


class _Jieba:
    """jieba, the reference."""

    def __init__(self) -> None:
        self._tokenizer = jieba_tokenizer()

    def cut(self, text: str, hmm: bool, /) -> list[str]:
        return list(self._tokenizer.cut(text, HMM=hmm))

    def search(self, text: str, hmm: bool, /) -> list[str]:
        return list(self._tokenizer.cut_for_search(text, HMM=hmm))

    def knows(self, word: str, /) -> bool:
        return bool(self._tokenizer.FREQ.get(word))


def _full(text: str, knows: Callable[[str], bool]) -> Iterator[str]:
    """The tokens of mode "full": blocks that may hold words, and white space and punctuation between them."""
    for position, block in enumerate(_BLOCK.split(text)):
        if position % 2:
            yield from _every_word(block, knows)
        else:
            yield from filter(None, _SPACE.split(block))


def _every_word(block: str, knows: Callable[[str], bool]) -> Iterator[str]:
    """Every dictionary word of the block by start and length, and in their place what none covers."""
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
