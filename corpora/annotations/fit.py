"""Fit: an annotated text as a format can hold it, and what that loses, counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Literal

from corpora.annotated import AnnotatedText, Word
from corpora.document import Span
from corpora.errors import CorpusError, shown
from corpora.findings import Counts, count, note
from corpora.overlaps import Kept, OnOverlap, flat, nested

# Each kind of loss, and the sentence that follows its count.
LOST = {
    "spans": "entities, for which it has no place",
    "overlaps_dropped": "entities that overlap others, which are kept",
    "inside_words": "entities that begin or end inside a word",
    "empty_spans": "entities of nothing but white space",
    "not_annotated": "texts that nobody has annotated, left out: it cannot tell them from texts without entities",
    "no_entities": "texts without entities, which it cannot tell from texts that nobody has annotated",
    "words": "texts whose words it does not mark",
    "parts_of_speech": "texts with parts of speech, for which it has no place",
    "no_parts_of_speech": "texts left out because not all their words have a part of speech",
    "no_words": "texts left out because they have no words",
    "white_space": "texts with white space, which it does not keep as it was",
    "line_ends": "texts with line ends, which are spaces now",
    "blank": "texts without any character, left out",
    "refused": "texts that it cannot hold, left out",
}


@dataclass(frozen=True, slots=True)
class Holds:
    """What a format can hold of an annotated text.

    Args:
        spans: "any", "nested" ones, "flat" ones, or "none".
        words: Whether a text is words; one without any is then taken for its characters.
        parts_of_speech: Whether a word can have one; "all" if each must.
        not_annotated: Whether a text that nobody has annotated differs from one without spans: "yes"; "no", both are
            read as annotated; or "empty", both are read as not annotated.
        white_space: How much white space between words is kept: "all", "one" space, or "none".
        line_ends: Whether a text may have them.
        blank: Whether a text may have no visible character.
        no_label: Characters that a label cannot have, as a regular expression.
        check: Raises CorpusError for a text that cannot be written all the same.
    """

    spans: Literal["any", "nested", "flat", "none"]
    words: Literal["no", "yes", "must"] = "no"
    parts_of_speech: Literal["no", "yes", "all"] = "no"
    not_annotated: Literal["yes", "no", "empty"] = "yes"
    white_space: Literal["all", "one", "none"] = "all"
    line_ends: bool = True
    blank: bool = True
    no_label: str = ""
    check: Callable[[AnnotatedText], object] | None = None


@dataclass(frozen=True)
class Fitting:
    """Fits texts to a format.

    Args:
        holds: What the format can hold.
        overlaps: Which of overlapping spans to keep; "refuse" to raise an error for them.
        counts: What is lost, by the kinds of `LOST`, and as notes.
    """

    holds: Holds
    overlaps: OnOverlap = "refuse"
    counts: Counts = field(default_factory=dict)

    def fit(self, document: AnnotatedText) -> AnnotatedText | None:
        """The text as the format holds it; None if it is left out.

        Raises:
            CorpusError: Spans overlap, and `overlaps` is "refuse".
        """
        steps = (self._annotated, self._spelt, self._without_overlaps, self._in_words, self._in_lines, self._checked)
        found: AnnotatedText | None = document
        for step in steps:
            found = step(found) if found is not None else None
        return found

    def _annotated(self, document: AnnotatedText) -> AnnotatedText | None:
        holds = self.holds
        if holds.spans == "none":
            self._lose("spans", len(document.spans or ()))
            return replace(document, spans=None)
        if document.spans is None and holds.not_annotated == "no":
            return self._left_out("not_annotated")
        return document

    def _spelt(self, document: AnnotatedText) -> AnnotatedText:
        """With labels and parts of speech that the format can write."""
        if not self.holds.no_label:
            return document
        spans = document.spans and tuple(
            sorted({Span(span.start, span.end, self._label(span.label)) for span in document.spans})
        )
        words = document.words and tuple(
            replace(word, tag=word.tag if word.tag is None else self._label(word.tag)) for word in document.words
        )
        return replace(document, spans=spans, words=words)

    def _label(self, label: str) -> str:
        spelt = re.sub(self.holds.no_label, "_", label)
        if spelt != label:
            note(f'the label "{shown(label, 30)}" is now "{shown(spelt, 30)}"', self.counts)
        return spelt

    def _without_overlaps(self, document: AnnotatedText) -> AnnotatedText:
        if document.spans is None or self.holds.spans in ("any", "none"):
            return document
        choose: Callable[..., Kept] = flat if self.holds.spans == "flat" else nested
        kept = choose(document.spans, "longest" if self.overlaps == "refuse" else self.overlaps)
        if kept.dropped and self.overlaps == "refuse":
            one = kept.dropped[0]
            raise CorpusError(
                f'row {document.row}: {one.start}:{one.end} "{shown(one.label)}" overlaps another entity, which the '
                "format cannot hold: keep one of them with --overlaps longest or outermost"
            )
        self._lose("overlaps_dropped", len(kept.dropped))
        return replace(document, spans=kept.spans)

    def _in_words(self, document: AnnotatedText) -> AnnotatedText | None:
        holds, words = self.holds, document.words
        if words is not None and holds.words == "no":
            self._lose("words", int(any(word.end - word.start > 1 for word in words)))
            self._lose("parts_of_speech", int(any(word.tag for word in words)))
            return replace(document, words=None)
        if holds.words == "no":
            return document
        if words is None and holds.words == "must":
            return self._left_out("no_words")
        tags = [word.tag for word in words or ()]
        if holds.parts_of_speech == "all" and (not tags or None in tags):
            return self._left_out("no_parts_of_speech")
        keeps_tags = holds.parts_of_speech != "no" and None not in tags
        self._lose("parts_of_speech", int(any(tags) and not keeps_tags))
        return self._closed_up(document, keeps_tags=keeps_tags)

    def _closed_up(self, document: AnnotatedText, *, keeps_tags: bool) -> AnnotatedText | None:
        """A text whose words have as much white space inside and between them as the format keeps."""
        text = document.text
        places = document.words or tuple(Word(place, place + 1) for place in range(len(text)))
        filled = [place for place in places if text[place.start : place.end].strip()]
        if not filled:
            return self._left_out("blank")
        gap = 1 if self.holds.white_space == "one" else 0
        tokens = ["".join(text[place.start : place.end].split()) for place in filled]
        gaps = [gap * (other.start > place.end) for place, other in pairwise(filled)] + [0]
        starts = list(accumulate((len(token) + more for token, more in zip(tokens, gaps, strict=True)), initial=0))
        words = tuple(
            Word(start, start + len(token), place.tag if keeps_tags else None)
            for start, token, place in zip(starts, tokens, filled, strict=False)
        )
        closed = "".join(token + " " * more for token, more in zip(tokens, gaps, strict=True))
        self._lose("white_space", int(closed != text))
        spans = document.spans and self._spans_on(text, document.spans, filled, words)
        return AnnotatedText(closed, spans, document.row, words)

    def _spans_on(
        self, text: str, spans: tuple[Span, ...], filled: list[Word], words: tuple[Word, ...]
    ) -> tuple[Span, ...]:
        """The spans on words that have moved. Positions are compared by the visible characters before them."""
        seen = list(accumulate((not character.isspace() for character in text), initial=0))
        starts = {seen[before.start]: word.start for before, word in zip(filled, words, strict=True)}
        ends = {seen[before.end]: word.end for before, word in zip(filled, words, strict=True)}
        kept: set[Span] = set()
        for span in spans:
            start, end = seen[span.start], seen[span.end]
            if start == end:
                self._lose("empty_spans")
            elif start in starts and end in ends:
                kept.add(Span(starts[start], ends[end], span.label))
            else:
                self._lose("inside_words")
        return tuple(sorted(kept))

    def _in_lines(self, document: AnnotatedText) -> AnnotatedText | None:
        if not self.holds.blank and not document.text.strip():
            return self._left_out("blank")
        if self.holds.line_ends or not re.search(r"[\r\n]", document.text):
            return document
        self._lose("line_ends")
        return replace(document, text=re.sub(r"[\r\n]", " ", document.text))

    def _checked(self, document: AnnotatedText) -> AnnotatedText | None:
        if document.spans == () and self.holds.not_annotated == "empty":
            self._lose("no_entities")
            document = replace(document, spans=None)
        if self.holds.check is None:
            return document
        try:
            self.holds.check(document)
        except CorpusError:
            return self._left_out("refused")
        return document

    def _lose(self, kind: str, more: int = 1) -> None:
        count(kind, self.counts, more)

    def _left_out(self, kind: str) -> AnnotatedText | None:
        self._lose(kind)
        return None
