"""Scores of spans against seqeval, strict and lenient; its source needs `pip install --no-build-isolation seqeval`."""

import warnings
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import tags
from corpora.document import Span
from pipeline.encoding.encoder import Tokenised
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.spans import tagging

metrics = pytest.importorskip("seqeval.metrics")
strict = pytest.importorskip("seqeval.scheme")
LETTERS = {"BMES": {"M": "I"}, "BIOES": {}, "BIO": {}}
SCHEMES = {"BMES": strict.IOBES, "BIOES": strict.IOBES, "BIO": strict.IOB2}


@st.composite
def legal(draw, length, scheme):
    """Tags of random spans."""
    edges = sorted(draw(st.sets(st.integers(0, length), max_size=length + 1)))
    spans = [Span(start, stop, draw(st.sampled_from("人地"))) for start, stop in pairwise(edges) if draw(st.booleans())]
    return list(tags.tags_of(spans, length, scheme))


def scores_of(golds, answers, scheme):
    rows = [
        Outcome.of_tags(row, Tokenised("x" * len(gold), "x" * len(gold)), gold, said, 0.5)
        for row, (gold, said) in enumerate(zip(golds, answers, strict=True), start=1)
    ]
    return tagging(rows, scheme)


def same(found, golds, answers, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of divisions by zero, which are 0 in both
        report = metrics.classification_report(golds, answers, output_dict=True, zero_division=0, **options)
    assert {name: found[name] for name in ("precision", "recall", "f1")} == pytest.approx(
        {name: report["micro avg"][name.replace("f1", "f1-score")] for name in ("precision", "recall", "f1")}
    )
    for name, each in found["per_label"].items():
        if each["support"]:
            assert each["f1"] == pytest.approx(report[name]["f1-score"]) and each["support"] == report[name]["support"]


@pytest.mark.parametrize("scheme", list(SCHEMES))
@given(st.data())
def test_strict_scores_of_legal_tags(scheme, data):
    lengths = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    golds, answers = ([data.draw(legal(length, scheme)) for length in lengths] for _ in range(2))
    if all(tag == "O" for row in golds for tag in row):
        return  # seqeval has no report of no spans
    told = [
        [[f"{LETTERS[scheme].get(tag[0], tag[0])}{tag[1:]}" for tag in row] for row in rows]
        for rows in (golds, answers)
    ]
    same(scores_of(golds, answers, scheme), *told, mode="strict", scheme=SCHEMES[scheme])


@given(st.data())
def test_illegal_tags_are_read_as_conlleval_reads_them(data):
    lengths = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    tag = st.sampled_from(tags.tag_set("人地", "BIO"))
    golds = [data.draw(legal(length, "BIO")) for length in lengths]
    answers = [data.draw(st.lists(tag, min_size=length, max_size=length)) for length in lengths]
    if all(each == "O" for row in golds for each in row):
        return
    same(scores_of(golds, answers, "BIO"), golds, answers)
