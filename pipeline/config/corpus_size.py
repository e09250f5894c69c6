"""Corpus size: counts the training texts of a config's corpus, before anything else is read of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from corpora import formats
from corpora.errors import CorpusError
from corpora.files import text_lines
from pipeline.config.corpus import CorpusSettings
from pipeline.config.corpus_defaults import CorpusSize
from pipeline.config.task_defaults import TaskName

MOST = 26_000  # texts that are counted, so that a large file does not hold up a command


def measure(corpus: CorpusSettings, task: TaskName, most: int = MOST) -> CorpusSize | None:
    """The number and mean length of the train split's texts; None if the file can't be read.

    Rows that are split off are taken off. For a tagged corpus, the lines or the groups of lines are counted, which is
    close enough.
    """
    try:
        lengths = list(islice(_lengths(corpus, task), most))
    except (CorpusError, OSError):
        return None
    if not lengths:
        return None
    shares = ((corpus.dev, corpus.dev_share), (corpus.test, corpus.test_share))
    kept = 1 - sum(share for file, share in shares if file is None)
    return CorpusSize(max(1, round(kept * len(lengths))), sum(lengths) / len(lengths), len(lengths) == most)


def _lengths(corpus: CorpusSettings, task: TaskName) -> Iterator[int]:
    """The length of each text that has a label or tags."""
    path = Path(corpus.train)
    if task in ("classify", "multilabel"):
        read = formats.read(
            path,
            corpus.format,
            text=corpus.text_columns,
            label=corpus.label,
            encoding=corpus.encoding,
            label_separator=corpus.label_separator,
        )
        return (len(document.text) for document in read if document.text.strip() and document.label_set is not None)
    lines = text_lines(path, corpus.encoding)
    is_by_token = formats.tagged_format(path, corpus.format) in ("conll", "conllu")
    return _groups(lines) if is_by_token else (len(line) for line in lines if line.strip())


def _groups(lines: Iterable[str]) -> Iterator[int]:
    """The number of lines in each group between empty lines."""
    size = 0
    for line in lines:
        if line.strip():
            size += 1
        elif size:
            yield size
            size = 0
    if size:
        yield size
