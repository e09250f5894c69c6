"""CoNLL-U comes back byte for byte, and IDs out of place are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import conllu
from corpora.conllu import Parse, parse_of
from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.formats import read_tagged

TEXT = """\
# newdoc
# text = 他给我 买书了
0.1\t_\t_\t_\t_\t_\t_\t_\t4:dep\tCopyOf=1
1\t他\t他\tPRON\tPN\t_\t4\tnsubj\t_\tSpaceAfter=No
2-3\t给我\t_\t_\t_\t_\t_\t_\t_\t_
2\t给\t给\tADP\tP\t_\t3\tcase\t_\t_
3\t我\t我\tPRON\tPN\tCase=Acc|Person=1\t4\tobl\t_\t_
4\t买 书\t买书\tVERB\tVV\t_\t0\troot\t_\tSpaceAfter=No
4.1\t事\t_\t_\t_\t_\t_\t_\t4:dep\t_
4.2\t事\t_\t_\t_\t_\t_\t_\t4:dep\t_
5\t\u3000\t_\tPART\tAS\t_\t4\taux\t_\t_

1\t好\t_\tADJ\t_\t_\t0\troot\t_\t_

"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_bytes(TEXT.encode())
    return path


def test_files_come_back(path, tmp_path):
    corpus, finished = conllu.read(path), []
    copy = tmp_path / "b.conllu.gz"
    assert conllu.write(copy, corpus.parses(), advance=finished.append) == 2 == sum(finished)
    assert list(conllu.read(copy).parses()) == list(corpus.parses())
    conllu.write(tmp_path / "c.conllu", conllu.read(copy).parses())
    assert (tmp_path / "c.conllu").read_bytes() == TEXT.encode()
    path.write_bytes(("\r\n\n" + TEXT.rstrip("\n").replace("\n", "\r\n")).encode())
    assert list(conllu.read(path).parses()) == list(corpus.parses())


def test_words_with_either_part_of_speech(path):
    words = ("他", "给", "我", "买 书", "\u3000")
    first, second = read_tagged(path)
    assert first == Sentence(words, ("PRON", "ADP", "PRON", "VERB", "PART")) and second.tags == ("ADJ",)
    first, second = read_tagged(path, tag="xpos")
    assert first.tags == ("PN", "P", "PN", "VV", "AS") and second == Sentence(("好",))
    first, _ = conllu.read(path).parses()
    assert first.tokens == ("他", "给我", "买 书", "\u3000") and first.comments[0] == "# newdoc"


UNKNOWN = "\t_" * 8


@given(st.lists(st.text("我爱北京 #_-.1", min_size=1, max_size=3), min_size=1, max_size=5), st.data())
def test_sentences_of_our_own(tmp_path_factory, words, data):
    tags = data.draw(st.none() | st.just(("NOUN",) * len(words)))
    sentence, column = Sentence(tuple(words), tags), data.draw(st.sampled_from(("upos", "xpos")))
    path = tmp_path_factory.getbasetemp() / "a.conllu"
    conllu.write(path, [parse_of(sentence, column, ["# sent_id = 1"])])
    assert list(conllu.read(path, tag=column)) == [sentence]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["1", "3"], 'line 5: the ID "3" is out of place after word 1'),
        (["0"], 'line 4: the ID "0" is out of place after word 0'),
        (["1", "1.2"], 'line 5: the ID "1.2" is out of place after word 1'),
        (["1.1", "1"], 'line 4: the ID "1.1" is out of place after word 0'),
        (["1", "1-2", "2"], 'line 5: the ID "1-2" is out of place'),
        (["1-2", "1", "2-3", "2", "3"], 'line 6: the ID "2-3" is out of place'),
        (["1-2", "1"], "line 5: the sentence ends after word 1: 2 expected"),
        (["１"], 'line 4: "１" is not an ID: 7, 7-8 or 7.1'),
        (["0.1"], "line 4: the sentence ends after word 0: some expected"),
    ],
)
def test_ids_out_of_place(tmp_path, ids, message):
    path = tmp_path / "a.conllu"
    rows = "".join(f"{number}\t好{UNKNOWN}\n" for number in ids)
    path.write_text(f"\n\n# sent_id = 1\n{rows}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.conllu: " + message):
        list(conllu.read(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t好\t_\n", "line 1: 10 cells apart by tabs are expected, 3 came"),
        ("1 好 _ _ _ _ _ _ _ _\n", "line 1: 10 cells apart by tabs are expected, 1 came"),
        ("1\t\t_\t_\t_\t_\t_\t_\t_\t_\n", "line 1: a cell is empty"),
        (TEXT.replace("\n1\t好", "\n# a\n1\t好") + "# b\n", "line 16: the sentence ends after word 0"),
        (TEXT.replace("4.1\t", "# c\n4.1\t"), "line 9: 10 cells"),
        (TEXT.replace("\tADP\t", "\t_\t"), 'sentence of line 1: word 2, "给", has no UPOS, but others have one'),
    ],
)
def test_files_that_break_the_format(path, text, message):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        list(conllu.read(path))


def test_what_is_wrong_is_named(path):
    with pytest.raises(CorpusError, match='no column "pos" of tags; CoNLL-U has upos, xpos'):
        conllu.read(path, tag="pos")
    with pytest.raises(CorpusError, match="line 2 of the sentence: a cell is empty or holds a tab"):
        parse_of(Sentence(("a\tb",)))
    with pytest.raises(CorpusError, match='line 1 of the sentence: a comment begins with "#"'):
        Parse((), ("好",))
    with pytest.raises(CorpusError, match=r"sentence 1: U\+D83D is half"):
        conllu.write(path, [parse_of(Sentence(("\ud83d",)))])
    assert path.read_bytes() == TEXT.encode()
