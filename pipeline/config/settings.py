"""Settings: frozen, checked values of an experiment; every key says what it means and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from pipeline.config.problems import expectation, nearest

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Count = Annotated[int, Field(ge=1)]
Pooling = Literal["last", "mean", "max", "attention"]
Linear = Literal["tfidf_words_svc", "tfidf_words_logistic", "tfidf_characters_svc", "tfidf_characters_logistic"]
Baseline = Literal["majority", Linear, "unigram", "kneser_ney", "crfsuite", "jieba"]
Unit = Literal["word", "char"]
ENGINES = ("rjieba", "jieba")
Metric = Literal["accuracy", "macro_f1", "loss", "f1", "token_accuracy"]
# The dev metrics of each task that can choose the best epoch, and its defaults where they are others, by section.
METRICS: dict[str, tuple[Metric, ...]] = {
    "classify": ("accuracy", "macro_f1", "loss"),
    "tag": ("f1", "macro_f1", "token_accuracy"),
    "language": ("loss",),
}
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "tag": {"train": {"metric": "f1"}, "evaluate": {"baselines": ()}},
    "language": {
        "segment": {"spaces": True},
        "network": {"bidirectional": False},
        "train": {"metric": "loss"},
        "evaluate": {"baselines": ("unigram", "kneser_ney")},
    },
}
BASELINES: dict[str, tuple[Baseline, ...]] = {
    "classify": ("majority", *get_args(Linear)),
    "tag": ("crfsuite", "jieba"),
    "language": ("unigram", "kneser_ney"),
}


class Section(BaseModel):
    """A table of the config: frozen, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


class TaggedSettings(Section):
    """How tagged text is read, where task is tag; each format has its own of these."""

    token: int = Field(0, description="conll: column of the token, from 0; negative from the last")
    tag: int | Literal["upos", "xpos"] = Field(
        -1, description="conll: column of the tag; conllu: upos or xpos, which is upos where this is left out"
    )
    separator: str | None = Field(
        None,
        description="conll: what stands between columns; left out: a tab, or else blanks. slashed: before the tag; "
        "left out: /",
    )
    comment: str | None = Field(None, description="conll: what begins a line that is passed over")
    brackets: bool = Field(True, description="slashed: whether [ and ] stand around several words")
    overlaps: Literal["refuse", "drop"] = Field(
        "refuse", description="cluener, doccano, label-studio: refuse, or drop the shorter"
    )
    scheme: Literal["BIO", "BMES", "BIOES"] | None = Field(
        None, description="of the tags in the files; left out: told by the tags"
    )


class CorpusSettings(Section):
    """Where the labelled text comes from and how it is read."""

    train: str = Field(
        min_length=1,
        description="labelled file; a path from the working directory, or else from the config's folder",
    )
    dev: str | None = Field(None, description="labelled file to choose the best epoch on; left out: split from train")
    test: str | None = Field(None, description="labelled file to report on; left out: split from train")
    format: (
        Literal["csv", "tsv", "jsonl", "parquet", "xlsx", "lines"]
        | Literal["conll", "conllu", "slashed", "segmented", "cluener", "doccano", "label-studio"]
        | None
    ) = Field(
        None,
        description="left out: by the file's suffix (.gz is looked through); those from conll on are of tagged text",
    )
    encoding: str = Field("utf-8", description="utf-8, utf-8-sig, gb18030, big5 or utf-16; never guessed")
    text: str | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "text", description="column of the text; of several, the texts are joined by a line break"
    )
    label: str = Field("label", description="column of the label")
    dev_share: Share = Field(0.1, description="share of the rows split off for dev where dev is left out")
    test_share: Share = Field(0.1, description="share of the rows split off for test where test is left out")
    nfkc: bool = Field(
        False,
        description="Unicode normalisation form NFKC before anything else (full-width letters become ASCII)",
    )
    split_seed: int | None = Field(None, ge=0, lt=2**31, description="of the split alone; left out: seed")
    simplify: bool = Field(False, description="traditional to simplified characters by OpenCC (needs zhpipe[opencc])")
    tagged: TaggedSettings = TaggedSettings()

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The text columns, one or more."""
        return (self.text,) if isinstance(self.text, str) else self.text


class SegmentSettings(Section):
    """How a text is cut into tokens."""

    unit: Unit = Field("word", description="word: jieba's words; char: every character a token")
    engine: str = Field(
        "rjieba",
        description="rjieba: the fast one; jieba: the reference; or the folder of a segmenter trained by us, runs/NAME",
    )
    mode: Literal["default", "search", "full"] = Field(
        "default", description="jieba's mode; search and full give overlapping words"
    )
    hmm: bool = Field(True, description="let jieba's hidden Markov model find words that its dictionary lacks")
    dictionaries: tuple[str, ...] = Field(
        (), description="user dictionaries in jieba's format; their words are always one token"
    )
    stop_words: tuple[str, ...] = Field(
        (), description="files of words that networks and vectors do not see, one a line"
    )
    spaces: bool = Field(
        False, description="white space is a token too; true, the default there, where task is language"
    )
    workers: int = Field(0, ge=0, description="processes; 0: all cores")

    @property
    def trained(self) -> bool:
        """Whether the engine is a model of our own."""
        return self.engine not in ENGINES

    @model_validator(mode="after")
    def _an_engine_of_that_name(self) -> SegmentSettings:
        if self.trained and not is_path(self.engine):
            raise ValueError(
                f"engine is {self.engine!r}{nearest(self.engine, ENGINES)}: expected {' or '.join(ENGINES)}, or the "
                "folder of a trained segmenter, with a / in it"
            )
        if self.trained and self.mode != "default":
            raise ValueError(f'mode = "{self.mode}" is one of jieba\'s, and a trained engine has "default" alone')
        return self


class TagSettings(Section):
    """What a tagger learns, where task is tag."""

    kind: Literal["entities", "words", "joint", "pos"] = Field(
        "entities",
        description="entities: stretches with a type; words: where words end; joint: words and their tags, both from "
        "characters; pos: a tag a word",
    )
    scheme: Literal["BIO", "BMES", "BIOES"] = Field(
        "BMES", description="how entities and words become tags, whatever the scheme of the files"
    )
    decode: Literal["greedy", "maxent", "crf"] = Field(
        "crf",
        description="greedy: each token for itself; maxent: a tag given the one before it, normalised locally; "
        "crf: the sequence as a whole",
    )
    constrained: bool = Field(True, description="never answer with tags that the scheme forbids side by side")


class LanguageSettings(Section):
    """How a language model is trained and judged, where task is language."""

    window: int = Field(
        64,
        ge=0,
        description="tokens through which gradients go back; states go on from window to window. 0: whole texts",
    )
    tied: bool = Field(False, description="score tokens by the vectors that they are read with")
    sampled: int = Field(
        0,
        ge=0,
        description="tokens of the vocabulary that a step of training scores, drawn by frequency; 0: all of them. "
        "What is evaluated scores all",
    )
    order: Count = Field(5, description="of the Kneser-Ney n-grams in the report")


class EmbedSettings(Section):
    """Vectors of words and characters."""

    method: Literal["word2vec", "pretrained", "none"] = Field(
        "word2vec",
        description="word2vec: trained here; pretrained: read from a file; none: a vocabulary alone",
    )
    algorithm: Literal["skip-gram", "cbow"] = Field("skip-gram", description="Word2Vec's architecture")
    loss: Literal["negative", "hierarchical"] = Field(
        "negative", description="negative sampling or hierarchical softmax"
    )
    size: Count = Field(100, description="width of a vector")
    window: Count = Field(5, description="words on each side that count as context")
    min_count: Count = Field(2, description="words rarer than this are unknown")
    max_words: Count | None = Field(None, description="keep only the most frequent words; left out: all")
    epochs: Count = Field(5, description="passes over the text")
    sample: float = Field(1e-3, ge=0.0, description="threshold above which frequent words are thinned out; 0: never")
    negative: Count = Field(5, description="noise words drawn for each word (negative sampling)")
    learning_rate: float = Field(0.025, gt=0.0, description="initial learning rate of Word2Vec")
    workers: Count = Field(1, description="threads; more than 1 is faster and not reproducible")
    extra: tuple[str, ...] = Field((), description="further raw text, plain or gzip, a sentence a line")
    pretrained: str | None = Field(
        None, description="table of word vectors: word2vec, GloVe, fastText .vec, or a folder of ours"
    )
    keep: Literal["train", "all"] = Field(
        "train",
        description="of a pretrained table: the words of train alone, or all (up to max_words), for texts to come",
    )
    pretrained_characters: str | None = Field(None, description="the same for characters")
    format: Literal["word2vec", "word2vec-binary", "glove", "fasttext", "folder"] | None = Field(
        None, description="of the pretrained tables; left out: by looking"
    )

    @model_validator(mode="after")
    def _pretrained_is_named(self) -> EmbedSettings:
        if self.method == "pretrained" and not (self.pretrained or self.pretrained_characters):
            raise ValueError('method = "pretrained" needs a file: set embed.pretrained or embed.pretrained_characters')
        return self


class WideSettings(Section):
    """N-gram features with weights straight to the scores, beside the recurrent part (Cheng et al., 2016)."""

    characters: int = Field(
        0, ge=0, le=3, description="longest character n-gram; 0: none. Of a tagger of words: their beginnings and ends"
    )
    words: int = Field(0, ge=0, le=3, description="longest word n-gram; 0: none")
    window: int = Field(2, ge=0, le=5, description="of a tagger: how many tokens on each side the n-grams reach")
    min_count: Count = Field(2, description="n-grams in fewer training texts are left out")
    max_features: Count = Field(500_000, description="keep only the n-grams found in most texts")
    dropout: Share = Field(0.3, description="share of n-grams hidden at each training step")
    l2: float = Field(0.0, ge=0.0, description="penalty on the squared weights")
    scale: float = Field(10.0, gt=0.0, description="length of a text's n-gram vector: larger learns faster")

    @property
    def on(self) -> bool:
        """Whether there is a wide part."""
        return self.characters > 0 or self.words > 0


class FeatureSettings(Section):
    """What a tagger reads of a token beside its vector: widths of vectors, 0 where it is not read."""

    bigrams: int = Field(0, ge=0, description="of characters: each with the one behind it")
    segmentation: int = Field(0, ge=0, description="of characters: where each stands in a word of jieba's")
    lexicon: int = Field(
        0,
        ge=0,
        description="of characters: the dictionary's words that begin, go on and end at each or are it "
        "(SoftLexicon, Ma et al., 2020)",
    )
    characters: int = Field(0, ge=0, description="of words: the mean of their characters")
    affixes: int = Field(0, ge=0, description="of words: each beginning and end of 1 to 3 characters")
    min_count: Count = Field(2, description="bigrams, words, characters and affixes that are rarer are left out")
    max_words: Count = Field(100_000, description="keep only the most frequent bigrams, and words of the lexicon")
    bigrams_table: str | None = Field(
        None,
        description="vectors of bigrams, a table as embed.pretrained is, to which embed.keep applies too; left out: "
        "Word2Vec on train and embed.extra",
    )
    lexicon_table: str | None = Field(
        None,
        description="words of the lexicon and their vectors, a table as embed.pretrained is; left out: Word2Vec on "
        "train and embed.extra, cut by jieba",
    )

    @property
    def of_characters(self) -> dict[str, int]:
        """Those that are on of the features of characters, by name, and their widths."""
        widths = {"bigrams": self.bigrams, "segmentation": self.segmentation, "lexicon": self.lexicon}
        return {name: width for name, width in widths.items() if width}

    @property
    def of_words(self) -> dict[str, int]:
        """Those that are on of the features of words, by name, and their widths."""
        widths = {"characters": self.characters, "affixes": self.affixes}
        return {name: width for name, width in widths.items() if width}

    @property
    def widths(self) -> dict[str, int]:
        """All that are on, by name, and their widths."""
        return self.of_characters | self.of_words

    @property
    def trained(self) -> tuple[str, ...]:
        """Those whose vectors the embed stage makes."""
        return tuple(name for name in self.of_characters if name != "segmentation")

    @property
    def tables(self) -> dict[str, str]:
        """The tables that are named for those of them that are on."""
        named = {"bigrams": self.bigrams_table, "lexicon": self.lexicon_table}
        return {name: table for name, table in named.items() if table and name in self.trained}


class NetworkSettings(Section):
    """The recurrent network."""

    inputs: Literal["words", "characters", "both"] | None = Field(
        None, description="left out: words, or characters where segment.unit is char"
    )
    cell: Literal["rnn", "lstm", "gru"] = Field("lstm", description="SimpleRNN, LSTM or GRU")
    bidirectional: bool = Field(True, description="read the text both ways")
    layers: Count = Field(1, description="recurrent layers on top of each other")
    units: Count | tuple[Count, ...] = Field(
        128, description="width of each layer and direction; a list gives each layer its own"
    )
    pooling: Pooling | Annotated[tuple[Pooling, ...], Field(min_length=1)] = Field(
        "max", description="states to one vector; several are put side by side"
    )
    embedding: Literal["frozen", "tuned", "random"] = Field(
        "tuned",
        description="frozen: the embed stage's vectors as they are; tuned: trained along; random: begun from nothing",
    )
    embedding_dropout: Share = Field(0.2, description="share of tokens whose vector is hidden at each training step")
    dropout: Share = Field(0.3, description="dropout between layers and before the scores")
    max_tokens: Count = Field(
        512, description="a longer text is cut here, in training and labelling alike, and counted"
    )
    features: FeatureSettings = FeatureSettings()
    wide: WideSettings = WideSettings()

    @model_validator(mode="after")
    def _a_width_for_each_layer(self) -> NetworkSettings:
        if isinstance(self.units, tuple) and len(self.units) != self.layers:
            raise ValueError(
                f"units has {len(self.units)} entries for layers = {self.layers}: give one a layer, or one number"
            )
        return self

    @model_validator(mode="after")
    def _poolings_differ(self) -> NetworkSettings:
        if len(set(self.poolings)) != len(self.poolings):
            raise ValueError(f"pooling names one twice: {', '.join(self.poolings)}: name each once")
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each layer."""
        return self.units if isinstance(self.units, tuple) else (self.units,) * self.layers

    @property
    def state_width(self) -> int:
        """How many numbers a text's states are, of all layers in one direction; an LSTM has a memory beside each."""
        return sum(self.widths) * (2 if self.cell == "lstm" else 1)

    @property
    def poolings(self) -> tuple[Pooling, ...]:
        """The poolings, one or more."""
        return (self.pooling,) if isinstance(self.pooling, str) else self.pooling

    @property
    def units_read(self) -> tuple[Unit, ...]:
        """What the recurrent part reads: words, characters, or both."""
        return {"words": ("word",), "characters": ("char",), "both": ("word", "char")}[self.inputs or "words"]  # type: ignore[return-value]


class TrainSettings(Section):
    """How the network is trained."""

    optimizer: Literal["sgd", "momentum", "adam", "adamw", "adagrad", "adadelta", "rmsprop", "nadam", "lazy_adam"] = (
        Field(
            "adam", description="optimizer; lazy_adam: adam that leaves rows of tables alone that no text of a step has"
        )
    )
    learning_rate: Annotated[float, Field(gt=0.0)] | None = Field(
        None,
        description="highest learning rate; left out: 0.1 for sgd, 0.05 for momentum and adagrad, "
        "1 for adadelta, 0.001 for the others",
    )
    schedule: Literal["constant", "cosine", "linear", "exponential"] = Field(
        "constant", description="how the learning rate falls over all epochs"
    )
    warmup: Share = Field(0.0, description="share of all steps in which the learning rate rises from 0")
    momentum: Share = Field(0.9, description="of optimizer momentum")
    weight_decay: float = Field(0.01, ge=0.0, description="of optimizer adamw")
    batch_size: Count = Field(64, description="texts a step")
    epochs: Count = Field(10, description="most passes over the training texts")
    patience: Count = Field(3, description="stop after this many epochs without a better dev metric")
    metric: Metric = Field(
        "accuracy", description="dev metric that chooses the best epoch; f1, the default there, is of taggers"
    )
    clip_norm: float = Field(5.0, ge=0.0, description="largest norm of a step's gradient; 0: no limit")
    label_smoothing: Share = Field(0.0, description="probability mass spread over all labels")
    class_weights: bool = Field(False, description="weigh rare labels up, so that all labels count the same")
    average: Share = Field(
        0.0, description="decay of a running average of the weights that is evaluated and kept; 0: none"
    )
    tensorboard: bool = Field(
        False, description="write TensorBoard events to train/tensorboard (needs zhpipe[tensorboard])"
    )


class EvaluateSettings(Section):
    """What the report compares with."""

    baselines: tuple[Baseline, ...] = Field(
        ("majority", *get_args(Linear)),
        description="trained on the same split; [] switches them off. Taggers have crfsuite and jieba, and by default "
        "none",
    )
    slices: tuple[str, ...] = Field((), description="columns of the labelled files; scores are given by their values")
    suspects: bool = Field(True, description="look for rows whose label may be wrong, into suspects.csv")
    language: Literal["en", "zh"] = Field("en", description="of the page, of report.txt and of report.md")
    mlflow: str | None = Field(
        None,
        min_length=1,
        description="tracking URI where settings, curves, scores and report are logged, such as sqlite:///mlflow.db "
        "(needs zhpipe[mlflow])",
    )

    @field_validator("mlflow")
    @classmethod
    def _without_a_password(cls, uri: str | None) -> str | None:
        if uri and urlsplit(uri).password:
            raise ValueError(
                "has a password, which config.toml and the report would show: leave it out, and set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the file that the database's driver reads"
            )
        return uri


class RangeSettings(Section):
    """Where a setting is searched: whole numbers where both ends are."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _from_low_to_high(self) -> RangeSettings:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low} is not below high = {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0, and no step")
        return self


class TuneSettings(Section):
    """What `zhpipe tune` searches (needs zhpipe[tune])."""

    trials: Count = Field(20, description="trainings in all, that of the config as it stands among them")
    ranges: dict[str, Any] = Field(
        {},
        description='setting -> values, such as "network.units" = [64, 128], or a range, such as '
        '"train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}; a range may have a step',
    )

    @field_validator("ranges")
    @classmethod
    def _of_settings(cls, ranges: dict[str, Any]) -> dict[str, Any]:
        return {key: _range(key, found) for key, found in ranges.items()}


class Settings(Section):
    """One experiment, all of it."""

    name: str = Field(
        pattern=r"^\w[\w.-]*$",
        description="names the folder runs/NAME: letters, digits, _, - and ., not a . or - at the start",
    )
    task: Literal["classify", "tag", "language"] = Field(
        "classify", description="classify: one label a text; tag: one a token; language: what comes next"
    )
    seed: int = Field(1, ge=0, lt=2**31, description="of everything random")
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(
        (), description="a run for each of these, on the split of seed, and a comparison; left out: one run, with seed"
    )
    corpus: CorpusSettings
    segment: SegmentSettings = SegmentSettings()
    tag: TagSettings = TagSettings()
    language: LanguageSettings = LanguageSettings()
    embed: EmbedSettings = EmbedSettings()
    network: NetworkSettings = NetworkSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    tune: TuneSettings = TuneSettings()

    @property
    def grams(self) -> dict[Unit, int]:
        """The units whose n-grams the wide part weighs, and how long these are at most."""
        lengths: dict[Unit, int] = {"word": self.network.wide.words, "char": self.network.wide.characters}
        return {unit: longest for unit, longest in lengths.items() if longest and not (unit == "char" and self.affixes)}

    @property
    def affixes(self) -> int:
        """How long the beginnings and ends of words are that the wide part weighs; 0: none."""
        return self.network.wide.characters if self.task == "tag" and self.segment.unit == "word" else 0

    @model_validator(mode="after")
    def _sections_agree(self) -> Settings:
        if self.segment.unit == "char" and self.network.inputs in ("words", "both"):
            raise ValueError(
                f'network.inputs = "{self.network.inputs}" needs words, and segment.unit is "char": '
                'set segment.unit = "word"'
            )
        if self.segment.unit == "char" and self.network.wide.words:
            raise ValueError('network.wide.words needs words, and segment.unit is "char": set network.wide.words = 0')
        if self.network.embedding != "random" and self.embed.method == "none":
            raise ValueError(
                f'network.embedding = "{self.network.embedding}" needs vectors, and embed.method is "none": '
                'set it to "random"'
            )
        return self

    @model_validator(mode="after")
    def _features_are_of_a_tagger(self) -> Settings:
        features, unit = self.network.features, self.segment.unit
        if features.widths and self.task != "tag":
            raise ValueError(f'network.features are a tagger\'s, and task is "{self.task}": leave them out')
        other = features.of_words if unit == "char" else features.of_characters
        if other:
            name, whose = next(iter(other)), "words" if unit == "char" else "characters"
            raise ValueError(
                f'network.features.{name} is of {whose}, and segment.unit is "{unit}": set network.features.{name} = 0'
            )
        return self

    @model_validator(mode="after")
    def _the_metric_is_of_the_task(self) -> Settings:
        if self.train.metric not in METRICS[self.task]:
            raise ValueError(
                f'train.metric = "{self.train.metric}" is not measured where task is "{self.task}": '
                f"choose one of {', '.join(METRICS[self.task])}"
            )
        return self

    @model_validator(mode="after")
    def _the_baselines_are_of_the_task(self) -> Settings:
        for name in self.evaluate.baselines:
            if name not in BASELINES[self.task]:
                raise ValueError(
                    f'evaluate.baselines has "{name}", which is of another task than "{self.task}": '
                    f"choose of {', '.join(BASELINES[self.task])}"
                )
        return self

    @model_validator(mode="after")
    def _the_ranges_are_of_settings(self) -> Settings:
        for key, found in self.tune.ranges.items():
            for value in found if isinstance(found, tuple) else (found.low, found.high):
                _check_override(self, key, value)
        return self

    @model_validator(mode="after")
    def _a_language_model_reads_on(self) -> Settings:
        if self.task != "language":
            return self
        wanted: dict[str, tuple[Any, Any]] = {
            "network.bidirectional": (self.network.bidirectional, False),
            "network.inputs": (self.network.inputs, {"word": "words", "char": "characters"}[self.segment.unit]),
            "network.wide.characters": (self.network.wide.characters, 0),
            "network.wide.words": (self.network.wide.words, 0),
            "segment.mode": (self.segment.mode, "default"),
            "segment.spaces": (self.segment.spaces, True),
            "segment.stop_words": (self.segment.stop_words, ()),
            "train.class_weights": (self.train.class_weights, False),
            "train.label_smoothing": (self.train.label_smoothing, 0.0),
        }
        _check_wanted("a language model", wanted)
        return self

    @model_validator(mode="after")
    def _a_tagger_keeps_every_token(self) -> Settings:
        if self.task != "tag":
            return self
        wanted: dict[str, tuple[Any, Any]] = {
            "network.inputs": (self.network.inputs, {"word": "words", "char": "characters"}[self.segment.unit]),
            "segment.mode": (self.segment.mode, "default"),
            "segment.stop_words": (self.segment.stop_words, ()),
            "corpus.nfkc": (self.corpus.nfkc, False),
            "corpus.simplify": (self.corpus.simplify, False),
            "train.class_weights": (self.train.class_weights, False),
            "train.label_smoothing": (self.train.label_smoothing, 0.0),
        }
        if self.tag.kind in ("words", "joint", "pos"):
            unit = "word" if self.tag.kind == "pos" else "char"
            wanted["segment.unit"] = (self.segment.unit, unit)
        _check_wanted(f"a tagger ({self.tag.kind})", wanted)
        return self

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_task(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        for name, defaults in DEFAULTS.get(str(values.get("task", "classify")), {}).items():
            section = values.get(name, {})
            if isinstance(section, dict):
                values = {**values, name: {**defaults, **section}}
        return values

    @model_validator(mode="before")
    @classmethod
    def _inputs_follow_the_unit(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("network", {}), dict):
            return values
        unit = values.get("segment", {}).get("unit", "word") if isinstance(values.get("segment", {}), dict) else "word"
        network = {"inputs": "characters" if unit == "char" else "words", **values.get("network", {})}
        return {**values, "network": network}


def choices(annotation: Any) -> list[str]:
    """The values that a field's type names one by one; none where it names none."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return list(dict.fromkeys(choice for part in get_args(annotation) for choice in choices(part)))


def is_section(field: FieldInfo) -> bool:
    """Whether a field is a table of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)


def is_path(engine: str) -> bool:
    """Whether an engine is named by the folder of its model."""
    return "/" in engine or "\\" in engine


def _check_wanted(who: str, wanted: Mapping[str, tuple[Any, Any]]) -> None:
    """Raises ValueError for the first key whose value, the former, isn't the latter."""
    for key, (value, expected) in wanted.items():
        if value != expected:
            raise ValueError(f"{who} cannot have {key} = {_literal(value)}: set it to {_literal(expected)}")


FIXED = ("name", "task", "seed", "corpus", "evaluate", "tune", "segment.workers", "train.metric", "train.tensorboard")


def _range(key: str, found: Any) -> RangeSettings | tuple[Any, ...]:
    """What a setting is searched in. Raises ValueError for what is no setting, must not change, or is no range."""
    known = [name for name in _names(Settings) if not any(f"{name}.".startswith(f"{fixed}.") for fixed in FIXED)]
    if key not in known:
        why = "must be the same for all trials" if key in _names(Settings) else "is no setting"
        raise ValueError(f'"{key}" {why}{nearest(key, known)}')
    if isinstance(found, RangeSettings):
        return found
    if isinstance(found, list | tuple) and len(found) > 1:
        return tuple(found)
    if not isinstance(found, dict):
        raise ValueError(f'"{key}": expected {{low, high}} or a list of two values or more, received {found!r}')
    try:
        return RangeSettings.model_validate(found)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(map(str, problem["loc"][:1]))
        expected = {"extra_forbidden": f"unknown key{nearest(name, list(RangeSettings.model_fields))}"}
        said = expected.get(problem["type"]) or expectation(problem).removeprefix("Value error, ")
        raise ValueError(f'"{key}": {name}{": " if name else ""}{said}') from None


def _check_override(settings: Settings, key: str, value: Any) -> None:
    """Raises ValueError where a setting can't have a value, whatever the others are."""
    *sections, last = key.split(".")
    section: Any = settings
    for name in sections:
        section = getattr(section, name)
    try:
        type(section).model_validate({**section.model_dump(), last: value})
    except ValidationError as error:
        for problem in error.errors():
            if problem["loc"][:1] == (last,):
                raise ValueError(f'tune.ranges: "{key}": {expectation(problem)}, received {value!r}') from None


def _names(section: type[Section], before: str = "") -> list[str]:
    """Dotted names of all settings of a section."""
    return [
        name
        for key, field in section.model_fields.items()
        for name in (_names(field.annotation, f"{before}{key}.") if is_section(field) else [before + key])  # type: ignore[arg-type]
    ]


def _literal(value: Any) -> str:
    return tomli_w.dumps({"": list(value) if isinstance(value, tuple) else value}).partition("= ")[2].strip()
