"""Evaluate settings: what the report compares, slices and writes."""

from __future__ import annotations

import re
from typing import ClassVar, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, field_validator

from pipeline.config.section import Section

Linear = Literal["tfidf_words_svc", "tfidf_words_logistic", "tfidf_characters_svc", "tfidf_characters_logistic"]
Baseline = Literal["majority", Linear, "unigram", "kneser_ney", "crfsuite", "jieba"]
# Names of parameters in a URI whose values are secrets.
SECRET = re.compile(r"pw|pass|token|secret|(api|access|account).?key|credential|signature|^(sig|auth)$", re.IGNORECASE)


class EvaluateSettings(Section):
    """What the report compares, slices and writes."""

    table: ClassVar[str] = "evaluate"

    baselines: tuple[Baseline, ...] = Field(
        ("majority", *get_args(Linear)),
        description="Baselines to train on the same split; [] for none. tag: crfsuite and jieba, by default crfsuite "
        "for small corpora; language: unigram and kneser_ney, by default both; classify and multilabel: all others.",
    )
    slices: tuple[str, ...] = Field(
        (), description="Columns of the labelled files; the report has scores for each of their values."
    )
    suspects: bool = Field(True, description="Look for rows whose label may be wrong and write them to suspects.csv.")
    remember: bool = Field(
        True,
        description="Take the answers of baselines and the suspects from an earlier evaluation of the same split, in "
        "this run or in another beside it, where nothing that they depend on has changed.",
    )
    language: Literal["en", "zh"] = Field(
        "en", description="Language of the report's page, of report.txt and of report.md."
    )
    excel_safe: bool = Field(
        True, description="Put ' before cells of the report's tables that a spreadsheet would run as a formula."
    )
    encoding: Literal["utf-8", "utf-8-sig"] = Field(
        "utf-8", description="Encoding of the report's tables; Excel reads utf-8-sig best."
    )
    mlflow: str | None = Field(
        None,
        min_length=1,
        description="MLflow tracking URI, such as sqlite:///mlflow.db, where settings, curves, scores and report are "
        "logged (needs zhpipe[mlflow]).",
    )

    @field_validator("mlflow")
    @classmethod
    def _check_no_password(cls, uri: str | None) -> str | None:
        if uri and (urlsplit(uri).password or any(SECRET.search(name) for name, _ in parse_qsl(urlsplit(uri).query))):
            raise ValueError(
                "has a password or another secret, which config.toml and the report would show: leave it out, and set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the file that the database's driver reads"
            )
        return uri
