"""jieba as the baseline of a tagger: its words, and the parts of speech that its dictionary and HMM give them."""

import time
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from corpora.document import Sentence
from corpora.tags import to_characters
from pipeline.errors import PipelineError
from pipeline.evaluation.baselines.crfsuite import scored
from pipeline.evaluation.baselines.linear import Keep, Sample
from pipeline.segmentation.jieba_engines import jieba_tokenizer

COMMON = frozenset("n v a d r p c u m q w".split())  # noqa: SIM905
LATIN, NOUN, PUNCTUATION = "nx", "n", "w"


def run(
    parts: Mapping[str, Sequence[Sample]],
    kind: str,
    tags: Iterable[str],
    scheme: str | None,
    known: frozenset[str],
    *,
    advance: Callable[[int], object] = lambda finished: None,
    keep: Keep = lambda name, predicted: None,
) -> dict[str, dict[str, Any]]:
    """{"jieba": {part: scores, "seconds": float}}; nothing is trained, and the seconds do not include loading.

    `kind`: as in the section `[tag]`; `tags`: the parts of speech in train, if words have any. `keep` is called as by
    `crfsuite.run`. Raises PipelineError if the kind is entities, or the parts of speech are not those of the People's
    Daily corpus, which jieba uses.
    """
    answer = _answering(kind, frozenset(tags), scheme)
    start = time.perf_counter()
    said = {part: [answer(sample.tokens) for sample in samples] for part, samples in parts.items()}
    seconds = time.perf_counter() - start
    keep("jieba", said)
    advance(1)
    return {"jieba": {**scored(parts, said, scheme, known), "seconds": seconds}}


def _answering(kind: str, tags: frozenset[str], scheme: str | None) -> Callable[[Sequence[str]], Sequence[str]]:
    """The function from tokens to their tags."""
    if kind == "entities":
        raise PipelineError('evaluate.baselines has "jieba", which finds words and no entities: leave it out')
    if kind == "words":
        tokenizer = jieba_tokenizer()
        return lambda tokens: _characters(list(tokenizer.cut("".join(tokens))), None, str(scheme))
    if not tags >= COMMON:
        raise PipelineError(
            f'evaluate.baselines has "jieba", whose parts of speech are those of the People\'s Daily; train lacks '
            f"{', '.join(sorted(COMMON - tags))} of them: leave it out"
        )
    tagger, names = _tagger(), {tag.lower(): tag for tag in sorted(tags)}
    if kind == "joint":
        return lambda tokens: _joint(tagger.lcut("".join(tokens)), names, str(scheme))
    return lambda tokens: [_part_of_speech(tagger, token, names) for token in tokens]


def _joint(pairs: Sequence[Any], names: Mapping[str, str], scheme: str) -> Sequence[str]:
    words = [pair.word for pair in pairs]
    return _characters(words, [tag_of(pair.flag, pair.word, names) for pair in pairs], scheme)


def _characters(words: Sequence[str], tags: Sequence[str] | None, scheme: str) -> Sequence[str]:
    return to_characters(Sentence(tuple(words), None if tags is None else tuple(tags)), scheme).tags or ()


def _part_of_speech(tagger: Any, word: str, names: Mapping[str, str]) -> str:
    """The tag of a word in the dictionary, or else of the last of the words that jieba cuts it into."""
    flag = tagger.word_tag_tab.get(word) or tagger.lcut(word)[-1].flag
    return tag_of(flag, word, names)


def tag_of(flag: str, word: str, names: Mapping[str, str]) -> str:
    """The tag of the corpus for a `flag` of jieba: the longest prefix of the flag that is a tag of the corpus.

    `names`: the tags of the corpus by their lower-case forms. jieba flags what it does not know `x`: it is punctuation
    or, like `eng`, Latin letters.

    >>> names = {"n": "n", "nr": "nr", "ng": "Ng", "u": "u", "w": "w", "nx": "nx"}
    >>> [tag_of(flag, "好", names) for flag in ("nrt", "ng", "uj", "eng")], tag_of("x", "。", names)
    (['nr', 'Ng', 'u', 'nx'], 'w')
    """
    if flag == "x" and all(unicodedata.category(character)[0] in "PS" for character in word):
        return PUNCTUATION
    if flag in ("x", "eng"):
        return names.get(LATIN, NOUN)
    beginnings = (flag[:length] for length in range(len(flag), 0, -1))
    return next((names[beginning] for beginning in beginnings if beginning in names), NOUN)


def _tagger() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `jieba_tokenizer`
        from jieba import posseg

        return posseg.POSTokenizer(jieba_tokenizer())
