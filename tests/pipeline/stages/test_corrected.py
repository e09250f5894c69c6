"""Corrections of a corpus: found by their text, counted, followed, and not applied where they disagree."""

import json

import pytest
from mini import mails, write_csv

from corpora import corrections
from corpora.corrections import Correction, fingerprint
from pipeline.config.load import from_mapping, load
from pipeline.errors import PipelineError, SettingsError
from pipeline.evaluation.report.corrected import sentences
from pipeline.stages import runner, segment
from pipeline.tasks import TASKS

SPAM, MAIL = "垃圾邮件", "正常邮件"


def correct(folder, *changes, name="corrections.csv"):
    """Writes (text, old, new) as a file of corrections."""
    corrections.write(
        folder / name, [Correction(fingerprint(text), "mini.csv", 1, old, new) for text, old, new in changes]
    )


def split(folder, *overrides, files=("corrections.csv",)):
    settings = load(folder / "mini.toml", [f"corpus.corrections={list(files)}", *overrides])
    splits, _, audit = segment.read_splits(settings, TASKS[settings.task].from_settings(settings))
    return {part: {row.text: row.label for row in getattr(splits, part)} for part in segment.PARTS}, audit


def in_part(parts, part):
    """A text of a part, and its label."""
    return next(iter(parts[part].items()))


def other(label):
    return MAIL if label == SPAM else SPAM


@pytest.fixture
def given(mini):
    """The parts of the corpus without corrections."""
    correct(mini)
    return split(mini)[0]


def test_each_part_is_corrected_and_the_split_stays(mini, given):
    chosen = {part: in_part(given, part) for part in segment.PARTS}
    correct(mini, *((text, label, other(label)) for text, label in chosen.values()), ("没有的文本", SPAM, MAIL))
    parts, audit = split(mini)
    assert {part: set(rows) for part, rows in parts.items()} == {part: set(rows) for part, rows in given.items()}
    for part, (text, label) in chosen.items():
        assert parts[part].pop(text) == other(label)
        assert parts[part].items() <= given[part].items()
    assert audit == {
        "files": ["corrections.csv"],
        "corrections": 4,
        "corrected": {"dev": 1, "test": 1, "train": 1},
        "not_found": 1,
        "conflicts": 0,
    }


def test_reordered_rows_keep_their_corrections(mini, given):
    text, label = in_part(given, "train")
    correct(mini, (text, label, other(label)))
    before = split(mini)
    write_csv(mini / "mini.csv", mails()[::-1])
    after = split(mini)
    assert after[1] == before[1] and {part: dict(sorted(rows.items())) for part, rows in after[0].items()} == {
        part: dict(sorted(rows.items())) for part, rows in before[0].items()
    }


def test_test_is_left_alone_if_asked(mini, given):
    text, label = in_part(given, "test")
    correct(mini, (text, label, other(label)))
    parts, audit = split(mini, "corpus.correct_test=false")
    assert parts["test"][text] == label and audit["kept"] == {"test": 1} and "corrected" not in audit


def test_disagreements_are_listed_and_not_applied(mini, given):
    text, label = in_part(given, "train")
    correct(mini, (text, label, other(label)))
    correct(mini, (text, label, label), name="second.csv")
    parts, audit = split(mini, files=("corrections.csv", "second.csv"))
    assert parts["train"][text] == label and audit["conflicts"] == 1
    assert audit["conflict_examples"][0]["reason"] == f'corrected to "{other(label)}" and to "{label}"'


def test_a_label_that_no_correction_knows_is_a_conflict(mini, given):
    text, label = in_part(given, "train")
    correct(mini, (text, "广告", "通知"))
    parts, audit = split(mini)
    assert parts["train"][text] == label
    assert audit["conflict_examples"][0]["reason"] == 'the corrections are of the label "广告"'


def test_corrections_are_followed_confirmed_and_found_done(mini, given):
    (first, label), (second, its), (third, own) = list(given["train"].items())[:3]
    correct(mini, (first, label, "通知"), (first, "通知", other(label)), (second, its, its), (third, "通知", own))
    parts, audit = split(mini)
    assert parts["train"][first] == other(label) and parts["train"][second] == its
    assert audit["corrected"] == audit["confirmed"] == audit["already"] == {"train": 1}


def test_a_change_that_was_taken_back_ends_where_it_began(mini, given):
    text, label = in_part(given, "train")
    correct(mini, (text, label, other(label)), (text, other(label), label))
    assert split(mini)[0]["train"][text] == label


def test_rows_without_a_label_get_one(mini, given):
    write_csv(mini / "mini.csv", [*mails(), ("", "请领取免费红包"), ("", "还没有人看过")])
    correct(mini, ("请领取免费红包", "", SPAM))
    parts, audit = split(mini)
    assert [rows["请领取免费红包"] for rows in parts.values() if "请领取免费红包" in rows] == [SPAM]
    assert sum(audit["labelled"].values()) == 1 and audit["conflicts"] == audit["not_found"] == 0


def test_labels_are_renamed_as_those_of_the_corpus(mini, given):
    text, label = in_part(given, "train")
    correct(mini, (text, label, other(label)))
    parts, _ = split(mini, f'corpus.label_map={{ "{SPAM}" = "坏", "{MAIL}" = "好" }}')
    assert parts["train"][text] == {SPAM: "坏", MAIL: "好"}[other(label)]


def test_a_label_that_only_corrections_have_is_said(mini, given):
    text, label = in_part(given, "train")
    correct(mini, (text, label, "正常邮 件"))
    assert split(mini)[1]["new_labels"] == ["正常邮 件"]


def test_a_correction_to_nothing_is_refused(mini, given):
    correct(mini, (in_part(given, "train")[0], SPAM, ""))
    with pytest.raises(PipelineError, match="row 1: new is empty"):
        split(mini)


def test_a_language_model_has_no_corrections():
    values = {"name": "a", "task": "language", "corpus": {"train": "a.txt", "corrections": ["c.csv"]}}
    with pytest.raises(SettingsError, match=r'corpus\.corrections is for labels, but task is "language"'):
        from_mapping(values)


def test_several_labels_are_corrected_in_any_order(tmp_path):
    rows = [(labels, f"第{n}条评价") for n, labels in enumerate(["物流|价格", "价格", "", "质量"] * 10)]
    write_csv(tmp_path / "in.csv", rows, header=("label", "text"))
    correct(tmp_path, ("第0条评价", "价格|物流", "质量|价格"), ("第1条评价", "价格", ""), ("第2条评价", "", "物流"))
    settings = from_mapping(
        {
            "name": "a",
            "task": "multilabel",
            "corpus": {
                "train": str(tmp_path / "in.csv"),
                "label_separator": "|",
                "corrections": [str(tmp_path / "corrections.csv")],
            },
        }
    )
    splits, _, audit = segment.read_splits(settings, TASKS["multilabel"].from_settings(settings))
    found = {row.text: row.labels for part in segment.PARTS for row in getattr(splits, part)}
    assert found["第0条评价"] == ("价格", "质量") and found["第1条评价"] == () and found["第2条评价"] == ("物流",)
    assert sum(audit["corrected"].values()) == 3


def test_sentences_are_corrected_and_other_lengths_are_conflicts(tmp_path):
    lines = [f"小\tB-人\n{chr(0x4E00 + n)}\tI-人\n来\tO\n" for n in range(20)]
    (tmp_path / "in.conll").write_text("\n".join(lines), encoding="utf-8")
    old, new = "B-人 I-人 O", "B-人 O O"
    first, second = "小一来", "小丁来"
    correct(tmp_path, (first, old, new), (second, old, "B-人 O"))
    values = {
        "name": "a",
        "task": "tag",
        "corpus": {"train": str(tmp_path / "in.conll"), "corrections": [str(tmp_path / "corrections.csv")]},
        "tag": {"kind": "entities", "scheme": "BIO"},
    }
    settings = from_mapping(values)
    splits, _, audit = segment.read_splits(settings, TASKS["tag"].from_settings(settings))
    found = {row.text: row.sentence.tags for part in segment.PARTS for row in getattr(splits, part)}
    assert found[first] == tuple(new.split()) and found[second] == tuple(old.split())
    assert audit["conflicts"] == 1 and "3 tokens, 2 tags" in audit["conflict_examples"][0]["reason"]


def test_changed_corrections_make_the_stage_stale(mini, given):
    text, label = in_part(given, "train")
    settings, done = load(mini / "mini.toml", ['corpus.corrections=["corrections.csv"]']), []
    for _ in range(2):
        runner.run_stages(settings, last="segment", report=done.append)
    correct(mini, (text, label, other(label)))
    runner.run_stages(settings, last="segment", report=done.append)
    assert [one.skipped for one in done] == [False, True, False]
    assert "no label corrected" in done[0].summary and "labels corrected: 1 (train 1)" in done[2].summary
    assert json.loads((mini / "runs/mini/segment/corpus.json").read_text(encoding="utf-8"))["corrections"]


def test_the_report_says_what_was_corrected(mini, given):
    chosen = [in_part(given, part) for part in ("train", "test")]
    correct(mini, *((text, label, other(label)) for text, label in chosen), ("没有的文本", SPAM, MAIL))
    first, second, third = sentences({"corpus": {"corrections": split(mini)[1]}})
    assert first == "People have corrected labels: 1 of train, 0 of dev, 1 of test."
    assert "corrected test labels" in second and third.endswith("no longer found: 1.")
    kept = sentences({"corpus": {"corrections": split(mini, "corpus.correct_test=false")[1]}})
    assert kept[0].endswith("0 of test.") and kept[1].endswith("(corpus.correct_test): 1.")
    assert sentences({"corpus": {}}) == []
