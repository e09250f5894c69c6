"""The queue: planted label errors come first, each text once, and what is decided is on the disk and comes back."""

import numpy as np
import pytest
from mini import mails, write_csv
from review_runs import HOSTILE

from corpora import corrections
from corpora.table_options import TableOptions
from pipeline.errors import PipelineError
from pipeline.evaluation.analysis import teaching
from pipeline.review import forms, queue, table_queue
from pipeline.review.decisions import Decisions
from pipeline.review.table_queue import ReviewTable


def test_planted_errors_are_in_the_queue(run, model):
    items = queue.of_run(run, model, reasons=("error",))
    right = {text: label for label, text in mails()}
    wrong = [item for item in items if right.get(item.text.text, item.old) != item.old]
    assert len(wrong) == 4 and {item.reason for item in items} == {"error"}
    assert all(item.answer == right[item.text.text] for item in wrong)
    assert {item.file for item in items} == {"mini.csv"} and min(item.row for item in items) >= 1
    assert [item.confidence for item in items] == sorted((item.confidence for item in items), reverse=True)


def test_doubtful_labels_come_before_errors_and_parts_can_be_left_out(run, model):
    items = queue.of_run(run, model)
    reasons = [item.reason for item in items]
    assert reasons == sorted(reasons) and len({item.fingerprint for item in items}) == len(items)
    assert {item.part for item in queue.of_run(run, model, parts=("train",))} == {"train"}


def test_a_folder_that_is_no_run_is_named(model, tmp_path):
    with pytest.raises(PipelineError, match="has no stage segment, so it is no run"):
        queue.of_run(tmp_path, model)


def test_decisions_are_replaced_undone_and_found_again(run, model, tmp_path):
    first, second, *_ = items = queue.of_run(run, model, reasons=("error",))
    made = Decisions(tmp_path / "corrections.csv", "某人")
    made.decide(first, "通知")
    made.decide(second, second.old)
    made.decide(first, HOSTILE)
    again = Decisions(tmp_path / "corrections.csv", "另一人")
    assert again.of(items)[:3] == [HOSTILE, second.old, None] and made.counts() == {"decided": 2, "changed": 1}
    assert again.undo(items[2:]) is None and again.counts()["decided"] == 2
    assert again.undo(items).new == HOSTILE and again.of(items)[:2] == [None, second.old]
    assert again.undo(items).who == "某人" and again.undo(items) is None


def test_lines_that_are_changed_by_hand_meanwhile_are_kept(run, model, tmp_path):
    first, second, *_ = queue.of_run(run, model, reasons=("error",))
    made = Decisions(tmp_path / "corrections.csv", "某人")
    made.decide(first, "通知")
    line = corrections.read(made.path)[0]
    corrections.write(made.path, [line, corrections.Correction("0" * 32, "b.csv", 1, "甲", "乙")])
    made.decide(second, "通知")
    assert [one.file for one in corrections.read(made.path)] == ["mini.csv", "b.csv", "mini.csv"]


def test_a_label_that_was_decided_earlier_is_not_asked_about_again(run, model, tmp_path):
    first, *_ = queue.of_run(run, model, reasons=("error",))
    made = Decisions(tmp_path / "corrections.csv", "某人")
    made.decide(first, "通知")
    since = queue.Item(first.file, first.row, "train", first.text, "通知", first.old, 0.9, "error")
    assert made.of([since]) == ["通知"]


def test_one_process_writes_at_a_time(tmp_path):
    made = Decisions(tmp_path / "corrections.csv", "某人")
    with (
        made.writing(),
        pytest.raises(PipelineError, match="another process is working"),
        Decisions(made.path, "b").writing(),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def labelled(tmp_path):
    rows = [
        ("垃圾邮件", "恭喜中奖", "true"),
        ("正常邮件", "明天会议", "false"),
        ("", " ", "true"),
        ("坏", "链接", "True"),
    ]
    return write_csv(tmp_path / "out.csv", rows, header=("label", "正文", "needs_review"))


def test_marked_rows_of_a_labelled_file(labelled, model):
    items = table_queue.unsure(ReviewTable(labelled, TableOptions(), text=("正文",)), model)
    assert {(item.row, item.old, item.reason) for item in items} == {(1, "垃圾邮件", "unsure"), (4, "坏", "unsure")}


def test_rows_below_a_confidence(labelled, model):
    table = ReviewTable(labelled, TableOptions(), text=("正文",))
    assert [item.row for item in table_queue.unsure(table, model, below=1.0)] and not table_queue.unsure(
        table, model, below=0.0
    )
    write_csv(labelled, [("恭喜",)], header=("正文",))
    with pytest.raises(PipelineError, match="has no column needs_review"):
        table_queue.unsure(ReviewTable(labelled, TableOptions(), text=("正文",)), model)


def test_rows_that_teach_are_unlabelled_distinct_and_not_decided(tmp_path, model):
    rows = [("", text) for _, text in mails(30, seed=5)] + [("", "恭喜中奖")] * 3 + [("正常邮件", "有标签的一行")]
    path = write_csv(tmp_path / "in.csv", rows, header=("label", "正文"))
    table = ReviewTable(path, TableOptions(), text=("正文",))
    items = table_queue.teaching_most(table, model, 5)
    assert len({item.fingerprint for item in items}) == 5 and {item.old for item in items} == {""}
    assert items == table_queue.teaching_most(table, model, 5)
    others = table_queue.teaching_most(table, model, 100, decided={item.fingerprint for item in items})
    texts = {item.text.text for item in (*items, *others)}
    assert texts == {text for label, text in rows if not label}
    with pytest.raises(PipelineError, match="no row without a label is left"):
        table_queue.teaching_most(table, model, 5, decided={item.fingerprint for item in (*items, *others)})


def test_chosen_texts_are_uncertain_and_unlike_each_other():
    kinds = ["天气很好，适合出门", "股票大涨，指数新高", "球队赢了，比分悬殊"]
    texts = [f"{kind}{chr(0x4E00 + n)}" for kind in kinds for n in range(40)]
    doubts = np.where(np.arange(len(texts)) % 4 == 0, 0.9, 0.1)
    chosen = teaching.choose(texts, doubts, 3)
    assert {texts[place][:4] for place in chosen} == {kind[:4] for kind in kinds}
    assert all(doubts[place] == 0.9 for place in chosen)
    assert sorted(teaching.choose(texts[:5], doubts[:5], 9)) == [0, 1, 2, 3, 4]
    assert len(set(teaching.choose(["同样"] * 50, [0.5] * 50, 4))) == 4


@pytest.mark.parametrize(
    "value", ["天", None, [1], ["天"], [[0, 1]], [[0, 1, "天"]], [[0, 9, "人"]], [[0, 2, "人"], [1, 3, "地"]]]
)
def test_spans_that_do_not_fit_are_refused(tagger, value):
    with pytest.raises(ValueError):
        forms.decided(tagger.task, value, 5, forms.names_of(tagger.task))


def test_spans_and_tags_are_inverse(tagger):
    spans = [[0, 2, "人"], [2, 3, "人"], [4, 5, "地"]]
    tags = forms.decided(tagger.task, spans, 5, forms.names_of(tagger.task))
    assert tags == "B-人 I-人 B-人 O B-地" and forms.shown_value(tagger.task, tags) == spans


def test_pieces_make_up_the_text():
    for text, tokens in [("我 爱　北京\n。", ["我", "爱", "北京"]), ("", []), ("好好", ["好", "好"])]:
        found = forms.pieces(text, tokens)
        assert "".join(between + token for between, token in found) == text
        assert [token for _, token in found[:-1]] == tokens
