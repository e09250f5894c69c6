"""Parquet rows, by pyarrow, a batch at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from corpora.errors import CorpusError
from corpora.files import readable, replace_when_done, unencodable

BATCH = 4096


def records(path: Path) -> Iterator[tuple[object, ...]]:
    """The column names, then the rows; null is None.

    Raises:
        CorpusError: The file is not there, damaged, or no Parquet.
    """
    import pyarrow
    import pyarrow.parquet

    with readable(path):
        path.open("rb").close()  # pyarrow's own message for a missing file or a folder is a long one
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                yield tuple(file.schema_arrow.names)
                for batch in file.iter_batches(batch_size=BATCH):
                    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
        except (pyarrow.ArrowException, UnicodeDecodeError) as error:
            raise CorpusError(f"{path}: damaged, or not a Parquet file ({_first_line(error)})") from None


@contextmanager
def writing(
    path: Path, columns: Sequence[str], *, like: Path | None = None
) -> Iterator[Callable[[Sequence[object]], object]]:
    """A function that writes one row.

    A column's type is that of its cells in the first 4,096 rows; one that is empty there holds strings. With `like` the
    first columns have the types of that Parquet file, and those behind hold strings.

    Raises:
        CorpusError: The cells of one column are of types that don't go together.
    """
    import pyarrow.parquet

    rows: list[Sequence[object]] = []
    with replace_when_done(path) as temporary, ExitStack() as stack:
        writer: Any = None
        schema = like and _schema(like, columns)

        def flush() -> None:
            nonlocal writer, schema
            table = _table(path, columns, rows, schema)
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


def _table(path: Path, columns: Sequence[str], rows: list[Sequence[object]], schema: Any) -> Any:
    import pyarrow

    arrays = []
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows]
        try:
            array = pyarrow.array(cells, type=schema and schema.field(index).type)
        except UnicodeEncodeError as error:
            raise unencodable(f'{path}: column "{name}"', error) from None
        except (pyarrow.ArrowException, OverflowError) as error:
            raise CorpusError(f'{path}: column "{name}": cells of mixed types ({_first_line(error)})') from None
        arrays.append(array.cast(pyarrow.string()) if pyarrow.types.is_null(array.type) else array)
    return pyarrow.Table.from_arrays(arrays, schema=schema) if schema else _named(arrays, columns)


def _schema(like: Path, columns: Sequence[str]) -> Any:
    import pyarrow
    import pyarrow.parquet

    known = pyarrow.parquet.read_schema(like).remove_metadata()
    return pyarrow.schema([*known, *(pyarrow.field(name, pyarrow.string()) for name in columns[len(known) :])])


def _named(arrays: list[Any], columns: Sequence[str]) -> Any:
    import pyarrow

    return pyarrow.Table.from_arrays(arrays, names=list(columns))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
