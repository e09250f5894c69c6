"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from corpora.errors import CorpusError

PARQUET = "a Parquet file"
XLSX = "an XLSX workbook"
_ZIP = b"PK\x03\x04"
# First bytes, what such a file is, and the way out.
_SIGNATURES = (
    (b"PAR1", PARQUET, "name it .parquet, or set the format to parquet"),
    (_ZIP, "a zip archive", "let its name end in .zip if it holds one file, or unpack it first"),
    (b"\x1f\x8b\x08", "packed by gzip", "let its name end in .gz, or unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "let its name end in .zst, or unpack it first"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook (.xls), or one with a password",
        "save it as XLSX without a password, or as CSV",
    ),
    *((b"BZh%d1AY&SY" % level, "packed by bzip2", "unpack it first") for level in range(1, 10)),
    (b"\xfd7zXZ\x00", "packed by xz", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"%PDF-1.", "a PDF", "export its text first"),
    (b"SQLite format 3\x00", "a SQLite database", "export the table as CSV first"),
)
_LONGEST = max(len(magic) for magic, *_ in _SIGNATURES)
# Suffixes that people try, and the way out.
ADVICE = {
    ".xls": "save it as XLSX or CSV",
    ".xlsb": "save it as XLSX or CSV",
    ".xlsm": "save it as XLSX or CSV",
    ".ods": "save it as XLSX or CSV",
    ".numbers": "export it as XLSX or CSV",
    ".zip": "put the suffix of its one file before .zip, or unpack it first",
    ".7z": "unpack it first",
    ".rar": "unpack it first",
    ".bz2": "unpack it first, or pack it with gzip",
    ".xz": "unpack it first, or pack it with gzip",
    ".doc": "save the text as .txt, or as a table in CSV",
    ".docx": "save the text as .txt, or as a table in CSV",
    ".pdf": "save the text as .txt, or as a table in CSV",
}


def advice(suffix: str) -> str:
    """The end of a message about a suffix that no format has, or nothing.

    >>> advice(".xls")
    ': save it as XLSX or CSV'
    """
    return f": {ADVICE[suffix]}" if suffix in ADVICE else ""


def check_regular(path: Path) -> None:
    """Raises CorpusError for a pipe, socket or device, on which reading may wait for ever.

    A file that is missing raises the OSError that opening it would.
    """
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return
    kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
    way_out = 'write it to a file first, or name "-" where standard input can be read'
    raise CorpusError(f"{path}: is {kind}, and a file is expected: {way_out}")


def check_text(path: Path) -> None:
    """Raises CorpusError if the first bytes are those of a format that is no text."""
    if found := recognised(path):
        raise CorpusError(f"{path}: is {found[0]}, not text: {found[1]}")


def recognised(path: Path) -> tuple[str, str] | None:
    """What a file is, and what to do with it; None if its first bytes are those of no format known here."""
    with path.open("rb") as stream:
        start = stream.read(_LONGEST)
    found = next((signature for signature in _SIGNATURES if start.startswith(signature[0])), None)
    if found is None or (found[1] == PARQUET and not _ends_with(path, found[0])):
        return None
    if found[0] == _ZIP and _is_workbook(path):
        return XLSX, "name it .xlsx, or set the format to xlsx"
    return found[1:]


def mistaken(path: Path, expected: str) -> str:
    """Why a file that cannot be read as `expected` may not be one: `": it is a zip archive: …"`, or nothing."""
    found = recognised(path)
    if found is None or found[0] == expected:
        return ""
    return f"it is {found[0]}: {found[1]}"


def _ends_with(path: Path, magic: bytes) -> bool:
    """A text may begin with PAR1; a Parquet file also ends so."""
    with path.open("rb") as stream:
        end = stream.seek(0, 2)
        stream.seek(max(0, end - len(magic)))
        return stream.read() == magic


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
