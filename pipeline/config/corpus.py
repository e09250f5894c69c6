"""Corpus settings: the labelled files, how they are read, and how they are split."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from corpora.table_options import TABLES, TableOptions
from pipeline.config.problems import Disagreement
from pipeline.config.section import Count, Section, Seed, Share


class TaggedSettings(Section):
    """How tagged text is read if task is tag; each key names the formats that use it."""

    table: ClassVar[str] = "corpus.tagged"

    token: int = Field(
        0, description="conll: column of the token, counted from 0; a negative number counts from the last column."
    )
    tag: int | str = Field(
        -1,
        description="conll: column of the tag, counted in the same way; conllu: upos or xpos, and upos if left out; "
        "huggingface: key of the tags, and ner_tags, tags, labels or pos_tags if left out.",
    )
    names: tuple[str, ...] | None = Field(
        None,
        description="huggingface: names of tags that are numbers, from 0 on; if left out, those in a Parquet file.",
    )
    separator: str | None = Field(
        None,
        description="conll: text between two columns; if left out, a tab if the first line has one, otherwise any run "
        "of spaces. slashed: text between a word and its tag; if left out, a slash.",
    )
    comment: str | None = Field(None, description="conll: lines that begin with this text are skipped.")
    brackets: bool = Field(True, description="slashed: read [ and ] as brackets around several words.")
    offsets: Literal["characters", "utf-16"] | None = Field(
        None,
        description="brat and JSON with entities: what their offsets count; if left out, characters, or "
        "UTF-16 units in texts where the words of the entities agree only with these.",
    )
    overlaps: Literal["refuse", "longest", "outermost"] = Field(
        "refuse",
        description="brat and JSON with entities: refuse a file with overlapping entities, or keep the longest of "
        "them, or the outermost, which of two that cross is the first.",
    )
    scheme: Literal["BIO", "BMES", "BIOES"] | None = Field(
        None, description="Tag scheme of the files; if left out, it is detected from the tags."
    )


class CorpusSettings(Section):
    """Which labelled files to use, and how to read and split them."""

    table: ClassVar[str] = "corpus"

    train: str = Field(
        min_length=1,
        description="Labelled file to train on; a relative path starts at the working directory or, if there is no "
        "such file, at the config's folder.",
    )
    dev: str | None = Field(
        None, description="Labelled file that chooses the best epoch; if left out, it is split off train."
    )
    test: str | None = Field(
        None, description="Labelled file that the report is about; if left out, it is split off train."
    )
    format: (
        Literal["csv", "tsv", "jsonl", "json", "parquet", "xlsx", "lines"]
        | Literal["conll", "iob2", "conllu", "huggingface", "slashed", "segmented", "brat", "cluener", "cmeee"]
        | Literal["doccano", "entities", "label-studio", "label-studio-predictions", "spacy"]
        | None
    ) = Field(
        None,
        description="Format of the files; if left out, the suffix decides, without a final .gz. conll and "
        "those after it hold annotated text.",
    )
    encoding: str = Field(
        "utf-8",
        description="Encoding of the files, such as utf-8, utf-8-sig, gb18030, cp950 (Big5), big5hkscs or utf-16; "
        "it is never guessed.",
    )
    text: str | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "text", description="Column of the text, or a list of columns whose texts are joined by line breaks."
    )
    label: str = Field("label", description="Column of the label.")
    label_separator: str | None = Field(
        None,
        description='Text between the labels of a row, such as "|": a text then has any number of labels, and the task '
        "is multilabel. A list of labels, in JSON, is read too.",
    )
    sheet: str | int | None = Field(
        None, description="xlsx: name or number, from 1, of the sheet; if left out, the first that is not hidden."
    )
    header: bool = Field(
        True, description='csv, tsv, xlsx: whether a row names the columns; if not, they are "1", "2" and so on.'
    )
    header_row: Count | None = Field(
        None,
        description="csv, tsv, xlsx: row that names the columns, counted from 1 as a spreadsheet does; rows above it "
        "are left out. If left out, the first row that is not skipped.",
    )
    skip_rows: int = Field(
        0,
        ge=0,
        description="csv, tsv, xlsx: rows at the top that are left out, except the one that header_row names.",
    )
    bad_rows: Literal["stop", "set-aside"] = Field(
        "stop",
        description="Stop at the first row of a table that cannot be read, or set such rows aside, with the reason, in "
        "rejected-train.csv and so on of the stage segment.",
    )
    delimiter: str | None = Field(
        None,
        description="csv, tsv: the one character between two cells; if left out, a comma for csv and a tab for tsv.",
    )
    quoting: bool | None = Field(
        None,
        description="csv, tsv: whether a quote at the start of a cell quotes the cell; if left out, it does, but a "
        "quoted cell whose lines look like rows is refused.",
    )
    label_map: dict[str, str] = Field(
        {},
        description='New names of labels, such as { "好" = "好评", "赞" = "好评" }; labels that get the same name are '
        "merged.",
    )
    corrections: tuple[str, ...] = Field(
        (),
        description="Files of corrected labels, such as zhpipe review writes; a correction is applied to the rows that "
        "have its text, whatever their place.",
    )
    correct_test: bool = Field(
        True, description="Whether corrections change the labels of test too, which the report then says."
    )
    dev_share: Share = Field(0.1, description="Share of the rows that are split off for dev if dev is left out.")
    test_share: Share = Field(0.1, description="Share of the rows that are split off for test if test is left out.")
    nfkc: bool = Field(
        False,
        description="Normalise to Unicode NFKC before anything else, which turns full-width letters into ASCII.",
    )
    split_seed: Seed | None = Field(None, description="Seed of the split alone; if left out, seed is used.")
    simplify: bool = Field(
        False, description="Convert traditional characters to simplified ones with OpenCC (needs zhpipe[opencc])."
    )
    tagged: TaggedSettings = TaggedSettings()

    @field_validator("delimiter")
    @classmethod
    def _check_delimiter(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in '"\r\n'):
            raise ValueError(f'expected one character, such as ";" or "\\t", received {value!r}')
        return value

    @field_validator("label_separator")
    @classmethod
    def _check_label_separator(cls, value: str | None) -> str | None:
        if value is not None and (not value or any(character.isalnum() or character in "\r\n" for character in value)):
            raise ValueError(f'expected a mark that no label has inside, such as "|" or ";", received {value!r}')
        return value

    @model_validator(mode="after")
    def _check_header(self) -> Self:
        if self.header_row is not None and not self.header:
            raise Disagreement("corpus.header_row", "corpus.header_row names a row, but corpus.header is false")
        return self

    @property
    def table_options(self) -> TableOptions:
        """How the files are read if they are tables."""
        return TableOptions(
            **{field.name: getattr(self, field.name) for field in fields(TableOptions) if field.name != "format"},
            format=self.format if self.format in TABLES else None,
        )

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The text columns, one or more."""
        return (self.text,) if isinstance(self.text, str) else self.text
