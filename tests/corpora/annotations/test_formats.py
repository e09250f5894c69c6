"""Annotations as people have them: every variant of a format is read as the same text with the same entities."""

import json
from collections import Counter

import pyarrow
import pyarrow.parquet
import pytest

from corpora.annotated import AnnotatedText, Word
from corpora.annotations.formats import FORMATS, ReadOptions
from corpora.annotations.huggingface import HuggingFace
from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.formats import read_tagged
from corpora.sniffing import Sniffed, sniff

TEXT = "小明爱北京"
FOUND = (Span(0, 2, "人"), Span(3, 5, "地点"))
WHOLE = {"entities": [[0, 2, "人"], [3, 5, "地点"]]}


def objects(start="start", end="end", label="label", last=0, **more):
    return [{start: span.start, end: span.end - last, label: span.label, **more} for span in FOUND]


RESULT = {"result": [{"value": {**one, "labels": [one["label"]]}} for one in objects()]}
TOKENS = [
    {"orth": token, "ner": tag}
    for token, tag in zip("小明爱北京", ("B-人", "L-人", "O", "B-地点", "L-地点"), strict=True)
]
RECORDS = {
    "cluener": [{"text": TEXT, "label": {"人": {"小明": [[0, 1]]}, "地点": {"北京": [[3, 4]]}}}],
    "cmeee": [{"text": TEXT, "entities": objects("start_idx", "end_idx", "type", last=1)}],
    "doccano": [
        {"id": 1, "text": TEXT, "label": [[0, 2, "人"], [3, 5, "地点"]], "Comments": []},
        {"text": TEXT, "labels": [[0, 2, "人"], [3, 5, "地点"]]},
        {"text": TEXT, "entities": objects("start_offset", "end_offset", id=1), "relations": [{"from_id": 1}]},
        {"text": TEXT, "annotations": objects("start_offset", "end_offset", user=1), "meta": {}},
    ],
    "entities": [
        {"text": TEXT, "entities": objects()},
        {"text": TEXT, "entities": objects(label="type")},
        {"text": TEXT, "entities": objects(label="entity_group", score=0.9)},
        {"text": TEXT, **WHOLE},
        {"text": TEXT, "spans": objects(label="label")},
    ],
    "label-studio": [
        {"data": {"text": TEXT}, "annotations": [RESULT]},
        {"text": TEXT, "id": 7, "ner": [{**one, "labels": [one["label"]]} for one in objects()], "annotator": 1},
    ],
    "label-studio-predictions": [
        {"data": {"text": TEXT}, "predictions": [RESULT]},
    ],
    "spacy": [
        [TEXT, WHOLE],
        {"text": TEXT, "ents": objects(), "tokens": []},
        {"text": TEXT, "spans": objects(), "_input_hash": 1},
        {"id": 0, "paragraphs": [{"raw": TEXT, "sentences": [{"tokens": TOKENS}]}]},
        {"classes": ["人"], "annotations": [None, [TEXT, WHOLE]]},
    ],
}  # fmt: skip


def write(path, *records, indent=None):
    path.write_text(json.dumps(records, ensure_ascii=False, indent=indent), encoding="utf-8")
    return path


def texts(path, name, **options):
    return list(FORMATS[name].read(path, ReadOptions(**options)))


@pytest.mark.parametrize(("name", "record"), [(name, record) for name, found in RECORDS.items() for record in found])
def test_every_variant_of_a_json_format_is_read(tmp_path, name, record):
    for path in (write(tmp_path / "a.json", record, indent=2), write(tmp_path / "b.json", record)):
        assert [(text.text, text.spans) for text in texts(path, name)] == [(TEXT, FOUND)]
    (tmp_path / "c.jsonl").write_text(json.dumps(record, ensure_ascii=False) + "\n" * 2, encoding="utf-8")
    assert [(text.text, text.spans) for text in texts(tmp_path / "c.jsonl", name)] == [(TEXT, FOUND)]


@pytest.mark.parametrize("name", RECORDS)
def test_the_first_records_tell_the_format(tmp_path, name):
    assert sniff(write(tmp_path / "a.json", RECORDS[name][0], indent=1)).format == name
    assert sniff(write(tmp_path / "b.json", RECORDS[name][0])) == Sniffed(name, "entities")


def test_a_list_of_names_is_no_list_of_entities(tmp_path):
    assert sniff(write(tmp_path / "a.json", {"text": TEXT, "label": ["人物", "地理"]})) == Sniffed("json")


def test_labels_that_are_numbers_are_refused(tmp_path):
    path = write(tmp_path / "a.json", {"text": TEXT, "annotations": [{"label": 3, "start_offset": 0, "end_offset": 2}]})
    with pytest.raises(CorpusError, match="row 1: the label is the number 3: export the labels with their names"):
        texts(path, "doccano")


def test_cmeee_with_ends_that_are_not_included(tmp_path):
    record = {"text": TEXT, "entities": [{"start_idx": 0, "end_idx": 2, "type": "人", "entity": "小明"}]}
    assert texts(write(tmp_path / "a.json", record), "cmeee")[0].spans == FOUND[:1]
    record["entities"][0] |= {"entity": "明爱"}
    with pytest.raises(CorpusError, match=r"0:3 .* is '小明爱' in the text, and not '明爱'"):
        texts(write(tmp_path / "a.json", record), "cmeee")


def brat(folder, text, annotations, name="一"):
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(annotations.encode())
    return folder / f"{name}.ann"


def test_brat(tmp_path):
    annotations = (
        "T1\t人 0 2\t小明\nT2\t地点 9 11\t北京\nR1\t去 Arg1:T1 Arg2:T2\t\n#1\tAnnotatorNotes T1\t注\n"
        "T3\t地点 0 1;9 10\t小 北\nT4\t句 4 8\t。  小\n"
    )
    path, counts = brat(tmp_path, "小明很好。\n\n小张去北京\n", annotations.replace("9 11", "10 12")), Counter()
    found = list(FORMATS["brat"].read(path, ReadOptions()).counted(counts))
    assert [(text.text, text.mentions()) for text in found] == [
        ("小明很好。", (("人", "小明"),)),
        ("小张去北京", (("地点", "北京"),)),
    ]
    assert counts == {"relations": 2, "discontinuous": 1, "across_lines": 1}
    assert [text.text for text in texts(tmp_path / "一.txt", "brat")] == [text.text for text in found]
    brat(tmp_path, "再见\r\n北京\r\n", "T1\t地点 4 6\t北京\n", "二")
    (tmp_path / "三.txt").write_text("没有标注\n", encoding="utf-8")
    assert [text.spans for text in texts(tmp_path, "brat")] == [
        (Span(0, 2, "人"),), (Span(3, 5, "地点"),), None, (), (Span(0, 2, "地点"),)
    ]  # fmt: skip
    tagged = list(read_tagged(path, "brat", scheme="BIO"))
    assert tagged[0] == Sentence(tuple("小明很好。"), ("B-人", "I-人", "O", "O", "O"))
    assert sniff(path) == sniff(tmp_path / "一.txt") == sniff(tmp_path) == Sniffed("brat", "entities")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1 人 0 2 小明", r"一\.ann: line 2: 'T1 人 0 2 小明' is no entity"),
        ("T1\t人 0 2\t小张", r"一\.ann: line 2: the span 0:2 .人. is '小明' in the text, and not '小张'"),
        ("T1\t人 3 9\t北京", r"一\.ann: line 2: the span 3:9 .人. ends after the text"),
    ],
)
def test_lines_that_are_none_of_brats(tmp_path, line, message):
    path = brat(tmp_path, TEXT, f"T0\t地点 3 5\t北京\n{line}\n")
    with pytest.raises(CorpusError, match=message):
        texts(path, "brat")
    path.with_suffix(".txt").unlink()
    with pytest.raises(CorpusError, match=r"一\.txt: no such file, but brat's 一\.ann is about this text"):
        texts(path, "brat")


def test_universal_ner(tmp_path):
    path = tmp_path / "a.iob2"
    path.write_text(
        "# sent_id = 1\n# text = 小明爱北京\n1\t小明\tB-人\t-\t-\n2\t爱\tO\t-\t-\n3\t北京\tB-地点\t-\t-\n",
        encoding="utf-8",
    )
    [text] = texts(path, "iob2")
    assert (text.text, text.spans) == (TEXT, FOUND) and text.words == (Word(0, 2), Word(2, 3), Word(3, 5))
    assert next(iter(read_tagged(path))).tokens == ("小明", "爱", "北京")
    assert sniff(path) == Sniffed("iob2", "entities")
    (tmp_path / "a.txt").write_bytes(path.read_bytes())
    assert sniff(tmp_path / "a.txt").format == "iob2"


NAMES = ["O", "B-人", "I-人", "B-地点", "I-地点"]
NUMBERS = {"tokens": list(TEXT), "ner_tags": [1, 2, 0, 3, 4]}


def test_data_sets_of_hugging_face(tmp_path):
    path = write(tmp_path / "a.json", NUMBERS)
    with pytest.raises(CorpusError, match='row 1: "ner_tags": tags are numbers without names: name them'):
        texts(path, "huggingface")
    with pytest.raises(CorpusError, match='row 1: "ner_tags": the tag 3 has no name; 3 are known'):
        texts(path, "huggingface", names=NAMES[:3])
    assert texts(path, "huggingface", names=NAMES)[0].spans == FOUND
    named = {"tokens": list(TEXT), "tags": [NAMES[tag] for tag in NUMBERS["ner_tags"]], "id": "1"}
    assert texts(write(path, named), "huggingface")[0].spans == FOUND
    assert sniff(path) == Sniffed("huggingface", "entities")
    with pytest.raises(CorpusError, match="row 1: one tag per token is expected: 5 tokens, 1 tags"):
        list(HuggingFace(write(path, {"tokens": list(TEXT), "ner_tags": ["O"]})))
    feature = {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "Sequence"}
    about = {"huggingface": json.dumps({"info": {"features": {"ner_tags": feature}}})}
    table = pyarrow.Table.from_pylist([NUMBERS]).replace_schema_metadata(about)
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert texts(tmp_path / "a.parquet", "huggingface")[0].spans == FOUND
    assert next(iter(read_tagged(tmp_path / "a.parquet", "huggingface"))).tags == (
        "B-人",
        "I-人",
        "O",
        "B-地点",
        "I-地点",
    )


def test_spaces_and_entities_of_conllu(tmp_path):
    row = "{}\t{}\t_\tX\t_\t_\t_\t_\t_\t{}\n"
    lines = [("小明", "ner=S-人|SpaceAfter=No"), ("爱", "_"), ("北京", "SpaceAfter=No|ner=S-地点")]
    path = tmp_path / "a.conllu"
    path.write_text("".join(row.format(number, *line) for number, line in enumerate(lines, 1)) + "\n", encoding="utf-8")
    [text] = texts(path, "conllu")
    assert text == AnnotatedText(
        "小明爱 北京", (Span(0, 2, "人"), Span(4, 6, "地点")), 1, (Word(0, 2, "X"), Word(2, 3, "X"), Word(4, 6, "X"))
    )


def test_options_of_another_format_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="its format has no option separator: leave it out"):
        texts(write(tmp_path / "a.json", RECORDS["doccano"][0]), "doccano", separator="/")
