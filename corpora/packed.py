"""Compressed files: gzip, zstd and zip by suffix, as streams, and the first two as blocks that can be concatenated."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Literal, cast

from corpora.errors import CorpusError, shown

SUFFIXES = (".gz", ".zst", ".zip")
READ_ONLY = ".zip"
LEVELS = {".gz": 6, ".zst": 3}


def packing(path: Path) -> str:
    """The suffix of `path` that tells its compression, or the empty string.

    >>> packing(Path("评论.csv.GZ")), packing(Path("评论.csv"))
    ('.gz', '')
    """
    suffix = path.suffix.lower()
    return suffix if suffix in SUFFIXES else ""


def suffix_inside(path: Path) -> str:
    """The suffix that tells the format, in small letters: before that of a compression, or else of the one zipped file.

    >>> suffix_inside(Path("评论.CSV.gz")), suffix_inside(Path("评论.txt"))
    ('.csv', '.txt')
    """
    packed = packing(path)
    suffix = Path(path.stem if packed else path.name).suffix.lower()
    if suffix or packed != READ_ONLY:
        return suffix
    names = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = _members(archive)
    return Path(names[0]).suffix.lower() if len(names) == 1 else READ_ONLY


def check_writable(path: Path) -> None:
    """Raises CorpusError for the name of a file that could only be read."""
    if packing(path) == READ_ONLY:
        raise CorpusError(f"{path}: zip is read but not written: name a file without .zip, or with .gz")


def opened(stream: IO[bytes], suffix: str, mode: Literal["r", "w"]) -> AbstractContextManager[IO[bytes]]:
    """The uncompressed bytes of a stream; several gzip members or zstd frames are read as one.

    Equal content makes equal files. Reading a damaged file raises OSError or EOFError.
    """
    if suffix == ".gz":
        packed = gzip.GzipFile(filename="", mode=f"{mode}b", fileobj=stream, mtime=0, compresslevel=LEVELS[suffix])
        return cast(AbstractContextManager[IO[bytes]], packed)
    if suffix == READ_ONLY:
        return _unzipped(stream)
    import pyarrow

    inner = pyarrow.PythonFile(stream, mode)
    made = pyarrow.CompressedInputStream if mode == "r" else pyarrow.CompressedOutputStream
    return cast(AbstractContextManager[IO[bytes]], made(inner, "zstd"))


def packer(suffix: str) -> Callable[[bytes], bytes]:
    """A function that compresses a block of bytes on its own, so that concatenated blocks unpack to the whole.

    >>> gzip.decompress(packer(".gz")("好".encode()) + packer(".gz")("评".encode())).decode()
    '好评'
    """
    if suffix == ".gz":
        return lambda block: gzip.compress(block, LEVELS[suffix], mtime=0)
    if suffix == ".zst":
        import pyarrow

        codec: Any = pyarrow.Codec("zstd", compression_level=LEVELS[suffix])
        return lambda block: cast(bytes, codec.compress(block, asbytes=True))
    return bytes


def _unzipped(stream: IO[bytes]) -> IO[bytes]:
    """The one file in a zip archive. Raises CorpusError for none or several, or one with a password."""
    archive = zipfile.ZipFile(stream)
    names = _members(archive)
    if len(names) != 1:
        inside = ", ".join(shown(name, 30) for name in names[:3]) + (", …" if len(names) > 3 else "")
        raise CorpusError(f"the zip archive has {len(names)} files ({inside}), and one is expected: unpack it first")
    try:
        return archive.open(names[0])
    except (RuntimeError, NotImplementedError):
        raise CorpusError(f"{shown(names[0])} in the zip archive has a password, or is packed in a rare way") from None


def _members(archive: zipfile.ZipFile) -> list[str]:
    """The files in an archive, without folders and what macOS adds."""
    names = archive.namelist()
    return [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")]
