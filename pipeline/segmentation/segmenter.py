"""The segmenter: text -> words, cut by jieba, rjieba or a trained model around a user's own words; or characters."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, Literal, Protocol, get_args

from pipeline.errors import DictionaryError, SettingsError
from pipeline.segmentation import whole
from pipeline.segmentation.dictionary import Paths, UserDictionary, each_path, numbered_lines, refuse
from pipeline.segmentation.jieba_engines import WHITE_SPACE, Jieba, JiebaEngine, Rjieba, can_be_found, cut_full
from pipeline.segmentation.main_dictionary import MainDictionary

Unit = Literal["word", "char"]
Engine = Literal["rjieba", "jieba"]
Mode = Literal["default", "search", "full"]
Places = list[tuple[int, int]]


class WordEngine(Protocol):
    """A trained model that finds words: `pipeline.segmentation.model_engine`."""

    @property
    def name(self) -> str:
        """A name that no other model has: `sha256:` and a checksum."""

    def words(self, texts: Sequence[str], dictionary: UserDictionary) -> list[list[tuple[int, int]]]:
        """The (start, end) of the words of each text, in characters, half-open, in order and without overlap.

        No word holds white space. The model obeys the dictionary as far as it can; the segmenter corrects the rest.
        """

    def knows(self, word: str, /) -> bool:
        """Whether the word was in the model's training text."""


class Segmenter:
    """Cuts text into tokens, and never changes a character of it.

    Construction only checks its arguments. The first call that needs the engine loads it with its dictionary (a
    fraction of a second for rjieba, a second or two for jieba). Every segmenter has an engine of its own, which
    nothing changes once it is loaded: segmenters with different dictionaries do not affect each other, and threads
    may share one. No cache file is read or written, and nothing is logged. Pickling sends `settings()`, dictionary
    included.

    Arguments:
        unit: "word", or "char" for one token per code point: a combining mark and the parts of a joined emoji are
            tokens of their own. Engine, mode, hmm and forced words do not affect characters.
        engine: "rjieba" (in Rust, more than ten times as fast) or "jieba" (the reference). They share one dictionary.
            They differ in rare ideographs beyond U+9FD5, in some ASCII runs with `-`, `_` or `.`, and in long
            repeated interjections, where the HMM has ties. Or a `WordEngine`, which reads a text as a whole, has only
            the mode "default" and no HMM, and ends words at white space.
        mode: "default" cuts the text into words that do not overlap. "search" puts the dictionary words of two and
            three characters inside each word before it. "full" gives every dictionary word of two characters or more
            at every place, and what no word covers: runs of ASCII letters and digits whole, other characters one by
            one, punctuation in runs. For "full" both engines only look up words, by jieba's rule, because rjieba
            leaves out characters that start no word, and jieba joins letters to a word that starts with a letter (`x`
            to `T恤`).
        hmm: whether jieba's hidden Markov model guesses unknown words (in "default" and "search").
        dictionary: forced words, found leftmost first and of these the longest. Each is one token, in every mode,
            whatever characters it holds; a word that is always split is the tokens that it is split into. The engine
            cuts the text between them. Weighted words take part in jieba's best path, and words of frequency 0 do not;
            where the hidden Markov model finds one of these all the same, it is cut into characters, as in jieba.
        main: what stands in for jieba's own dictionary.
        keep_whole: whether e-mail addresses, URLs, `@name`, `#topic#`, times and emoji of several code points are
            tokens (`pipeline.segmentation.whole`), and whether runs of Latin letters and digits stay whole: in mode
            "default" no token begins or ends inside one, unless the dictionary says how it is split. Does not affect
            characters. Overrides `keep_whole` of the dictionary.
        stop_words: what `content` leaves out.
        keep_whitespace: whether `content` keeps white space.

    Raises:
        SettingsError: unit, engine or mode is not one of the above; or characters or a trained engine are given
            weighted words, words of frequency 0 or a main dictionary, which are for jieba.

    Laws, for every str: no token is empty. In mode "default" and in unit "char", `"".join(split(text)) == text`. In
    the modes "search" and "full" every token occurs in the text, and every character of the text is in a token.

    >>> Segmenter().split("周末在滨江步道骑车")
    ['周末', '在', '滨江', '步', '道', '骑车']
    >>> Segmenter(dictionary=UserDictionary({"滨江步道": "nt"})).split("周末在滨江步道骑车")
    ['周末', '在', '滨江步道', '骑车']
    >>> forced, weighted = UserDictionary({"和服": None}), UserDictionary(weights={"和服": None})
    >>> Segmenter(dictionary=forced).split("商品和服务"), Segmenter(dictionary=weighted).split("商品和服务")
    (['商品', '和服', '务'], ['商品', '和', '服务'])
    """

    def __init__(
        self,
        *,
        unit: Unit = "word",
        engine: Engine | WordEngine = "rjieba",
        mode: Mode = "default",
        hmm: bool = True,
        dictionary: UserDictionary | None = None,
        main: MainDictionary | None = None,
        keep_whole: bool = True,
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
        self.dictionary = (dictionary or UserDictionary()).keeping_whole(keep_whole)
        self.main = main
        self.keep_whole = keep_whole
        if unit == "char" or self.trained:
            self._check_nothing_for_jieba()
        self.stop_words = frozenset(stop_words)
        self.keep_whitespace = keep_whitespace

    def _check_nothing_for_jieba(self) -> None:
        cutter = "a trained segmenter" if self.trained else 'unit "char"'
        if self.main is not None:
            raise SettingsError(f"segmenter: a main dictionary is for jieba, and {cutter} reads none: leave it out")
        if self.dictionary.weights:
            word, frequency = next(iter(self.dictionary.weights.items()))
            way_out = f"write {word} => and the parts that it is cut into" if frequency == 0 else "force it"
            raise SettingsError(
                f"segmenter: the frequency of {word!r} is for jieba, and {cutter} weighs no words: {way_out}, or leave "
                "the word out"
            )

    def split(self, text: str) -> list[str]:
        """The tokens of `text`, white space and punctuation included; [] for the empty text."""
        return self._split(text)

    def split_all(self, texts: Sequence[str]) -> list[list[str]]:
        """`split` of each text; a trained engine is much faster on many texts at once."""
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
        """The tag of `word` in the user's dictionary, if it has one."""
        return self.dictionary.words.get(word)

    def is_known(self, word: str) -> bool:
        """Whether `word` is in the user's dictionary or in the engine's own."""
        return word in self.dictionary.words or (self.trained or self._jieba).knows(word)

    @cached_property
    def unreachable(self) -> list[str]:
        """The weighted words that are never found, because jieba cuts at one of their characters."""
        return [
            word for word, frequency in self.dictionary.weights.items() if frequency != 0 and not can_be_found(word)
        ]

    def with_dictionary(self, dictionary: UserDictionary) -> "Segmenter":
        """The same with the entries of another dictionary, which win over its own. Raises SettingsError."""
        made = Segmenter(**self._arguments(), dictionary=self.dictionary.updated(dictionary))
        if not (dictionary.weights or self.dictionary.weights):
            vars(made).update({name: value for name, value in vars(self).items() if name == "_jieba"})
        return made

    def settings(self) -> dict[str, Any]:
        """The arguments that build this segmenter again, in types that JSON and TOML have.

        `dictionary` and `weighted` are lists of its lines, `stop_words` a sorted list; a trained `engine` and a `main`
        dictionary are their names, which is "" for jieba's own dictionary.
        """
        return {
            "unit": self.unit,
            "engine": self.engine,
            "mode": self.mode,
            "hmm": self.hmm,
            "dictionary": self.dictionary.lines(),
            "weighted": self.dictionary.weighted_lines(),
            "main": self.main.name if self.main else "",
            "keep_whole": self.keep_whole,
            "stop_words": sorted(self.stop_words),
            "keep_whitespace": self.keep_whitespace,
        }

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], trained: WordEngine | None = None, main: MainDictionary | None = None
    ) -> "Segmenter":
        """The segmenter that `settings()` describes; missing keys have their defaults.

        Arguments:
            trained: the engine, if `settings` name a trained one.
            main: the main dictionary, if `settings` name one.

        Raises:
            SettingsError: `settings()` returns no such key or value, or names another main dictionary.
            DictionaryError: a line of the dictionary is not an entry.

        >>> Segmenter.from_settings({"unit": "char"}).split("天气")
        ['天', '气']
        """
        _check_types(settings, cls().settings())
        engine = trained if trained and settings.get("engine") == trained.name else settings.get("engine", "rjieba")
        named = settings.get("main", "")
        if named != (main.name if main else ""):
            raise SettingsError(f"segmenter: main is {named!r}: give the main dictionary of this name")
        dictionary = UserDictionary.parse(settings.get("dictionary", []), settings.get("weighted", []))
        rest = {key: value for key, value in settings.items() if key not in ("weighted", "main")}
        return cls(**{**rest, "engine": engine, "dictionary": dictionary, "main": main})

    def _arguments(self) -> dict[str, Any]:
        """The arguments that build this segmenter again, but for the dictionary."""
        names = ("unit", "mode", "hmm", "main", "keep_whole", "stop_words", "keep_whitespace")
        return {"engine": self.trained or self.engine, **{name: getattr(self, name) for name in names}}

    def __reduce__(self) -> tuple[object, ...]:
        return _made, ({**self._arguments(), "dictionary": self.dictionary},)

    @cached_property
    def _jieba(self) -> JiebaEngine:
        made = Rjieba if self.engine == "rjieba" else Jieba
        return made(self.dictionary.weights, self.main)

    @cached_property
    def _split(self) -> Callable[[str], list[str]]:
        """The function from text to tokens for these settings, chosen once."""
        if self.unit == "char":
            return list
        if self.trained:
            return lambda text: self.split_all([text])[0]
        if self.keep_whole:
            return lambda text: _around(text, self._units(text), self._cut_whole)
        if self.dictionary.forces:
            return lambda text: _around(text, self.dictionary.find(text), self._cut)
        return self._cut

    @cached_property
    def _cut(self) -> Callable[[str], list[str]]:
        """The cut of text without forced words, by jieba or rjieba."""
        engine = self._jieba
        if self.mode == "full":
            return lambda text: list(cut_full(text, engine))
        return self._words if self.mode == "default" else self._by_engine(engine.search)

    @cached_property
    def _words(self) -> Callable[[str], list[str]]:
        """The same in mode "default"."""
        return self._by_engine(self._jieba.cut)

    def _by_engine(self, cut: Callable[[str, bool], list[str]]) -> Callable[[str], list[str]]:
        """A function of the engine with these settings; words of frequency 0 are cut into characters."""
        hmm, never = self.hmm, self.dictionary.never
        if not never:
            return lambda text: cut(text, hmm)
        return lambda text: [part for token in cut(text, hmm) for part in (token if token in never else (token,))]

    def _cut_whole(self, text: str) -> list[str]:
        """`_cut`, with each run of letters and digits that it cuts as a token, and what is around it cut by itself."""
        if self.mode == "full" or not whole.has_runs(text):
            return self._cut(text)
        tokens = self._words(text)
        if runs := whole.cut_runs(text, tokens):
            return _around(text, runs, self._cut_whole)
        return tokens if self.mode == "default" else self._cut(text)

    def _units(self, text: str) -> Places:
        """Forced words, the parts of words that are split, and the patterns that none of these covers."""
        forced, patterns = self.dictionary.find(text), whole.patterns(text)
        if not (forced and patterns):
            return forced or patterns
        taken = {place for start, end in forced for place in range(start, end)}
        return sorted([*forced, *(place for place in patterns if taken.isdisjoint(range(*place)))])

    def _cut_at(self, text: str, words: Sequence[tuple[int, int]]) -> list[str]:
        """The text cut where words begin and end and around white space, but never inside a forced word."""
        edges = {0, len(text)}
        edges.update(edge for space in WHITE_SPACE.finditer(text) for edge in space.span())
        edges.update(edge for word in words for edge in word)
        if self.keep_whole:
            for start, end in (run.span() for run in whole.RUN.finditer(text)):
                if not edges.isdisjoint(range(start + 1, end)):
                    _keep(edges, start, end)
        for start, end in self._units(text) if self.keep_whole else self.dictionary.find(text):
            _keep(edges, start, end)
        return [text[start:end] for start, end in pairwise(sorted(edges))]


def _keep(edges: set[int], start: int, end: int) -> None:
    """Makes a place one token."""
    edges.difference_update(range(start + 1, end))
    edges.update((start, end))


def _around(text: str, units: Places, cut: Callable[[str], list[str]]) -> list[str]:
    """The units of a text as tokens, and the cut of what lies between them."""
    if not units:
        return cut(text)
    tokens, done = list[str](), 0
    for start, end in units:
        if done < start:
            tokens += cut(text[done:start])
        tokens.append(text[start:end])
        done = end
    if done < len(text):
        tokens += cut(text[done:])
    return tokens


def _made(arguments: dict[str, Any]) -> Segmenter:
    return Segmenter(**arguments)


def read_stop_words(paths: Paths) -> frozenset[str]:
    """The stop words of one or several UTF-8 files, one per line; a BOM, CRLF and blank lines are accepted.

    Raises:
        DictionaryError: a file can't be read, or lines are not UTF-8; names the first 20 with file and number.
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


def _check_types(settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raises SettingsError for a key that is not known, or a value of another type than its known value."""
    for key, value in settings.items():
        if key not in known:
            raise SettingsError(f"segmenter: no setting {key!r}: choose from {', '.join(known)}")
        if type(value) is not type(known[key]):
            expected = type(known[key]).__name__
            raise SettingsError(f"segmenter: {key} is {value!r}: expected a value of type {expected}")
