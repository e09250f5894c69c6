"""Columns come back as they were, and lines of another form are named."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import conll
from corpora.conll import Conll
from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.formats import read_tagged
from corpora.labels import bare_tag

CELL = st.text(st.sampled_from("北京 \u3000\u2028#-B人"), min_size=1, max_size=3)
TAG = CELL.filter(lambda tag: tag == bare_tag(tag))
TAGGED = st.lists(st.tuples(CELL, TAG), min_size=1).map(lambda rows: Sentence(*map(tuple, zip(*rows, strict=True))))
UNTAGGED = st.lists(CELL.filter(str.strip), min_size=1).map(lambda tokens: Sentence(tuple(tokens)))


def written(path, text):
    path.write_bytes(text.encode())
    return path


@given(st.lists(TAGGED, max_size=4) | st.lists(UNTAGGED, max_size=4))
def test_files_read_back(tmp_path_factory, sentences):
    path = tmp_path_factory.getbasetemp() / "实体.conll.gz"
    finished = []
    sentences = [sentence for sentence in sentences if all(map(str.strip, sentence.tokens))]
    assert conll.write(path, sentences, advance=finished.append) == len(sentences) == sum(finished)
    tag = None if sentences and sentences[0].tags is None else -1
    corpus = Conll(path, tag=tag, separator="\t")
    assert list(corpus) == sentences and list(corpus) == sentences


def test_any_columns(tmp_path):
    text = "-DOCSTART- -X- O\n\n# 注\n北京  ns\t B-LOC \r\n的 u O\r\n \t\n\n\n好 a O"
    path = written(tmp_path / "a.conll", text)
    expected = [Sentence(("北京", "的"), ("B-LOC", "O")), Sentence(("好",), ("O",))]
    with pytest.raises(CorpusError, match=r"line 5: 2 columns apart by '\\t' expected, 1 found"):
        list(conll.read(path))
    path = written(path, text.replace("\t ", " "))
    assert list(conll.read(path, comment="# ")) == expected == list(read_tagged(path, comment="# "))
    assert [sentence.tags for sentence in conll.read(path, tag=1, comment="#")] == [("ns", "u"), ("a",)]
    assert [sentence.tags for sentence in conll.read(path, tag=None, comment="#")] == [None, None]
    assert next(iter(conll.read(path, token=-3, tag=2, comment="#"))) == expected[0]


def test_a_space_can_be_a_token_between_tabs(tmp_path):
    path = written(tmp_path / "a.txt", " \tO\n#\tO\n\u3000\tO\n")
    assert list(conll.read(path)) == [Sentence((" ", "#", "\u3000"), ("O", "O", "O"))]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("北\tO\n京\n", {}, r"a\.txt: line 2: 2 columns apart by '\\t' expected, 1 found"),
        ("北 O\n\n京 ns O\n", {}, "line 3: 2 columns apart by white space expected, 3 found"),
        ("北 O\n", {"tag": 2}, "line 1: no column 2; there are 2, counted from 0"),
        ("北\tO\n\tO\n", {}, "line 2: column 0 is empty"),
        ("北\tO\n京\t\n", {}, "line 2: column -1 is empty"),
    ],
)
def test_lines_that_break_the_format(tmp_path, text, options, message):
    with pytest.raises(CorpusError, match=message):
        list(conll.read(written(tmp_path / "a.txt", text), **options))


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress("好 O\n坏 O\n".encode("gbk")))
    with pytest.raises(CorpusError, match=r"line 1: .* is not utf-8"):
        list(conll.read(path))
    assert [sentence.tokens for sentence in conll.read(path, encoding="gbk")] == [("好", "坏")]


@pytest.mark.parametrize(
    ("sentence", "separator", "message"),
    [
        (Sentence(()), "\t", "sentence 1: has no token"),
        (Sentence(("a b",), ("O",)), " ", "sentence 1: 'a b O': a token or tag is empty, or holds ' '"),
        (Sentence(("a\n",), ("O",)), "\t", "line end"),
        (Sentence(("a",), ("",)), "\t", "is empty"),
        (Sentence((" ",)), "\t", "would be read as the end of a sentence"),
        (Sentence(("-DOCSTART-",), ("O",)), "\t", "would be read as the end of a sentence"),
        (Sentence(("好",), ("O",)), "", "empty separator"),
        (Sentence(("\ud83d",), ("O",)), "\t", r"sentence 1: U\+D83D is half"),
    ],
)
def test_what_cannot_be_written(tmp_path, sentence, separator, message):
    with pytest.raises(CorpusError, match=message):
        conll.write(tmp_path / "a.txt", [sentence], separator=separator)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("blank", ["\u3000", "\u00a0", "\u2003", " \u3000", "\u3000 \u3000"])
def test_any_white_space_separates_columns(tmp_path, blank):
    path = written(tmp_path / "a.txt", f"北{blank}B-地\n京{blank}I-地\n\n好 O\n")
    assert [sentence.tokens for sentence in conll.read(path)] == [("北", "京"), ("好",)]


def test_a_wide_space_between_blanks_is_a_token(tmp_path):
    path = written(tmp_path / "a.txt", "\u3000 O\n好 O\n")
    assert list(conll.read(path)) == [Sentence(("\u3000", "好"), ("O", "O"))]
    path = written(tmp_path / "a.txt", "10\u00a0000 O\n")
    with pytest.raises(CorpusError, match="line 2: 3 columns apart by white space expected, 2 found"):
        list(conll.read(written(tmp_path / "a.txt", "10\u00a0000 O\n好 O\n")))
    [sentence] = conll.read(written(tmp_path / "a.txt", "10\u00a0000 O\n"), separator=" ")
    assert sentence.tokens == ("10\u00a0000",)


@pytest.mark.parametrize("text", ["北,B-地\n京,I-地\n", "北京\n"])
def test_a_file_of_one_column_has_no_tags(tmp_path, text):
    path = written(tmp_path / "a.txt", text)
    with pytest.raises(CorpusError, match=r"line 1: 1 column found, in which token and tag are the same: name the"):
        list(conll.read(path))
    assert next(iter(conll.read(path, tag=None))).tags is None


def test_other_separators(tmp_path):
    path = written(tmp_path / "a.txt", "北,B-地\n京,I-地\n")
    assert next(iter(conll.read(path, separator=","))).tags == ("B-地", "I-地")
