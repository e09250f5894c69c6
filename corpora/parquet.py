"""Parquet rows, by pyarrow, a batch at a time."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from corpora import contents
from corpora.errors import CorpusError
from corpora.files import readable, replace_when_done, unencodable
from corpora.rows import Kind

BATCH = 4096  # rows read or written together
BATCH_BYTES = 1 << 26  # of the longest strings that a batch may hold
UNPACKED = 1 << 28  # bytes that a column of a row group may unpack to, however small it is packed
RATIO = 1000  # packed so small, a larger column is refused


def records(path: Path, *, batch_bytes: int = BATCH_BYTES, unpacked: int = UNPACKED) -> Iterator[tuple[object, ...]]:
    """The column names, then the rows; null is None.

    A batch has fewer rows where strings are long, however often one stands in the file and however small that makes it.

    Args:
        path: The file.
        batch_bytes: Bound on the strings of a batch; one row may be longer.
        unpacked: Bytes to which a column of a row group may unpack at more than `RATIO` times its size.

    Raises:
        CorpusError: The file is missing, damaged, no Parquet, or unpacks to far more than its size.
    """
    import pyarrow
    import pyarrow.parquet

    with readable(path):
        contents.check_regular(path)
        path.open("rb").close()  # pyarrow's own message for a missing file or a folder is a long one
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                yield tuple(file.schema_arrow.names)
                for group in range(file.num_row_groups):
                    _check_packing(path, file.metadata.row_group(group), unpacked)
                    rows = _batch_rows(path, file, group, batch_bytes)
                    for batch in file.iter_batches(batch_size=rows, row_groups=[group]):
                        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
        except (pyarrow.ArrowException, UnicodeDecodeError) as error:
            detail = contents.mistaken(path, contents.PARQUET) or _first_line(error)
            raise CorpusError(f"{path}: damaged, or not a Parquet file ({detail})") from None


@contextmanager
def writing(
    path: Path, columns: Sequence[str], *, like: Path | None = None, kinds: Sequence[Kind] = ()
) -> Iterator[Callable[[Sequence[object]], object]]:
    """A function that writes one row.

    The last columns are of the `kinds`. Any other column has the type of its cells in the first 4,096 rows; one that is
    empty there holds strings. With `like` the first columns have the types of that Parquet file, and those behind hold
    strings unless they are of the `kinds`.

    Raises:
        CorpusError: The cells of one column are of types that don't go together.
    """
    import pyarrow.parquet

    rows: list[Sequence[object]] = []
    with replace_when_done(path) as temporary, ExitStack() as stack:
        writer: Any = None
        typed: dict[int, Any] = dict(enumerate(map(_type, kinds), start=len(columns) - len(kinds)))
        schema = like and _schema(like, columns, typed)

        def flush() -> None:
            nonlocal writer, schema
            table = _table(path, columns, rows, schema, typed)
            schema = table.schema
            if writer is None:
                writer = stack.enter_context(pyarrow.parquet.ParquetWriter(temporary, table.schema))
            writer.write_table(table)
            rows.clear()

        def write(row: Sequence[object]) -> None:
            rows.append(row)
            if len(rows) == BATCH:
                flush()

        yield write
        if rows or writer is None:
            flush()


def _check_packing(path: Path, group: Any, unpacked: int) -> None:
    for column in map(group.column, range(group.num_columns)):
        size = column.total_uncompressed_size
        if size > unpacked and size > RATIO * column.total_compressed_size:
            message = f'column "{column.path_in_schema}" unpacks {column.total_compressed_size:,} bytes to {size:,}'
            raise CorpusError(f"{path}: {message}: such a file is made to fill the memory, and is not read")


def _batch_rows(path: Path, file: Any, group: int, batch_bytes: int) -> int:
    """Rows of a batch whose strings are within the bound, even if each were the longest one of its dictionary.

    Strings outside a dictionary take as many bytes in the unpacked file as in memory.
    """
    import pyarrow.parquet

    row_group = file.metadata.row_group(group)
    columns = map(row_group.column, range(row_group.num_columns))
    encoded = {column.path_in_schema: column.num_values for column in columns if _has_dictionary(column)}
    if not encoded or row_group.num_rows == 0:
        return BATCH
    per_row = max(encoded.values()) / row_group.num_rows  # more than 1 in lists
    with pyarrow.parquet.ParquetFile(path, read_dictionary=list(encoded)) as probe:
        batch = next(probe.iter_batches(batch_size=1, row_groups=[group], columns=list(encoded)))
        longest = sum(map(_longest_string, batch.columns))
    return max(1, min(BATCH, int(batch_bytes / max(1, longest * per_row))))


def _has_dictionary(column: Any) -> bool:
    return column.physical_type == "BYTE_ARRAY" and any("DICTIONARY" in encoding for encoding in column.encodings)


def _longest_string(column: Any) -> int:
    """Bytes of the longest string in a column's dictionaries, also those within lists and structs."""
    import pyarrow
    import pyarrow.compute

    types = pyarrow.types
    if types.is_dictionary(column.type):
        lengths = pyarrow.compute.binary_length(column.dictionary)
        return int(pyarrow.compute.max(lengths).as_py() or 0)
    if types.is_struct(column.type):
        return sum(map(_longest_string, column.flatten()))
    if types.is_list(column.type) or types.is_large_list(column.type):
        return _longest_string(column.values)
    if types.is_map(column.type):
        return _longest_string(column.keys) + _longest_string(column.items)
    return 0


def _type(kind: Kind) -> Any:
    import pyarrow

    return {
        "text": pyarrow.string(),
        "number": pyarrow.float64(),
        "integer": pyarrow.int64(),
        "boolean": pyarrow.bool_(),
    }[kind]


def _table(
    path: Path, columns: Sequence[str], rows: list[Sequence[object]], schema: Any, typed: Mapping[int, Any]
) -> Any:
    import pyarrow

    arrays = []
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows]
        try:
            array = pyarrow.array(cells, type=schema.field(index).type if schema else typed.get(index))
        except UnicodeEncodeError as error:
            raise unencodable(f'{path}: column "{name}"', error) from None
        except (pyarrow.ArrowException, OverflowError) as error:
            raise CorpusError(f'{path}: column "{name}": cells of mixed types ({_first_line(error)})') from None
        arrays.append(array.cast(pyarrow.string()) if pyarrow.types.is_null(array.type) else array)
    return pyarrow.Table.from_arrays(arrays, schema=schema) if schema else _named(arrays, columns)


def _schema(like: Path, columns: Sequence[str], typed: Mapping[int, Any]) -> Any:
    import pyarrow
    import pyarrow.parquet

    known = pyarrow.parquet.read_schema(like).remove_metadata()
    added = enumerate(columns[len(known) :], start=len(known))
    return pyarrow.schema([*known, *(pyarrow.field(name, typed.get(place, pyarrow.string())) for place, name in added)])


def _named(arrays: list[Any], columns: Sequence[str]) -> Any:
    import pyarrow

    return pyarrow.Table.from_arrays(arrays, names=list(columns))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def class_names(path: Path, column: str) -> list[str] | None:
    """The names of the classes that stand for numbers in a column, as Hugging Face data sets keep them; None if none.

    Source: the key `huggingface` of the schema's metadata, written by the library datasets.
    """
    import pyarrow.parquet

    with readable(path):
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
    try:
        feature = json.loads(metadata[b"huggingface"])["info"]["features"][column]
        found = feature.get("feature", feature)["names"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return [str(name) for name in found] if isinstance(found, list) else None
