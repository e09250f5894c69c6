"""Label sets: joined text, lists, what is odd about them, and what looks like them."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import formats, label_sets
from corpora.columns import columns, joined_candidates, label_candidates, text_candidates
from corpora.document import Document
from corpora.errors import CorpusError
from corpora.split import audit, split
from corpora.table import TableWriter

NAMES = st.text("物流价格质量服务abc", min_size=1, max_size=3)


@given(st.sets(NAMES), st.sampled_from(["|", ";", "，", "||"]))
def test_every_way_of_writing_a_set_gives_it_back(names, separator):
    written = [separator.join(names), json.dumps(list(names), ensure_ascii=False), str(list(names)), list(names)]
    for cell in written:
        assert label_sets.parse(cell, separator) == label_sets.LabelSet(tuple(sorted(names)))


@pytest.mark.parametrize(
    ("cell", "labels", "repeated", "blank"),
    [
        (None, (), 0, 0),
        (" ", (), 0, 0),
        ("[]", (), 0, 0),
        ("物流", ("物流",), 0, 0),
        (" 物流 |\u200b价格\u3000", ("价格", "物流"), 0, 0),
        ("物流||价格|", ("价格", "物流"), 0, 2),
        ("物流|物流", ("物流",), 1, 0),
        ([1, 2.5, "a"], ("1", "2.5", "a"), 0, 0),
        ("[通知]", ("[通知]",), 0, 0),
        ("[" * 50_000, ("[" * 50_000,), 0, 0),
    ],
)
def test_what_is_odd_is_counted(cell, labels, repeated, blank):
    assert label_sets.parse(cell, "|") == label_sets.LabelSet(labels, repeated, blank)


@pytest.mark.parametrize("cell", [[["物流"]], [None], [True], {"a": 1}["a"] and [{"a": 1}], ["物流|价格"]])
def test_a_list_of_something_else_is_refused_with_its_row(cell, tmp_path):
    with TableWriter(tmp_path / "a.jsonl", ("text", "label")) as table:
        table.write(("很好", ["物流"]))
        table.write(("不好", cell))
    with pytest.raises(
        CorpusError, match=r"a.jsonl: row 2: .*(expected texts or numbers|set another --label-separator)"
    ):
        list(formats.read(tmp_path / "a.jsonl", label="label", label_separator="|"))


@pytest.mark.parametrize("cell", [["物流", "价格"], '["物流"]', "['物流', '价格']", ["物流"]])
@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_without_a_separator_a_list_is_refused_in_a_sentence(cell, suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    with TableWriter(path, ("text", "label")) as table:
        table.write(("很好", cell if suffix != "csv" else str(cell)))
    with pytest.raises(CorpusError, match=r"row 1: the label is a list, .* set --label-separator") as error:
        list(formats.read(path, label="label"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx"])
def test_sets_come_out_of_every_format_and_are_counted(suffix, tmp_path):
    path, counts = tmp_path / f"a.{suffix}", Counter()
    with TableWriter(path, ("text", "label")) as table:
        table.write(("很好", "物流|价格|物流"))
        table.write(("还行", ""))
        table.write(("不好", "质量|"))
    documents = list(formats.read(path, label="label", label_separator="|").counted(counts))
    assert [document.labels for document in documents] == [("价格", "物流"), (), ("质量",)]
    assert counts == {"no_labels": 1, "repeated_labels": 1, "blank_labels": 1}
    assert all(document.label is None for document in documents)


JOINED = {
    "|": ["物流|价格", "价格", "物流|质量", "质量", "", "服务|质量", "服务"],
    "，": ["物流，价格", "价格", "物流，质量", "质量"],
    ";": ["a; b", "b", "b; c", "a"],
    "list": ["['a', 'b']", "['b']", "[]"],
}


@pytest.mark.parametrize("separator", JOINED)
def test_joined_labels_are_recognised(separator):
    assert label_sets.joined_by(Counter(filter(None, JOINED[separator] * 5))) == separator


@pytest.mark.parametrize(
    "cells",
    [
        ["好评", "差评"],
        ["食品/饮料", "家居/厨具", "手机"],
        ["2024-01-02", "2024-03-04"],
        ["very good", "quite bad"],
        [],
        ["[通知]", "[其他]"],
    ],
)
def test_other_columns_are_not(cells):
    assert label_sets.joined_by(Counter(cells * 20)) is None


@given(st.lists(st.text("|;, /#+[]'\"a物\u3000", min_size=1, max_size=9), max_size=30))
def test_any_cells_can_be_looked_at(cells):
    assert label_sets.joined_by(Counter(cells)) in (None, label_sets.LIST, *label_sets.SEPARATORS)


def test_texts_with_commas_are_texts(tmp_path):
    with TableWriter(tmp_path / "a.csv", ("评价", "标签")) as table:
        for number in range(40):
            table.write((f"快递走了{number}天，包装也破了，客服第{number}次才回话", JOINED["|"][number % 7]))
    found = columns(tmp_path / "a.csv")
    assert text_candidates(found) == ["评价"] and joined_candidates(found) == ["标签"]
    assert found[1].looks_like == 'labels joined by "|"' and found[0].looks_like == "text"


def test_lists_are_no_candidate_for_one_label(tmp_path):
    with TableWriter(tmp_path / "a.jsonl", ("评价", "标签")) as table:
        for number in range(40):
            table.write((f"快递走了{number}天，包装也破了", [["物流"], ["物流", "质量"]][number % 2]))
    found = columns(tmp_path / "a.jsonl")
    assert label_candidates(found) == [] and joined_candidates(found) == ["标签"]
    assert found[1].looks_like == "lists of labels"


def test_a_split_keeps_every_label_in_train_and_sees_conflicts():
    sets = [("物流",), ("价格", "物流"), (), ("质量",), ("价格", "质量")]
    documents = [Document(f"第{number}条", None, number, labels=sets[number % 5]) for number in range(100)]
    parts = split(documents, dev=0.1, test=0.2, seed=1)
    assert (len(parts.train), len(parts.dev), len(parts.test)) == (70, 10, 20)
    assert {document.labels for document in parts.train} == set(sets)
    parts.test.append(Document("第1条", None, 1, labels=("服务",)))
    found = audit(parts)
    assert found.conflicts == 1 and found.unseen_labels == ("服务",)
    assert found.conflict_examples[0].labels == ("价格|物流", "服务")
