"""Entries: the lines of a user dictionary as word, frequency and tag, or as a word and the parts that it is cut into.

**With a tab**, only tabs separate, and nothing is guessed: `word⇥frequency⇥tag`, `word⇥tag⇥frequency`, `word⇥tag`,
`word⇥frequency` or `word⇥`. Frequency and tag may be empty. A word that ends in digits, in a lowercase word or in a
Chinese one needs a tab (`iPhone 15⇥`, `machine learning⇥n`), and so does a tag with capitals or digits (`张三丰⇥PER`).

**Without a tab**, blanks separate (U+3000 is one), and a line is read from the right, by jieba's own rule and a little
more. A tag is a field of lowercase ASCII letters, or of Chinese characters alone, as the tags of zhpipe's own models
are. A frequency is a field of ASCII digits. Frequency and tag may have either order if the word is Chinese and has no
space. Everything to the left is the word, spaces included; the first field always belongs to the word: `云计算 5 n`,
`云计算 名词 5`, `阿尔法城 地名`, `New York 5`, `iPhone 15 Pro`, `123`. Commas may separate instead: `云计算,5,n`.

A line whose word would hold what looks like a frequency or a tag is refused, and a tab says which it is: `北京 大学 n`,
`张三丰 PER`, `云计算 3.5 n`, `云计算/n`.

**With an arrow**, a word and the parts that it is always cut into: `价格便宜 => 价格 便宜`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.errors import DictionaryError

ARROW = "=>"

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
_BLANKS = " \u3000\xa0"
_FIELD = re.compile(f"[^{_BLANKS}]+")
_HAS_HAN = re.compile(f"[{_HAN}]")
_CHINESE = re.compile(f"[{_HAN}]+")
_LOWERCASE = re.compile("[a-z]+")
_NUMBER = re.compile("[0-9]+")
# A field inside a word that is more likely a tag or a frequency than a part of the word.
_SUSPICIOUS = re.compile(f"[{_HAN}]+|[A-Z][A-Z_-]*|[0-9]*[.][0-9]+")
# A slash with a tag of jieba's behind it, or with the Chinese name of a part of speech or of a kind of name.
_SLASHED = re.compile(f".*[{_HAN}].*/([a-z]{{1,5}}|[{_HAN}]*[词名])")


class Fields(NamedTuple):
    """What a line says of a word; frequency and tag are empty, and there are no parts, where it says nothing."""

    word: str
    frequency: str = ""
    tag: str = ""
    parts: tuple[str, ...] = ()


def parse(line: str) -> Fields:
    """The fields of a line that is not blank.

    Raises DictionaryError if the word can't be told from frequency or tag, or is not its parts joined.

    >>> parse("云计算 名词 5"), parse("New York 5").frequency, parse("价格便宜 => 价格 便宜").parts
    (Fields(word='云计算', frequency='5', tag='名词', parts=()), '5', ('价格', '便宜'))
    """
    if line.isalpha():  # most lines of large dictionaries
        return Fields(line)
    if "\t" in line:
        return _tabbed(line)
    line = line.strip()
    if ARROW in line:
        return _with_parts(line)
    if "," in line and not any(blank in line for blank in _BLANKS) and _HAS_HAN.search(line.partition(",")[0]):
        return _of_fields(line.split(","), line)
    return _spaced(line)


def line(word: str, tag: str | None = None, frequency: int | None = None) -> str:
    """A line that `parse` reads as this entry: separated by spaces where this is unambiguous, else by tabs."""
    fields = Fields(word, "" if frequency is None else str(frequency), tag or "")
    plain = " ".join(filter(None, fields[:3]))
    try:
        is_plain = parse(plain) == fields
    except DictionaryError:
        is_plain = False
    return plain if is_plain else "\t".join(fields[:3])


def split_line(word: str, parts: Sequence[str]) -> str:
    """A line that `parse` reads as a word and its parts."""
    return f"{word} {ARROW} {' '.join(parts)}"


def _with_parts(line: str) -> Fields:
    word, parts = line.partition(ARROW)[0].strip(), tuple(_FIELD.findall(line.partition(ARROW)[2]))
    if len(parts) < 2 or "".join(parts) != word:
        raise DictionaryError(
            f"{line!r}: expected a word, {ARROW} and two or more parts that are the word when they are joined, such as "
            f"价格便宜 {ARROW} 价格 便宜; if {line!r} is the word, write this and a tab"
        )
    return Fields(word, parts=parts)


def _tabbed(line: str) -> Fields:
    word, *rest = (part.strip() for part in line.split("\t"))
    match rest:
        case [tag, frequency] if _NUMBER.fullmatch(frequency) and tag and not _NUMBER.fullmatch(tag):
            return Fields(word, frequency, tag)
        case [frequency, tag]:
            return Fields(word, frequency, tag)
        case [number] if _NUMBER.fullmatch(number):
            return Fields(word, number)
        case [tag]:
            return Fields(word, tag=tag)
    raise DictionaryError(f"expected at most word, frequency and tag between tabs, found {len(rest) + 1} fields")


def _spaced(line: str) -> Fields:
    found = list(_FIELD.finditer(line))
    fields = [field[0] for field in found]
    count, frequency, tag = _ending(fields)
    words = fields[:count]
    is_chinese = _HAS_HAN.search(words[0]) is not None
    if any(_SUSPICIOUS.fullmatch(word) and (is_chinese or _CHINESE.fullmatch(word)) for word in words[1:]):
        raise _unclear(line, words[0], " ".join(words))
    word = line[: found[count - 1].end()]
    if count == 1 and _SLASHED.fullmatch(word):
        raise _unclear(line, word.rpartition("/")[0], word)
    return Fields(word, frequency, tag)


def _ending(fields: Sequence[str]) -> tuple[int, str, str]:
    """The number of fields that are the word, and the frequency and the tag behind it."""
    count, frequency, tag = len(fields), "", ""
    if count > 1 and _is_tag(fields[count - 1]):
        count, tag = count - 1, fields[count - 1]
    if count > 1 and _NUMBER.fullmatch(fields[count - 1]):
        count, frequency = count - 1, fields[count - 1]
    if frequency and not tag and count > 1 and _is_tag(fields[count - 1]):
        is_chinese_word = count == 2 and _HAS_HAN.search(fields[0])
        if is_chinese_word or _CHINESE.fullmatch(fields[count - 1]):
            count, tag = count - 1, fields[count - 1]
    return count, frequency, tag


def _of_fields(fields: Sequence[str], line: str) -> Fields:
    """Word, frequency and tag of fields between commas."""
    word, *rest = (field.strip() for field in fields)
    numbers = [field for field in rest if _NUMBER.fullmatch(field)]
    tags = [field for field in rest if _is_tag(field)]
    named = len(tags) == 1 and (_LOWERCASE.fullmatch(tags[0]) or numbers)
    if len(rest) > 2 or len(numbers) > 1 or len(numbers) + len(tags) < len([field for field in rest if field]):
        raise _unclear(line, word, line)
    if not (named or (numbers and not tags)):
        raise _unclear(line, word, line)
    return Fields(word, "".join(numbers), "".join(tags))


def _is_tag(field: str) -> bool:
    return bool(_LOWERCASE.fullmatch(field) or _CHINESE.fullmatch(field))


def _unclear(line: str, word: str, whole: str) -> DictionaryError:
    return DictionaryError(
        f"{line!r} has no clear word, frequency and tag: write {word!r}, a tab and the tag, or, if {whole!r} is the "
        "word, this and a tab"
    )
