"""Sniffing: which format a corpus file has, and what its tags are, by its suffix and its first lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from corpora import contents, formats, packed
from corpora.annotations.brat import ANNOTATIONS, TEXT
from corpora.conll import DOCUMENT
from corpora.conllu import FIELDS
from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.files import codec, text_lines
from corpora.notation import Notation, kind_of, notation_of
from corpora.table_options import SUFFIXES

READ = 500  # lines that are looked at
MOST = 0.95  # share of the lines that must have a form
_COMMENT = re.compile(rf"#\s*\w[\w.:-]*\s*=|# (id|newdoc|newpar)\b|{DOCUMENT}")
_SLASHED = re.compile(r"\[?[^\s/]+/[\w-]+(\][\w-]*)?|\S+/\S+")
Kind = str  # "entities", "words", "joint" or "pos"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A format of `corpora.formats`, and the kind of tags in it: "" for tables and plain lines."""

    format: str
    kind: str = ""

    @property
    def is_tagged(self) -> bool:
        """Whether the file holds tagged sentences."""
        return self.format in formats.TAGGED


def sniff(path: Path, format: str | None = None, encoding: str = "utf-8") -> Sniffed:
    """The format of a file and the kind of its tags. A format that is given is taken.

    Raises CorpusError if the file cannot be read, or looks like no format that is known.
    """
    if format in formats.FORMATS:
        return Sniffed(format)
    suffix = packed.suffix_inside(path)
    if format is None and suffix in contents.ADVICE:
        raise CorpusError(f'{path}: no format has the suffix "{suffix}"{contents.advice(suffix)}')
    if format is None and _is_brat(path, suffix):
        return Sniffed("brat", "entities")
    if format is None and suffix in SUFFIXES and SUFFIXES[suffix] not in ("jsonl", "json"):
        return Sniffed(SUFFIXES[suffix])
    if format is not None and (format == "brat" or suffix == ".parquet"):
        return Sniffed(format, "entities")
    lines = _first_lines(path, encoding)
    found = format or formats.TAGGED_SUFFIXES.get(suffix) or _form(lines)
    if found is None:
        raise CorpusError(
            f"{path}: its first lines look like none of the formats {', '.join([*formats.FORMATS, *formats.TAGGED])}: "
            "choose one with --format"
        )
    return Sniffed(found, _kind(found, lines) if found in formats.TAGGED else "")


def _is_brat(path: Path, suffix: str) -> bool:
    """Whether the path is of a file with annotations, of a text that has some, or of a folder of these."""
    if path.is_dir():
        return next(path.glob(f"*{ANNOTATIONS}"), None) is not None
    return suffix == ANNOTATIONS or (suffix == TEXT and path.with_suffix(ANNOTATIONS).exists())


def _first_lines(path: Path, encoding: str) -> list[str]:
    if path.is_dir():
        raise CorpusError(f"{path}: is a folder; name a file in it")
    if not packed.packing(path):
        if not path.exists():
            raise CorpusError(f"{path}: no such file")
        contents.check_text(path)
    return [line.rstrip("\r\n") for line in islice(text_lines(path, codec(encoding)), READ)]


def _form(lines: Sequence[str]) -> str | None:
    """The format of the lines; None for no line."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return None
    if filled[0].lstrip()[:1] in ("{", "["):
        return _form_of_json(filled)
    if form := _form_of_columns([line for line in filled if not _COMMENT.match(line)]):
        return form
    if _share(all(map(_SLASHED.fullmatch, line.split())) for line in filled) >= MOST:
        return "slashed"
    return "lines"


def _form_of_json(lines: Sequence[str]) -> str | None:
    """A format of records with spans or tokens, a table of JSON objects, or None for JSON of another kind."""
    is_array, record = _first_record("\n".join(lines))
    if isinstance(record, list):
        return "spacy" if len(record) == 2 and isinstance(record[0], str) and isinstance(record[1], dict) else None
    if not isinstance(record, dict):
        return None
    for name, is_this in _FORMS_OF_JSON.items():
        if is_this(record):
            return name
    return "json" if is_array else "jsonl"


def _first_record(text: str) -> tuple[bool, Any]:
    """Whether a JSON text is an array, and its first value, or the first item; None if it is no JSON."""
    start = len(text) - len(text.lstrip())
    decoder = json.JSONDecoder()
    try:
        if text[start] != "[":
            return False, decoder.raw_decode(text, start)[0]
        inner = start + 1 + len(text[start + 1 :]) - len(text[start + 1 :].lstrip())
        return True, decoder.raw_decode(text, inner)[0]
    except (ValueError, RecursionError, IndexError):
        return False, None


def _lists(record: dict[str, Any], *names: str) -> list[Any]:
    """The first item of each list that a record has by these names."""
    return [record[name][0] for name in names if isinstance(record.get(name), list) and record[name]]


def _is_entity_with(keys: set[str]) -> Callable[[dict[str, Any]], bool]:
    names = ("entities", "label", "labels", "annotations", "spans")
    return lambda record: any(isinstance(one, dict) and keys <= set(one) for one in _lists(record, *names))


# How the first record of each format is known, in this order.
_FORMS_OF_JSON: dict[str, Callable[[dict[str, Any]], bool]] = {
    "huggingface": lambda record: isinstance(record.get("tokens"), list) and "text" not in record,
    "spacy": lambda record: (
        "paragraphs" in record
        or "ents" in record
        or ("annotations" in record and isinstance(record.get("classes"), list))
    ),
    "label-studio-predictions": lambda record: "predictions" in record and not record.get("annotations"),
    "label-studio": lambda record: (
        ("annotations" in record and "data" in record) or _is_entity_with({"start", "end", "labels"})(record)
    ),
    "cluener": lambda record: isinstance(record.get("label"), dict),
    "cmeee": _is_entity_with({"start_idx", "end_idx"}),
    "doccano": lambda record: (
        _is_entity_with({"start_offset", "end_offset"})(record)
        or any(record.get(name) == [] for name in ("label", "labels"))
        or any(isinstance(one, list | dict) for one in _lists(record, "label", "labels"))
        or any(isinstance(one, list) for one in _lists(record, "entities"))
    ),
    "entities": lambda record: "text" in record and isinstance(record.get("entities"), list),
}


def _form_of_columns(lines: Sequence[str]) -> str | None:
    """The format of lines of one token and its columns, of which the last, in iob2 the third, has the tag."""
    cells = [line.split("\t") for line in lines]
    if lines and all(len(each) == len(FIELDS) and each[0][:1].isdecimal() for each in cells):
        return "conllu"
    if lines and all(3 <= len(each) <= 5 and each[0].isdecimal() for each in cells):
        return "iob2" if _are_tags([each[2] for each in cells]) else None
    cells = [line.split() for line in lines]
    widths = {len(each) for each in cells}
    if len(widths) > 2 or not all(2 <= width <= 14 for width in widths):
        return None
    return "conll" if _are_tags([each[-1] for each in cells]) else None


def _are_tags(tags: Sequence[str]) -> bool:
    """Whether tags are of a scheme, in some notation."""
    return bool(tags) and kind_of(_notation(tags).tags.values()) != "pos"


def _kind(format: str, lines: Sequence[str]) -> str:
    """The kind of the tags of a tagged format."""
    if format in ("segmented", "slashed", "conllu"):
        return "words" if format == "segmented" else "joint"
    if format != "conll":
        return "entities"
    return kind_of(
        _notation([line.split()[-1] for line in lines if line.strip() and not _COMMENT.match(line)]).tags.values()
    )


def _notation(tags: Sequence[str]) -> Notation:
    return notation_of([Sentence(tuple("-" * len(tags)), tuple(tags))])[0]


def _share(truths: Iterable[bool]) -> float:
    found = list(truths)
    return sum(found) / max(1, len(found))
