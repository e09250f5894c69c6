"""Memory: the same answers without fitting; anything that changes them, or damage, is a reason to fit again."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mini import mails

from pipeline.evaluation.analysis import suspects
from pipeline.evaluation.analysis.suspects import LabelledRow
from pipeline.evaluation.baselines import crfsuite, linear, one_vs_rest
from pipeline.evaluation.baselines.linear import BASELINES, Sample
from pipeline.evaluation.fitting import Fitting
from pipeline.evaluation.memory import Memory, fingerprint

QUICK = ["majority", "tfidf_characters_svc"]
TEXTS = [Sample(list(text), text, label, labels=(label, "信件")[: 1 + (len(text) % 2)]) for label, text in mails(30)]
PARTS = {"dev": TEXTS[20:25], "test": TEXTS[25:]}
SENTENCES = [Sample(tuple(text), text, tags=tuple("BE" * 2)) for text in ("昆明大理", "上海杭州", "大理昆明")]
ROWS = [
    LabelledRow("train", number, text, "正常邮件" if number < 3 else label)
    for number, (label, text) in enumerate(mails(60))
]


def of_classes(fitting, train=TEXTS[:20], parts=PARTS, names=QUICK):
    kept = {}
    return linear.run(names, train, parts, fitting=fitting, keep=kept.__setitem__), kept


def of_several(fitting, train=TEXTS[:20], parts=PARTS):
    kept = {}
    return one_vs_rest.run(QUICK, train, parts, fitting=fitting, keep=kept.__setitem__), kept


def of_tags(fitting, train=SENTENCES, parts=None):
    kept = {}
    parts = parts or {"test": SENTENCES[:2]}
    found = crfsuite.run(train, parts, None, frozenset(), memory=fitting.memory, keep=kept.__setitem__)
    return found, kept


def of_suspects(fitting, train=ROWS, parts=None):
    return suspects.find(train, fitting=fitting)


CONTESTS = [of_classes, of_several, of_tags, of_suspects]
contests = pytest.mark.parametrize("contest", CONTESTS)


def remembering(folder, notes=None, workers=1):
    return Fitting(Memory(folder, (folder,), (notes if notes is not None else []).append), workers)


def without_the_mark(found):
    """What a contest gave, but for the mark that baselines are remembered."""
    if isinstance(found, list):
        return found
    scores, kept = found
    return {
        name: {key: value for key, value in one.items() if key != "remembered"} for name, one in scores.items()
    }, kept


def fit_nothing(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("something was fitted")

    for module, name in ((linear, "_fit"), (one_vs_rest, "_fit"), (crfsuite, "predict"), (suspects, "_out_of_fold")):
        monkeypatch.setattr(module, name, refuse)


@contests
def test_what_is_remembered_is_what_was_fitted_with_its_seconds(contest, tmp_path, monkeypatch):
    first = contest(remembering(tmp_path))
    assert first == without_the_mark(first)
    fit_nothing(monkeypatch)
    again = contest(remembering(tmp_path))
    assert without_the_mark(again) == first
    if contest is not of_suspects:
        assert all(scores["remembered"] is True for scores in again[0].values())


@contests
def test_what_is_found_in_another_folder_is_kept_in_the_new_one(contest, tmp_path, monkeypatch):
    first = contest(remembering(tmp_path / "old"))
    fit_nothing(monkeypatch)
    contest(Fitting(Memory(tmp_path / "new", (tmp_path / "old",))))
    names = [{path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("old", "new")]
    assert names[0] == names[1]
    assert without_the_mark(contest(remembering(tmp_path / "new"))) == first


def cut(text):
    return text[: len(text) // 2]


def altered(text):
    found = json.loads(text)
    found["content"] = (
        found["content"][1:] if isinstance(found["content"], list) else {**found["content"], "weights": 7}
    )
    return json.dumps(found)


def foreign(text):
    found = json.loads(text)
    found["basis"]["version"] = 0
    return json.dumps({**found, "sha256": fingerprint([[found["basis"], found["content"]]])})


def beyond(text):
    """Answers with another number of rows, under a checksum that is right."""
    found = json.loads(text)
    content = found["content"]
    if isinstance(content, list):
        content = [[10**6, 0, 0.5, 0.5]]
    elif "tags" in content:
        content["tags"] = content["tags"][1:]
    elif isinstance(content["labels"], dict):
        content["labels"]["test"] = content["labels"]["test"][1:]
    else:
        content["labels"] = [-1] * len(content["labels"])
    return json.dumps({**found, "content": content, "sha256": fingerprint([[found["basis"], content]])})


@pytest.mark.parametrize(
    ("contest", "damage"),
    [
        *((contest, beyond) for contest in CONTESTS),
        (of_suspects, altered),
        *((of_tags, damage) for damage in (cut, altered, foreign, lambda text: "[]", lambda text: "\ufeff{")),
    ],
)
def test_a_damaged_or_foreign_file_is_said_and_fitted_again(contest, damage, tmp_path):
    first = contest(remembering(tmp_path))
    for path in tmp_path.iterdir():
        path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    notes = []
    again = contest(remembering(tmp_path, notes))
    assert len(notes) == len(list(tmp_path.iterdir())) and all("fitted again" in note for note in notes)
    if contest is of_suspects:
        assert again == first
    else:
        assert again[1] == first[1]
        assert not any("remembered" in scores for scores in again[0].values())
    assert without_the_mark(contest(remembering(tmp_path, notes))) == again, "the file is whole again"


def relabelled(rows):
    first, second, *rest = rows
    return [replace(first, label=second.label, labels=("新",), tags=first.tags[::-1]), second, *rest]


def reworded(rows):
    return [
        replace(rows[0], text=rows[0].text + "好", tokens=[*rows[0].tokens, "好"], tags=(*rows[0].tags, "O")),
        *rows[1:],
    ]


@pytest.mark.parametrize("change", [relabelled, reworded, lambda rows: rows[1:], lambda rows: rows[::-1]])
@pytest.mark.parametrize("contest", [of_classes, of_several, of_tags])
def test_another_train_split_is_fitted_anew(contest, change, tmp_path):
    train = SENTENCES if contest is of_tags else TEXTS[:20]
    contest(remembering(tmp_path))
    found = contest(remembering(tmp_path), change(train))
    assert not any("remembered" in scores for name, scores in found[0].items() if name != "majority")
    assert found[1] == contest(Fitting(), change(train))[1]


def test_other_rows_to_answer_are_answered_anew_and_their_gold_labels_do_not_matter(tmp_path):
    of_classes(remembering(tmp_path))
    [scores, _] = of_classes(remembering(tmp_path), parts={"test": relabelled(TEXTS[20:])})
    assert all(found["remembered"] for found in scores.values()), "scores are computed of the answers each time"
    assert (
        scores["majority"]["test"]["accuracy"]
        == of_classes(Fitting(), parts={"test": relabelled(TEXTS[20:])})[0]["majority"]["test"]["accuracy"]
    )
    [scores, _] = of_classes(remembering(tmp_path), parts={"test": reworded(TEXTS[20:])})
    assert {name for name, found in scores.items() if "remembered" in found} == {"majority"}


def test_words_cut_otherwise_leave_the_baselines_of_characters_remembered(tmp_path):
    names = [name for name in BASELINES if name.endswith("svc")]
    of_classes(remembering(tmp_path), names=names)
    cut_otherwise = [replace(sample, tokens=[sample.text]) for sample in TEXTS[:20]]
    [scores, _] = of_classes(remembering(tmp_path), cut_otherwise, names=names)
    assert [name for name, found in scores.items() if "remembered" not in found] == ["tfidf_words_svc"]


def test_dev_labels_matter_where_thresholds_are_chosen_on_them(tmp_path):
    of_several(remembering(tmp_path))
    [scores, _] = of_several(remembering(tmp_path), parts={**PARTS, "dev": relabelled(PARTS["dev"])})
    assert not any("remembered" in found for found in scores.values())
    [scores, _] = of_several(remembering(tmp_path), parts={**PARTS, "test": relabelled(PARTS["test"])})
    assert all(found["remembered"] for found in scores.values())


def test_processes_and_threads_change_no_answer():
    names = [name for name in BASELINES if name.endswith("svc")]
    alone, together = (of_classes(Fitting(workers=workers), names=names) for workers in (1, 2))
    assert together[1] == alone[1]
    assert of_suspects(Fitting(workers=2)) == of_suspects(Fitting())


@given(st.lists(st.text(max_size=3), max_size=6), st.lists(st.text(max_size=3), max_size=6))
def test_a_fingerprint_tells_lists_of_texts_apart(some, others):
    assert (fingerprint(some) == fingerprint(others)) == (some == others)
