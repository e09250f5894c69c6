"""Tag schemes: spans and words as one tag per token, and back; which tag may follow which.

A tag is `O` (outside), or a letter and a label, `B-地点`; words without labels have bare letters.

| scheme | first | inside | last | alone |
| BIO    | B     | I      | I    | B     |
| BMES   | B     | M      | E    | S     |
| BIOES  | B     | I      | E    | S     |

Any sequence of tags is decoded, legal or not, as by the scorer of the CoNLL-2000 shared task (Tjong Kim Sang and
Buchholz, 2000, `conlleval`): a span begins at B and S, and also at an inside or last tag that continues nothing: at the
start, after O, after E or S, or after another label. A span ends before the next one, before O, after E and S, and at
the end. Neighbouring tags that break the scheme are counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from corpora.document import Sentence, Span
from corpora.errors import CorpusError, shown
from corpora.overlaps import Kept

# The letters for the first, an inside, the last and the only token of a span.
SCHEMES = {"BIO": ("B", "I", "I", "B"), "BMES": ("B", "M", "E", "S"), "BIOES": ("B", "I", "E", "S")}
OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Decoded:
    """Disjoint spans in tokens, in order, and the number of neighbours, ends included, that break the scheme."""

    spans: tuple[Span, ...]
    illegal: int


@dataclass(frozen=True, slots=True)
class DecodedWords:
    """A sentence of words, decoded from tagged characters, and the number of neighbours that break the scheme."""

    sentence: Sentence
    illegal: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which tags may begin a sentence, follow each other and end it, by their position among n tags.

    Args:
        start: n truths.
        between: n rows of n; `between[previous][next]`.
        end: n truths.
    """

    start: tuple[bool, ...]
    between: tuple[tuple[bool, ...], ...]
    end: tuple[bool, ...]


def spans(tags: Sequence[str], scheme: str) -> Decoded:
    """The spans of a sequence of tags, half-open, in tokens; `tags_of` is the inverse for legal tags.

    Raises:
        CorpusError: The scheme is unknown, or a tag is not in it or has no label.

    >>> spans(["B-人", "I-人", "O", "I-地"], "BIO")
    Decoded(spans=(Span(start=0, end=2, label='人'), Span(start=3, end=4, label='地')), illegal=1)
    """
    stretches, illegal = _stretches(tags, scheme)
    for start, _, label in stretches:
        if not label:
            raise CorpusError(f'tag {start + 1}: "{tags[start]}" has no label: "{tags[start]}-NAME" is expected')
    return Decoded(tuple(Span(*stretch) for stretch in stretches), illegal)


def tags_of(spans: Iterable[Span], length: int, scheme: str) -> tuple[str, ...]:
    """The tags of `length` tokens with these spans, in any order; `spans` is the inverse.

    Raises:
        CorpusError: The scheme is unknown, two spans overlap, or one ends after the last token.

    >>> tags_of([Span(1, 4, "地点")], 5, "BMES")
    ('O', 'B-地点', 'M-地点', 'E-地点', 'O')
    """
    letters = _letters(scheme)
    tags = [OUTSIDE] * length
    before = None
    for span in sorted(spans):
        if before and span.start < before.end:
            raise CorpusError(f"{_named(before)} and {_named(span)} overlap, and a token has one tag: drop one")
        if span.end > length:
            raise CorpusError(f"{_named(span)} ends after the last of {length} tokens")
        tags[span.start : span.end] = [f"{letter}-{span.label}" for letter in _lettering(span.length, letters)]
        before = span
    return tuple(tags)


def words(tags: Sequence[str], scheme: str) -> tuple[tuple[int, int, str], ...]:
    """The words of tagged tokens: the start and end of each, half-open, and its label, "" for none.

    Raises:
        CorpusError: The scheme is unknown, or a tag is not in it, or is `O`.

    >>> words(["S", "B", "E"], "BMES"), words(["B-n", "I-n", "B-v"], "BIO")
    (((0, 1, ''), (1, 3, '')), ((0, 2, 'n'), (2, 3, 'v')))
    """
    _refuse_outside(tags)
    return tuple(_stretches(tags, scheme)[0])


def tags_of_words(words: Iterable[tuple[int, int, str]], length: int, scheme: str) -> tuple[str, ...]:
    """The tags of `length` tokens that these words cover; the inverse of `words` for legal tags.

    Raises:
        CorpusError: The scheme is unknown, a word is empty, or the words leave a token out or overlap.

    >>> tags_of_words([(0, 1, ""), (1, 3, "")], 3, "BMES")
    ('S', 'B', 'E')
    """
    letters, tags = _letters(scheme), list[str]()
    for start, end, label in sorted(words):
        if start != len(tags) or not start < end <= length:
            raise CorpusError(
                f"word {start}:{end}: words are expected to cover the {length} tokens, one after the other; the next "
                f"one begins at {len(tags)}"
            )
        tags += [f"{letter}-{label}" if label else letter for letter in _lettering(end - start, letters)]
    if len(tags) != length:
        raise CorpusError(f"the words end after {len(tags)} of {length} tokens: they are expected to cover them all")
    return tuple(tags)


def scheme_of(tags: Iterable[str]) -> str:
    """The scheme of a corpus from all its tags: BMES if it has an M, BIOES if it has an E or S and no M, else BIO.

    Raises:
        CorpusError: A tag belongs to no scheme, or both M and I occur.

    >>> scheme_of(["O", "B-人", "E-人", "M-人"])
    'BMES'
    """
    letters = {tag.partition("-")[0] for tag in tags} - {OUTSIDE}
    for scheme in ("BIO", "BIOES", "BMES"):
        if letters <= set(SCHEMES[scheme]):
            return scheme
    raise CorpusError(
        f"tags that begin with {listed(sorted(letters))} are of no scheme; the schemes are {', '.join(SCHEMES)}: name "
        "the column of the tags, or learn tags of whole words (pos)"
    )


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names from a file for a message: the first ones in quotes.

    >>> listed(["甲", "乙", "丙"], most=2)
    '"甲", "乙" and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(f'"{shown(name, 20)}"' for name in names[:most]) + more


def tag_set(labels: Iterable[str], scheme: str) -> tuple[str, ...]:
    """Every tag of spans with these labels, `O` first; for words, drop the first and pass "" for no label.

    >>> tag_set(["人", "地"], "BIO")
    ('O', 'B-人', 'I-人', 'B-地', 'I-地')
    """
    letters = tuple(dict.fromkeys(_letters(scheme)))
    return (OUTSIDE, *(f"{letter}-{label}" if label else letter for label in labels for letter in letters))


def allowed(tags: Sequence[str], scheme: str) -> Allowed:
    """Which of n tags may follow which, and which may stand at the ends; O(n²).

    Raises:
        CorpusError: The scheme is unknown, or a tag is not in it.

    >>> allowed(["O", "B-人", "I-人"], "BIO").between[0]
    (True, True, False)
    """
    letters = _letters(scheme)
    parts = [_part(tag, letters) for tag in tags]
    return Allowed(
        tuple(_legal(None, part, letters) for part in parts),
        tuple(tuple(_legal(previous, part, letters) for part in parts) for previous in parts),
        tuple(_legal(part, None, letters) for part in parts),
    )


def joined(tags: Sequence[str], scheme: str) -> tuple[tuple[bool, ...], ...]:
    """Whether two neighbours belong to one span, by `spans`: `[previous][next]`, by their position among n tags.

    Raises:
        CorpusError: The scheme is unknown, or a tag is not in it.

    >>> joined(["O", "B-人", "I-人"], "BIO")[1]
    (False, False, True)
    """
    letters = _letters(scheme)
    parts = [_part(tag, letters) for tag in tags]
    return tuple(tuple(_joined(previous, part, letters) for part in parts) for previous in parts)


def lettering(length: int, scheme: str) -> tuple[str, ...]:
    """The letters of a span of `length` tokens.

    >>> lettering(3, "BMES"), lettering(1, "BMES")
    (('B', 'M', 'E'), ('S',))
    """
    return tuple(_lettering(length, _letters(scheme)))


def to_characters(sentence: Sentence, scheme: str = "BMES") -> Sentence:
    """Words, with their tags if they have any, as characters with tags for both: the joint scheme.

    >>> to_characters(Sentence(("我", "爱", "北京"), ("代词", "动词", "名词"))).tags
    ('S-代词', 'S-动词', 'B-名词', 'E-名词')
    >>> to_characters(Sentence(("我", "爱", "北京"))).tags
    ('S', 'S', 'B', 'E')
    """
    letters = _letters(scheme)
    labels = [""] * len(sentence.tokens) if sentence.tags is None else [f"-{tag}" for tag in sentence.tags]
    if "-" in labels:
        raise CorpusError(f"word {labels.index('-') + 1} of {len(labels)} has an empty tag")
    tags = (
        letter + label
        for word, label in zip(sentence.tokens, labels, strict=True)
        for letter in _lettering(len(word), letters)
    )
    return Sentence(tuple("".join(sentence.tokens)), tuple(tags))


def to_words(sentence: Sentence, scheme: str = "BMES") -> DecodedWords:
    """The words of tagged characters, or of tagged pieces of words; the inverse of `to_characters`.

    No character is lost: illegal tags are decoded as described above, and counted.

    Raises:
        CorpusError: There are no tags, one is not in the scheme or is `O`, or only some have labels.

    >>> to_words(Sentence(tuple("我爱北京"), ("S", "S", "B", "M")))
    DecodedWords(sentence=Sentence(tokens=('我', '爱', '北京'), tags=None), illegal=1)
    """
    if sentence.tags is None:
        raise CorpusError("words are decoded from tagged characters, and these have no tags")
    _refuse_outside(sentence.tags)
    stretches, illegal = _stretches(sentence.tags, scheme)
    tokens = tuple("".join(sentence.tokens[start:end]) for start, end, _ in stretches)
    labels = tuple(label for _, _, label in stretches)
    if any(labels) and not all(labels):
        bare = labels.index("")
        raise CorpusError(f'word {bare + 1}, "{tokens[bare]}", has no label, but others have one')
    return DecodedWords(Sentence(tokens, labels if any(labels) else None), illegal)


def in_characters(spans: Iterable[Span], tokens: Sequence[str]) -> tuple[Span, ...]:
    """Spans in tokens as spans in the characters of `"".join(tokens)`.

    >>> in_characters([Span(1, 2, "地点")], ["我爱", "北京"])
    (Span(start=2, end=4, label='地点'),)
    """
    offsets = list(accumulate(map(len, tokens), initial=0))
    return tuple(Span(offsets[span.start], offsets[span.end], span.label) for span in spans)


def in_tokens(spans: Iterable[Span], tokens: Sequence[str]) -> Kept:
    """Spans in the characters of `"".join(tokens)` as spans in tokens.

    A span that begins or ends inside a token is dropped, and stays in characters.

    >>> in_tokens([Span(0, 2, "地点"), Span(2, 3, "事")], ["北京", "烤鸭"])
    Kept(spans=(Span(start=0, end=1, label='地点'),), dropped=(Span(start=2, end=3, label='事'),))
    """
    places = {offset: index for index, offset in enumerate(accumulate(map(len, tokens), initial=0))}
    kept: list[Span] = []
    dropped: list[Span] = []
    for span in spans:
        if span.start in places and span.end in places:
            kept.append(Span(places[span.start], places[span.end], span.label))
        else:
            dropped.append(span)
    return Kept(tuple(sorted(kept)), tuple(sorted(dropped)))


_Letters = tuple[str, str, str, str]
# The letter and the label of a tag; None stands for the start and the end of the sentence.
_Part = tuple[str, str]


def _letters(scheme: str) -> _Letters:
    if scheme not in SCHEMES:
        raise CorpusError(f'no scheme "{scheme}"; the schemes are {", ".join(SCHEMES)}')
    return SCHEMES[scheme]


def _lettering(length: int, letters: _Letters) -> list[str]:
    first, inside, last, alone = letters
    return [alone] if length == 1 else [first, *[inside] * (length - 2), last]


def _part(tag: str, letters: _Letters) -> _Part:
    letter, dash, label = tag.partition("-")
    if tag == OUTSIDE:
        return OUTSIDE, ""
    if letter not in letters or (dash and not label):
        known = ", ".join(dict.fromkeys(letters))
        raise CorpusError(f'"{tag}" is not a tag of the scheme, which has O, and {known} with a label')
    return letter, label


def _joined(previous: _Part | None, part: _Part, letters: _Letters) -> bool:
    """Whether two neighbours belong to one span."""
    first, inside, last, _ = letters
    if previous is None or part[0] not in (inside, last):
        return False
    return previous[0] in (first, inside) and previous[1] == part[1]


def _legal(previous: _Part | None, part: _Part | None, letters: _Letters) -> bool:
    _, inside, last, alone = letters
    if part is not None and part[0] in (inside, last):
        return _joined(previous, part, letters)
    return previous is None or previous[0] in (last, alone, OUTSIDE)


def _stretches(tags: Sequence[str], scheme: str) -> tuple[list[tuple[int, int, str]], int]:
    letters = _letters(scheme)
    known = {tag: _part(tag, letters) for tag in dict.fromkeys(tags)}
    parts = [known[tag] for tag in tags]
    illegal = sum(not _legal(previous, part, letters) for previous, part in pairwise([None, *parts, None]))
    starts = [
        index
        for index, (previous, part) in enumerate(pairwise([None, *parts]))
        if part is not None and not _joined(previous, part, letters)
    ]
    stretches = zip(starts, [*starts, len(parts)][1:], strict=True)
    return [(start, end, parts[start][1]) for start, end in stretches if parts[start][0] != OUTSIDE], illegal


def _refuse_outside(tags: Sequence[str]) -> None:
    if OUTSIDE in tags:
        raise CorpusError(f'character {tags.index(OUTSIDE) + 1} is tagged "O", but every character belongs to a word')


def _named(span: Span) -> str:
    return f'{span.start}:{span.end} "{span.label}"'
