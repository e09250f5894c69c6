"""The catalogues: every phrase of the reports is in them, translated and compiled, and nothing else is."""

import re
import tomllib
from pathlib import Path

import pytest
from babel.messages import extract, mofile, pofile

from pipeline.evaluation.report.translations import DOMAIN, translator

ROOT = Path(__file__).parents[4]
LOCALE = ROOT / "pipeline" / "evaluation" / "report" / "locale"
SOURCES = ("pipeline/evaluation/report", "pipeline/tuning")
CATALOGUES = sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def named(path):
    return path.parts[-3]


def read(path, reader):
    with path.open("rb") as file:
        return reader(file)


def forms(text):
    """The forms of a phrase or of its translation: one, or a singular and plurals."""
    return (text,) if isinstance(text, str) else tuple(text)


def translated(catalogue):
    return {forms(message.id): forms(message.string) for message in catalogue if message.id}


@pytest.fixture(scope="module")
def phrases():
    """What `make translations` extracts; a phrase with a plural is a pair."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]["mappings"]
    methods = [(one["pattern"], one["method"]) for one in mappings]
    keywords = {**extract.DEFAULT_KEYWORDS, "plural": (1, 2)}
    found = [each for folder in SOURCES for each in extract.extract_from_dir(ROOT / folder, methods, keywords=keywords)]
    return {forms(phrase) for _, _, phrase, _, _ in found}


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_every_phrase_is_translated_and_no_entry_is_left_over(path, phrases):
    catalogue = read(path, pofile.read_po)
    assert len(phrases) > 200 and set(translated(catalogue)) == phrases, "run `make translations`"
    for message in catalogue:
        assert not message.id or (all(forms(message.string)) and not message.fuzzy), message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_values_keep_their_names(path):
    for message in read(path, pofile.read_po):
        every = [*forms(message.id), *forms(message.string)] if message.id else [""]
        values = [sorted(re.findall(r"\{\w*\}", text)) for text in every]
        assert all(one == values[0] for one in values), message.id
        assert not list(message.check()), f"{message.id}: a tool takes a per cent sign for a value: give it as one"


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_the_compiled_catalogue_is_that_of_the_source(path):
    source, compiled = read(path, pofile.read_po), read(path.with_suffix(".mo"), mofile.read_mo)
    assert translated(compiled) == translated(source), "run `make translations`"


def test_a_phrase_of_no_catalogue_stays_as_it_is():
    _ = translator("zh")
    assert _("垃圾邮件 100% {x}") == "垃圾邮件 100% {x}" and _("") == ""
    assert _("row {row}", row=7) == "第 7 行" and translator("en")("row {row}", row=7) == "row 7"


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_plural_takes_the_form_of_its_count(locale):
    phrase = "{points} point {side} {who} ({accuracy})", "{points} points {side} {who} ({accuracy})"
    values = {"points": "1.0", "side": "x", "who": "y", "accuracy": "z"}
    found = [translator(locale).plural(*phrase, count, **values) for count in (1, 2)]
    assert found == (["1.0 point x y (z)", "1.0 points x y (z)"] if locale == "en" else ["xy（z）1.0 个百分点"] * 2)
