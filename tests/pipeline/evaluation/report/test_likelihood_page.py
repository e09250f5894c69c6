"""The page of a language model's report: its figures are those of report.json, and texts cannot become markup."""

import csv
import json
import math
import re
from collections import defaultdict
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from few_lines import CHARACTERS, WORDS
from report_pages import document, outcome, some
from report_pages import language_page as page
from scipy.stats import bootstrap

from embeddings.vocabulary import Vocabulary
from pipeline.evaluation.metrics import slices
from pipeline.evaluation.metrics.perplexity import interval, perplexity
from pipeline.evaluation.report import likelihood, text
from pipeline.tasks import Language


def words(text):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_the_interval_is_that_of_another_bootstrap():
    outcomes = some(60)
    nats = np.array([-sum(one.probabilities) for one in outcomes])
    tokens = np.array([len(one.probabilities) for one in outcomes])

    def statistic(nats, tokens, axis):
        return np.exp(nats.sum(axis=axis) / tokens.sum(axis=axis))

    found = bootstrap((nats, tokens), statistic, paired=True, method="percentile", n_resamples=4000, rng=1)
    expected = found.confidence_interval
    low, high = interval(outcomes)
    assert low < perplexity(outcomes, {}.get)["perplexity"] < high
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=0.05)
    assert interval(outcomes) == [low, high], "the same whenever it is asked for"


def test_texts_that_are_all_alike_leave_no_doubt():
    assert interval([outcome(row, "好", 1.0, 2.0) for row in range(5)]) == pytest.approx([math.exp(1.5)] * 2)
    assert interval([outcome(1, "好", 1.0, 2.0)]) == interval([]) == []


def test_verdict_by_the_interval():
    test = some(60)
    value = perplexity(test, {}.get)["perplexity"]
    for factor, said in ((2, "earned its cost: its perplexity is 50.0% below"), (1.01, "may be as good")):
        other = {**perplexity(test, {}.get), "perplexity": factor * value}
        baselines = {"unigram": {"test": {**other, "perplexity": 9e9}}, "kneser_ney": {"test": other}}
        assert said in likelihood.verdict(document(test, baselines))
    other = {**perplexity(test, {}.get), "perplexity": value / 2}
    assert "did not earn its cost: its perplexity is 100.0% above that of Kneser-Ney n-grams" in likelihood.verdict(
        document(test, {"kneser_ney": {"test": other}})
    )
    assert likelihood.verdict(document(test)) == "" == likelihood.verdict(document([]))


@pytest.mark.parametrize("overrides", [CHARACTERS, WORDS])
def test_the_page_of_a_run_says_what_report_json_says(overrides, written):
    run = written(overrides)
    found = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
    source = (run / "evaluate" / "report.html").read_text(encoding="utf-8")
    said = words(source)
    test, low_and_high = found["test"], found["intervals"]["test"]["perplexity"]
    assert low_and_high[0] <= test["perplexity"] * (1 + 1e-9) and test["perplexity"] <= low_and_high[1] * (1 + 1e-9)
    for value in (
        test["perplexity"],
        *low_and_high,
        *(one["test"]["perplexity"] for one in found["baselines"].values()),
    ):
        assert f"{value:,.2f}" in said
    for sentence in likelihood.sentences(found):
        assert sentence in said
    for group in (*test["by_length"], *test["by_rank"]):
        assert re.search(
            rf'<th scope="row">{group}</th><td>{(test["by_length"] | test["by_rank"])[group]["tokens"]}</td>', source
        )
    grams = found["baselines"]["kneser_ney"]
    assert grams["seconds"] > 0 and grams["weights"] > found["baselines"]["unigram"]["weights"] > 0
    assert f"<td>{grams['weights']:,}</td>" in source or f"<td>{grams['weights'] / 1e3:.0f}k</td>" in source
    assert set(found["baselines"]["kneser_ney"]["test"]["by_rank"]) == set(test["by_rank"])
    assert source.count("<svg") == 3 and "perplexity on dev" in source and "the model and its baselines" in source


@pytest.mark.parametrize(("overrides", "unit"), [(CHARACTERS, "char"), (WORDS, "word")])
def test_every_score_of_the_model_again_from_the_predictions(overrides, unit, written):
    run = written(overrides)
    source = (run / "evaluate" / "report.html").read_text(encoding="utf-8")
    with (run / "evaluate" / "predictions.csv").open(encoding="utf-8", newline="") as file:
        texts = list(csv.DictReader(file))
    by_length, by_rank, ranks = defaultdict(list), defaultdict(list), ranked(run, unit)
    for row in texts:
        places = json.loads(row["surprisal"])
        bits = [float(place[2]) for place in places]
        assert sum(bits) * math.log(2) == pytest.approx(-float(row["log_probability"]), abs=1e-3)
        by_length[group((0, 10, 20, 50, 100, 200), len(row["text"]))] += bits
        for start, end, of_token in places[:-1]:
            place = ranks.get(row["text"][start:end])
            by_rank["unknown" if place is None else group((1, 101, 1001, 10001), place)].append(of_token)
    nats, tokens = -sum(float(row["log_probability"]) for row in texts), sum(int(row["tokens"]) for row in texts)
    characters = sum(len(row["text"]) for row in texts)
    _, shown, _, of_token, of_character, rows, counted, *_ = cells(source, '<tr class="model">')[0]
    assert (rows, counted) == (f"{len(texts):,}", f"{tokens:,}")
    assert float(shown.split()[0].replace(",", "")) == pytest.approx(math.exp(nats / tokens), abs=0.006)
    assert float(of_token) == pytest.approx(nats / math.log(2) / tokens, abs=6e-4)
    assert float(of_character) == pytest.approx(nats / math.log(2) / characters, abs=6e-4)
    for found in (by_length, by_rank):
        for name, bits in found.items():
            [[_, counted, shown, mean, *_]] = [row for row in cells(source, "<tr>") if row[0] == name]
            assert counted == f"{len(bits):,}" and float(mean) == pytest.approx(np.mean(bits), abs=6e-4)
            # From a million on it has three digits.
            assert float(shown.replace(",", "")) == pytest.approx(2 ** np.mean(bits), rel=5e-3)
    different = {row["text"]: row for row in texts}
    order = sorted(different.values(), key=lambda row: float(row["perplexity"]))
    of_text, few = [float(row["perplexity"]) for row in order], min(10, len(order) // 4)
    shown = [float(value.replace(",", "")) for value in re.findall(r"perplexity <b>([\d.,]+)</b>", source)]
    assert shown == pytest.approx([*of_text[:few], *of_text[len(of_text) - few :][::-1]], rel=1e-4, abs=0.006)
    most = [max(place[2] for place in json.loads(row["surprisal"])) for row in order[few : len(order) - few]]
    listed = [float(bits) for bits in re.findall(r"</b> ([\d.]+) bits</span>", source)]
    assert listed == pytest.approx(sorted(most, reverse=True)[:40], abs=0.06) and listed


def ranked(run, unit):
    """Rank in train of each token of the vocabulary, from 1."""
    tokens = Vocabulary.load(run / "model" / f"vocabulary.{unit}.txt").tokens
    return {token: place for place, token in enumerate(tokens, start=1)}


def group(starts, value):
    last = max(place for place, start in enumerate(starts) if value >= start)
    return f"{starts[last]}-{starts[last + 1] - 1 if last + 1 < len(starts) else ''}"


def cells(source, row):
    """The cells of each row that begins so, as they are read."""
    found = re.findall(re.escape(row) + r"(.*?)</tr>", source, re.DOTALL)
    return [[words(cell) for cell in re.split(r"</t[hd]>", line)[:-1]] for line in found]


def test_every_figure_of_the_slices_again_from_the_texts():
    test = [
        replace(one, length=len(one.tokens), unknown=one.row % 3 * len(one.tokens) // 5, slices=("甲乙"[one.row % 2],))
        for one in some(80)
    ]
    task = Language("char", 4)
    found = document(test) | {"slices": slices.scored(test, task.judge.slice_score, ["作者"], lengths=False)}
    assert [one["by"] for one in found["slices"]] == ["unknown", "作者"]
    shown = {row[0]: row for row in cells(page(found, test).split('<section id="slices">')[1], "<tr>")}
    parts = {
        "none": [one for one in test if not one.unknown],
        "over 25%": [one for one in test if one.unknown > 0.25 * len(one.tokens)],
        **{name: [one for one in test if one.slices == (name,)] for name in "甲乙"},
    }
    for name, rows in parts.items():
        logs = [log for one in rows for log in one.probabilities]
        expected = math.exp(-sum(logs) / len(logs))
        low, high = interval(rows)
        assert shown[name][1:] == [str(len(rows)), f"{expected:,.2f} [{low:,.2f}, {high:,.2f}]"]


def test_shaded_tokens_are_the_text():
    texts = [outcome(1, "今天好", 1.0, 14.0, 0.1, 2.0), outcome(2, "明天", 3.0, 3.0, 9.0)]
    source = page(document(texts), texts)
    shown = re.findall(r'<p class="text" lang="zh">\n?(.*?)</p>', source, re.DOTALL)
    assert words(shown[0]).replace(" ", "") == "今天好", "the end is shown where it is what surprises"
    assert words(shown[1]).replace(" ", "") == "明天end"
    assert '<span class="bits meant" style="--shade: 1.0" title="20.2">天</span>' in shown[0]


def test_only_what_stands_around_a_token_is_shown_of_a_long_text():
    long = outcome(1, "前" * 300 + "奇" + "后" * 300, *[0.1] * 300, 20.0, *[0.1] * 301)
    source = page(document([long]), [long])
    [first, *_] = re.findall(r'<p class="text" lang="zh">\n?(.*?)</p>', source, re.DOTALL)
    assert words(first).replace(" ", "") == "…" + "前" * 60 + "奇" + "后" * 60 + "…"


def test_it_begins_with_texts_of_its_own_and_shows_no_text_twice(written):
    run = written(CHARACTERS)
    lines = (run / "evaluate" / "generated.jsonl").read_text(encoding="utf-8").splitlines()
    generated = [json.loads(line) for line in lines]
    assert 1 < len(generated) <= 10 and len(set(generated)) == len(generated)
    source = (run / "evaluate" / "report.html").read_text(encoding="utf-8")
    begins = source.split('<section id="generated">')[1].split("</section>")[0]
    assert [unescape(one).strip() for one in re.findall(r'<li lang="zh">(.*?)</li>', begins, re.DOTALL)] == [
        text.strip() for text in generated
    ]
    assert source.index('id="generated"') < source.index('id="answers"') < source.index('id="scores"')
    test = [*some(30), *(replace(one, row=one.row + 30) for one in some(30))]
    source = page(document(test), test)
    shown = re.findall(r'<p class="text" lang="zh">\n?(.*?)</p>', source, re.DOTALL)
    assert len(shown) == len(set(shown)) > 10


def test_where_nothing_can_be_scored_the_page_says_so():
    assert "No text was scored." in page({"task": "language", "model": {}, "counts": {}, "test": {"rows": 0}}, [])
    assert "–" in page(document([outcome(1, "", 1.0)]), [outcome(1, "", 1.0)])


def test_the_text_file_still_says_the_same():
    test = some(20)
    assert text.render(document(test)).startswith(likelihood.sentences(document(test))[0])
