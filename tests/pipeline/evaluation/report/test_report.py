"""The report: its files read back, its page parsed, whatever the texts and labels are."""

import json
import math

import numpy as np
import pytest
from page_parser import Page

from corpora.table import TableReader
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import cells, classification, confusion
from pipeline.evaluation.report import charts, facts, markdown, matrix, outline, page, summary, text
from pipeline.evaluation.report.report import Report, plain, write
from pipeline.evaluation.report.translations import translator

LABELS = ["差评", "好评"]
FILES = {"report.json", "report.txt", "report.html", "predictions.csv", "errors.csv", "confusion.csv"}
HOSTILE = '<script>alert("坏")</script>&amp;\n"引号",逗号 {{ 7 * 7 }}'
HISTORY = [
    {"epoch": 1, "loss": 0.7, "seconds": 2.0, "dev_accuracy": 0.5, "learning_rate": 0.001},
    {"epoch": 2, "loss": math.nan, "seconds": 2.0, "dev_accuracy": 0.75, "learning_rate": 0.001},
]
OUTCOMES = [
    Outcome(1, "很快，好吃", "好评", "好评", 0.9, (0.1, 0.9)),
    Outcome(2, "没有送水", "差评", "好评", 0.6, (0.4, 0.6)),
    Outcome(3, "太慢了", "差评", "差评", 0.8, (0.8, 0.2), leaked=True),
    Outcome(4, HOSTILE, "好评", "差评", 0.7, (0.7, 0.3)),
    Outcome(5, "没有标签", None, "差评", 0.7, (0.7, 0.3)),
]


def report(outcomes=OUTCOMES, labels=LABELS, **more):
    kept = [outcome for outcome in outcomes if not outcome.leaked]
    values = {
        "task": "classify",
        "model": {"cell": "gru", "layers": (128,)},
        "counts": {"scored": len(outcomes), "skipped": 0, "leaked": len(outcomes) - len(kept)},
        "test": classification(outcomes, labels),
        "test_without_leaked": classification(kept, labels),
        "history": HISTORY,
        "baselines": {"majority": {"test": classification(outcomes[:2], labels), "seconds": 0.1}},
        "made": {"name": "评论", "commands": ["zhpipe run configs/a.toml"], "seed": 1},
    }
    return Report(**(values | more))


def rows_of(path):
    table = TableReader(path)
    return [dict(zip(table.columns, row, strict=True)) for row in table]


def test_scores_can_be_recomputed_from_predictions(tmp_path):
    write(tmp_path / "new" / "evaluate", report(), {"test": OUTCOMES}, LABELS)
    folder = tmp_path / "new" / "evaluate"
    assert {path.name for path in folder.iterdir()} == FILES
    again = [
        Outcome(
            int(row["row"]),
            row["text"],
            row["gold"] or None,
            row["predicted"],
            float(row["confidence"]),
            tuple(float(row[f"p:{label}"]) for label in LABELS),
            row["leaked"] == "true",
        )
        for row in rows_of(folder / "predictions.csv")
    ]
    assert again == OUTCOMES
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert document["test"] == classification(again, LABELS)
    assert [int(row["row"]) for row in rows_of(folder / "errors.csv")] == [4, 2]
    names, matrix = confusion(again, LABELS)
    lines = rows_of(folder / "confusion.csv")
    assert [row["gold"] for row in lines] == names
    assert [[int(row[f"predicted:{name}"]) for name in names] for row in lines] == matrix


def test_json_has_the_promised_keys_and_only_finite_numbers(tmp_path):
    full = report(dev=classification(OUTCOMES[:2], LABELS))
    write(tmp_path, full, {"test": OUTCOMES, "dev": OUTCOMES[:2]}, LABELS)
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert {"task", "model", "counts", "test", "dev", "baselines", "history", "made"} < set(document)
    assert document["format_version"] == 1
    assert document["history"][1]["loss"] is None
    assert document == full.as_dict()
    assert len(rows_of(tmp_path / "predictions-dev.csv")) == 2
    write(tmp_path, report(), {"test": OUTCOMES}, LABELS)
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_plain_knows_numpy():
    assert plain({"a": np.float32(0.5), "b": np.array([1, 2]), "c": np.inf}) == {
        "a": 0.5,
        "b": [1, 2],
        "c": None,
    }


def test_page_says_what_the_report_says():
    words = " ".join("".join(Page(page.render(report().as_dict(), {"test": OUTCOMES}, LABELS)).words).split())
    assert "On 4 test rows the GRU model gets 50.0% right" in words
    assert "best baseline50.0%majority class" in words
    assert "Without the 1 row whose text was also trained on, accuracy is 33.3%." in words
    assert "2 of 2 wrong test rows" in words
    assert words.index("alert") < words.rindex("没有送水")


def test_chart_text_is_text():
    loss, dev = charts.learning_curve(HISTORY)
    assert ">dev accuracy</text>" in dev and ">epoch</text>" in loss
    assert "learning" not in dev and "#01020" not in loss + dev
    assert charts.learning_curve([{"epoch": 1, "seconds": 2.0}]) == []


def test_text_report_lines_up_and_holds_the_baseline():
    document = report().as_dict()
    lines = text.render(document).splitlines()
    start = lines.index("Scores") + 2
    scores = lines[start : lines.index("", start)]
    assert len({cells(line) for line in scores}) == 1
    assert [line.split(",")[0] for line in scores[1:]] == ["GRU model", "majority class", "GRU model"]
    assert any(line.split() == ["差评", "50.0", "50.0", "50.0", "2"] for line in lines)


def test_text_and_markdown_say_the_same_in_either_language():
    document = report().as_dict()
    for language, phrases in (("en", ["Scores", "On 4 test rows"]), ("zh", ["得分", "在测试集的 4 行上", "泄漏"])):
        plain, marked = text.render(document, language), markdown.render(document, language)
        for section in outline.sections(document, translator(language)):
            assert section.title in plain and f"## {section.title}" in marked
            for row in section.rows[1:]:
                assert any(line.split() == " ".join(row).split() for line in plain.splitlines()), row
                assert f"| {' | '.join([markdown.escaped(row[0]), *row[1:]])} |" in marked
        assert all(phrase in plain for phrase in phrases)
    assert "Scores" not in text.render(document, "zh") and "rows" not in text.render(document, "zh")


@pytest.mark.parametrize(
    "outcomes, labels",
    [
        ([], LABELS),
        ([], ["好评"]),
        ([Outcome(1, "好", "好评", "好评", 1.0, (1.0,))], ["好评"]),
        ([Outcome(1, "坏\ud800", "新类", "好评", 1.0, (0.0, 1.0))], LABELS),
    ],
    ids=["empty", "empty, one class", "one class", "unknown label and half a surrogate"],
)
def test_corners_are_written_whole(tmp_path, outcomes, labels):
    write(tmp_path, report(outcomes, labels, history=[], baselines={}), {"test": outcomes}, labels)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert len(rows_of(tmp_path / "predictions.csv")) == len(outcomes)
    Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert document["test"]["rows"] == len(outcomes)


def test_dev_stands_in_where_no_test_row_was_scored(tmp_path):
    only_dev = report([], dev=classification(OUTCOMES, LABELS))
    write(tmp_path, only_dev, {"test": [], "dev": OUTCOMES}, LABELS)
    assert len(rows_of(tmp_path / "errors.csv")) == 2
    assert "On 4 dev rows" in (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert not (tmp_path / "predictions-dev.csv").exists()


def test_many_labels_give_pairs_in_place_of_the_matrix():
    labels = [f"类{number}" for number in range(matrix.LABELS + 1)]
    outcomes = [Outcome(1, "文", labels[3], labels[4], 1.0, tuple(float(n == 4) for n in range(len(labels))))]
    parsed = Page(page.render(report(outcomes, labels).as_dict(), {"test": outcomes}, labels))
    assert ("class", "matrix") not in parsed.attributes
    assert "most often confused" in "".join(parsed.words)


def test_a_row_without_its_probabilities_is_refused_before_anything_is_written(tmp_path):
    bad = [Outcome(8, "好", "好评", "好评", 1.0, (1.0,))]
    with pytest.raises(PipelineError, match="row 8: 1 probabilities for 2 labels"):
        write(tmp_path / "evaluate", report(), {"test": bad}, LABELS)
    assert not (tmp_path / "evaluate").exists()


def test_points_against_a_baseline():
    document = {
        "test": {"rows": 10, "accuracy": 0.9, "macro_f1": 0.9},
        "baselines": {
            "majority": {"test": {"accuracy": 0.6}},
            "tfidf_words_svc": {"test": {"accuracy": 0.912}},
        },
    }
    assert summary.sentences(document)[1] == (
        "That is 30.0 points above majority class (60.0%), 1.2 points below TF-IDF words + LinearSVC (91.2%)."
    )


def test_long_lists_are_cut_in_facts():
    assert facts.facts({"leaked": list(range(1000))})[0][1].endswith("19 and 980 more")
