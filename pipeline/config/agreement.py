"""Agreement: checks that settings of different sections fit each other and the task. All raise Disagreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pipeline.config.corpus import CorpusSettings
from pipeline.config.embed import EmbedSettings
from pipeline.config.evaluate import EvaluateSettings
from pipeline.config.network import FeatureSettings, NetworkSettings
from pipeline.config.problems import Disagreement, expectation, nearest
from pipeline.config.renames import renamed
from pipeline.config.section import Section, key_names, toml_value
from pipeline.config.segment import SegmentSettings, Unit
from pipeline.config.tag import TagSettings
from pipeline.config.task_defaults import BASELINES, METRICS, TaskName
from pipeline.config.train import TrainSettings
from pipeline.config.tune import RangeSettings, TuneSettings

# Keys and sections that all trials of a search must share.
FIXED = (
    "name",
    "task",
    "seed",
    "corpus",
    "pretrain",
    "evaluate",
    "tune",
    "segment.workers",
    "train.metric",
    "train.tensorboard",
)
INPUTS: dict[Unit, str] = {"word": "words", "char": "characters"}


def check_inputs(segment: SegmentSettings, network: NetworkSettings, embed: EmbedSettings) -> None:
    """Checks that what the network reads exists: words only if texts are cut into words, vectors only if made."""
    if segment.unit == "char" and network.inputs in ("words", "both"):
        raise Disagreement(
            "network.inputs",
            f'network.inputs = "{network.inputs}" needs words, but segment.unit is "char": set segment.unit = "word"',
        )
    if segment.unit == "char" and network.wide.words:
        raise Disagreement(
            "network.wide.words",
            'network.wide.words needs words, but segment.unit is "char": set network.wide.words = 0',
        )
    if network.embedding != "random" and embed.method == "none":
        raise Disagreement(
            "network.embedding",
            f'network.embedding = "{network.embedding}" needs vectors, but embed.method is "none": set it to "random"',
        )


def check_weights(segment: SegmentSettings) -> None:
    """Checks that only words are weighed."""
    for name in ("weighted_dictionaries", "main_dictionary"):
        if segment.unit == "char" and getattr(segment, name):
            raise Disagreement(
                f"segment.{name}",
                f'segment.{name} needs words, but segment.unit is "char": leave it out, or set segment.unit = "word"',
            )


def check_features(task: TaskName, unit: Unit, features: FeatureSettings) -> None:
    """Checks that only a tagger has features, and those of its unit."""
    if features.widths and task != "tag":
        raise Disagreement(
            "network.features", f'network.features is for taggers, but task is "{task}": leave the section out'
        )
    unit_needed: Unit = "word" if unit == "char" else "char"
    for name in features.of_words if unit == "char" else features.of_characters:
        key = f"network.features.{name}"
        raise Disagreement(
            key, f'{key} is a feature of {INPUTS[unit_needed]}, but segment.unit is "{unit}": set {key} = 0'
        )


def check_encoder(task: TaskName, network: NetworkSettings, train: TrainSettings) -> None:
    """Checks that characters are read beside a pretrained encoder, and that what is said of a tuned one is used."""
    of_tuned = {
        "train.encoder_learning_rate": train.encoder_learning_rate,
        "network.encoder_layers": network.encoder_layers,
    }
    if task == "language":
        check_required("a language model", {key: (value, None) for key, value in of_tuned.items()})
        return
    for key, value in of_tuned.items():
        if value is not None and (network.encoder == "none" or network.encoder_mode == "frozen"):
            raise Disagreement(
                key,
                f'{key} is for an encoder that is trained: set network.encoder_mode = "tuned" and network.encoder, '
                "or leave it out",
            )
    if network.encoder == "none":
        return
    if "char" not in network.units_read:
        way = "" if task == "tag" else ', or network.inputs to "characters" or "both"'
        raise Disagreement(
            "network.encoder",
            f'network.encoder reads characters, but the network reads words alone: set it to "none"{way}',
        )


def check_labels(task: TaskName, corpus: CorpusSettings, train: TrainSettings) -> None:
    """Checks that rows have several labels where, and only where, the task gives several."""
    if task == "multilabel" and corpus.label_separator is None:
        raise Disagreement(
            "corpus.label_separator",
            'task = "multilabel" needs corpus.label_separator: set it to the text between the labels of a row, such as '
            '"|", also if they are lists',
        )
    if task != "multilabel" and corpus.label_separator is not None:
        raise Disagreement(
            "corpus.label_separator",
            f'corpus.label_separator is for rows with several labels, but task is "{task}": leave it out',
        )
    if task == "language" and corpus.corrections:
        raise Disagreement(
            "corpus.corrections",
            'corpus.corrections is for labels, but task is "language", which has none: leave it out',
        )
    if task == "multilabel":
        check_required("a multi-label classifier", {"train.class_weights": (train.class_weights, False)})


def check_metric(task: TaskName, train: TrainSettings) -> None:
    """Checks that the task measures the metric."""
    if train.metric not in METRICS[task]:
        raise Disagreement(
            "train.metric",
            f'train.metric = "{train.metric}" is not measured if task is "{task}": '
            f"choose one of {', '.join(METRICS[task])}",
        )


def check_baselines(task: TaskName, evaluate: EvaluateSettings) -> None:
    """Checks that the task has the baselines."""
    for name in evaluate.baselines:
        if name not in BASELINES[task]:
            raise Disagreement(
                "evaluate.baselines",
                f'evaluate.baselines has "{name}", which is not a baseline of task "{task}": '
                f"choose from {', '.join(BASELINES[task])}",
            )


def check_ranges(settings: Section, tune: TuneSettings) -> None:
    """Checks that every range is of a setting of `settings` that trials may change, and holds values allowed there."""
    known = [key for key in key_names(type(settings)) if not any(f"{key}.".startswith(f"{one}.") for one in FIXED)]
    for key, values in tune.ranges.items():
        if found := renamed([key]):
            raise Disagreement("tune.ranges", f"tune.ranges: {found[key]}")
        if key not in known:
            why = "must be the same for all trials" if key in key_names(type(settings)) else "is no setting"
            raise Disagreement("tune.ranges", f'tune.ranges: "{key}" {why}{nearest(key, known)}')
        for value in values.ends if isinstance(values, RangeSettings) else values:
            _check_value(settings, key, value)


def check_language(segment: SegmentSettings, network: NetworkSettings, train: TrainSettings) -> None:
    """Checks that a language model reads every token, from the left alone."""
    required: dict[str, tuple[Any, Any]] = {
        "network.bidirectional": (network.bidirectional, False),
        "network.inputs": (network.inputs, INPUTS[segment.unit]),
        "network.wide.characters": (network.wide.characters, 0),
        "network.wide.words": (network.wide.words, 0),
        "segment.mode": (segment.mode, "default"),
        "segment.keep_whitespace": (segment.keep_whitespace, True),
        "segment.stop_words": (segment.stop_words, ()),
        "train.class_weights": (train.class_weights, False),
        "train.label_smoothing": (train.label_smoothing, 0.0),
    }
    check_required("a language model", required)


def check_start(segment: SegmentSettings, network: NetworkSettings, embed: EmbedSettings, tied: bool) -> None:
    """Checks that a language model that starts from a pretrained encoder is like one."""
    required: dict[str, tuple[Any, Any]] = {
        "segment.unit": (segment.unit, "char"),
        "embed.method": (embed.method, "none"),
        "language.tied": (tied, True),
        "network.cell": (network.cell, "lstm"),
        "network.encoder_mode": (network.encoder_mode, "tuned"),
    }
    check_required("a language model that starts from network.encoder", required)


def check_tagger(
    tag: TagSettings,
    corpus: CorpusSettings,
    segment: SegmentSettings,
    network: NetworkSettings,
    train: TrainSettings,
) -> None:
    """Checks that a tagger reads every token, unchanged, in the unit of its kind."""
    required: dict[str, tuple[Any, Any]] = {
        "network.inputs": (network.inputs, INPUTS[segment.unit]),
        "segment.mode": (segment.mode, "default"),
        "segment.stop_words": (segment.stop_words, ()),
        "corpus.nfkc": (corpus.nfkc, False),
        "train.class_weights": (train.class_weights, False),
        "train.label_smoothing": (train.label_smoothing, 0.0),
    }
    if tag.kind in ("words", "joint", "pos"):
        required["segment.unit"] = (segment.unit, "word" if tag.kind == "pos" else "char")
    check_required(f"a tagger ({tag.kind})", required)


def check_required(subject: str, required: Mapping[str, tuple[Any, Any]]) -> None:
    """Checks pairs of a value and the only one allowed, by key; `subject`: what can't have another, for messages."""
    for key, (value, allowed) in required.items():
        if value != allowed:
            way = "leave it out" if allowed is None else f"set it to {toml_value(allowed)}"
            raise Disagreement(key, f"{subject} cannot have {key} = {toml_value(value)}: {way}")


def _check_value(settings: Section, key: str, value: Any) -> None:
    """Checks that a setting may have a value, whatever the settings of other sections are."""
    *sections, last = key.split(".")
    section: Any = settings
    for name in sections:
        section = getattr(section, name)
    try:
        type(section).model_validate({**section.model_dump(), last: value})
    except ValidationError as error:
        for problem in error.errors():
            if problem["loc"][:1] == (last,):
                raise Disagreement(
                    "tune.ranges", f'tune.ranges: "{key}": {expectation(problem)}, received {value!r}'
                ) from None
