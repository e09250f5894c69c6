"""Tags in other notations are read as ours, and one that is of none is named with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.formats import read_tagged
from corpora.notation import kind_of, notation_of
from corpora.tags import SCHEMES, scheme_of, spans, tags_of

LABELS = ("人", "PER", "地-点")


def read(path, text):
    path.write_text(text, encoding="utf-8")
    return [sentence.tags for sentence in read_tagged(path)]


def canonical(*tags):
    notation, strange = notation_of([Sentence(tuple("字" * len(tags)), tags)])
    assert not strange
    return notation.sentence(Sentence(tuple("字" * len(tags)), tags)).tags


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("b-per i-per o", "B-per I-per O"),
        ("B_PER I_PER O", "B-PER I-PER O"),
        ("PER-B PER-I O", "B-PER I-PER O"),
        ("B.PER E.PER S.LOC O", "B-PER E-PER S-LOC O"),
        ("PER/B PER/E LOC/S O", "B-PER E-PER S-LOC O"),
        ("B-PER I-PER L-PER U-LOC O", "B-PER I-PER E-PER S-LOC O"),
        ("B-PER M-PER E-PER W-LOC O", "B-PER M-PER E-PER S-LOC O"),
        ("B M E W", "B M E S"),
        ("O I-PER I-PER B-PER I-LOC", "O B-PER I-PER B-PER B-LOC"),
        ("I-PER I-PER O", "B-PER I-PER O"),
        ("n v B-x u w", "n v B-x u w"),
        ("B-人-名 I-人-名 O", "B-人-名 I-人-名 O"),
    ],
)
def test_tags_are_read_as_ours(written, expected):
    assert canonical(*written.split()) == tuple(expected.split())


@st.composite
def tagged(draw):
    """Sentences of spans as tags of a scheme, with at least one span and one O."""
    scheme = draw(st.sampled_from(sorted(SCHEMES)))
    found = [(tags_of([Span(0, 2, draw(st.sampled_from(LABELS)))], 3, scheme))]
    for _ in range(draw(st.integers(0, 3))):
        length, places = draw(st.integers(1, 6)), []
        end = 0
        while end < length:
            start = draw(st.integers(end, length))
            end = draw(st.integers(start + 1, length + 1))
            if end <= length:
                places.append(Span(start, end, draw(st.sampled_from(LABELS))))
        found.append(tags_of(places, length, scheme))
    return scheme, found


WRITTEN = {
    "behind": lambda letter, label: f"{label}-{letter}",
    "underscore": lambda letter, label: f"{letter}_{label}",
    "small": lambda letter, label: f"{letter.lower()}-{label}",
    "bilou": lambda letter, label: f"{letter.replace('E', 'L').replace('S', 'U')}-{label}",
    "bmewo": lambda letter, label: f"{letter.replace('S', 'W')}-{label}",
}


@pytest.mark.parametrize("way", WRITTEN)
@given(corpus=tagged())
def test_every_notation_has_the_same_spans(way, corpus):
    scheme, found = corpus
    written = [tuple("O" if tag == "O" else WRITTEN[way](*tag.split("-", 1)) for tag in tags) for tags in found]
    sentences = [Sentence(tuple("字" * len(tags)), tags) for tags in written]
    notation, strange = notation_of(sentences)
    ours = [notation.sentence(sentence).tags for sentence in sentences]
    assert not strange and [spans(tags, scheme).spans for tags in ours] == [spans(tags, scheme).spans for tags in found]


def iob1(tags):
    """BIO as IOB1: B only behind a span of the same label."""
    made = []
    for place, tag in enumerate(tags):
        needs_b = place and made[-1] != "O" and made[-1][2:] == tag[2:]
        made.append("I" + tag[1:] if tag[0] == "B" and not needs_b else tag)
    return tuple(made)


@given(corpus=tagged())
def test_iob1_has_the_spans_of_bio(corpus):
    scheme, found = corpus
    found = [tags_of(spans(tags, scheme).spans, len(tags), "BIO") for tags in found]
    sentences = [Sentence(tuple("字" * len(tags)), iob1(tags)) for tags in found]
    notation, _ = notation_of(sentences)
    assert [notation.sentence(sentence).tags for sentence in sentences] == found


def test_a_tag_of_no_scheme_is_named_with_its_line_and_the_way_out(tmp_path):
    lines = ["小\tB-人", "明\tI-人", "来\tO", ""] * 1850
    lines[7001 - 1] = "0\t0"
    with pytest.raises(
        CorpusError, match=r'a\.bio: line 7001: the tag "0" is of no scheme.*such as .*"O" stands'
    ) as told:
        read(tmp_path / "a.bio", "\n".join(lines))
    assert len(str(told.value)) < 400


def test_an_error_about_a_file_of_another_kind_is_short(tmp_path):
    rows = "".join(f"{number},今天天气很好，我们去公园走走吧{'。' * 40},{number}\n" for number in range(300))
    path = tmp_path / "a.conll"
    path.write_text(rows, encoding="utf-8")
    with pytest.raises(CorpusError) as told:
        list(read_tagged(path))
    assert len(str(told.value)) < 400
    with pytest.raises(CorpusError) as told:
        scheme_of(row for row in rows.split("\n"))
    assert len(str(told.value)) < 400


def test_comments_before_a_sentence_are_no_tokens(tmp_path):
    text = (
        "# id 7 domain=网页\n# text = 北京\n北\tB-地\n京\tI-地\n\n# sent_id = 2\n#\tO\n话\tB-题\n\n# 2\t3\tx\n好\tO\n"
    )
    assert read(tmp_path / "a.conll", text) == [("B-地", "I-地"), ("O", "B-题"), ("O",)]
    assert read(tmp_path / "b.conll", "#\tO\n") == [("O",)]
    text = "-DOCSTART- -X- -X- O\n\n北京 NR B-NP B-LOC\n的 DEG O O\n"
    assert read(tmp_path / "c.conll", text) == [("B-LOC", "O")]


def test_kinds():
    assert kind_of(["O"]) == kind_of(["B-人", "I-人"]) == kind_of(["O", "S-人"]) == "entities"
    assert (kind_of(["S", "B", "E"]), kind_of(["S-n", "B-n"]), kind_of(["n", "O"])) == ("words", "joint", "pos")
