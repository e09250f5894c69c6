"""词/词性 text comes back with its brackets, and what has no tag or no partner is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import slashed
from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.formats import read_tagged
from corpora.slashed import Bracketed, join, split

WORD = st.text(st.sampled_from("我爱北京/[]\u00b7\u200b\\"), min_size=1, max_size=4)
TAG = st.sampled_from(("n", "vn", "名词", "]"))
SENTENCE = st.lists(st.tuples(WORD, TAG), max_size=6).map(
    lambda pairs: Sentence(tuple(word for word, _ in pairs), tuple(tag for _, tag in pairs))
)


@given(st.lists(SENTENCE, max_size=4))
def test_files_read_back(tmp_path_factory, sentences):
    path = tmp_path_factory.getbasetemp() / "词性.txt.gz"
    finished = []
    assert slashed.write(path, sentences, advance=finished.append) == len(sentences) == sum(finished)
    corpus = slashed.read(path, brackets=False)
    assert list(corpus) == sentences and list(corpus) == sentences


@st.composite
def nested(draw):
    """Brackets in brackets over some words: a stretch is cut in two, again and again."""
    count = draw(st.integers(1, 6))
    words = tuple(draw(st.sampled_from(("香港", "[", "]", "1/2", "/"))) for _ in range(count))
    stretches, found = [(0, count)], set()
    while stretches:
        start, end = stretches.pop()
        for label in draw(st.sets(st.sampled_from(("ns", "nt")))):
            found.add(Span(start, end, label))
        if end - start > 1:
            cut = draw(st.integers(start + 1, end - 1))
            stretches += [(start, cut), (cut, end)]
    return Bracketed(Sentence(words, ("n",) * count), tuple(sorted(found)))


@given(nested())
def test_brackets_come_back(sentence):
    assert split(join(sentence)) == sentence


def test_a_line_with_everything():
    line = "[[北京/ns  大学/n]nt [/w 1/2/m ]/w\t附属/vn 小学/n]组织 ，/w\n"
    found = split(line)
    assert found.sentence.tokens == ("北京", "大学", "[", "1/2", "]", "附属", "小学", "，")
    assert found.sentence.tags == ("ns", "n", "w", "m", "w", "vn", "n", "w")
    assert found.brackets == (Span(0, 2, "nt"), Span(0, 7, "组织"))


def test_the_order_of_closing_brackets():
    found = split("[北京/ns [附属/vn 小学/n]nt]组织 的/u")
    assert found.brackets == (Span(0, 3, "组织"), Span(1, 3, "nt"))
    assert join(found) == "[北京/ns [附属/vn 小学/n]nt]组织 的/u"


def test_lines_without_words_and_other_separators(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("我_PN 爱_VV\n\n[a]_NR\n", encoding="utf-8")
    sentences = list(read_tagged(path, "slashed", separator="_", brackets=False))
    assert sentences == [Sentence(("我", "爱"), ("PN", "VV")), Sentence((), ()), Sentence(("[a]",), ("NR",))]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("好/a 的", '"的" is not a word with its tag: "词/词性" is expected'),
        ("/a", '"/a" is not a word'),
        ("好/", '"好/" is not a word'),
        ("好/]nt", '"好/]nt" is not a word'),
        ("[好/a 的/u", 'the bracket before "好" is not closed: set brackets = false'),
        ("好/a]nt", '"好/a]nt" closes a bracket that was not opened'),
        ("[好/a]", "a label is expected"),
    ],
)
def test_lines_that_break_the_format(tmp_path, line, message):
    path = tmp_path / "a.txt"
    path.write_text(f"好/a\n{line}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"a\.txt: line 2: .*{message}"):
        list(slashed.read(path))


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (Sentence(("a b",), ("n",)), "no white space"),
        (Sentence(("a",), ("n/a",)), "cannot be written"),
        (Sentence(("a",), ("",)), "cannot be written"),
        (Sentence(("a",)), "each word needs a tag"),
        (Bracketed(Sentence(("[a",), ("n",)), (Span(0, 1, "ns"),)), "without brackets|not closed"),
        (Sentence(("\ud83d",), ("n",)), r"U\+D83D is half"),
    ],
)
def test_what_cannot_be_written(tmp_path, sentence, message):
    with pytest.raises(CorpusError, match=f"line 1: .*({message})"):
        slashed.write(tmp_path / "a.txt", [sentence])


def test_brackets_that_cannot_be():
    words = Sentence(("a", "b", "c"), ("n", "n", "n"))
    with pytest.raises(CorpusError, match='bracket 0:2 "x" and the bracket 1:3 "y" cross'):
        Bracketed(words, (Span(0, 2, "x"), Span(1, 3, "y")))
    with pytest.raises(CorpusError, match='2:4 "x" ends after the last of 3 words'):
        Bracketed(words, (Span(2, 4, "x"),))
    with pytest.raises(CorpusError, match="empty separator"):
        split("好/a", "")


@pytest.mark.parametrize("blank", ["\u3000", "\t", "\u00a0", "\u2003", " \u3000", "\u3000\u3000", "\x0b"])
def test_any_white_space_separates_words(tmp_path, blank):
    path = tmp_path / "a.txt"
    path.write_text(f"他/r{blank}[去/v{blank}北京/ns]nt{blank}\n", encoding="utf-8")
    [found] = slashed.read(path).bracketed()
    assert found.sentence == Sentence(("他", "去", "北京"), ("r", "v", "ns")) and found.brackets == (Span(1, 3, "nt"),)


def test_a_wide_space_with_a_tag_is_a_word():
    assert split("他/r \u3000/w 去/v").sentence.tokens == ("他", "\u3000", "去")
    assert split(join(Sentence(("\u3000",), ("w",)))).sentence.tokens == ("\u3000",)
    with pytest.raises(CorpusError, match='"New" is not a word with its tag'):
        split("New\u00a0York/nr")


@pytest.mark.parametrize(
    ("line", "brackets"),
    [
        ("[北京/ns 大学/n]/nt 的/u", [Span(0, 2, "nt")]),
        ("[[北京/ns 大学/n]/nt 附属/vn 中学/n]/nt", [Span(0, 2, "nt"), Span(0, 4, "nt")]),
        ("[北京/ns [附属/vn 小学/n]/nt]/nz", [Span(0, 3, "nz"), Span(1, 3, "nt")]),
        ("[北京/ns [附属/vn 小学/n]nt]/nz 的/u", [Span(0, 3, "nz"), Span(1, 3, "nt")]),
        ("[北京/ns [附属/vn 小学/n]/nt]nz 的/u", [Span(0, 3, "nz"), Span(1, 3, "nt")]),
        ("[新华社/nt]/nt 1/2/m", [Span(0, 1, "nt")]),
        ("[“/w ]/w]/nz", [Span(0, 2, "nz")]),
    ],
)
def test_brackets_of_the_edition_of_2014(line, brackets):
    found = split(line)
    assert found.brackets == tuple(brackets) and not {"[", "北京["} & set(found.sentence.tokens)
    assert split(join(found)) == found and "]/n" not in join(found)


def test_a_word_with_a_bracket_is_no_closing_one_where_none_is_open():
    assert split("1/2]/m 好/a").sentence.tokens == ("1/2]", "好")
    assert split("[北京/ns 大学/n]/nt", brackets=False).sentence.tokens == ("[北京", "大学/n]")
