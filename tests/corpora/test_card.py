"""The data card counts what independent counting finds, and shows it in aligned lines."""

import json
import unicodedata
from collections import Counter

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.card import block_name, card, columns_wide
from corpora.document import Document
from corpora.formats import read

TEXT = st.text(st.sampled_from("好坏a ，\n") | st.characters(), max_size=9)
LABELS = st.sampled_from(["好评", "差评", None])


@given(st.lists(st.builds(Document, TEXT, LABELS), min_size=1, max_size=30))
def test_counts(documents):
    found = card(documents)
    texts = [document.text for document in documents]
    labels = [document.label for document in documents]
    assert found.rows == len(texts) and found.unlabelled == labels.count(None)
    assert found.labels == {name: labels.count(name) for name in set(labels) - {None}}
    assert found.duplicates == len(texts) - len(set(texts))
    assert found.empty == sum(not text.strip() for text in texts)
    pairs = {(document.text, document.label) for document in documents if document.label}
    assert found.conflicts == sum((text, "好评") in pairs and (text, "差评") in pairs for text in set(texts))
    lengths = numpy.quantile([*map(len, texts)], [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1], method="inverted_cdf")
    assert list(found.lengths.values()) == lengths.tolist() and found.characters == len("".join(texts))
    outside = [character for character in "".join(texts) if not common(ord(character))]
    assert sum(block.count for block in found.uncommon.values()) == len(outside)
    for name, block in found.uncommon.items():
        assert block.count == sum(block_name(character) == name for character in outside)
        assert block.examples[0] in outside
    plain = found.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert all(line.isprintable() for line in found.text().split("\n"))


def common(code):
    return chr(code) in "\t\n\r" or any(
        start <= code <= end
        for start, end in ((32, 126), (0x4E00, 0x9FFF), (0x3000, 0x303F), (0xFF00, 0xFFEF), (0x2000, 0x206F))
    )


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\0", "control characters"),
        ("\ufffd", "replacement character"),
        ("\ue000", "private use"),
        ("㐀", "CJK extension A"),
        ("𠮷", "CJK extension B and later"),
        ("é", "Latin-1"),
        ("\U000e0001", "other"),
    ],
)
def test_blocks(character, name):
    assert block_name(character) == name


def test_unknown_words():
    known = {"天气", "好"}
    asked = []

    def is_known(word):
        asked.append(word)
        return word in known

    texts = [Document("天气 好 ， 2024 绝绝子"), Document("绝绝子 天气 yyds")]
    found = card(texts, is_known, str.split).unknown
    assert (found.words, found.unknown, found.examples) == (6, 3, ("绝绝子", "yyds"))
    assert found.share == 0.5 and len(asked) == len(set(asked))
    assert card(texts, is_known).unknown is None and card(texts).unknown is None


def test_nothing_at_all():
    found = card([])
    assert found.rows == 0 and found.lengths == {} and found.text().startswith("rows")
    assert card([], bool, list).unknown.share == 0


def test_progress():
    finished = []
    card([Document("好")] * 3, advance=finished.append)
    assert sum(finished) == 3


def test_the_card_as_text_is_aligned():
    documents = [
        Document("很好の", "好评"),
        Document("很好の", "好评"),
        Document("一般般吧", "neutral"),
        Document("", "差"),
    ]
    text = card(documents, {"很好"}.__contains__, lambda text: [text] if text else []).text()
    assert text == EXPECTED
    labels = text.split("labels\n")[1].split("\n\n")[0].split("\n")
    assert len({columns_wide(line) for line in labels}) == 1


EXPECTED = """\
rows                    4
unlabelled              0
empty texts             1
duplicate rows          1
texts with two labels   0
characters             10

labels
  好评     2   50.0%
  neutral  1   25.0%
  差       1   25.0%

length in characters
  min  0
  5%   0
  25%  0
  50%  3
  75%  3
  95%  4
  max  4

characters outside the common blocks
  Hiragana  2  の

words unknown to the dictionary: 3 of 3 (100.0%)
  很好の  一般般吧
"""


def test_width_is_that_of_east_asian_width():
    for character in "好ａ，a\u0301é":
        width = 0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        assert columns_wide(character) == width


def test_what_readers_count_is_said_at_the_end(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n好,好\u200b评\n差,差评\n", encoding="utf-8")
    counts = Counter()
    found = card(read(path, label="label").counted(counts), findings=counts)
    assert found.as_dict()["findings"] == {"deceptive_labels": 1}
    assert "to look at\n  1 labels or tags with an invisible character inside" in found.text()
    assert "好U+200B评" in found.text()
    plain = card(read(path, label="label"))
    assert "findings" not in plain.as_dict() and "to look at" not in plain.text()
