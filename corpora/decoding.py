"""Which encoding decodes a file, for the advice after an error; no text is ever read by a guess."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO

# In the order in which they are advised where nothing else tells them apart.
CANDIDATES = ("utf-8", "gb18030", "cp950", "big5hkscs", "utf-16-le", "utf-16-be")
CHUNK = 1 << 20
# Characters that any Chinese text of some length has, simplified and traditional.
_FREQUENT = frozenset(
    "的一是不了在人有我他这個这们們中来來上大为為国國地到以说說时時要就出会會可也你对對生能而子那得于着下自之年过過"
    "发發后後作里裡用道行所然家种事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣"
    "很房店店服务務酒茶餐早吃买買电電话話，。！？、：；"
)
Opener = Callable[[], AbstractContextManager[IO[bytes]]]


def suggested(open_file: Opener, not_this: str) -> str | None:
    """The encoding, other than `not_this`, that decodes the whole file into the most plausible text, or None."""
    with open_file() as stream:
        sample = stream.read(CHUNK)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16" if not_this != "utf-16" and _decodes(open_file, "utf-16") else None
    # The sort is stable: of equally plausible ones the earlier is advised.
    ranked = sorted(CANDIDATES, key=lambda name: -_plausibility(sample, name))
    wide = {"utf-16-le", "utf-16-be"}
    likely = [name for name in ranked if name != not_this and (name not in wide or b"\0" in sample)]
    return next((name for name in likely if _decodes(open_file, name)), None)


def way_out(encoding: str | None) -> str:
    """The end of a message about bytes that are not in the encoding asked for."""
    if encoding is None:
        return ", and no other encoding decodes the whole file: repair the bytes there, or export the file again"
    return f": name the encoding, try --encoding {encoding}"


def _plausibility(sample: bytes, encoding: str) -> float:
    """Share of frequent characters among those that are not ASCII; ASCII alone is the most plausible."""
    text = [character for character in sample.decode(encoding, "ignore") if character > "\x7f" or character == "\0"]
    return sum(character in _FREQUENT for character in text) / len(text) if text else 1.0


def _decodes(open_file: Opener, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open_file() as stream:
            chunk = b"begin"
            while chunk:
                chunk = stream.read(CHUNK)
                decoder.decode(chunk, final=not chunk)
    except UnicodeError:
        return False
    return True
