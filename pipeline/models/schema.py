"""Schema of model.toml: what a model folder says of itself, checked before it is used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, ValidationError

from pipeline.config.network import NetworkSettings
from pipeline.config.problems import expectation
from pipeline.config.tag import TagSettings
from pipeline.errors import ModelError
from pipeline.tasks import TASKS

DOTS = 16  # in a line outside quotes; model.toml has dotted keys of four parts, and long ones take tomllib hours
QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")
LAYERS, UNITS = 100, 1 << 16  # more than anybody has trained
AGAIN = "copy the model folder again, or train anew"

Unit = Literal["word", "char"]
Part = Annotated[float, Field(ge=0, le=1)]
Order = Annotated[int, Field(ge=1, le=3)]
Window = Annotated[int, Field(ge=0, le=5)]
Length = Annotated[float, Field(ge=0, le=1e9)]
Score = Annotated[float, AllowInfNan(True)]  # for information; infinite for some language models
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Table(BaseModel):
    """A table of model.toml: types are not converted, numbers are finite, unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class CorpusTable(Table):
    """How texts are normalised."""

    nfkc: bool
    simplify: bool


class SegmentTable(Table):
    """How texts are cut."""

    unit: Unit
    engine: Name
    mode: Literal["default", "search", "full"]
    hmm: bool
    keep_whitespace: bool
    keep_whole: bool = False  # which models did not have before they said so
    main: str = ""


class AffixesTable(Table):
    """The options of a feature."""

    longest: Order | None = None


class PretrainedTable(Table):
    """A pretrained encoder inside the network or at its beginning, and on what terms its weights are given."""

    name: Name
    units: Annotated[list[Annotated[int, Field(ge=1, le=UNITS)]], Field(min_length=1, max_length=LAYERS)]
    licence: Name
    attribution: Annotated[str, Field(max_length=4000)]


class EncoderTable(Table):
    """How tokens become ids."""

    reads: Annotated[list[Unit], Field(min_length=1, max_length=2)]
    max_tokens: int = Field(ge=1, le=1_000_000)
    units: Annotated[list[Unit], Field(min_length=1, max_length=2)]
    longest_grams: dict[Unit, Order]
    windows: dict[Unit, Window] = {}
    counted: list[Unit] = []
    longest_affix: int = Field(0, ge=0, le=3)
    features: dict[Literal["bigrams", "segmentation", "lexicon", "characters", "affixes"], AffixesTable] = {}
    pretrained: PretrainedTable | None = None


class OptionsTable(Table):
    """What the task and its answers need; other keys are for tasks of one's own."""

    model_config = ConfigDict(extra="ignore")

    temperature: float = Field(1.0, ge=1e-3, le=1e3)
    unit: Unit | None = None
    tag: dict[str, str | bool] | None = None
    width: int | None = Field(None, ge=1, le=10_000_000)
    ngram_order: int | None = Field(None, ge=0, le=20)
    label_separator: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    never_empty: bool = False
    thresholds: list[Part] = []
    slopes: list[Annotated[float, Field(gt=0, le=1e3)]] = []
    offsets: list[Annotated[float, Field(ge=-1e3, le=1e3)]] = []


class CardTable(Table):
    """What the model is for, what it learnt from, and on what terms it is given: texts of people for people."""

    model_config = ConfigDict(extra="forbid", str_max_length=2000)

    description: str = ""
    texts: str = ""
    licence: str = ""
    attribution: str = ""
    limits: str = ""


class LengthsTable(Table):
    """The 5th, 50th and 95th percentile of the tokens of a text."""

    low: Length
    middle: Length
    high: Length


class DriftTable(Table):
    """What texts looked like in training."""

    unknown: Part
    length: LengthsTable
    labels: dict[str, Part]


class ModelTable(Table):
    """The whole of model.toml. Tables that only inform are free, but flat."""

    format_version: int
    task: Name
    name: Name
    cell: Literal["rnn", "lstm", "gru"] | None = None
    vector_size: int | None = Field(None, ge=1)
    metric: Name | None = None
    precision: Literal["float32", "int8"] = "float32"
    difference_to_keras: float | None = None
    different_answers: int | None = None
    corpus: CorpusTable
    network: dict[str, Any]
    segment: SegmentTable
    encoder: EncoderTable
    started_from: PretrainedTable | None = None
    options: OptionsTable = OptionsTable()
    drift: DriftTable | None = None
    card: CardTable = CardTable()
    confidence: dict[str, float] = {}
    dev: dict[str, Score] = {}
    int8: dict[Literal["dev", "lost"], dict[str, Score]] = {}
    training_data: dict[Literal["sha256"], str] = {}
    versions: dict[str, str] = {}


def parse(path: Path, format_version: int) -> dict[str, Any]:
    """The content of a model.toml, which is known to be small. Raises ModelError if it is of another version."""
    about = parsed(path)
    version = about.get("format_version")
    if version != format_version:
        raise ModelError(
            f"{path}: format version {version}, this zhpipe reads {format_version}: "
            "install the zhpipe that wrote it, or train anew"
        )
    return about


def check(path: Path, about: Mapping[str, Any]) -> None:
    """Raises ModelError, with the first wrong key, unless a model.toml has what zhpipe writes."""
    try:
        made = ModelTable.model_validate(about)
        if made.task not in TASKS:
            raise ValueError(f"the task {made.task!r} is unknown; the tasks are {', '.join(TASKS)}")
        _check_network(made)
        if made.options.tag is not None:
            TagSettings(**about["options"]["tag"])
    except (ValidationError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: {problem_of(error)}: {AGAIN}") from None


def _check_network(made: ModelTable) -> None:
    layers = made.network.get("layers", 1)
    if not (isinstance(layers, int) and 1 <= layers <= LAYERS):
        raise ValueError(f"network.layers is {layers}, expected 1 to {LAYERS}")
    settings = NetworkSettings(**made.network)
    if max(settings.widths) > UNITS:
        raise ValueError(f"network.units is {max(settings.widths)}, expected at most {UNITS}")
    if made.options.width not in (None, settings.state_width):
        raise ValueError(f"options.width is {made.options.width}, and the network has states of {settings.state_width}")


def parsed(path: Path, again: str = AGAIN) -> dict[str, Any]:
    """The content of a TOML file that is known to be small; raises ModelError, with the way out, if it is damaged."""
    try:
        text = path.read_text(encoding="utf-8")
        if any(QUOTED.sub("", line).count(".") > DOTS for line in text.splitlines()):
            raise ValueError(f"a line has more than {DOTS} dots")
        return tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise ModelError(f"{path}: can't be read: {reason}: it is cut short or altered: {again}") from None


def problem_of(error: ValidationError | TypeError | ValueError) -> str:
    """The first problem: its key, what was expected, and what came."""
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors(include_url=False)[0]
    key, received = ".".join(map(str, problem["loc"])), str(problem["input"])
    shown = received if len(received) <= 40 else f"{received[:40]}..."
    if problem["type"] == "extra_forbidden":
        return f"has the key {key!r}, which is unknown"
    return f"{key} {expectation(problem)}" + ("" if problem["type"] == "missing" else f", received {shown}")
