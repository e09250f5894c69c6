"""Texts with spans come back from every form, and records of another form are named."""

import json
import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import spans
from corpora.annotated import AnnotatedText
from corpora.annotations.forms import FORMS
from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.formats import TAGGED, read_tagged
from corpora.targets import Targets

TEXT = "小明爱北京"
FOUND = (Span(0, 2, "人"), Span(3, 5, "地点"))


@st.composite
def annotated(draw):
    text = draw(st.text("我爱北京😀\n\\n é", max_size=8))
    if not text or draw(st.integers(0, 4)) == 0:
        return AnnotatedText(text, draw(st.sampled_from(((), None))))
    places = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text)), st.sampled_from("人地"))
    found = {Span(start, end, label) for start, end, label in draw(st.lists(places)) if start < end}
    return AnnotatedText(text, tuple(sorted(found)))


@pytest.mark.parametrize("form", FORMS)
@given(documents=st.lists(annotated(), max_size=4))
def test_files_read_back(tmp_path_factory, form, documents):
    path = tmp_path_factory.getbasetemp() / f"{form}.json.gz"
    finished = []
    assert spans.write(path, documents, form, advance=finished.append) == len(documents) == sum(finished)
    expected = [AnnotatedText(document.text, document.spans, row) for row, document in enumerate(documents, start=1)]
    corpus = spans.read(path, form)
    assert list(corpus) == expected and list(corpus) == expected


def read(tmp_path, form, *records, array=False):
    path = tmp_path / "a.json"
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    text = json.dumps(records, ensure_ascii=False, indent=2) if array else "\n\n".join(lines) + "\n"
    path.write_text("\n" + text, encoding="utf-8")
    return list(spans.read(path, form))


def test_the_last_character_is_in_a_span_of_cluener(tmp_path):
    label = {"地点": {"北京": [[3, 4]]}, "人": {"小明": [[0, 1]]}}
    assert read(tmp_path, "cluener", {"text": TEXT, "label": label}) == [AnnotatedText(TEXT, FOUND, 1)]
    assert read(tmp_path, "cluener", {"id": 0, "text": TEXT}) == [AnnotatedText(TEXT, None, 1)]


@pytest.mark.parametrize(
    "record",
    [
        {"id": 1, "text": TEXT, "label": [[3, 5, "地点"], [0, 2, "人"], [0, 2, "人"]], "Comments": []},
        {"text": TEXT, "labels": [[0, 2, "人"], [3, 5, "地点"]]},
        {
            "text": TEXT,
            "entities": [
                {"id": 1, "label": "人", "start_offset": 0, "end_offset": 2},
                {"id": 2, "label": "地点", "start_offset": 3, "end_offset": 5},
            ],
            "relations": [{"from_id": 1, "to_id": 2}],
        },
        {
            "text": TEXT,
            "label": [
                {"start": 0, "end": 2, "text": "小明", "labels": ["人"]},
                {"start": 3, "end": 5, "text": "北京", "labels": ["地点"]},
            ],
        },
    ],
)
@pytest.mark.parametrize("array", [False, True])
def test_records_of_doccano_and_of_the_small_export(tmp_path, record, array):
    assert read(tmp_path, "doccano", record, record, array=array) == [
        AnnotatedText(TEXT, FOUND, 1), AnnotatedText(TEXT, FOUND, 2)
    ]  # fmt: skip


def task(*annotations, text=TEXT):
    return {"id": 7, "data": {"text": text}, "annotations": [*annotations], "predictions": [result((0, 1, "错"))]}


def result(*found, **more):
    values = [{"value": {"start": start, "end": end, "labels": [label]}} for start, end, label in found]
    return {"result": [*values, {"type": "choices", "value": {"choices": ["好"]}}, {"type": "relation"}]} | more


def test_annotations_of_label_studio(tmp_path):
    right, wrong = result((0, 2, "人"), (3, 5, "地点")), result((1, 2, "错"))
    tasks = task(right), task(wrong | {"was_cancelled": True}, right), task(wrong, right | {"ground_truth": True})
    for array in (False, True):
        found = read(tmp_path, "label-studio", *tasks, task(), array=array)
        assert [document.spans for document in found] == [FOUND, FOUND, FOUND, None]
    with pytest.raises(CorpusError, match=r"a\.json: row 1 \(line 2\): 2 annotations, and one is expected"):
        read(tmp_path, "label-studio", task(right, wrong))
    two_labels = {"result": [{"value": {"start": 0, "end": 2, "labels": ["人", "学生"]}}]}
    assert read(tmp_path, "label-studio", task(two_labels))[0].spans == (Span(0, 2, "人"), Span(0, 2, "学生"))


def test_offsets_of_a_browser(tmp_path):
    def found(start, end, words):
        value = {"start": start, "end": end, "text": words, "labels": ["地点"]}
        return read(tmp_path, "label-studio", task({"result": [{"value": value}]}, text="😀😀在北京\n市"))[0].mentions()

    assert found(3, 5, "北京") == found(5, 7, "北京") == (("地点", "北京"),)
    assert found(5, 9, "北京\\n市") == (("地点", "北京\n市"),)
    with pytest.raises(CorpusError, match=r"the span 4:6 .地点. is '京.n' in the text, and not '北京'"):
        found(4, 6, "北京")
    with pytest.raises(CorpusError, match="row 1"):
        found(1, 3, "北京")


@pytest.mark.parametrize(
    ("form", "record", "message"),
    [
        ("doccano", [1], "an object like .* is expected, a list came"),
        ("doccano", {"content": TEXT, "label": []}, 'a text is expected at "text", None came; the keys are "content"'),
        ("doccano", {"text": TEXT, "label": {}}, '"label": a list is expected, {} came'),
        ("doccano", {"text": TEXT, "label": [[0, 2]]}, r"\[start, end, label\] is expected, \[0, 2\] came"),
        ("doccano", {"text": TEXT, "label": [[0, 6, "人"]]}, '0:6 "人" ends after the text of 5 characters'),
        ("doccano", {"text": TEXT, "label": [[2, 2, "人"]]}, "span 2:2"),
        ("doccano", {"text": TEXT, "label": [[True, 2, "人"]]}, "whole numbers and a label"),
        ("doccano", {"text": TEXT, "label": [[0, 2.0, "人"]]}, "whole numbers and a label"),
        ("doccano", {"text": TEXT, "label": [{"start": 0, "end": 1}]}, "whole numbers and a label"),
        ("cluener", {"text": TEXT, "label": []}, '"label": an object is expected'),
        ("cluener", {"text": TEXT, "label": {"人": {"小明": [0, 1]}}}, r"\[first, last\] is expected, 0 came"),
        ("cluener", {"text": TEXT, "label": {"人": {"小明": [[0, 2]]}}}, "0:3 \"人\" is '小明爱' in the text, and not"),
        ("label-studio", {"text": TEXT}, '"data": an object is expected, null came'),
        ("label-studio", {"data": {"text": TEXT}, "annotations": [{}]}, '"result": a list is expected, null came'),
    ],
)
def test_records_that_break_the_form(tmp_path, form, record, message):
    with pytest.raises(CorpusError, match=rf"a\.json: row 2 \(line 4\): .*{message}"):
        read(tmp_path, form, {"text": "好", "data": {"text": "好"}}, record)


def test_files_that_are_no_json(tmp_path):
    path = tmp_path / "a.json"
    for text, message in (
        ('{"text": "好"}\n{"text": \n', r"row 2 \(line 2\): not JSON"),
        ('[\n{"text": "好"},\n{"text": }]', "not JSON: .* at line 3, character 10"),
        ('[{"text": "好"}, 3]', "row 2: an object like"),
        ("9" * 5000, r"row 1 \(line 1\): cannot be read as JSON"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CorpusError, match=r"a\.json: " + message):
            list(spans.read(path))
    with pytest.raises(CorpusError, match='no form "brat" of spans; the forms are cluener, cmeee, doccano'):
        spans.read(path, "brat")
    with pytest.raises(CorpusError, match="distinct spans in order"):
        AnnotatedText(TEXT, FOUND[::-1])
    with pytest.raises(CorpusError, match=r"row 1: U\+D83D is half"):
        spans.write(path, [AnnotatedText("\ud83d")])


def test_sentences_of_characters(tmp_path):
    path = tmp_path / "a.jsonl"
    spans.write(
        path,
        [AnnotatedText(TEXT, FOUND), AnnotatedText(TEXT), AnnotatedText(TEXT, (Span(0, 2, "人"), Span(1, 5, "句")))],
    )
    corpus = read_tagged(path, "doccano", scheme="BIO", overlaps="longest")
    assert (
        list(corpus)
        == list(corpus)
        == [
            Sentence(tuple(TEXT), ("B-人", "I-人", "O", "B-地点", "I-地点")),
            Sentence(tuple(TEXT)),
            Sentence(tuple(TEXT), ("O", "B-句", "I-句", "I-句", "I-句")),
        ]
    )
    with pytest.raises(
        CorpusError, match=r'a\.jsonl: row 3: 0:2 "人" and 1:5 "句" overlap.*overlaps = "longest" or "outermost"'
    ):
        list(read_tagged(path, "doccano"))
    with pytest.raises(CorpusError, match="one of refuse, longest, outermost is expected"):
        read_tagged(path, "doccano", overlaps="keep")


def test_formats_of_tagged_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("我 爱 北京\n\n", encoding="utf-8")
    corpus = read_tagged(path, "segmented")
    assert list(corpus) == list(corpus) == [Sentence(("我", "爱", "北京")), Sentence(())]
    assert set(TAGGED) == {"conll", "iob2", "conllu", "slashed", "segmented", "huggingface", "brat", *FORMS}
    with pytest.raises(CorpusError, match=r'no tagged format has the suffix "\.txt"; the formats are conll, iob2'):
        read_tagged(path)
    with pytest.raises(CorpusError, match='no tagged format "bio"'):
        read_tagged(path, "bio")
    with pytest.raises(CorpusError, match='"conllu" has no option "scheme"; its options are tag, encoding'):
        read_tagged(path, "conllu", scheme="BIO")


def counted(tmp_path, records, **options):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    counts = Counter()
    found = list(read_tagged(path, **options).counted(counts))
    return found, dict(counts)


def test_offsets_in_utf_16_are_read_as_such_where_they_are_said_to_be(tmp_path):
    record = {"text": "😀我爱北京。", "label": [[4, 6, "地点"]]}
    wide, counts = counted(tmp_path, [record], format="doccano", offsets="utf-16", scheme="BIO")
    assert wide[0].tags == ("O", "O", "O", "B-地点", "I-地点", "O") and counts == {}
    narrow, counts = counted(tmp_path, [record], format="doccano", offsets="characters", scheme="BIO")
    assert narrow[0].tags == ("O", "O", "O", "O", "B-地点", "I-地点") and counts == {}


@pytest.mark.parametrize(
    ("record", "unclear"),
    [
        ({"text": "😀我爱北京。", "label": [[4, 6, "地点"]]}, 1),
        ({"text": "我爱北京。😀", "label": [[2, 4, "地点"]]}, 0),
        ({"text": "我爱北京。", "label": [[2, 4, "地点"]]}, 0),
        ({"text": "𠮷野家好", "label": [[1, 3, "店"]]}, 0),  # in UTF-16 units it would begin within a character
        ({"text": "😀北京。", "label": [{"start": 1, "end": 3, "label": "地", "text": "北京"}]}, 0),
        ({"text": "😀哈哈哈哈", "label": [{"start": 2, "end": 4, "label": "笑", "text": "哈哈"}]}, 1),
    ],
)
def test_offsets_that_may_be_of_either_kind_are_counted(tmp_path, record, unclear):
    _, counts = counted(tmp_path, [record, record], format="doccano")
    assert counts == ({"offsets_unclear": 2 * unclear} if unclear else {})


def test_offsets_that_words_prove_to_be_in_utf_16_are_converted_and_counted(tmp_path):
    record = {"text": "😀在北京", "label": [{"start": 3, "end": 5, "label": "地", "text": "北京"}]}
    found, counts = counted(tmp_path, [record], format="doccano", scheme="BIO")
    assert found[0].tags == ("O", "O", "B-地", "I-地") and counts == {"offsets_converted": 1}
    with pytest.raises(CorpusError, match=r'row 1 .*but it is if counted in UTF-16 units: set offsets = "utf-16"'):
        counted(tmp_path, [record], format="doccano", offsets="characters")


@pytest.mark.parametrize(
    ("record", "offsets", "message"),
    [
        ({"text": "😀爱北京", "label": [[3, 5, "地"]]}, None, 'UTF-16 units: set offsets = "utf-16"'),
        ({"text": "😀爱北京", "label": [[3, 5, "地"]]}, "characters", 'UTF-16 units: set offsets = "utf-16"'),
        ({"text": "😀爱北京", "label": [[1, 3, "地"]]}, "utf-16", "begins or ends within a character"),
        (
            {"text": "😀爱北京", "label": [{"start": 2, "end": 4, "label": "地", "text": "北京"}]},
            "utf-16",
            'set offsets = "characters"',
        ),
    ],
)
def test_offsets_that_cannot_be_are_refused(tmp_path, record, offsets, message):
    with pytest.raises(CorpusError, match=message):
        counted(tmp_path, [record], format="doccano", offsets=offsets)
    with pytest.raises(CorpusError, match='"characters" or "utf-16" is expected'):
        spans.read(tmp_path / "a.jsonl", offsets="bytes")


@given(annotated())
def test_spans_in_utf_16_units_come_back(document):
    units = [len(document.text[:place].encode("utf-16-le")) // 2 for place in range(len(document.text) + 1)]
    record = [[units[span.start], units[span.end], span.label] for span in document.spans or ()]
    path = Path(tempfile.gettempdir(), f"utf16-{os.getpid()}.jsonl")
    path.write_text(json.dumps({"text": document.text, "label": record}), encoding="utf-8")
    try:
        [found] = spans.read(path, offsets="utf-16")
    finally:
        path.unlink()
    assert found.spans == (document.spans or ())


def test_dropped_spans_are_counted(tmp_path):
    record = {"text": TEXT, "label": [[0, 2, "人"], [1, 5, "句"], [3, 5, "地点"]]}
    _, counts = counted(tmp_path, [record, record], format="doccano", overlaps="longest")
    assert counts == {"overlaps_dropped": 4}
    path = tmp_path / "a.jsonl"
    targets, counts = Targets(read_tagged(path, "doccano", overlaps="longest"), "entities", "char", "BIO"), Counter()
    assert len(list(targets.counted(counts))) == 2 and counts == {"overlaps_dropped": 4}
