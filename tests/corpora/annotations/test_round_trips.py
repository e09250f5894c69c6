"""Round trips between every pair of formats of annotations: what is lost is what `corpora.annotations.fit` says."""

from dataclasses import replace
from itertools import accumulate, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.annotated import AnnotatedText, Word
from corpora.annotations.convert import convert
from corpora.annotations.fit import LOST, Fitting
from corpora.annotations.formats import FORMATS, Content, ReadOptions, WriteOptions
from corpora.document import Span
from corpora.errors import CorpusError

LABELS = ("人", "地 点", "a/b", "PER|x", "B-x", "机构]")
TOKENS = st.text("我爱北京A#-[]/\\😀\u3000 \n\t", max_size=4)


@st.composite
def documents(draw):
    """A text, in half of the cases of words, with spans that may overlap, or not annotated."""
    tokens = draw(st.lists(TOKENS, max_size=5))
    text = "".join(tokens)
    words = None
    if draw(st.booleans()):
        tagged, pieces = draw(st.booleans()), zip(accumulate(map(len, tokens), initial=0), tokens, strict=False)
        inside = [(start + len(piece) - len(piece.lstrip()), piece.strip()) for start, piece in pieces if piece.strip()]
        words = tuple(
            Word(start, start + len(word), draw(st.sampled_from(LABELS)) if tagged else None) for start, word in inside
        )
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(LABELS))
    found = {Span(start, end, label) for start, end, label in draw(st.lists(places, max_size=4)) if start < end}
    spans = draw(st.sampled_from((None, (), tuple(sorted(found)))))
    return AnnotatedText(text, spans, 0, words)


def content_of(texts):
    content = Content()
    for text in texts:
        content.add(text)
    return content


def write(path, name, texts, overlaps):
    """Writes texts in a format; returns what it should hold, and what was lost."""
    content = content_of(texts)
    fitting = Fitting(FORMATS[name].holds(content), overlaps)
    fitted = [kept for text in texts if (kept := fitting.fit(text)) is not None]
    FORMATS[name].write(path, fitted, WriteOptions(content=content))
    return fitted, fitting.counts


def read(path, name, kind=None):
    return list(FORMATS[name].read(path, ReadOptions(kind=kind)))


def plain(texts):
    return [replace(text, row=0) for text in texts]


def kind_of(name, content):
    """What the tags of a file are about, where too few of them may tell."""
    if name not in ("conll", "iob2", "huggingface"):
        return None
    return "entities" if content.has_spans else "pos" if content.tags or name == "huggingface" else "words"


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=15)
@given(texts=st.lists(documents(), max_size=4), overlaps=st.sampled_from(["longest", "outermost"]))
def test_what_a_format_holds_is_read_back(tmp_path_factory, name, texts, overlaps):
    path = tmp_path_factory.getbasetemp() / f"one-{name}.txt"
    fitted, lost = write(path, name, texts, overlaps)
    assert plain(read(path, name, kind_of(name, content_of(texts)))) == plain(fitted)
    if not lost:
        assert [(text.text, text.spans) for text in fitted] == [(text.text, text.spans) for text in texts]


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=3)
@given(texts=st.lists(documents(), min_size=1, max_size=4), overlaps=st.sampled_from(["longest", "outermost"]))
def test_a_file_is_converted_into_every_other_format(tmp_path_factory, name, texts, overlaps):
    folder = tmp_path_factory.getbasetemp()
    source = folder / f"from-{name}.txt"
    write(source, name, texts, overlaps)
    options = ReadOptions(kind=kind_of(name, content_of(texts)))
    held = list(FORMATS[name].read(source, options))
    for other in FORMATS:
        target = folder / f"{name}-to-{other}.txt"
        expected, lost = write(folder / "expected.txt", other, held, overlaps)
        if not expected:
            with pytest.raises(CorpusError, match="nothing is left to write"):
                convert(source, target, from_=name, to=other, options=options, overlaps=overlaps)
            continue
        made = convert(source, target, from_=name, to=other, options=options, overlaps=overlaps)
        assert (made.read, made.written) == (len(held), len(expected))
        assert bool(made.lost) == bool(lost) and all(kind in LOST or "is now" in kind for kind in lost)
        assert plain(read(target, other, kind_of(other, content_of(held)))) == plain(expected)


# Formats of entities that need no more than a text.
OF_ENTITIES = [name for name in FORMATS if name not in ("segmented", "slashed")]


@pytest.mark.parametrize(("name", "other"), [*product(OF_ENTITIES, OF_ENTITIES)])
def test_entities_survive_between_any_two_formats_of_entities(tmp_path, name, other):
    text = AnnotatedText("我爱北京", (Span(2, 4, "地点"),), 1)
    write(tmp_path / "a.txt", name, [text], "refuse")
    made = convert(tmp_path / "a.txt", tmp_path / "b.txt", from_=name, to=other)
    assert [(found.text, found.spans) for found in read(tmp_path / "b.txt", other)] == [(text.text, text.spans)]
    assert made.labels == {"地点": 1} and not any("entities" in lost for lost in made.lost)
