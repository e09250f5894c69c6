"""Comparison: runs side by side, several seeds, and what can't be compared."""

import csv
import json
import statistics
from dataclasses import replace

import numpy as np
import pytest
from markupsafe import escape
from mini import mails, write_config, write_csv
from report_pages import HOSTILE, hostile_report

import pipeline
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics import significance, spans
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.perplexity import perplexity
from pipeline.evaluation.report import comparison, comparison_page, report, surprise, tagged
from pipeline.evaluation.report.report import Report
from pipeline.evaluation.report.translations import ENGLISH
from pipeline.stages.evaluate import evaluate_file


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """The folder of a run with two seeds."""
    folder = tmp_path_factory.mktemp("seeds")
    write_csv(folder / "mini.csv", mails())

    return pipeline.run(
        write_config(folder),
        overrides=["seeds=[3, 4]", "train.epochs=1", "evaluate.suspects=false"],
        runs=folder / "runs",
    )


def test_seeds_share_a_split_and_are_compared(seeds):
    found = json.loads((seeds / "comparison.json").read_text(encoding="utf-8"))
    assert [system["name"] for system in found["systems"]] == ["mini-3", "mini-4"]
    splits = [(seeds / f"mini-{seed}" / "segment" / "test.csv").read_bytes() for seed in (3, 4)]
    networks = [(seeds / f"mini-{seed}" / "model" / "network.onnx").read_bytes() for seed in (3, 4)]
    assert splits[0] == splits[1] and networks[0] != networks[1]
    reports = [
        json.loads((seeds / f"mini-{s}" / "evaluate" / "report.json").read_text(encoding="utf-8")) for s in (3, 4)
    ]
    scores = [one["test"]["accuracy"] for one in reports]
    assert found["spread"]["accuracy"]["mean"] == pytest.approx(statistics.fmean(scores))
    assert found["spread"]["accuracy"]["deviation"] == pytest.approx(statistics.stdev(scores))
    assert [system["seed"] for system in found["systems"]] == [3, 4]
    assert "mean" in comparison.render(found) and (seeds / "comparison.html").is_file()


@pytest.mark.parametrize("given", ["[1]", "[1, 1]"])
def test_seeds_are_several_and_different(mini, given):
    with pytest.raises(PipelineError, match="two or more different ones"):
        pipeline.run("mini.toml", overrides=[f"seeds={given}"])


def systems(tmp_path, count=60):
    """Two reports on the same rows, the second one right in every row."""
    outcomes, made = hostile_report(count)
    better = [type(one)(one.row, one.text, one.gold, one.gold, 1.0, one.probabilities) for one in outcomes]
    for name, rows in (("a", outcomes), ("b", better)):
        report.write(tmp_path / name, made, {"test": rows}, HOSTILE)
    return [comparison.read(tmp_path / name) for name in ("a", "b")]


def test_disagreements_are_counted_listed_and_tested(tmp_path):
    both = systems(tmp_path)
    found = comparison.write(tmp_path / "out", both)
    wrong = [one for one in both[0].outcomes if one.is_error]
    assert found["disagreements"] == len(wrong) == 15
    pair = found["pairs"][0]
    assert (pair["only_ours"], pair["only_theirs"]) == (0, 15)
    assert pair["p"] == significance.paired([False] * 15, [True] * 15)["p"]
    assert [system["name"] for system in found["systems"]] == [f"{HOSTILE[0]} (1)", f"{HOSTILE[0]} (2)"]
    with (tmp_path / "out" / "disagreements.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [int(row[0]) for row in rows] == [one.row for one in wrong]
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert "<script>document" not in page and "<img" not in page and "://" not in page


@pytest.mark.parametrize(
    ("locale", "verdict", "heading"),
    [
        ("en", "is better by 25.0 points (p < 0.0001).", "Disagreements"),
        ("zh", "更好，领先 25.0 个百分点（p < 0.0001）。", "分歧"),
    ],
)
def test_the_page_says_which_is_better_marks_it_and_draws_the_difference(tmp_path, locale, verdict, heading):
    found = comparison.write(tmp_path / "out", systems(tmp_path), locale)
    best = comparison_page.best(found, comparison.KINDS["classify"])
    assert best == f"{HOSTILE[0]} (2)"
    source = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert f'<div class="verdict better"><p class="result">{escape(f"{best} {verdict}")}</p>' in source
    marked = source.split('<tr class="model">')[1].split("</tr>")[0]
    assert escape(best) in marked and 'class="winner"' in marked and source.count('class="winner"') == 1
    assert source.count("<svg") == 1 and "−25.0</title>" in source
    assert f'<html lang="{locale}">' in source and f"<h2>{heading}</h2>" in source


def pair(first, second, difference, p):
    return {"first": first, "second": second, "difference": difference, "p": p, "interval": [difference, difference]}


@pytest.mark.parametrize(
    ("task", "pairs", "said"),
    [
        ("classify", [pair("a", "b", -0.115, 0.0)], "b is better by 11.5 points (p < 0.0001)."),
        ("classify", [pair("a", "b", 0.02, 0.3)], "a and b can't be told apart: +2.0 points (p = 0.3)."),
        ("language", [pair("a", "b", -0.25, 0.01)], "a is better by 0.250 bits (p = 0.01)."),
        (
            "tag",
            [pair("a", "b", -0.03, 0.01), pair("a", "c", 0.1, 0.01), pair("b", "c", 0.13, 0.001)],
            "b is the best: 3.0 points ahead of a, the nearest (p = 0.01).",
        ),
        (
            "tag",
            [pair("a", "b", 0.01, 0.4), pair("a", "c", 0.1, 0.01), pair("b", "c", 0.09, 0.01)],
            "None of the 3 is better than all others: see each against each below.",
        ),
    ],
)
def test_the_verdict_on_runs(task, pairs, said):
    names = dict.fromkeys(name for one in pairs for name in (one["first"], one["second"]))
    found = {"systems": [{"name": name} for name in names], "pairs": pairs}
    assert comparison_page.verdict(found, comparison.KINDS[task], ENGLISH) == said


def test_other_rows_and_missing_reports_are_refused(tmp_path, trained):
    both = systems(tmp_path)
    corpus = write_csv(tmp_path / "other.csv", mails(12, seed=8))
    evaluate_file(trained("gru"), corpus, tmp_path / "c", text="正文", label="类别")
    with pytest.raises(PipelineError, match="was tested on other rows than"):
        comparison.compare([both[0], comparison.read(tmp_path / "c")])
    with pytest.raises(PipelineError, match=r"b: its task is tag, and that of .* classify: compare runs of one task"):
        comparison.compare([both[0], comparison.read(tagger(tmp_path, "b", ("O O", "O O", "O O")))])
    with pytest.raises(PipelineError, match="two runs or more"):
        comparison.compare(both[:1])
    with pytest.raises(PipelineError, match="no report can be read here"):
        comparison.read(tmp_path / "nowhere")


def tagger(folder, name, said):
    """The report of a tagger that says so of three texts of two characters."""
    gold = ("B-人 I-人", "B-人 O", "O O")
    rows = [
        Outcome.of_tags(row, Tokenised("李明", "李明"), right.split(), tags.split(), 0.9)
        for row, (right, tags) in enumerate(zip(gold, said, strict=True), start=1)
    ]
    scores, about = spans.tagging(rows, "BIO", frozenset()), {"cell": "gru", "scheme": "BIO"}
    made = report.Report("tag", about, {"scored": 3, "scored_dev": 0}, scores, made={"name": name})
    tagged.write(folder / name, made, {"test": rows}, "BIO")
    return folder / name


def test_taggers_are_compared_by_their_spans(tmp_path):
    first = comparison.read(tagger(tmp_path, "a", ("B-人 I-人", "B-人 O", "O O")))
    second = comparison.read(tagger(tmp_path, "b", ("B-人 O", "B-人 O", "O B-人")))
    found = comparison.write(tmp_path / "out", [first, second])
    assert [system["f1"] for system in found["systems"]] == [1.0, pytest.approx(0.4)]
    [pair] = found["pairs"]
    assert pair["difference"] == pytest.approx(0.6) and (pair["only_ours"], pair["only_theirs"]) == (2, 0)
    assert found["disagreements"] == 2 and "F1: mean 70.0" in comparison.render(found)
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert "F1 of the first minus that of the second" in page and "paired bootstrap" in page


TEXTS = ["春眠不觉晓", "处处闻啼鸟", "夜来风雨声", "花落知多少", "床前明月光", "疑是地上霜"] * 5


def author(folder, name, unit, ease, seed):
    """The report of a language model of characters, or of pairs of them, that finds texts so easy."""
    generator, rows = np.random.default_rng(seed), []
    for row, text in enumerate(TEXTS, start=1):
        tokens = tuple(text) if unit == 1 else (text[:2], text[2:4], text[4:])
        logs = tuple((-unit * ease * generator.exponential(2, len(tokens) + 1)).tolist())
        rows.append(Outcome(row, text, "", "", 1.0, logs, tokens=tokens))
    made = Report("language", {"cell": "gru", "weights": 12}, {"scored": 30}, perplexity(rows, {}.get))
    surprise.write(folder / name, replace(made, made={"name": name}), {"test": rows})
    return folder / name


def bits_of(folder):
    """Of each text its bits, from the tables."""
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return np.array([sum(place[2] for place in json.loads(row["surprisal"])) for row in csv.DictReader(file)])


def test_language_models_are_compared_by_their_bits_a_character(tmp_path):
    folders = [author(tmp_path, "字", 1, 1.0, 1), author(tmp_path, "词", 2, 1.5, 2), author(tmp_path, "b", 1, 1.0, 3)]
    found = comparison.write(tmp_path / "out", [comparison.read(folder) for folder in folders])
    bits, characters = [bits_of(folder) for folder in folders], 5 * len(TEXTS)
    for system, each in zip(found["systems"], bits, strict=True):
        assert system["bits_per_character"] == pytest.approx(each.sum() / characters, abs=1e-4)
        low, high = system["intervals"]["bits_per_character"]
        assert low < system["bits_per_character"] < high and system["weights"] == 12
    better, alike, _ = found["pairs"]
    assert better["difference"] == pytest.approx((bits[0] - bits[1]).sum() / characters, abs=1e-4)
    assert better["p"] < 0.01 < 0.05 < alike["p"] and better["interval"][1] < 0
    assert better["only_ours"] == (bits[0] < bits[1]).sum() and better["only_theirs"] == (bits[0] > bits[1]).sum()
    generator, drawn = np.random.default_rng(9), []
    for _ in range(2000):
        chosen = generator.integers(0, len(TEXTS), len(TEXTS))
        drawn.append((bits[0] - bits[2])[chosen].sum() / (5 * len(chosen)))
    assert alike["interval"] == pytest.approx(np.percentile(drawn, (2.5, 97.5)), abs=0.1)
    with (tmp_path / "out" / "disagreements.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "text", "字", "词", "b"] and len(rows) == found["disagreements"] == 30
    spans = [max(values) - min(values) for row in rows for values in [[float(row[name]) for name in "字词b"]]]
    assert spans == sorted(spans, reverse=True)
    said, page = comparison.render(found), (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert f"字 against 词: −{-better['difference']:.3f} bits [" in said and "rows are rated differently" in said
    assert f"{better['only_ours']} rows likelier to the first, {better['only_theirs']} to the second" in said
    assert "Bits per character of the first minus that of the second, in bits, with the paired bootstrap" in page
    assert page.count("<html") == 1 and "gold" not in page


def test_a_task_that_is_none_is_refused(tmp_path):
    (tmp_path / "report.json").write_text('{"task": "x"}', encoding="utf-8")
    with pytest.raises(PipelineError, match=r"no report can be read here .its task is 'x'"):
        comparison.read(tmp_path)
