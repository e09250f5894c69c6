"""Embed settings: where the vectors of words and characters come from."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from pipeline.config.section import Count, Section


class EmbedSettings(Section):
    """Where the vectors of words and characters come from."""

    table: ClassVar[str] = "embed"

    method: Literal["word2vec", "pretrained", "none"] = Field(
        "word2vec",
        description="word2vec trains vectors on train and extra; pretrained reads them from a file; none makes a "
        "vocabulary without vectors.",
    )
    algorithm: Literal["skip-gram", "cbow"] = Field("skip-gram", description="Architecture of Word2Vec.")
    loss: Literal["negative", "hierarchical"] = Field(
        "negative", description="Loss of Word2Vec: negative sampling or hierarchical softmax."
    )
    vector_size: Count = Field(100, description="Width of a vector.")
    window: Count = Field(5, description="Context of a word in Word2Vec: at most this many words on each side.")
    min_count: Count = Field(2, description="Words that occur less often are treated as unknown.")
    max_words: Count | None = Field(
        None, description="Keep only this many words, the most frequent ones; if left out, all."
    )
    epochs: Count = Field(5, description="Passes of Word2Vec over the text.")
    subsample: float = Field(
        1e-3,
        ge=0.0,
        description="Share of the text above which a word counts as frequent and some of its occurrences are skipped; "
        "0 skips none.",
    )
    negative: Count = Field(5, description="Noise words drawn for each word in negative sampling.")
    learning_rate: float = Field(0.025, gt=0.0, description="Initial learning rate of Word2Vec.")
    workers: Count = Field(
        1, description="Threads of Word2Vec; more than 1 is faster, but the vectors are not reproducible."
    )
    extra: tuple[str, ...] = Field(
        (),
        description="Further files of raw text for Word2Vec, plain or gzip, one sentence a line; for zhpipe pretrain, "
        "further texts, also by patterns such as texts/*.txt.gz.",
    )
    pretrained: str | None = Field(
        None, description="Table of word vectors: word2vec, GloVe, fastText .vec, or a folder that zhpipe wrote."
    )
    keep: Literal["train", "all"] = Field(
        "train",
        description="Words to keep from a pretrained table: those of train, or all (at most max_words), so that new "
        "texts have vectors too.",
    )
    pretrained_characters: str | None = Field(
        None, description="Table of character vectors, in any of the formats of pretrained."
    )
    format: Literal["word2vec", "word2vec-binary", "glove", "fasttext", "folder"] | None = Field(
        None, description="Format of the pretrained tables; if left out, it is detected."
    )

    @model_validator(mode="after")
    def _check_pretrained(self) -> EmbedSettings:
        if self.method == "pretrained" and not (self.pretrained or self.pretrained_characters):
            raise ValueError('method = "pretrained" needs a file: set embed.pretrained or embed.pretrained_characters')
        return self
