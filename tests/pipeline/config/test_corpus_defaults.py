"""Defaults by the size of the corpus: overridden key by key, written out, told, and found from the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mini import mails, write_csv

from pipeline.config.corpus import CorpusSettings
from pipeline.config.corpus_defaults import TAG_STEPS, Chosen, CorpusSize, apply, defaults_for
from pipeline.config.corpus_size import measure
from pipeline.config.load import dumps, from_mapping, load_explained

CONLL = "北 B\n京 E\n\n我 O\n在 O\n\n"


def config(folder, text="", rows=40):
    write_csv(folder / "a.csv", mails(rows), header=("label", "text"))
    path = folder / "c.toml"
    path.write_text(f'name = "c"\n[corpus]\ntrain = "a.csv"\n{text}', encoding="utf-8")
    return path


def test_few_rows_get_small_batches_and_many_passes():
    few, some, many = (defaults_for("classify", "word", rows, 20.0) for rows in (300, 5_000, 50_000))
    assert few["train.batch_size"] < some["train.batch_size"] < many["train.batch_size"]
    assert few["train.epochs"] > some["train.epochs"] > many["train.epochs"]
    assert few["network.wide.min_count"] < some["network.wide.min_count"]


@given(st.integers(0, 500_000))
def test_steps_say_how_long_a_tagger_trains(rows):
    chosen = defaults_for("tag", "char", rows, 40.0)
    batch, epochs, patience = (chosen[f"train.{key}"] for key in ("batch_size", "epochs", "patience"))
    steps = epochs * rows / batch
    assert 12 <= epochs <= 40 and patience == max(3, epochs // 5)
    assert epochs == 40 or steps >= TAG_STEPS - rows / batch
    assert epochs == 12 or steps <= TAG_STEPS


def test_short_texts_are_read_by_characters_and_long_ones_by_words():
    assert defaults_for("classify", "word", 300, 20.0)["network.inputs"] == "characters"
    assert defaults_for("classify", "word", 300, 300.0)["network.inputs"] == "words"
    assert defaults_for("classify", "char", 300, 300.0)["network.inputs"] == "characters"
    assert defaults_for("language", "word", 300, 20.0) == {}


@pytest.mark.parametrize("task", ["classify", "multilabel", "tag"])
def test_few_short_texts_are_read_by_an_encoder_too_unless_the_config_says_what_is_read(task):
    few = defaults_for(task, "char", 2_999, 100.0)
    assert few["network.encoder"] == "zh-open"
    for unit, rows, length in (("char", 3_000, 20.0), ("char", 300, 101.0)):
        assert "network.encoder" not in defaults_for(task, unit, rows, length)
    inputs = ({"encoder": "none"}, {"inputs": "words"}, {"wide": {"characters": 2}})
    for values in [*({"network": network} for network in inputs), {"train": {"from_model": "runs/a"}}]:
        assert "network.encoder" not in apply(values, few)[1]


@pytest.mark.parametrize(("segment", "inputs"), [("", "both"), ('[segment]\nunit = "char"\n', "characters")])
def test_who_names_an_encoder_need_not_say_that_characters_are_read(segment, inputs, tmp_path):
    settings = load_explained(config(tmp_path, segment), ["network.encoder=zh-open"]).settings
    assert (settings.network.encoder, settings.network.inputs) == ("zh-open", inputs)
    assert load_explained(config(tmp_path), ["network.encoder=none"]).settings.network.inputs == "characters"


def test_a_tagger_of_words_has_no_encoder():
    assert "network.encoder" not in defaults_for("tag", "word", 300, 20.0)


def test_the_baseline_of_taggers_has_a_bound():
    pytest.importorskip("pycrfsuite")
    assert defaults_for("tag", "char", 1_000, 50.0)["evaluate.baselines"] == ["crfsuite"]
    assert defaults_for("tag", "char", 100_000, 50.0)["evaluate.baselines"] == []


def test_a_tagger_reads_more_than_its_tokens_unless_its_config_says_what_it_reads():
    of_characters, of_words = (defaults_for("tag", unit, 300, 20.0) for unit in ("char", "word"))
    assert of_characters["network.features.segmentation"] and of_words["network.features.characters"]
    for network in ({"features": {"lexicon": 50}}, {"wide": {"characters": 2}}):
        chosen = apply({"network": network}, of_characters)[1]
        assert not any(key.startswith("network.features") for key in chosen)


def test_characters_that_occur_once_count_in_few_short_texts():
    assert defaults_for("classify", "word", 300, 20.0)["embed.min_count"] == 1
    assert "embed.min_count" not in defaults_for("classify", "word", 300, 300.0)
    assert "embed.min_count" not in defaults_for("classify", "word", 9_000, 20.0)
    chosen = apply({"network": {"inputs": "words"}}, defaults_for("classify", "word", 300, 20.0))[1]
    assert "embed.min_count" not in chosen


def test_each_default_gives_way_to_a_key_of_the_config():
    given = {"train": {"epochs": 2, "optimizer": "sgd"}, "network": {"wide": {"words": 1}}}
    changed, chosen = apply(given, defaults_for("classify", "word", 300, 20.0))
    assert changed["train"]["epochs"] == 2 and changed["train"]["batch_size"] == 16
    assert not {"train.epochs", "train.learning_rate", "network.wide.characters"} & set(chosen)
    assert given == {"train": {"epochs": 2, "optimizer": "sgd"}, "network": {"wide": {"words": 1}}}


def test_all_defaults_are_those_of_the_file_written_out_and_told(tmp_path):
    settings, chosen = load_explained(config(tmp_path))
    assert settings.train.batch_size == 16 and settings.train.epochs == 30
    assert settings.network.wide.characters == 3 and settings.network.inputs == "characters"
    assert chosen.sentence.startswith("chosen for 32 short texts: ") and "train.epochs = 30" in chosen.sentence
    written = tmp_path / "written.toml"
    written.write_text(dumps(settings), encoding="utf-8")
    assert load_explained(written) == (settings, None)


def test_an_override_wins(tmp_path):
    settings, chosen = load_explained(config(tmp_path, "[train]\npatience = 7\n"), ["train.epochs=4"])
    assert (settings.train.epochs, settings.train.patience) == (4, 7)
    assert "epochs" not in chosen.sentence and "patience" not in chosen.sentence


def test_a_corpus_that_cannot_be_read_sets_nothing():
    assert from_mapping({"name": "c", "corpus": {"train": "missing.csv"}}).train.batch_size == 64


def test_rows_that_are_split_off_do_not_count(tmp_path):
    path = str(config(tmp_path, rows=100).with_name("a.csv"))
    assert measure(CorpusSettings(train=path), "classify").rows == 80
    assert measure(CorpusSettings(train=path, dev=path, test=path), "classify").rows == 100
    assert measure(CorpusSettings(train=path, dev=path, test=path), "classify", most=50) == CorpusSize(
        50, pytest.approx(11, abs=3), is_least=True
    )


def test_sentences_of_a_tagged_file_are_counted(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text(CONLL * 5, encoding="utf-8")
    assert measure(CorpusSettings(train=str(path), dev="d", test="t"), "tag") == CorpusSize(10, 2.0)


def test_the_sentence_is_exact():
    size = CorpusSize(26_000, 130.0, is_least=True)
    assert Chosen(size, {"network.inputs": "words", "train.epochs": 6}).sentence == (
        'chosen for at least 26,000 long texts: network.inputs = "words", train.epochs = 6'
    )


@pytest.mark.parametrize(
    ("kind", "unit"), [("entities", "char"), ("words", "char"), ("joint", "char"), ("pos", "word")]
)
def test_a_tagger_has_the_unit_of_its_kind(kind, unit):
    made = from_mapping({"name": "t", "task": "tag", "tag": {"kind": kind}, "corpus": {"train": "a.conll"}})
    assert made.segment.unit == unit
    assert made.network.inputs == {"char": "characters", "word": "words"}[unit]
