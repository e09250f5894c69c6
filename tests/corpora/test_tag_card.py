"""The tag card: types, lengths and illegal tags of a tagged corpus, with their lines; no figures of a misread one."""

import pytest

from corpora.errors import CorpusError
from corpora.formats import read_tagged
from corpora.tag_card import tag_card

LINES = [
    "-DOCSTART- O",
    "",
    "老 B-人",
    "周 I-人",
    "去 O",
    "昆 B-地",
    "明 I-人",
    "",
    "走 O",
    "了 O",
    "",
    "走 O",
    "了 O",
    "",
    "吗 I-人",
]


def card(folder, text, kind="entities", format="conll", name="a.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return tag_card(read_tagged(path, format), kind)


def test_types_lengths_and_repeated_sentences(tmp_path):
    found = card(tmp_path, "\n".join(LINES))
    assert (found.sentences, found.tokens, found.repeated, found.scheme) == (4, 10, 1, "BIO")
    assert found.types == {"人": 3, "地": 1}
    assert (found.lengths["min"], found.lengths["max"]) == (1, 5)


def test_illegal_tags_have_their_lines(tmp_path):
    found = card(tmp_path, "\n".join(LINES))
    assert found.illegal == 2
    assert [one.sentence for one in found.illegal_examples] == [
        'line 7: "I-人" after "B-地"',
        'line 15: "I-人" after "the start"',
    ]
    assert "illegal tags  " in found.text() and 'line 7: "I-人" after "B-地"' in found.text()


def test_ends_are_judged_too_and_only_the_first_are_listed(tmp_path):
    found = card(tmp_path, "老 B-人\n\n" * 14 + "老 S-人\n中 M-人\n周 E-人\n")
    assert found.scheme == "BMES" and found.illegal == 15
    assert found.illegal_examples[0].sentence == 'line 1: "the end" after "B-人"'
    assert "… and 5 more" in found.text() and len(found.illegal_examples) == 10


def test_words_and_parts_of_speech(tmp_path):
    found = card(tmp_path, "我/n 爱/v 北京/n\n", "joint", "slashed")
    assert found.types == {"n": 2, "v": 1} and found.scheme == "" and found.illegal == 0
    assert card(tmp_path, "我 S\n北 B\n京 E\n", "words").types == {"S": 1, "B": 1, "E": 1}
    assert card(tmp_path, "我 爱 北京\n", "words", "segmented").tokens == 3


def test_no_figures_of_what_was_misread(tmp_path):
    with pytest.raises(CorpusError, match=r"read as conll: 1 tokens that look like whole sentences"):
        card(tmp_path, "本车在路口撞了护栏。 O\n老 B-人\n周 I-人\n")


def test_it_is_plain_json(tmp_path):
    values = card(tmp_path, "\n".join(LINES)).as_dict()
    assert values["illegal_examples"][0] == {"place": "line 7", "previous": "B-地", "tag": "I-人"}
