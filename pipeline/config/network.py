"""Network settings: the recurrent network, the further inputs of a tagger, and the wide part."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pipeline.config.problems import nearest
from pipeline.config.section import Count, Section, Share
from pipeline.config.segment import Unit, is_path

Pooling = Literal["last", "mean", "max", "attention"]
ENCODERS = ("none", "zh-open")


class WideSettings(Section):
    """The wide part: n-grams with weights straight to the scores, added to the recurrent part (Cheng et al., 2016)."""

    table: ClassVar[str] = "network.wide"

    characters: int = Field(
        0,
        ge=0,
        le=3,
        description="Longest character n-gram; 0 for none. For a tagger of words: longest prefix and suffix of a word.",
    )
    words: int = Field(0, ge=0, le=3, description="Longest word n-gram; 0 for none.")
    window: int = Field(2, ge=0, le=5, description="For a tagger: tokens on each side that the n-grams reach.")
    min_count: Count = Field(2, description="N-grams that occur in fewer training texts are left out.")
    min_count_identifiers: Count = Field(
        2,
        description="For a classifier: the same for n-grams with two or more digits and Latin letters, if it is more "
        "than min_count: pieces of telephone numbers, addresses and keys, which a model should not give away.",
    )
    counts: bool = Field(
        False,
        description="For a classifier: an n-gram that a text has c times counts round(1 + ln c) times; false: once.",
    )
    max_features: Count = Field(500_000, description="Keep only this many n-grams, those that occur in most texts.")
    dropout: Share = Field(0.3, description="Share of the n-grams that are hidden at each training step.")
    l2: float = Field(0.0, ge=0.0, description="Factor of the L2 penalty on the weights; 0 for none.")
    scale: float = Field(
        10.0, gt=0.0, description="Euclidean length of a text's n-gram vector; a larger one learns faster."
    )
    linear: bool = Field(
        True,
        description="For a classifier: after training, solve linear models of the same n-grams, choose among them by "
        "cross-validation on train, weigh them and the network on dev, and keep the sum.",
    )

    @property
    def on(self) -> bool:
        """Whether there is a wide part."""
        return self.characters > 0 or self.words > 0


class FeatureSettings(Section):
    """Further inputs of a tagger, by the width of their vectors; an input of width 0 is not used."""

    table: ClassVar[str] = "network.features"

    bigrams: int = Field(0, ge=0, description="For characters: width for the bigram of a character and the next one.")
    segmentation: int = Field(
        0, ge=0, description="For characters: width for the character's position in its jieba word."
    )
    lexicon: int = Field(
        0,
        ge=0,
        description="For characters: width for the dictionary's words that begin, continue or end at the character, "
        "or are the character (SoftLexicon, Ma et al., 2020).",
    )
    characters: int = Field(0, ge=0, description="For words: width for the mean of the word's characters.")
    affixes: int = Field(0, ge=0, description="For words: width for each prefix and suffix of 1 to 3 characters.")
    min_count: Count = Field(2, description="Bigrams, words, characters and affixes that are rarer are left out.")
    max_words: Count = Field(
        100_000, description="Keep only this many bigrams and this many words of the lexicon, the most frequent ones."
    )
    bigrams_table: str | None = Field(
        None,
        description="Table of bigram vectors, in any of the formats of embed.pretrained and filtered by embed.keep; if "
        "left out, Word2Vec is trained on train and embed.extra.",
    )
    lexicon_table: str | None = Field(
        None,
        description="Table of the lexicon's words and their vectors, in any of the formats of embed.pretrained; if "
        "left out, Word2Vec is trained on train and embed.extra, cut by jieba.",
    )

    @property
    def of_characters(self) -> dict[str, int]:
        """Width of each character feature that is on, by name."""
        widths = {"bigrams": self.bigrams, "segmentation": self.segmentation, "lexicon": self.lexicon}
        return {name: width for name, width in widths.items() if width}

    @property
    def of_words(self) -> dict[str, int]:
        """Width of each word feature that is on, by name."""
        widths = {"characters": self.characters, "affixes": self.affixes}
        return {name: width for name, width in widths.items() if width}

    @property
    def widths(self) -> dict[str, int]:
        """Width of each feature that is on, by name."""
        return self.of_characters | self.of_words

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the features whose vectors the embed stage makes."""
        return tuple(name for name in self.of_characters if name != "segmentation")

    @property
    def tables(self) -> dict[str, str]:
        """The table given for each feature that is on, by name."""
        named = {"bigrams": self.bigrams_table, "lexicon": self.lexicon_table}
        return {name: table for name, table in named.items() if table and name in self.trained}


class NetworkSettings(Section):
    """The recurrent network."""

    table: ClassVar[str] = "network"

    inputs: Literal["words", "characters", "both"] | None = Field(
        None, description="What the network reads; if left out, words, or characters if segment.unit is char."
    )
    cell: Literal["rnn", "lstm", "gru"] = Field("lstm", description="Recurrent cell: SimpleRNN, LSTM or GRU.")
    bidirectional: bool = Field(True, description="Read the text in both directions.")
    layers: Count = Field(1, description="Number of recurrent layers.")
    units: Count | tuple[Count, ...] = Field(
        128, description="Width of each layer in each direction; a list gives each layer its own."
    )
    pooling: Pooling | Annotated[tuple[Pooling, ...], Field(min_length=1)] = Field(
        "max", description="How a text's states become one vector; the vectors of several poolings are concatenated."
    )
    embedding: Literal["frozen", "tuned", "random"] = Field(
        "tuned",
        description="frozen keeps the embed stage's vectors as they are; tuned trains them further; random starts from "
        "random vectors.",
    )
    embedding_dropout: Share = Field(
        0.2, description="Share of the tokens whose vectors are hidden at each training step."
    )
    dropout: Share = Field(0.3, description="Dropout between layers and before the scores.")
    max_tokens: Count = Field(
        512,
        description="Longer texts are cut off after this many tokens, in training and labelling alike, and counted; "
        "zhpipe pretrain reads them in pieces.",
    )
    encoder: str = Field(
        "none",
        description="Pretrained encoder of characters, whose states the recurrent layers read beside the vectors; a "
        "language model starts from its weights instead. zh-open, which comes with zhpipe; the folder of another; or "
        "none.",
    )
    encoder_mode: Literal["frozen", "tuned"] = Field(
        "frozen",
        description="frozen keeps the encoder as it is, and computes its states of a text once; tuned trains it "
        "further, at train.encoder_learning_rate.",
    )
    encoder_layers: int | None = Field(
        None,
        ge=1,
        description="Of a tuned encoder, train only so many layers, from the top, or all if it has fewer; those below "
        "and the vectors of its characters stay as they are. If left out, everything is trained.",
    )
    encoder_width: int = Field(
        256, ge=0, description="Width that the encoder's states are projected to; 0 leaves them as they are."
    )
    encoder_dropout: Share = Field(0.2, description="Dropout on the encoder's states.")
    features: FeatureSettings = FeatureSettings()
    wide: WideSettings = WideSettings()

    @model_validator(mode="after")
    def _check_encoder(self) -> NetworkSettings:
        if self.encoder not in ENCODERS and not is_path(self.encoder):
            raise ValueError(
                f"encoder is {self.encoder!r}{nearest(self.encoder, ENCODERS)}: expected {' or '.join(ENCODERS)}, or "
                "the folder of an encoder, with a / in it"
            )
        return self

    @model_validator(mode="after")
    def _check_units(self) -> NetworkSettings:
        if isinstance(self.units, tuple) and len(self.units) != self.layers:
            raise ValueError(
                f"units has {len(self.units)} entries for layers = {self.layers}: give one a layer, or one number"
            )
        return self

    @model_validator(mode="after")
    def _check_pooling(self) -> NetworkSettings:
        if len(set(self.poolings)) != len(self.poolings):
            raise ValueError(f"pooling names one twice: {', '.join(self.poolings)}: name each once")
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each layer."""
        return self.units if isinstance(self.units, tuple) else (self.units,) * self.layers

    @property
    def state_width(self) -> int:
        """Width of a text's states: all layers, one direction, and for an LSTM the memory cells too."""
        return sum(self.widths) * (2 if self.cell == "lstm" else 1)

    @property
    def poolings(self) -> tuple[Pooling, ...]:
        """The poolings, one or more."""
        return (self.pooling,) if isinstance(self.pooling, str) else self.pooling

    @property
    def units_read(self) -> tuple[Unit, ...]:
        """The units that the recurrent part reads: words, characters, or both."""
        return {"words": ("word",), "characters": ("char",), "both": ("word", "char")}[self.inputs or "words"]  # type: ignore[return-value]
