"""Labels that look the same are the same, in every format, or are pointed out."""

import json
from collections import Counter

import pytest

from corpora import conll, findings
from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.formats import read, read_tagged
from corpora.labels import bare, bare_tag, is_deceptive

AROUND = [
    " ",
    "\t",
    "\u3000",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\u200f",
    "\u202c",
    "\x00",
    "\u3164",
    "\u2003\u200b ",
]


@pytest.mark.parametrize("blank", AROUND)
def test_what_cannot_be_seen_at_the_ends_is_dropped(blank):
    assert bare(f"{blank}人名{blank}") == "人名" and bare(blank) == ""
    assert bare_tag(f"{blank}B{blank}-{blank}人名{blank}") == "B-人名"
    assert bare("外\u3000卖") == "外\u3000卖" and bare("❤\ufe0f") == "❤\ufe0f"


@pytest.mark.parametrize("tag", ["O", "B", "B-", "VV-A", "B-人-名", "-LRB-", "1-2"])
def test_other_tags_stay(tag):
    assert bare_tag(tag) == tag


TAGGED = {
    "conll": ("北\tB-人名{0}\n京\tI-人名\n", {}),
    "conllu": ("1\t北京\t_\tPROPN{0}\t_\t_\t_\t_\t_\t_\n2\t人\t_\tPROPN\t_\t_\t_\t_\t_\t_\n\n", {}),
    "doccano": ('{{"text": "北京人", "label": [[0, 1, "人名{0}"], [1, 2, "人名"]]}}\n', {}),
    "cluener": ('{{"text": "北京人", "label": {{"人名{0}": {{"北": [[0, 0]]}}, "人名": {{"京": [[1, 1]]}}}}}}\n', {}),
    "label-studio": (
        '{{"data": {{"text": "北京人"}}, "annotations": [{{"result": [{{"value": {{"start": 0, "end": 1, "labels": '
        '["{0}人名"]}}}}, {{"value": {{"start": 1, "end": 2, "labels": ["人名"]}}}}]}}]}}\n',
        {},
    ),
    "slashed": ("北京/n{0} 人/n\n", {"blanks": ("\u200b", "\ufeff", "\u00ad")}),
}


@pytest.mark.parametrize("format", TAGGED)
def test_a_tag_is_one_type_whatever_surrounds_it(tmp_path, format):
    text, options = TAGGED[format]
    for blank in options.get("blanks", (" ", "\u3000", "\u00a0", "\u200b", "\ufeff", "\u202a")):
        path = tmp_path / "a.txt"
        path.write_text(text.format(blank), encoding="utf-8")
        tags = {tag.rpartition("-")[2] for sentence in read_tagged(path, format) for tag in sentence.tags} - {"O"}
        assert len(tags) == 1, (blank, tags)


def test_labels_of_classes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n好,好评\u200b\n很好,\ufeff好评\n差,\u200b\n行,好\u200b评\n", encoding="utf-8")
    counts = Counter()
    found = [document.label for document in read(path, label="label").counted(counts)]
    assert found == ["好评", "好评", None, "好\u200b评"] and counts == {"deceptive_labels": 1}
    assert findings.said(counts) == [f"1 {findings.SAID['deceptive_labels']}"]


def test_an_invisible_character_inside_a_tag_is_counted(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("北\tB-人\u200b名\n京\tI-人\u200b名\n人\tO\n", encoding="utf-8")
    counts = Counter()
    assert len(list(read_tagged(path).counted(counts))) == 1 and counts == {"deceptive_labels": 2}
    assert is_deceptive("a\u202eb") and is_deceptive("人\u200d名") and not is_deceptive("👨\u200d👩\u200d👧")


def test_a_tag_with_a_blank_is_not_written(tmp_path):
    with pytest.raises(CorpusError, match="sentence 1: the tag 'B-人 ' has white space"):
        conll.write(tmp_path / "a.conll", [Sentence(("北",), ("B-人 ",))])


def test_a_tag_of_blanks_alone_is_empty(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("北\tO\n京\t\u3000\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"line 2: column -1 is empty"):
        list(read_tagged(path))
    path.write_text(json.dumps({"text": "北京", "label": [[0, 1, " "]]}), encoding="utf-8")
    with pytest.raises(CorpusError, match="a label is expected, an empty one came"):
        list(read_tagged(path, "doccano"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("本车在路口撞了护栏。 -X- _ B-护栏\n\n我们在路口等了很久。 -X- _ O\n", 2),
        ("北 O\n" * 9 + "本车在路口撞了护栏 B-句\n", 1),
        ("北 O\n" * 9 + "中华人民共和国 B-国\n", 1),
        ("北京 O\n" * 9 + "中华人民共和国 B-国\n", 0),
        ("北 O\n" * 9 + "https://例子.com B-网\n哈哈哈哈 O\n", 0),
    ],
)
def test_sentences_in_the_column_of_the_token_are_counted(tmp_path, text, found):
    path = tmp_path / "a.conll"
    path.write_text(text, encoding="utf-8")
    counts = Counter()
    list(read_tagged(path).counted(counts))
    assert counts["long_tokens"] == found
    assert bool(findings.said(counts)) == bool(found)
