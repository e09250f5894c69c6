"""JSON of texts with labelled character spans: CLUENER, doccano and Label Studio, in and out.

| form         | a record                                                                                    |
| cluener      | `{"text": …, "label": {"地点": {"北京": [[0, 1]]}}}`, the last character included             |
| doccano      | `{"text": …, "label": [[0, 2, "地点"]]}`; or "labels", or "entities" of objects with offsets |
| label-studio | `{"data": {"text": …}, "annotations": [{"result": [{"value": …}]}]}`                        |

A file is JSON Lines or one array. Sources: CLUENER2020 (Xu et al., arXiv:2001.04351), and the exports of the two
annotation tools; of Label Studio the smaller one, "JSON-MIN", is read as doccano's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Literal

from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, unencodable
from corpora.findings import Counts
from corpora.labels import bare
from corpora.span_records import RawSpan, form_of, records
from corpora.tags import flat, tags_of

Offsets = Literal["characters", "utf-16"]
OFFSETS = ("characters", "utf-16")


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """A text with labelled spans, which may overlap.

    Args:
        text: The text as in the source; may be empty.
        spans: In characters of the text, in order and distinct; None for a text that nobody has annotated.
        row: 1-based number of the record; 0 for a text that came from no file.

    Raises:
        CorpusError: A span ends after the text, or spans are not in order.

    >>> AnnotatedText("我爱北京", (Span(2, 4, "地点"),)).mentions()
    (('地点', '北京'),)
    """

    text: str
    spans: tuple[Span, ...] | None = None
    row: int = 0

    def __post_init__(self) -> None:
        if any(span.end > len(self.text) for span in self.spans or ()):
            raise CorpusError(_beyond(self.text, self.spans or ()))
        if self.spans is not None and self.spans != tuple(sorted(set(self.spans))):
            raise CorpusError("distinct spans in order are expected: sort them")

    def mentions(self) -> tuple[tuple[str, str], ...]:
        """The label and the text of each span."""
        return tuple((span.label, self.text[span.start : span.end]) for span in self.spans or ())

    def flat(self) -> AnnotatedText:
        """The same without overlaps: the longest spans are kept, see `corpora.tags.flat`."""
        return self if self.spans is None else AnnotatedText(self.text, flat(self.spans).spans, self.row)

    def sentence(self, scheme: str = "BMES") -> Sentence:
        """The characters, each a token, with their tags; no tags where `spans` is None.

        Raises:
            CorpusError: Two spans overlap.

        >>> AnnotatedText("爱北京", (Span(1, 3, "地点"),)).sentence("BIO").tags
        ('O', 'B-地点', 'I-地点')
        """
        tags = None if self.spans is None else tags_of(self.spans, len(self.text), scheme)
        return Sentence(tuple(self.text), tags)


@dataclass(frozen=True, slots=True)
class AnnotatedTexts:
    """The texts of a file with their spans; re-iterable.

    JSON Lines (gzip too) are streamed; an array is held in memory while it is iterated. Equal spans are one. White
    space and invisible characters around a label are dropped. Everything else in a record is left out: identifiers,
    relations, and what Label Studio calls predictions and cancelled annotations.

    Args:
        path: The file.
        form: One of `corpora.span_records.FORMS`.
        text: The key of the text.
        offsets: What spans count: "characters" (code points) or "utf-16", in which a browser counts an emoji twice.
            None: characters, but UTF-16 units for a record whose spans come with their words, if these agree only so.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: There is no such form or no such offsets. While iterating: the file cannot be read, or a record is
            not of the form, has spans outside its text or words that disagree with it, or, in Label Studio, has several
            annotations of which not exactly one is marked as ground truth. Names the record and its line.
    """

    path: Path
    form: str = "doccano"
    text: str = "text"
    offsets: Offsets | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        form_of(self.form)
        if self.offsets is not None and self.offsets not in OFFSETS:
            raise CorpusError(f'offsets = "{self.offsets}": "characters" or "utf-16" is expected')

    def __iter__(self) -> Iterator[AnnotatedText]:
        return self.counted(Counter())

    def counted(self, counts: Counts) -> Iterator[AnnotatedText]:
        """The texts; adds to `counts` how many had their offsets converted, or may need it: see `corpora.findings`."""
        reading = form_of(self.form).reading
        for row, (where, record) in enumerate(records(self.path, self.encoding), start=1):
            try:
                text, found = reading(record, self.text)
                yield AnnotatedText(text, None if found is None else _spans(text, found, self.offsets, counts), row)
            except CorpusError as error:
                raise CorpusError(f"{self.path}: {where}: {error}") from None


@dataclass(frozen=True, slots=True)
class CharacterSentences:
    """The texts of a file as sentences of characters with tags; re-iterable.

    Args:
        source: The texts.
        scheme: One of `corpora.tags.SCHEMES`.
        overlaps: "refuse" texts with overlapping spans, or "drop" the shorter of them, see `corpora.tags.flat`.

    Raises:
        CorpusError: `overlaps` is another word. While iterating: as `AnnotatedTexts`, and where spans overlap.
    """

    source: AnnotatedTexts
    scheme: str = "BMES"
    overlaps: str = "refuse"

    def __post_init__(self) -> None:
        if self.overlaps not in ("refuse", "drop"):
            raise CorpusError(f'overlaps = "{self.overlaps}": "refuse" or "drop" is expected')

    def __iter__(self) -> Iterator[Sentence]:
        return self.counted(Counter())

    def counted(self, counts: Counts) -> Iterator[Sentence]:
        """The sentences; adds to `counts` how many spans were dropped, and what `AnnotatedTexts.counted` counts."""
        for document in self.source.counted(counts):
            kept = document.flat() if self.overlaps == "drop" else document
            if dropped := len(document.spans or ()) - len(kept.spans or ()):
                _count("overlaps_dropped", counts, dropped)
            try:
                yield kept.sentence(self.scheme)
            except CorpusError as error:
                hint = 'overlaps = "drop" keeps the longest'
                raise CorpusError(f"{self.source.path}: row {document.row}: {error}; {hint}") from None


def read(
    path: str | Path,
    form: str = "doccano",
    *,
    text: str = "text",
    offsets: Offsets | None = None,
    encoding: str = "utf-8",
) -> AnnotatedTexts:
    """The texts of a file with their spans; see `AnnotatedTexts`."""
    return AnnotatedTexts(Path(path), form, text, offsets, encoding)


def write(
    path: str | Path,
    documents: Iterable[AnnotatedText],
    form: str = "doccano",
    *,
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes texts with spans as JSON Lines, or for Label Studio as one array, and returns their number.

    Raises:
        CorpusError: There is no such form, a text cannot be encoded, or the folder does not exist.
    """
    path, row, making = Path(path), 0, form_of(form).making
    opening, between, closing = ("[\n", ",\n", "\n]\n") if form == "label-studio" else ("", "\n", "\n")
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        stream.write(opening)
        for row, document in enumerate(documents, start=1):
            line = json.dumps(making(document.text, document.spans), ensure_ascii=False)
            try:
                stream.write(between + line if row > 1 else line)
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: row {row}", error) from None
            advance(1)
        stream.write(closing if row or opening else "")
    return row


def _spans(text: str, found: list[RawSpan], offsets: Offsets | None, counts: Counts) -> tuple[Span, ...]:
    spans = [_span(raw) for raw in found]
    words = [raw.words for raw in found]
    wide = _from_utf16(text, spans)
    if offsets == "utf-16":
        if wide is None:
            raise CorpusError("a span begins or ends within a character, if it counts UTF-16 units")
        if wrong := _disagreement(text, wide, words):
            raise CorpusError(f'{wrong}, counted in UTF-16 units: set offsets = "characters"?')
        spans = wide
    elif wrong := _disagreement(text, spans, words):
        if wide is None or _disagreement(text, wide, words):
            raise CorpusError(wrong)
        if offsets == "characters":
            raise CorpusError(f'{wrong}, but it is if counted in UTF-16 units: set offsets = "utf-16"')
        spans = wide
        _count("offsets_converted", counts)
    elif wide is not None and wide != spans and not _disagreement(text, wide, words):
        if any(span.end > len(text) for span in spans):
            raise CorpusError(f'{_beyond(text, spans)}, but not if counted in UTF-16 units: set offsets = "utf-16"')
        _count("offsets_unclear", counts, offsets is None)
    return tuple(sorted(set(spans)))


def _beyond(text: str, spans: Iterable[Span]) -> str:
    """Names the first span that ends after the text."""
    span = next(span for span in spans if span.end > len(text))
    return f'the span {span.start}:{span.end} "{span.label}" ends after the text of {len(text)} characters'


def _count(kind: str, counts: Counts, more: int = 1) -> None:
    if more:
        counts[kind] = counts.get(kind, 0) + more


def _span(raw: RawSpan) -> Span:
    start, end, label = raw.start, raw.end, raw.label
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        raise CorpusError(f"a span needs whole numbers and a label, {start!r}, {end!r} and {label!r} came")
    return Span(start, end, bare(label))


def _disagreement(text: str, spans: list[Span], words: list[object]) -> str:
    """Describes the first span whose words, if given, are not those of the text; "" if all agree."""
    for span, said in zip(spans, words, strict=True):
        inside = text[span.start : span.end]
        # Label Studio writes a line feed as a backslash and an n.
        if said is not None and said not in (inside, inside.replace("\n", "\\n")):
            return f'the span {span.start}:{span.end} "{span.label}" is {inside!r} in the text, and not {said!r}'
    return ""


def _from_utf16(text: str, spans: list[Span]) -> list[Span] | None:
    """Spans in UTF-16 units as spans in characters; None if one has an end inside a character or after the text."""
    if text.isascii() or max(text) <= "\uffff":
        return spans
    units = accumulate((1 + (character > "\uffff") for character in text), initial=0)
    places = {unit: index for index, unit in enumerate(units)}
    if not all(span.start in places and span.end in places for span in spans):
        return None
    return [Span(places[span.start], places[span.end], span.label) for span in spans]
