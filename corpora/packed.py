"""Compressed files: gzip and zstd by suffix, as streams and as blocks that can be concatenated."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Literal, cast

from corpora.errors import CorpusError

SUFFIXES = (".gz", ".zst")
LEVELS = {".gz": 6, ".zst": 3}


def packing(path: Path) -> str:
    """The suffix of `path` that tells its compression, or the empty string.

    >>> packing(Path("评论.csv.GZ")), packing(Path("评论.csv"))
    ('.gz', '')
    """
    suffix = path.suffix.lower()
    return suffix if suffix in SUFFIXES else ""


def check_pyarrow(what: str) -> None:
    """Raises CorpusError if pyarrow, which reads and writes `what`, is not installed."""
    if find_spec("pyarrow") is None:
        raise CorpusError(f'{what} needs pyarrow, which is not installed: pip install "zhpipe[parquet]"')


def opened(stream: IO[bytes], suffix: str, mode: Literal["r", "w"]) -> AbstractContextManager[IO[bytes]]:
    """The uncompressed bytes of a stream; several gzip members or zstd frames are read as one.

    Equal content makes equal files. Reading a damaged file raises OSError or EOFError.
    """
    if suffix == ".gz":
        packed = gzip.GzipFile(filename="", mode=f"{mode}b", fileobj=stream, mtime=0, compresslevel=LEVELS[suffix])
        return cast(AbstractContextManager[IO[bytes]], packed)
    check_pyarrow("zstd (.zst)")
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
        check_pyarrow("zstd (.zst)")
        import pyarrow

        codec: Any = pyarrow.Codec("zstd", compression_level=LEVELS[suffix])
        return lambda block: cast(bytes, codec.compress(block, asbytes=True))
    return bytes
