"""Jobs: what an engine does with every input, as it is sent to the processes that do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from corpora import formats
from corpora.table import TableReader
from pipeline.errors import PipelineError
from pipeline.jobs.parts import CHUNKS, LabelledParts, Parts, SegmentedLines, SegmentedTable
from pipeline.jobs.table_job import DEPENDS, Options, TableJob
from pipeline.models.model import Model, Precision
from pipeline.provenance import sha256, versions
from pipeline.segmentation.segmenter import Segmenter


class Job(Protocol):
    """What is done with every input; sent to each worker, which keeps what it loads."""

    def prepare(self) -> None:
        """Loads what is needed. Raises PipelineError where it isn't there."""
        ...

    def parts(self, source: Path, name: str, target: Path) -> Parts:
        """The parts of an input; errors that concern it alone may come here or when they are written."""
        ...

    def depends(self, source: Path, name: str, target: Path) -> dict[str, Any]:
        """All that the parts of an input depend on."""
        ...

    @property
    def familiar(self) -> Mapping[str, Any]:
        """What the model says of the texts that it knows (`pipeline.models.drift.profile`); empty without a model."""
        ...

    @property
    def claimed(self) -> tuple[str, str] | None:
        """What the model's answers claim, as its task says; None without a model."""
        ...


@dataclass
class Labelling:
    """Labels tables. `folder`: of the model, which every machine must find there; `chunks`: in a part."""

    folder: Path
    precision: Precision
    options: Options
    chunks: int = CHUNKS

    @cached_property
    def model(self) -> Model:
        return Model.load(self.folder, precision=self.precision, threads=1)

    def __reduce__(self) -> tuple[object, ...]:
        return Labelling, (self.folder, self.precision, self.options, self.chunks)

    def prepare(self) -> None:
        self.model.predict(["好"])

    def parts(self, source: Path, name: str, target: Path) -> Parts:
        return LabelledParts(self._shard(source, name, target), self.chunks)

    def depends(self, source: Path, name: str, target: Path) -> dict[str, Any]:
        shard = self._shard(source, name, target)
        shard.check()
        if shard.output_format == "xlsx":
            raise PipelineError(f"{target}: parts can't be XLSX: pass --output-format csv or parquet")
        return {**shard.depends(), "the size of a part": self.chunks}

    @property
    def familiar(self) -> Mapping[str, Any]:
        known: Mapping[str, Any] = self.model.about.get("drift", {})
        return known

    @property
    def claimed(self) -> tuple[str, str] | None:
        return self.model.answerer.claimed

    def _shard(self, source: Path, name: str, target: Path) -> TableJob:
        return TableJob(self.model, source, target, replace(self.options, origin=name))


@dataclass
class Segmenting:
    """Segments plain texts and tables; `format` of the tables, by their suffix if None."""

    segmenter: Segmenter
    text: Sequence[str]
    format: str | None
    encoding: str

    def prepare(self) -> None:
        self.segmenter.split("好")

    def parts(self, source: Path, name: str, target: Path) -> Parts:
        if formats.corpus_format(source, self.format) == "lines":
            return SegmentedLines(source, self.segmenter, self.encoding)
        table = TableReader(source, format=self.format, encoding=self.encoding)
        return SegmentedTable(table, self.segmenter, self.text, name)

    def depends(self, source: Path, name: str, target: Path) -> dict[str, Any]:
        self.parts(source, name, target)
        return {
            "the input": sha256(source),
            "the segmenter": self.segmenter.settings(),
            "the installed programs": installed(),
            "--text": self.text,
            "--format": self.format,
            "--encoding": self.encoding,
            "the name of the input": name,
        }

    @property
    def familiar(self) -> Mapping[str, Any]:
        return {}

    @property
    def claimed(self) -> None:
        return None


def installed() -> dict[str, str]:
    """The versions of the programs on which what is made depends."""
    return {name: found for name, found in versions().items() if name in DEPENDS}
