"""The stage embed: vocabularies from train alone, vectors from train and extra text, or rows of a table."""

import gzip
import json

import pytest
from mini import CONFIG, WORDS, mails, write_config, write_csv

import pipeline
from embeddings.errors import EmbeddingError
from embeddings.vectors import Vectors
from embeddings.vocabulary import Vocabulary
from pipeline.errors import PipelineError

ROW = " ".join(["0.5"] * 6)


def vector(vectors, word):
    return vectors.values[list(vectors.words).index(word)]


@pytest.fixture
def embedded(mini):
    """Runs segment and embed with settings; the folder of the stage."""

    def run(*overrides, name="runs"):
        return pipeline.run("mini.toml", overrides=overrides, runs=mini / name, last="embed") / "embed"

    return run


def test_word2vec_words_are_the_vocabulary(embedded):
    folder = embedded()
    vectors = Vectors.load(folder / "word")
    assert Vocabulary.load(folder / "word" / "vocabulary.txt").tokens == tuple(vectors.words)
    assert set(vectors.words) <= {word for words in WORDS.values() for word in words} | {"。"}
    assert vectors.width == 6
    assert sorted(path.name for path in folder.iterdir()) == ["char", "coverage.json", "word"]
    assert not (folder / "char" / "vectors.npy").exists(), "characters are only weighed, which needs no vectors"
    coverage = json.loads((folder / "coverage.json").read_text(encoding="utf-8"))
    assert coverage["char"] is None and coverage["word"]["tokens"] == 1.0


def test_the_vocabulary_knows_nothing_of_dev_and_test(mini, embedded):
    write_csv(mini / "other.csv", [("正常邮件", "饕餮盛宴"), ("垃圾邮件", "中奖")])
    folder = embedded("corpus.dev=other.csv", "corpus.test=other.csv", "network.inputs=both")
    for unit in ("word", "char"):
        known = "".join(Vocabulary.load(folder / unit / "vocabulary.txt").tokens)
        assert "饕" not in known and "会" in known


def test_the_same_seed_gives_the_same_bytes(embedded):
    first, again, other = (
        (
            embedded(f"seed={seed}", "corpus.dev=mini.csv", "corpus.test=mini.csv", name=name) / "word" / "vectors.npy"
        ).read_bytes()
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert first == again != other


@pytest.mark.parametrize("unit", ["word", "char"])
def test_extra_text_is_learnt_from_plain_or_gzip(mini, embedded, unit):
    raw = "银行开会\n" * 5
    (mini / "raw.txt").write_text(raw, encoding="utf-8")
    (mini / "raw.txt.gz").write_bytes(gzip.compress(raw.encode()))
    inputs = "words" if unit == "word" else "characters"
    plain = embedded('embed.extra=["raw.txt"]', f"network.inputs={inputs}", name="plain") / unit
    packed = embedded('embed.extra=["raw.txt.gz"]', f"network.inputs={inputs}", name="packed") / unit
    assert {"银行", "开会"} <= set(Vectors.load(plain).words) or {"银", "行"} <= set(Vectors.load(plain).words)
    assert (plain / "vectors.npy").read_bytes() == (packed / "vectors.npy").read_bytes()
    assert not list(plain.parent.glob("extra*"))


def test_of_a_table_the_rows_that_train_needs(mini, embedded):
    (mini / "table.txt").write_text(f"会议 {ROW}\n红包 {ROW}\n银行 {ROW}\n", encoding="utf-8")
    folder = embedded("embed.method=pretrained", "embed.pretrained=table.txt")
    assert sorted(Vectors.load(folder / "word").words) == ["会议", "红包"]
    known = set(Vocabulary.load(folder / "word" / "vocabulary.txt").tokens)
    assert known > {"会议", "红包"}, "words that the table lacks are in the vocabulary all the same"


def test_a_table_may_be_a_folder_of_ours(mini, embedded):
    made = embedded(name="first") / "word"
    folder = embedded("embed.method=pretrained", f"embed.pretrained={made}", name="second")
    first, second = Vectors.load(made), Vectors.load(folder / "word")
    assert sorted(first.words) == sorted(second.words)
    assert all((vector(first, word) == vector(second, word)).all() for word in first.words)


def test_no_vectors(embedded):
    folder = embedded("embed.method=none", "network.embedding=random")
    assert [path.name for path in (folder / "word").iterdir()] == ["vocabulary.txt"]


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (["embed.pretrained=table.txt", "network.inputs=both"], PipelineError, "reads chars: name their table"),
        (["embed.pretrained=table.txt", "embed.vector_size=7"], EmbeddingError, "has width 6, the setting says 7"),
        (["embed.pretrained=foreign.txt"], PipelineError, "has a vector for none of the .*words of train"),
        (["embed.pretrained=nowhere.txt"], PipelineError, "nowhere.txt: no such file"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit(mini, embedded, overrides, error, message):
    (mini / "table.txt").write_text(f"会议 {ROW}\n", encoding="utf-8")
    (mini / "foreign.txt").write_text(f"house {ROW}\n", encoding="utf-8")
    with pytest.raises(error, match=message):
        embedded("embed.method=pretrained", *overrides)
    assert not (mini / "runs" / "mini" / "embed").exists()


def test_stop_words_are_in_no_vocabulary(mini, embedded):
    (mini / "stop.txt").write_text("。\n会议\n", encoding="utf-8")
    folder = embedded('segment.stop_words=["stop.txt"]')
    assert not {"。", "会议"} & set(Vectors.load(folder / "word").words)


def test_text_of_stop_words_alone_is_one_sentence(mini, embedded):
    (mini / "stop.txt").write_text(
        "".join(f"{word}\n" for words in WORDS.values() for word in [*words, "。"]), encoding="utf-8"
    )
    with pytest.raises(EmbeddingError, match="the corpus has 0 words"):
        embedded('segment.stop_words=["stop.txt"]')


def test_characters_as_the_unit(mini, embedded):
    write_config(mini, CONFIG.replace("[segment]", '[segment]\nunit = "char"'))
    write_csv(mini / "mini.csv", mails(20))
    folder = embedded()
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["char"]
    assert all(len(word) == 1 for word in Vectors.load(folder / "char").words)
