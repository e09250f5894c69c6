"""A dictionary for a trained model: it is obeyed, conflicts are counted, and the folder stays as it is."""

import json

import pytest
from mini import read_csv, write_csv
from random_model import make_model
from random_tagger import make_tagger

from corpora.table_options import TableOptions
from pipeline.__main__ import SUCCESS, main
from pipeline.errors import DictionaryError, SettingsError
from pipeline.jobs.job import SegmentJob
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.models.model import Model
from pipeline.provenance import sha256
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.segmenter import Segmenter

TEXTS = ["我爱北京烤鸭", "去滨江步道骑车，吃烤鸭", "我爱我", "", "烤鸭，北京 烤鸭"]
ADDED = {
    "entities": {"烤鸭": "地", "滨江": "人", "骑车": "动作"},
    "joint": {"烤鸭": "n"},
    "words": {"北京烤": None},
    "pos": {"骑车": "v"},
}


@pytest.fixture
def zhpipe(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def files_of(folder):
    return {path.name: sha256(path) for path in folder.iterdir()}


def spans_of(prediction):
    return {(span.start, span.end, span.type) for span in prediction.spans}


@pytest.mark.parametrize("kind", sorted(ADDED))
def test_a_tagger_obeys_the_words_as_if_it_had_been_trained_with_them(tmp_path, kind):
    folder, added = make_tagger(tmp_path / "model", kind), ADDED[kind]
    before = files_of(folder)
    alone = Model.load(folder)
    built_in = Model.load(make_tagger(tmp_path / "other", kind, dictionary=added))
    model = Model.load(folder, dictionary=UserDictionary(added))
    assert (
        model.predict(TEXTS) == built_in.predict(TEXTS) == alone.with_dictionary(UserDictionary(added)).predict(TEXTS)
    )
    assert alone.predict(TEXTS) == Model.load(folder).predict(TEXTS)
    for text, answer in zip(TEXTS, model.predict(TEXTS), strict=True):
        for start, end in UserDictionary(added).find(text):
            tag = added[text[start:end]]
            if tag != "动作":
                assert any(place[:2] == (start, end) and tag in (None, place[2]) for place in spans_of(answer))
    assert files_of(folder) == before


@pytest.mark.parametrize("workers", [1, 2])
def test_conflicts_are_counted(tmp_path, workers):
    own = {"烤鸭": "人", "北京": "地"}
    model = make_tagger(tmp_path / "model", "entities", dictionary=own)
    added = UserDictionary({"烤鸭": "地", "北京": "地", "滨江": "人"})
    alone, extended = Model.load(model).predict(TEXTS), Model.load(model, dictionary=added).predict(TEXTS)
    source = write_csv(tmp_path / "in.csv", [[text] for text in TEXTS] * 3, header=("text",))
    limits = Limits(chunk_rows=2, solo_seconds=0)
    done = label_file(Model.load(model, dictionary=added), source, tmp_path / "out.csv", workers=workers, limits=limits)
    changed = sum(spans_of(one) != spans_of(other) for one, other in zip(alone, extended, strict=True))
    assert changed > 0 and (done.with_added, done.changed) == (9, 3 * changed)
    assert list(done.overriding) == ["烤鸭"] and done.dictionary == 3
    cells = [json.loads(row[1]) for row in read_csv(tmp_path / "out.csv")[1:6] if row[1]]
    found = [{(span["start"], span["end"], span["type"]) for span in spans} for spans in cells]
    assert found == [spans_of(answer) for answer in extended if not answer.is_blank]


def test_the_command(tmp_path, zhpipe):
    folder = make_tagger(tmp_path / "model", "entities", dictionary={"烤鸭": "人"})
    before = files_of(folder)
    source = write_csv(tmp_path / "in.csv", [[text] for text in TEXTS], header=("text",))
    (tmp_path / "words.txt").write_text("烤鸭 地\n滨江 人\n骑车 动作\n", encoding="utf-8")
    (tmp_path / "more.txt").write_text("步道\t\t地\n", encoding="utf-8")
    given = ("--dictionary", tmp_path / "words.txt", "--dictionary", tmp_path / "more.txt", "--workers", 1)
    code, out, error = zhpipe("label", folder, source, tmp_path / "out.csv", *given)
    assert code == SUCCESS and "4 of the 4 dictionary words occur in the text" in out
    assert "new words       3 rows have one; the model alone would have answered " in out
    assert "1 word of --dictionary override the model's own dictionary: 烤鸭" in error
    assert "1 dictionary words have a tag that is no type of this model: 动作 (1)" in error
    spans = json.loads(read_csv(tmp_path / "out.csv")[2][1])
    assert {("滨江", "人"), ("步道", "地"), ("烤鸭", "地")} <= {(span["text"], span["type"]) for span in spans}
    assert files_of(folder) == before
    code, out, _ = zhpipe("label", folder, source, tmp_path / "plain.csv", "--workers", 1)
    assert code == SUCCESS and "new words" not in out
    (tmp_path / "bad.txt").write_text("烤鸭/地名\n", encoding="utf-8")
    code, _, error = zhpipe("label", folder, source, tmp_path / "bad.csv", "--dictionary", tmp_path / "bad.txt")
    assert code == 2 and "bad.txt:1: " in error and not (tmp_path / "bad.csv").exists()


def test_the_dictionary_is_one_of_the_things_that_a_job_depends_on(tmp_path):
    from pipeline.jobs.options import LabelOptions
    from pipeline.jobs.table_job import TableJob

    folder = make_tagger(tmp_path / "model", "entities")
    source = write_csv(tmp_path / "in.csv", [["我爱北京"]], header=("text",))

    def values(*words):
        model = Model.load(folder, dictionary=UserDictionary(dict.fromkeys(words, "地")))
        return TableJob(model, source, tmp_path / "out.csv", LabelOptions()).dependencies.values["--dictionary"]

    assert (
        len({values(), values("北京"), values("上海")}) == 3 and values("北京") == values("北京") and values() is None
    )


def test_a_classifier_of_words_cuts_them(tmp_path, zhpipe):
    folder = make_model(tmp_path / "model")
    text = "送餐快，服务态度好"
    model = Model.load(folder, dictionary=UserDictionary({"餐快": None}, splits={"服务态度": ("服务", "态度")}))
    assert Model.load(folder).tokenise(text).tokens == ["送餐", "快", "，", "服务态度", "好"]
    assert model.tokenise(text).tokens == ["送", "餐快", "，", "服务", "态度", "好"]
    source = write_csv(tmp_path / "in.csv", [[text], ["味道很好"]], header=("text",))
    (tmp_path / "words.txt").write_text("服务态度 n\n味道\n", encoding="utf-8")
    code, out, error = zhpipe(
        *("label", folder, source, tmp_path / "out.csv", "--workers", 1, "--dictionary", tmp_path / "words.txt")
    )
    assert code == SUCCESS and "new words       2 rows have one" in out
    assert "1 of the 2 words of --dictionary not in the model's training text" in error


def test_what_changes_nothing_is_refused(tmp_path):
    folder = make_tagger(tmp_path / "model", "words")
    with pytest.raises(SettingsError, match=r"the frequency of '北京' is for jieba.*write 北京 => and the parts"):
        Model.load(folder, dictionary=UserDictionary(weights={"北京": 0}))
    (tmp_path / "zero.txt").write_text("北京 0\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="is for jieba"):
        Model.load(folder, dictionary=tmp_path / "zero.txt")
    with pytest.raises(DictionaryError, match="can't be read"):
        Model.load(folder, dictionary=[tmp_path / "none.txt"])


def test_words_that_are_split_are_words_of_a_tagger(tmp_path):
    folder = make_tagger(tmp_path / "model", "words")
    model = Model.load(folder, dictionary=UserDictionary(splits={"北京烤鸭": ("北", "京烤", "鸭")}))
    places = {(span.start, span.end) for span in model.predict("我爱北京烤鸭").spans}
    assert {(2, 3), (3, 5), (5, 6)} <= places


def test_no_entry_cuts_a_run_for_a_tagger_either(tmp_path):
    folder = make_tagger(tmp_path / "model", "entities")
    model = Model.load(folder, dictionary=UserDictionary({"N": "地"}))
    assert (0, 1, "地") in spans_of(model.predict("N，去"))
    alone = Model.load(folder).predict("aN，去")
    assert model.predict("aN，去") == alone


def test_segmented_parts_count_the_words_that_occur(tmp_path):
    """`segment --engine ray` says so too, as the other engines do."""
    (tmp_path / "in.txt").write_text("去滨江步道骑车\n商品和服务\n去滨江步道\n", encoding="utf-8")
    write_csv(tmp_path / "in.csv", [["去滨江步道"], ["好"]], header=("text",))
    segmenter = Segmenter(dictionary=UserDictionary({"滨江步道": None, "上海": None}, {"和服": None, "服务": 5}))
    job = SegmentJob(segmenter, ("text",), TableOptions())
    for name, occurring in (("in.txt", 2), ("in.csv", 1)):
        record = job.parts(tmp_path / name, name, tmp_path).write(0, tmp_path)
        result = job.result(record.rows, seconds=1.0, resumed=0, reason="")
        assert (result.occurring, result.dictionary) == (occurring, 4)
