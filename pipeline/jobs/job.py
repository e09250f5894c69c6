"""Jobs: what an engine does with every input, in a form that can be sent to other processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from corpora import formats
from corpora.table import TableReader
from corpora.table_options import TableOptions
from pipeline.errors import PipelineError
from pipeline.jobs.dependencies import Dependencies, file_stamp, installed
from pipeline.jobs.limits import DEFAULT_LIMITS, Limits
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.parts import LabelledParts, Parts, SegmentedLines, SegmentedTable
from pipeline.jobs.predict import NO_WORDS
from pipeline.jobs.results import LabelResult, RowCounts, label_result
from pipeline.jobs.table_job import TableJob
from pipeline.models.model import Model, Precision
from pipeline.provenance import sha256
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.segmenter import Segmenter


class Job(Protocol):
    """Makes the parts of every input; each worker has a copy, and keeps what that loads.

    Of an input, `source` is its path, `name` what the user called it, `target` its output.
    """

    def prepare(self) -> None:
        """Loads what the job needs. Raises PipelineError if something is missing."""
        ...

    def parts(self, source: Path, name: str, target: Path) -> Parts:
        """The parts of an input. Errors of the input are raised here or when a part is written."""
        ...

    def dependencies(self, source: Path, name: str, target: Path) -> Dependencies:
        """What the parts of an input depend on. Raises CorpusError or PipelineError if they can't be made."""
        ...

    def result(self, counts: RowCounts, *, seconds: float, resumed: int, reason: str) -> LabelResult:
        """How it went, for an input whose parts are all made."""
        ...


@dataclass
class LabelJob:
    """Labels tables; `folder`: of the model, at the same path on every machine; `precision`: as of Model.load;
    `dictionary`: more words for it.
    """

    folder: Path
    precision: Precision | None
    options: LabelOptions
    limits: Limits = DEFAULT_LIMITS
    dictionary: UserDictionary = NO_WORDS

    @cached_property
    def model(self) -> Model:
        return Model.load(self.folder, precision=self.precision, threads=1, dictionary=self.dictionary)

    def __reduce__(self) -> tuple[object, ...]:
        return LabelJob, (self.folder, self.precision, self.options, self.limits, self.dictionary)

    def prepare(self) -> None:
        self.model.predict(["好"])

    def parts(self, source: Path, name: str, target: Path) -> Parts:
        return LabelledParts(self._table_job(source, name, target))

    def dependencies(self, source: Path, name: str, target: Path) -> Dependencies:
        job = self._table_job(source, name, target)
        job.check()
        if job.output.format == "xlsx":
            raise PipelineError(f"{target}: parts can't be XLSX: pass --output-format csv or parquet")
        found = job.dependencies
        return replace(found, values={**found.values, "the size of a part": self.limits.part_chunks})

    def result(self, counts: RowCounts, *, seconds: float, resumed: int, reason: str) -> LabelResult:
        return label_result(self.model, counts, seconds=seconds, resumed=resumed, reason=reason)

    def _table_job(self, source: Path, name: str, target: Path) -> TableJob:
        return TableJob(self.model, source, target, replace(self.options, origin=name), self.limits)


@dataclass
class SegmentJob:
    """Segments plain texts and tables.

    `options`: how the tables are read.
    """

    segmenter: Segmenter
    text: Sequence[str]
    options: TableOptions

    def prepare(self) -> None:
        self.segmenter.split("好")

    def parts(self, source: Path, name: str, target: Path) -> Parts:
        if formats.corpus_format(source, self.options.format) == "lines":
            return SegmentedLines(source, self.segmenter, self.options.encoding)
        return SegmentedTable(TableReader(source, self.options), self.segmenter, self.text, name)

    def dependencies(self, source: Path, name: str, target: Path) -> Dependencies:
        stamp = file_stamp(source)
        self.parts(source, name, target)
        values = {
            "the input": sha256(source),
            "the segmenter": self.segmenter.settings(),
            "the installed programs": installed(),
            "--text": list(self.text),
            "the options of the table": asdict(self.options),
            "the name of the input": name,
        }
        return Dependencies(values, stamp)

    def result(self, counts: RowCounts, *, seconds: float, resumed: int, reason: str) -> LabelResult:
        return LabelResult(counts, seconds, resumed, reason, dictionary=len(self.segmenter.dictionary))
