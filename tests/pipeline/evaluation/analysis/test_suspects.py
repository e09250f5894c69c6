"""Suspects: planted wrong labels are found, and nothing is said where nothing can be."""

import random

from mini import mails

from pipeline.evaluation.analysis import suspects
from pipeline.evaluation.analysis.suspects import LabelledRow

OTHER = {"垃圾邮件": "正常邮件", "正常邮件": "垃圾邮件"}


def planted(count=300, share=0.05):
    """Rows of which some have the other label, and the numbers of these."""
    rows = [LabelledRow("train", number, text, label) for number, (label, text) in enumerate(mails(count), start=1)]
    wrong = set(random.Random(2).sample(range(1, count + 1), round(share * count)))
    flipped = [LabelledRow(row.part, row.row, row.text, OTHER[row.label]) if row.row in wrong else row for row in rows]
    return flipped, wrong


def test_planted_labels_are_among_the_suspects():
    rows, wrong = planted()
    finished = []
    found = suspects.find(rows, advance=finished.append)
    numbers = [suspect.labelled.row for suspect in found]
    assert len(finished) == suspects.FOLDS
    assert len(wrong & set(numbers)) >= 0.9 * len(wrong) and len(numbers) <= 1.5 * len(wrong)
    for suspect in found:
        assert suspect.expected == OTHER[suspect.labelled.label]
        assert 0 <= suspect.given_confidence < suspect.confidence <= 1
    summary = suspects.summary(found)
    assert summary["count"] == len(found) == summary["parts"]["train"] and len(summary["examples"]) == 10
    assert found == suspects.find(rows)


def test_nothing_is_suspected_where_nothing_can_be_learnt():
    assert suspects.find([]) == []
    assert suspects.find([LabelledRow("train", n, "文", "甲") for n in range(50)]) == []
    few = [LabelledRow("train", n, text, label) for n, (label, text) in enumerate(mails(8))]
    assert suspects.find(few) == []


def test_a_rare_label_is_left_alone():
    rows, _ = planted()
    rare = LabelledRow("dev", 1, "独一无二", "稀少")
    assert rare not in [suspect.labelled for suspect in suspects.find([*rows, rare])]


def test_one_text_with_two_labels_is_judged_by_the_others():
    rows, _ = planted(share=0.0)
    twice = [LabelledRow("test", n, "恭喜中奖点击链接领取红包。", "正常邮件") for n in range(3)]
    found = [suspect.labelled for suspect in suspects.find([*rows, *twice])]
    assert set(twice) <= set(found)
