"""Sniffing: which format a corpus file has, and what its tags are, by its suffix and its first lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from corpora import contents, formats
from corpora.errors import CorpusError
from corpora.files import codec, text_lines
from corpora.table import SUFFIXES

READ = 500  # lines that are looked at
MOST = 0.95  # share of the lines that must have a form
_SCHEME_TAG = re.compile(r"O|[BMIES](-.+)?")
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
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    if format is None and suffix in SUFFIXES and SUFFIXES[suffix] != "jsonl":
        return Sniffed(SUFFIXES[suffix])
    lines = _first_lines(path, encoding)
    found = format or formats.TAGGED_SUFFIXES.get(suffix) or _form(lines)
    if found is None:
        raise CorpusError(
            f"{path}: its first lines look like none of the formats {', '.join([*formats.FORMATS, *formats.TAGGED])}: "
            "choose one with --format"
        )
    return Sniffed(found, _kind(found, lines) if found in formats.TAGGED else "")


def _first_lines(path: Path, encoding: str) -> list[str]:
    if path.is_dir():
        raise CorpusError(f"{path}: is a folder; name a file in it")
    if path.suffix.lower() != ".gz":
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
    if _is_conll(filled):
        return "conll"
    if _share(all(map(_SLASHED.fullmatch, line.split())) for line in filled) >= MOST:
        return "slashed"
    return "lines"


def _form_of_json(lines: Sequence[str]) -> str | None:
    """A format of records with spans, a table of JSON lines, or None for JSON of another kind."""
    try:
        record = json.loads(lines[0])
    except ValueError:
        return "label-studio" if lines[0].lstrip().startswith("[") and '"annotations"' in "".join(lines) else None
    record = record[0] if isinstance(record, list) and record else record
    if not isinstance(record, dict):
        return None
    if "annotations" in record:
        return "label-studio"
    if isinstance(record.get("label"), dict):
        return "cluener"
    if any(isinstance(record.get(name), list) for name in ("label", "labels", "entities")):
        return "doccano"
    return "jsonl"


def _is_conll(lines: Sequence[str]) -> bool:
    """Whether the lines are of one token and its columns, and the last column has few values."""
    cells = [line.split() for line in lines]
    widths = {len(each) for each in cells}
    if len(widths) > 2 or not all(2 <= width <= 14 for width in widths):
        return False
    return _share(bool(_SCHEME_TAG.fullmatch(each[-1])) for each in cells) >= MOST


def _kind(format: str, lines: Sequence[str]) -> str:
    """The kind of the tags of a tagged format."""
    if format in ("segmented", "slashed", "conllu"):
        return "words" if format == "segmented" else "joint"
    if format != "conll":
        return "entities"
    tags = {line.split()[-1] for line in lines if line.strip()}
    if not all(map(_SCHEME_TAG.fullmatch, tags)):
        return "pos"
    if not any("-" in tag for tag in tags - {"O"}):
        return "words"
    return "entities" if "O" in tags or {tag[0] for tag in tags} <= {"B", "I"} else "joint"


def _share(truths: Iterable[bool]) -> float:
    found = list(truths)
    return sum(found) / max(1, len(found))
