"""Settings: all settings of one experiment, and the checks that its sections agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from pipeline.config import agreement
from pipeline.config.card import CardSettings
from pipeline.config.corpus import CorpusSettings
from pipeline.config.embed import EmbedSettings
from pipeline.config.evaluate import EvaluateSettings
from pipeline.config.language import LanguageSettings
from pipeline.config.network import NetworkSettings
from pipeline.config.pretrain import PretrainSettings
from pipeline.config.section import Section, Seed
from pipeline.config.segment import SegmentSettings, Unit
from pipeline.config.tag import TagSettings
from pipeline.config.task_defaults import TaskName, with_task_defaults
from pipeline.config.train import TrainSettings
from pipeline.config.tune import TuneSettings


class Settings(Section):
    """All settings of one experiment."""

    name: str = Field(
        pattern=r"^\w[\w.-]*$",
        description="Name of the folder runs/NAME: letters, digits, _, - and ., not a . or - at the start.",
    )
    task: TaskName = Field(
        "classify",
        description="What is predicted: classify, a label for each text; multilabel, any number of labels for each "
        "text, which is also chosen by corpus.label_separator; tag, a tag for each token; language, the next token.",
    )
    seed: Seed = Field(1, description="Seed of all random numbers.")
    seeds: tuple[Seed, ...] = Field(
        (),
        description="Run once with each of these seeds, on the split of seed, and compare the runs; if left out, run "
        "once, with seed.",
    )
    corpus: CorpusSettings
    segment: SegmentSettings = SegmentSettings()
    tag: TagSettings = TagSettings()
    language: LanguageSettings = LanguageSettings()
    pretrain: PretrainSettings = PretrainSettings()
    embed: EmbedSettings = EmbedSettings()
    network: NetworkSettings = NetworkSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    tune: TuneSettings = TuneSettings()
    card: CardSettings = CardSettings()

    @property
    def grams(self) -> dict[Unit, int]:
        """Length of the longest n-grams in the wide part, by unit; a unit without n-grams is left out."""
        lengths: dict[Unit, int] = {"word": self.network.wide.words, "char": self.network.wide.characters}
        return {unit: longest for unit, longest in lengths.items() if longest and not (unit == "char" and self.affixes)}

    @property
    def affixes(self) -> int:
        """Characters of the longest prefix and suffix of a word in the wide part; 0 for none."""
        return self.network.wide.characters if self.task == "tag" and self.segment.unit == "word" else 0

    @property
    def linear_ngrams(self) -> bool:
        """Whether a linear model of the n-grams is added to the trained network."""
        return self.task == "classify" and self.network.wide.on and self.network.wide.linear

    @property
    def label_regressions(self) -> bool:
        """Whether a logistic regression a label is added to the trained network of a multi-label classifier."""
        return self.task == "multilabel" and self.network.wide.on and self.network.wide.linear

    @model_validator(mode="after")
    def _check_agreement(self) -> Settings:
        agreement.check_inputs(self.segment, self.network, self.embed)
        agreement.check_weights(self.segment)
        agreement.check_features(self.task, self.segment.unit, self.network.features)
        agreement.check_encoder(self.task, self.network, self.train)
        agreement.check_metric(self.task, self.train)
        agreement.check_baselines(self.task, self.evaluate)
        agreement.check_ranges(self, self.tune)
        agreement.check_labels(self.task, self.corpus, self.train)
        if self.task == "language":
            agreement.check_language(self.segment, self.network, self.train)
            if self.network.encoder != "none":
                agreement.check_start(self.segment, self.network, self.embed, self.language.tied)
        if self.task == "tag":
            agreement.check_tagger(self.tag, self.corpus, self.segment, self.network, self.train)
        return self

    @model_validator(mode="before")
    @classmethod
    def _set_defaults_of_task(cls, values: Any) -> Any:
        return with_task_defaults(values) if isinstance(values, Mapping) else values
