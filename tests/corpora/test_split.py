"""Splits hold their laws, and an audit finds what brute force finds."""

import json
import random
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corpora.document import Document
from corpora.errors import CorpusError
from corpora.likeness import likeness
from corpora.split import Splits, audit, split

SHARES = st.sampled_from([0.0, 0.1, 0.15, 0.25, 0.3])
LABELS = st.sampled_from(["甲", "乙", "丙", None])
CORPORA = st.lists(st.builds(Document, st.integers(0, 60).map(str), LABELS), min_size=20, max_size=120)


def mails(count, labels="甲乙"):
    return [Document(f"第{row}封", labels[row % len(labels)], row + 1) for row in range(count)]


def parts(splits):
    return splits.train, splits.dev, splits.test


@settings(deadline=None)
@given(documents=CORPORA, dev=SHARES, test=SHARES, seed=st.integers(0, 9))
def test_laws(documents, dev, test, seed):
    try:
        splits = split(documents, dev=dev, test=test, seed=seed)
    except CorpusError:
        assume(False)
    assert Counter(map(repr, documents)) == Counter(repr(document) for part in parts(splits) for document in part)
    texts = [{document.text for document in part} for part in parts(splits)]
    assert sum(map(len, texts)) == len(set().union(*texts))
    for part in parts(splits):
        places = [next(i for i, other in enumerate(documents) if other is document) for document in part]
        assert places == sorted(places)
    assert {document.label for document in splits.train} >= {document.label for document in documents} - {None}
    largest = max(Counter(document.text for document in documents).values())
    for share, part in ((dev, splits.dev), (test, splits.test)):
        # 1 more for a part too small for a row, and one text a label that is kept for train.
        assert abs(len(part) - share * len(documents)) <= 4 * largest + 1
        assert bool(part) == bool(share)


@given(documents=CORPORA, seed=st.integers(0, 9), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(documents, seed, order):
    shuffled = list(documents)
    order.shuffle(shuffled)
    try:
        first = split(documents, dev=0.1, test=0.2, seed=seed)
    except CorpusError:
        assume(False)
    second = split(shuffled, dev=0.1, test=0.2, seed=seed)
    for one, other in zip(parts(first), parts(second), strict=True):
        assert {document.text for document in one} == {document.text for document in other}


@pytest.mark.parametrize("count", [10, 37, 100, 1001])
def test_shares_of_distinct_texts_are_exact_in_every_label(count):
    splits = split(mails(count, "甲乙丙"), dev=0.1, test=0.2, seed=3)
    assert abs(len(splits.dev) - 0.1 * count) <= 0.5 and abs(len(splits.test) - 0.2 * count) <= 0.5
    for share, part in ((0.1, splits.dev), (0.2, splits.test)):
        for rows in Counter(document.label for document in part).values():
            assert abs(rows - share * count / 3) <= 1.5


def test_many_rare_labels_do_not_empty_another():
    rare = [Document(f"罕{row}", f"罕{row:03}", row) for row in range(200)]
    often = [Document(f"常{row}", "常") for row in range(40)]
    splits = split(rare + often, dev=0.1, test=0.1, seed=1)
    assert 3 <= len(splits.dev) <= 6 and 3 <= len(splits.test) <= 6


def test_texts_that_stand_often_still_meet_the_shares():
    documents = [Document(f"{row // 3}", "甲乙丙丁戊"[row % 15 // 3]) for row in range(90)]
    splits = split(documents, dev=0.1, test=0.1, seed=1)
    assert abs(len(splits.dev) - 9) <= 1.5 and abs(len(splits.test) - 9) <= 1.5


def test_seeds_differ_and_repeat():
    first, second = (split(mails(60), dev=0.2, test=0, seed=seed) for seed in (1, 2))
    assert first.dev != second.dev and first == split(mails(60), dev=0.2, test=0, seed=1)
    assert first.test == [] and len(first.dev) == 12


def test_the_split_of_today_is_the_split_of_tomorrow():
    splits = split(mails(20), dev=0.1, test=0.2, seed=1)
    assert [document.row for document in splits.dev + splits.test] == [1, 6, 8, 10, 15, 19]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (mails(3), "3 rows with 2 labels .*train 2, dev 1, test 0.: test would be empty"),
        ([], "0 rows with 0 labels .*train would be empty"),
        ([Document("同", "甲")] * 9, "dev would be empty"),
        ([*mails(20), Document("同", "甲"), Document("同", "甲"), Document("同", "丁")], None),
    ],
)
def test_what_cannot_be_split_is_told_with_counts(documents, message):
    if message:
        with pytest.raises(CorpusError, match=message):
            split(documents, dev=0.2, test=0.2, seed=1)
        return
    outcomes = set()
    for seed in range(20):
        try:
            outcomes.add("丁" in {document.label for document in split(documents, dev=0.2, test=0.2, seed=seed).train})
        except CorpusError as error:
            assert 'train would have none of the 1 rows of "丁"' in str(error)
            outcomes.add(False)
    assert outcomes == {True, False}


@pytest.mark.parametrize(("dev", "test"), [(0.5, 0.5), (-0.1, 0.1), (1, 0), (float("nan"), 0.1)])
def test_impossible_shares(dev, test):
    with pytest.raises(CorpusError, match="shares of at least 0"):
        split(mails(20), dev=dev, test=test, seed=1)


@settings(deadline=None)
@given(st.tuples(*[st.lists(st.builds(Document, st.sampled_from("一二三四五六"), LABELS), max_size=8)] * 3))
def test_an_audit_counts_what_brute_force_counts(three):
    splits = Splits(*three)
    found = audit(splits)
    train, dev, test = ([document.text for document in part] for part in three)
    assert found.train_duplicates == sum(text in train[:row] for row, text in enumerate(train))
    assert found.leaked_dev == tuple(row for row, text in enumerate(dev) if text in train)
    assert found.leaked_test == tuple(row for row, text in enumerate(test) if text in train + dev)
    overlap = found.overlaps["dev-test"]
    assert overlap.rows == sum(text in dev for text in test)
    assert overlap.texts == len({text for text in test if text in dev})
    labels = {text: {d.label for part in three for d in part if d.text == text} - {None} for text in train + dev + test}
    assert found.conflicts == sum(len(names) > 1 for names in labels.values())
    for conflict in found.conflict_examples:
        assert conflict.labels == tuple(sorted(labels[conflict.text]))
    seen = {document.label for document in splits.train}
    assert set(found.unseen_labels) == {d.label for d in splits.dev + splits.test} - seen - {None}
    plain = found.as_dict()
    assert json.loads(json.dumps(plain)) == plain


NEAR = st.lists(st.sampled_from("好味！ 。1２Aａ"), min_size=1, max_size=4).map("".join)


@settings(deadline=None)
@given(st.lists(st.builds(Document, NEAR, st.sampled_from("甲乙")), min_size=30, max_size=90), st.integers(0, 5))
def test_near_duplicates_stay_together_unless_they_are_many(documents, seed):
    try:
        splits = split(documents, dev=0.2, test=0.2, seed=seed)
    except CorpusError:
        assume(False)
    sizes = Counter(likeness(document.text) for document in documents)
    keys = [{likeness(document.text) for document in part} for part in parts(splits)]
    shared = (keys[0] & keys[1]) | (keys[0] & keys[2]) | (keys[1] & keys[2])
    assert all(sizes[key] > 0.1 * len(documents) for key in shared)


def test_near_duplicates_stay_together():
    pairs = [(f"{name}家店好吃", f"{name}家店，好吃！！") for name in "一二三四五六七八九十"]
    splits = split([Document(text, "甲") for pair in pairs for text in pair], dev=0.2, test=0.2, seed=1)
    for part in parts(splits):
        texts = {document.text for document in part}
        assert part and all((one in texts) == (other in texts) for one, other in pairs)


def test_an_audit_counts_near_duplicates_but_not_equal_texts():
    train = [Document("满100减20", "甲"), Document("难吃", "乙")]
    dev = [Document("满２００減20".replace("減", "减") + "！", "甲"), Document("难吃", "乙"), Document("好", "甲")]
    test = [Document("好！", "甲"), Document("Ｏｋ", "甲")]
    assert audit(Splits(train, dev, test)).near_duplicates == {"dev": 1, "test": 1}


def test_half_characters_can_be_split():
    documents = [Document(f"\ud800{row}", "甲") for row in range(10)]
    assert len(split(documents, dev=0.2, test=0, seed=1).dev) == 2


def test_a_large_corpus_is_quick():
    rows = random.Random(1)
    documents = [Document(str(rows.randrange(50_000)), str(rows.randrange(20))) for _ in range(60_000)]
    splits = split(documents, dev=0.1, test=0.1, seed=1)
    assert abs(len(splits.dev) - 6000) <= 5 and audit(splits).leaked_test == ()
