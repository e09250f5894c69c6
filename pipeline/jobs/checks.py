"""Checks: which options fit a model and an output, told before anything is made."""

from __future__ import annotations

from pathlib import Path

from corpora.blocks import FORMATS as TEXT_FORMATS
from corpora.errors import CorpusError
from corpora.files import STREAM, codec
from pipeline.errors import PipelineError
from pipeline.jobs import layouts
from pipeline.jobs.layouts import TABLE
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.output_table import OutputTable
from pipeline.models.model import Model


def check_options(model: Model, options: LabelOptions, output: OutputTable) -> None:
    """Raises PipelineError or CorpusError if the model can't do what the options ask, or the output can't hold it."""
    _check_layout(model, options, output)
    _check_n_best(model, options)
    _check_words(model, options)
    _check_labels(model, output)
    _check_review(model, options)
    if output.source.source == STREAM and not output.is_appendable:
        raise CorpusError(
            f"{output.target}: {output.format} can't be made from standard input: write the input to a file first"
        )


def _check_layout(model: Model, options: LabelOptions, output: OutputTable) -> None:
    layouts.check(options.layout, model.answerer.output.layouts, model.task.described)
    if options.layout == TABLE:
        return
    if output.format not in (*TEXT_FORMATS, *layouts.FORMATS):
        raise PipelineError(
            f"{output.target}: --layout {options.layout} is written as {', '.join(TEXT_FORMATS)}: name such a file"
        )
    columns = {"--probabilities": options.probabilities, "--prefix": options.prefix, "--n-best": options.n_best > 1}
    for name, given in columns.items():
        if given:
            raise PipelineError(f"{name} is about the columns of --layout table, not of {options.layout}: leave it out")


def _check_n_best(model: Model, options: LabelOptions) -> None:
    if options.n_best > 1 and not model.answerer.has_alternatives:
        raise PipelineError("--n-best is of taggers; a classifier has --probabilities: leave it out")


def _check_words(model: Model, options: LabelOptions) -> None:
    if options.words is not None and model.segmenter.unit != "word":
        raise PipelineError(
            f"{_folder(model)}: reads characters, and --words is for models that read words: leave it out"
        )


def _check_labels(model: Model, output: OutputTable) -> None:
    encoding = codec(output.encoding)
    for name in model.labels.names if output.is_appendable else ():
        try:
            name.encode(encoding)
        except UnicodeEncodeError:
            raise PipelineError(
                f"{output.target}: the label {name!r} is not in {encoding}: pass --output-encoding utf-8"
            ) from None


def _check_review(model: Model, options: LabelOptions) -> None:
    if options.review_below is None:
        return
    if not 0 <= options.review_below <= 1:
        raise PipelineError(f"--review-below is {options.review_below}: expected 0 to 1")
    if not model.answerer.claimed:
        raise PipelineError(
            f"{_folder(model)}: its task is {model.task.name}, and only labels, entities and words are reviewed by "
            "confidence: leave out --review-below"
        )
    if options.layout in layouts.FORMATS:
        raise PipelineError(
            f"--review-below adds a column, which --layout {options.layout} has no place for: choose table or long"
        )


def _folder(model: Model) -> Path:
    return model.network.path.parent
