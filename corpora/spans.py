"""JSON of texts with labelled character spans: CLUENER, doccano and Label Studio, in and out.

| form         | a record                                                                                    |
| cluener      | `{"text": …, "label": {"地点": {"北京": [[0, 1]]}}}`, the last character included             |
| doccano      | `{"text": …, "label": [[0, 2, "地点"]]}`; or "labels", or "entities" of objects with offsets |
| label-studio | `{"data": {"text": …}, "annotations": [{"result": [{"value": …}]}]}`                        |

A file is JSON Lines or one array. Sources: CLUENER2020 (Xu et al., arXiv:2001.04351), and the exports of the two
annotation tools; of Label Studio the smaller one, "JSON-MIN", is read as doccano's.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, text_lines, unencodable
from corpora.tags import flat, tags_of


@dataclass(frozen=True, slots=True)
class Annotated:
    """A text with labelled spans, which may overlap.

    Args:
        text: The text as the source has it; may be empty.
        spans: In characters of the text, without repetitions, in order; None where nobody has looked for any.
        row: 1-based number of the record; 0 for a text that came from no file.

    Raises:
        CorpusError: A span ends behind the text, or they are not in order.

    >>> Annotated("我爱北京", (Span(2, 4, "地点"),)).mentions()
    (('地点', '北京'),)
    """

    text: str
    spans: tuple[Span, ...] | None = None
    row: int = 0

    def __post_init__(self) -> None:
        for span in self.spans or ():
            if span.end > len(self.text):
                shown = f'{span.start}:{span.end} "{span.label}"'
                raise CorpusError(f"the span {shown} ends behind the text of {len(self.text)} characters")
        if self.spans is not None and self.spans != tuple(sorted(set(self.spans))):
            raise CorpusError("spans in order, none twice, are expected: sort them")

    def mentions(self) -> tuple[tuple[str, str], ...]:
        """The label and the text of each span."""
        return tuple((span.label, self.text[span.start : span.end]) for span in self.spans or ())

    def flat(self) -> "Annotated":
        """The same without overlaps, by `corpora.tags.flat`, which says what is dropped."""
        return self if self.spans is None else Annotated(self.text, flat(self.spans).spans, self.row)

    def sentence(self, scheme: str = "BMES") -> Sentence:
        """The characters, each a token, with their tags; no tags where `spans` is None.

        Raises:
            CorpusError: Two spans overlap.

        >>> Annotated("爱北京", (Span(1, 3, "地点"),)).sentence("BIO").tags
        ('O', 'B-地点', 'I-地点')
        """
        tags = None if self.spans is None else tags_of(self.spans, len(self.text), scheme)
        return Sentence(tuple(self.text), tags)


@dataclass(frozen=True, slots=True)
class Spans:
    """The texts of a file with their spans; can be iterated again and again.

    JSON Lines (gzip too) are streamed; an array is held in memory while it is iterated. Equal spans are one. What
    else a record holds is left out: identifiers, relations, and what Label Studio calls predictions and cancelled
    annotations.

    Offsets count code points. Where the record also has the words of each span, they must agree; if they agree with
    offsets in UTF-16, in which a browser counts an emoji twice, those are taken.

    Args:
        path: The file.
        form: One of `FORMS`.
        text: The key of the text.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: There is no such form; while iterating: the file cannot be read, or a record is not of the form,
            has spans outside its text or other words than it says, or, of Label Studio, several annotations of which
            not one alone is marked as ground truth. Names the record and its line.
    """

    path: Path
    form: str = "doccano"
    text: str = "text"
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        _form(self.form)

    def __iter__(self) -> Iterator[Annotated]:
        read = _form(self.form)[0]
        for row, (where, record) in enumerate(_records(self.path, self.encoding), start=1):
            try:
                text, found = read(record, self.text)
                yield Annotated(text, None if found is None else _spans(text, found), row)
            except CorpusError as error:
                raise CorpusError(f"{self.path}: {where}: {error}") from None


@dataclass(frozen=True, slots=True)
class Characters:
    """The texts of a file as sentences of characters with tags; can be iterated again and again.

    Args:
        source: The texts.
        scheme: One of `corpora.tags.SCHEMES`.
        overlaps: "refuse" texts with overlapping spans, or "drop" the shorter of them, by `corpora.tags.flat`; it
            says for each text how many that are.

    Raises:
        CorpusError: `overlaps` is another word; while iterating: what `Spans` raises, and spans overlap.
    """

    source: Spans
    scheme: str = "BMES"
    overlaps: str = "refuse"

    def __post_init__(self) -> None:
        if self.overlaps not in ("refuse", "drop"):
            raise CorpusError(f'overlaps = "{self.overlaps}": "refuse" or "drop" is expected')

    def __iter__(self) -> Iterator[Sentence]:
        for document in self.source:
            try:
                yield (document.flat() if self.overlaps == "drop" else document).sentence(self.scheme)
            except CorpusError as error:
                hint = 'overlaps = "drop" keeps the longest'
                raise CorpusError(f"{self.source.path}: row {document.row}: {error}; {hint}") from None


def read(path: str | Path, form: str = "doccano", *, text: str = "text", encoding: str = "utf-8") -> Spans:
    """The texts of a file with their spans, re-iterable; see `Spans`."""
    return Spans(Path(path), form, text, encoding)


def write(
    path: str | Path,
    documents: Iterable[Annotated],
    form: str = "doccano",
    *,
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes texts with spans and returns how many: JSON Lines, but for Label Studio, which imports arrays, one array.

    Raises:
        CorpusError: There is no such form, a text cannot be encoded, or the folder is not there.
    """
    path, row, made = Path(path), 0, _form(form)[1]
    opening, between, closing = ("[\n", ",\n", "\n]\n") if form == "label-studio" else ("", "\n", "\n")
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        stream.write(opening)
        for row, document in enumerate(documents, start=1):
            line = json.dumps(made(document), ensure_ascii=False)
            try:
                stream.write(between + line if row > 1 else line)
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: row {row}", error) from None
            advance(1)
        stream.write(closing if row or opening else "")
    return row


# Start, end, label, and the words inside where the record says them. Offsets are still to be checked.
_Entry = tuple[object, object, object, object]


def _records(path: Path, encoding: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each record stands, and the record."""
    lines = text_lines(path, encoding)
    row = 0
    for number, line in enumerate(lines, start=1):
        if row == 0 and line.lstrip().startswith("["):
            yield from _array(path, "\n" * (number - 1) + line + "".join(lines))
            return
        if line.strip():
            row += 1
            where = f"row {row} (line {number})"
            yield where, _object(_json(line, f"{path}: {where}"), f"{path}: {where}")


def _array(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for row, record in enumerate(_json(text, str(path)), start=1):
        yield f"row {row}", _object(record, f"{path}: row {row}")


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise CorpusError(f"{where}: not JSON: {error.msg} at {line}character {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{where}: cannot be read as JSON: {error}") from None


def _object(record: object, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise CorpusError(f'{where}: an object like {{"text": "…"}} is expected, a {type(record).__name__} came')
    return record


def _spans(text: str, entries: list[_Entry]) -> tuple[Span, ...]:
    spans = [_span(start, end, label) for start, end, label, _ in entries]
    words = [words for *_, words in entries]
    wrong = _disagreement(text, spans, words)
    if wrong:
        spans = _from_utf16(text, spans)
        if not spans or _disagreement(text, spans, words):
            raise CorpusError(wrong)
    return tuple(sorted(set(spans)))


def _span(start: object, end: object, label: object) -> Span:
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        raise CorpusError(f"a span needs whole numbers and a label, {start!r}, {end!r} and {label!r} came")
    return Span(start, end, label)


def _disagreement(text: str, spans: list[Span], words: list[object]) -> str:
    """Names the first span whose words, where they are known, are not those of the text; nothing if all agree."""
    for span, said in zip(spans, words, strict=True):
        inside = text[span.start : span.end]
        # Label Studio writes a line feed as a backslash and an n.
        if said is not None and said not in (inside, inside.replace("\n", "\\n")):
            return f'the span {span.start}:{span.end} "{span.label}" is {inside!r} in the text, and not {said!r}'
    return ""


def _from_utf16(text: str, spans: list[Span]) -> list[Span]:
    """Spans in UTF-16 units as spans in characters; nothing if one has an end inside a character."""
    units = accumulate((1 + (character > "\uffff") for character in text), initial=0)
    places = {unit: index for index, unit in enumerate(units)}
    if not all(span.start in places and span.end in places for span in spans):
        return []
    return [Span(places[span.start], places[span.end], span.label) for span in spans]


def _text(record: dict[str, Any], key: str) -> str:
    text = record.get(key)
    if not isinstance(text, str):
        known = ", ".join(f'"{name}"' for name in record)
        raise CorpusError(f'a text is expected at "{key}", {text!r} came; the keys are {known}')
    return text


def _of_kind(value: object, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        expected = "an object" if kind is dict else "a list"
        raise CorpusError(f"{what}: {expected} is expected, {json.dumps(value, ensure_ascii=False)} came")
    return value


def _from_cluener(record: dict[str, Any], key: str) -> tuple[str, list[_Entry] | None]:
    text = _text(record, key)
    if "label" not in record:
        return text, None
    entries: list[_Entry] = []
    for label, mentions in _of_kind(record["label"], dict, '"label"').items():
        for words, places in _of_kind(mentions, dict, f'"{label}"').items():
            for place in _of_kind(places, list, f'"{words}"'):
                start, last = _items(place, 2)
                entries.append((start, last + 1 if type(last) is int else last, label, words))
    return text, entries


def _from_doccano(record: dict[str, Any], key: str) -> tuple[str, list[_Entry] | None]:
    text = _text(record, key)
    name = next((name for name in ("label", "labels", "entities") if name in record), None)
    if name is None:
        return text, None
    entries: list[_Entry] = []
    for entry in _of_kind(record[name], list, f'"{name}"'):
        entries.extend(_valued(entry) if isinstance(entry, dict) else [(*_items(entry, 3), None)])
    return text, entries


def _from_label_studio(record: dict[str, Any], key: str) -> tuple[str, list[_Entry] | None]:
    text = _text(_of_kind(record.get("data"), dict, '"data"'), key)
    annotations = _of_kind(record.get("annotations", []), list, '"annotations"')
    valid = [one for one in annotations if not _of_kind(one, dict, "an annotation").get("was_cancelled")]
    valid = [one for one in valid if one.get("ground_truth")] or valid
    if not valid:
        return text, None
    if len(valid) > 1:
        raise CorpusError(f"{len(valid)} annotations, and one is expected: mark one as ground truth")
    entries: list[_Entry] = []
    for result in _of_kind(valid[0].get("result"), list, '"result"'):
        value = _of_kind(result, dict, "a result").get("value")
        if isinstance(value, dict) and "labels" in value:
            entries.extend(_valued(value))
    return text, entries


def _valued(value: dict[str, Any]) -> list[_Entry]:
    """Entries of an object with offsets and a label, or several labels."""
    start, end = value.get("start_offset", value.get("start")), value.get("end_offset", value.get("end"))
    labels = _of_kind(value["labels"], list, '"labels"') if "labels" in value else [value.get("label")]
    return [(start, end, label, value.get("text")) for label in labels]


def _items(place: object, count: int) -> Any:
    if not isinstance(place, list) or len(place) != count:
        expected = "[first, last]" if count == 2 else "[start, end, label]"
        raise CorpusError(f"{expected} is expected, {json.dumps(place, ensure_ascii=False)} came")
    return place


def _to_cluener(document: Annotated) -> dict[str, object]:
    label: dict[str, dict[str, list[list[int]]]] = {}
    for span in document.spans or ():
        words = document.text[span.start : span.end]
        label.setdefault(span.label, {}).setdefault(words, []).append([span.start, span.end - 1])
    return {"text": document.text} | ({} if document.spans is None else {"label": label})


def _to_doccano(document: Annotated) -> dict[str, object]:
    label = [[span.start, span.end, span.label] for span in document.spans or ()]
    return {"text": document.text} | ({} if document.spans is None else {"label": label})


def _to_label_studio(document: Annotated) -> dict[str, object]:
    result = [
        {
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {"start": span.start, "end": span.end, "text": words, "labels": [span.label]},
        }
        for span, (_, words) in zip(document.spans or (), document.mentions(), strict=True)
    ]
    return {"data": {"text": document.text}, "annotations": [] if document.spans is None else [{"result": result}]}


_Reading = Callable[[dict[str, Any], str], tuple[str, list[_Entry] | None]]
_Making = Callable[[Annotated], dict[str, object]]
FORMS: dict[str, tuple[_Reading, _Making]] = {
    "cluener": (_from_cluener, _to_cluener),
    "doccano": (_from_doccano, _to_doccano),
    "label-studio": (_from_label_studio, _to_label_studio),
}


def _form(name: str) -> tuple[_Reading, _Making]:
    if name not in FORMS:
        raise CorpusError(f'no form "{name}" of spans; the forms are {", ".join(FORMS)}')
    return FORMS[name]
