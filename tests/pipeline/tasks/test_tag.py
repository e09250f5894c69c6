"""Tagging from a corpus to its answers: what is learnt is answered, offsets are right, long texts are whole."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mini import read_csv, write_csv

import pipeline
from corpora import conll, segmented, slashed
from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.tags import tags_of
from embeddings.errors import EmbeddingError
from pipeline.config.load import from_mapping
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError, SettingsError
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.spans import tagging
from pipeline.evaluation.report import tagged
from pipeline.evaluation.report.report import Report
from pipeline.jobs.label import label_file
from pipeline.stages import embed
from pipeline.stages.evaluate import evaluate_file
from pipeline.tagging import viterbi

PLACES, PEOPLE, BETWEEN = ["昆明", "西安", "青海湖"], ["陈晓岚", "老周", "艾玛"], ["去了", "说", "在", "，", "今天"]
CONFIG = """name = "mini"
task = "tag"
[corpus]
train = "{file}"
[segment]
unit = "{unit}"
workers = 1
[tag]
kind = "{kind}"
decode = "{decode}"
[embed]
vector_size = 8
min_count = 1
epochs = 2
[network]
units = 12
encoder = "none"
max_tokens = 16
dropout = 0.0
embedding_dropout = 0.0
[train]
learning_rate = 0.03
epochs = 8
patience = 8
batch_size = 8
"""
POS = dict.fromkeys(PLACES + PEOPLE, "名词") | {
    "去了": "动词",
    "说": "动词",
    "在": "介词",
    "，": "标点",
    "今天": "时间",
}


def sentences(count=60, seed=1):
    """Words in which places and people alternate with others."""
    generator = random.Random(seed)
    return [
        [
            word
            for _ in range(generator.randint(1, 3))
            for word in (generator.choice(PEOPLE), generator.choice(BETWEEN), generator.choice(PLACES), "，")
        ]
        for _ in range(count)
    ]


def write_entities(path):
    rows = []
    for words in sentences():
        spans, start = [], 0
        for word in words:
            if word in PLACES + PEOPLE:
                spans.append(Span(start, start + len(word), "地名" if word in PLACES else "人名"))
            start += len(word)
        rows.append(Sentence(tuple("".join(words)), tags_of(spans, start, "BIO")))
    conll.write(path, rows)


def write_words(path):
    slashed.write(path, [Sentence(tuple(words), tuple(POS[word] for word in words)) for words in sentences()])


def train(folder, kind, decode="crf", more=()):
    unit = "word" if kind == "pos" else "char"
    file = "mini.conll" if kind == "entities" else "mini.txt"
    (write_entities if kind == "entities" else write_words)(folder / file)
    config = folder / "mini.toml"
    text = CONFIG.format(file=file, unit=unit, kind=kind, decode=decode)
    config.write_text(text, encoding="utf-8")
    overrides = ['evaluate.baselines=["crfsuite"]'] if kind == "entities" else ["corpus.format=slashed"]
    return pipeline.run(config, overrides=[*overrides, *more], runs=folder / "runs")


@pytest.fixture(scope="module")
def entities(tmp_path_factory):
    return train(tmp_path_factory.mktemp("entities"), "entities")


@pytest.fixture(scope="module")
def model(entities):
    return pipeline.load(entities)


def report_of(run):
    return json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))


def test_entities_are_learnt_and_reported(entities):
    report = report_of(entities)
    assert report["task"] == "tag" and report["test"]["f1"] > 0.9
    for part in ("test", "dev"):
        assert {"precision", "recall", "f1", "macro_f1", "token_accuracy", "per_label"} <= report[part].keys()
    assert report["baselines"]["crfsuite"]["test"]["f1"] > 0.9
    assert "python-crfsuite, test" in (entities / "evaluate" / "report.txt").read_text(encoding="utf-8")
    folder = entities / "evaluate"
    assert {"report.json", "report.txt", "predictions.csv", "errors.csv", "confusion.csv"} <= {
        path.name for path in folder.iterdir()
    }


def test_the_frozen_network_is_held_against_the_trained_one_in_tags(entities, model):
    training = json.loads((entities / "train" / "training.json").read_text(encoding="utf-8"))
    assert training["different_answers"] == 0 and training["difference_to_keras"] < 1e-4
    scores = np.random.default_rng(1).normal(0, 5, (3, 4, len(model.labels))).astype(np.float32)
    lengths = np.array([4, 1, 2])
    tags = model.answerer.choices(scores, lengths)
    chain = model.answerer.chain
    assert np.array_equal(tags, viterbi.best_path(scores, lengths, chain))
    scores[0, :, :] = -scores[0, :, :]
    assert np.any(model.answerer.choices(scores, lengths) != tags, axis=1).tolist() == [True, False, False]


def test_a_prediction_says_where(model):
    [answer] = model.predict(["老周 去了昆明"])
    assert [(span.text, span.type, span.start, span.end) for span in answer.spans] == [
        ("老周", "人名", 0, 2),
        ("昆明", "地名", 5, 7),
    ]
    assert answer.tokens == tuple("老周去了昆明") and len(answer.tags) == len(answer.confidences) == 6
    assert answer.raw_tags == answer.tags and answer.value is None and 0 < answer.score <= 1
    assert all(answer.score <= span.confidence + 1e-6 for span in answer.spans)


texts = st.text(st.sampled_from("昆明西安老周陈晓岚说，。！😀é\u0301 \t\n　aA1\u200d\ufeff"), max_size=60)


@given(st.lists(texts, min_size=1, max_size=4))
def test_every_span_is_its_text(model, asked):
    for text, answer in zip(asked, model.predict(asked), strict=True):
        assert [*answer.tokens] == [character for character in text if not character.isspace()]
        assert answer.is_blank == (not text.strip())
        for span in answer.spans:
            assert text[span.start : span.end] == span.text != ""
        cells = model.answerer.output.cells(answer, probabilities=True)
        assert len(cells) == len(model.answerer.output.columns(probabilities=True))
        for entity in json.loads(cells[0]) if text.strip() else ():
            assert text[entity["start"] : entity["end"]] == entity["text"]


def test_long_texts_are_labelled_whole_and_like_short_ones(model):
    words = [word for sentence in sentences(200, seed=2) for word in sentence]
    text = "".join(words)
    [answer] = model.predict([text])
    assert len(answer.tokens) == len(text) > 100 * model.encoder.max_tokens
    expected = [word for word in words if word in PLACES + PEOPLE]
    assert np.mean([span.text in PLACES + PEOPLE for span in answer.spans]) > 0.95
    assert len(answer.spans) == pytest.approx(len(expected), rel=0.05)


def test_batches_change_no_answer(model):
    model = pipeline.load(model.network.path.parent, precision="float32")
    asked = ["".join(words) for words in sentences(20, seed=3)]
    together = model.predict(asked)
    for text, answer in zip(asked, together, strict=True):
        [alone] = model.predict([text])
        assert alone.tags == answer.tags and alone.score == pytest.approx(answer.score, abs=1e-4)


def test_saved_chains_forbid_what_the_scheme_forbids(model):
    names, chain = model.labels.names, model.answerer.chain
    inside = [index for index, name in enumerate(names) if name[0] in "ME"]
    assert np.isneginf(chain.start[inside]).all() and not np.isneginf(chain.start[names.index("O")])
    assert np.isneginf(chain.transitions[names.index("O"), inside]).all()
    assert np.isfinite(chain.transitions).sum() > len(names) and np.abs(chain.transitions[0, 0]) > 0


@pytest.mark.parametrize(("kind", "decode"), [("words", "maxent"), ("joint", "greedy"), ("pos", "crf")])
def test_every_kind_and_decoding(tmp_path, kind, decode):
    run = train(tmp_path, kind, decode)
    scores = report_of(run)["test"]
    assert scores["f1"] > 0.9 and scores["illegal"] == 0 and scores["oov_rate"] == 0
    model = pipeline.load(run)
    [answer] = model.predict(["老周说昆明，"])
    cells = dict(zip(model.answerer.output.columns(False), model.answerer.output.cells(answer, False), strict=True))
    if kind != "pos":
        assert answer.tokens == ("老周", "说", "昆明", "，") and cells["words"] == "老周 说 昆明 ，"
        assert "".join(answer.tokens) == "老周说昆明，"
    if kind != "words":
        assert cells["tags"] == segmented.join(answer.tags) and len(answer.tags) == len(answer.tokens)


FEATURES = {
    "entities": ("bigrams=4", "segmentation=3", "lexicon=5"),
    "pos": ("characters=4", "affixes=3"),
}


@pytest.mark.parametrize("kind", FEATURES)
def test_what_is_read_beside_the_tokens_gets_into_the_model(kind, tmp_path):
    raw = tmp_path / "raw.txt"
    raw.write_text("大家去了青海湖\n今天老周在西安\n" * 3, encoding="utf-8")
    more = [f"network.features.{feature}" for feature in FEATURES[kind]]
    run = train(
        tmp_path, kind, more=[*more, "train.optimizer=lazy_adam", "train.ema_momentum=0.5", f'embed.extra=["{raw}"]']
    )
    assert report_of(run)["test"]["f1"] > 0.9
    model = pipeline.load(run)
    assert list(model.encoder.features) == [feature.partition("=")[0] for feature in FEATURES[kind]]
    [answer] = model.predict(["老周去了青海湖"])
    assert answer.tokens and len(answer.tags) == len(answer.tokens)
    if kind == "entities":
        assert [span.text for span in answer.spans] == ["老周", "青海湖"]
        assert "大家" in model.encoder.features["lexicon"].vocabulary, "of the extra text"
        assert "大家" in model.encoder.features["bigrams"].vocabulary
        [long] = model.predict(["老周去了青海湖，" * 20])
        assert len(long.spans) == 40


def test_a_lexicon_is_read_from_a_table(tmp_path):
    table = tmp_path / "words.txt"
    table.write_text("3 2\n青海湖 0.1 0.2\n青海 0.3 0.1\n很长很长很长很长的词 1 1\n", encoding="utf-8")
    more = ["network.features.lexicon=2", f"network.features.lexicon_table={table}", "train.epochs=1"]
    run = train(tmp_path, "entities", more=[*more, "evaluate.baselines=[]"])
    assert pipeline.load(run).encoder.features["lexicon"].vocabulary.tokens == ("青海湖", "青海")


@pytest.mark.parametrize("feature", ["bigrams", "lexicon"])
def test_a_table_of_another_width_names_the_setting(feature, tmp_path):
    table = tmp_path / "table.txt"
    table.write_text("1 2\n老周 0.1 0.2\n", encoding="utf-8")
    more = [f"network.features.{feature}=3", f"network.features.{feature}_table={table}"]
    with pytest.raises(EmbeddingError, match=rf"has width 2, the setting says 3: set network\.features\.{feature} = 2"):
        train(tmp_path, "entities", more=more)


def test_a_table_without_any_bigram_of_train_is_named(tmp_path):
    table = tmp_path / "table.txt"
    table.write_text("1 2\n龘龘 0.1 0.2\n", encoding="utf-8")
    more = ["network.features.bigrams=2", f"network.features.bigrams_table={table}", "embed.keep=train"]
    with pytest.raises(
        PipelineError, match=r"table\.txt: has a vector for none of the bigrams of train: check .*bigrams_table"
    ):
        train(tmp_path, "entities", more=more)


@pytest.mark.parametrize(("keep", "read"), [("all", {"不曾", "老周"}), ("train", {"老周"})])
def test_bigrams_are_read_from_a_table(keep, read, tmp_path):
    table = tmp_path / "bigrams.txt"
    table.write_text("2 2\n老周 0.1 0.2\n不曾 0.3 0.1\n", encoding="utf-8")
    more = ["network.features.bigrams=2", f"network.features.bigrams_table={table}", f"embed.keep={keep}"]
    run = train(tmp_path, "entities", more=[*more, "train.epochs=1", "evaluate.baselines=[]"])
    known = pipeline.load(run).encoder.features["bigrams"].vocabulary
    assert [bigram in known for bigram in ("老周", "不曾", "去了")] == ["老周" in read, "不曾" in read, True]
    vectors = embed.read_vectors(run, "bigrams")
    assert vectors is not None and set(vectors.words) == read


def test_a_table_is_labelled_with_every_row_and_the_right_offsets(entities, tmp_path):
    cells = ["老周去了昆明", "", "  ", "！？……", "😀陈晓岚 说", "Hello 艾玛！", "老周，" * 3000, "陳曉嵐在西安"]
    write_csv(tmp_path / "in.csv", [[str(row), cell] for row, cell in enumerate(cells)], header=("编号", "正文"))
    labelled = label_file(entities, tmp_path / "in.csv", tmp_path / "out.csv", text="正文", probabilities=True)
    header, *rows = read_csv(tmp_path / "out.csv")
    assert header == ["编号", "正文", "entities", "confidence", "confidences"]
    assert labelled.rows == len(cells) == len(rows)
    for row, cell in zip(rows, cells, strict=True):
        assert row[1] == cell and (row[2] == "") == (not cell.strip())
        for entity in json.loads(row[2] or "[]"):
            assert cell[entity["start"] : entity["end"]] == entity["text"]
            assert 0 <= entity["confidence"] <= 1
    assert [entity["text"] for entity in json.loads(rows[0][2])] == ["老周", "昆明"]
    assert len(json.loads(rows[6][2])) == pytest.approx(3000, rel=0.02)


def test_any_tagged_file_is_scored(entities, tmp_path):
    write_entities(tmp_path / "other.conll")
    report = evaluate_file(entities, tmp_path / "other.conll", tmp_path / "report")
    assert report.counts["scored"] == len(sentences()) and report.test["f1"] > 0.9
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "gold spans of the type" in page and "人名" in page
    with pytest.raises(CorpusError, match=r"no tagged format"):
        evaluate_file(entities, tmp_path / "other.csv", tmp_path / "report")


def test_the_page_shows_what_is_wrong_and_escapes_it(tmp_path):
    gold = ["O", "O", "O", "B-<地>", "E-<地>"]
    outcome = Outcome.of_tags(3, Tokenised("<b>昆明", "<b>昆明"), gold, ["O"] * 5, 0.9)
    written = Report("tag", {"cell": "lstm"}, {"scored": 1}, tagging([outcome], "BMES"))
    tagged.write(tmp_path, written, {"test": [outcome]}, "BMES")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<mark class="span missed" title="missed">昆明<sub>&lt;地&gt;</sub></mark>' in page and "<b>昆明" not in page
    header, row = read_csv(tmp_path / "errors.csv")
    assert dict(zip(header, row, strict=True))["gold"] == "昆明/<地>"
    assert dict(zip(header, row, strict=True))["missed"] == "1"


def test_a_page_of_long_texts_can_be_mailed_and_its_tables_have_all(tmp_path):
    """Words, so that every second character is a mark of its own; one text is too long for the page at all."""
    outcomes = [
        Outcome.of_tags(
            number,
            Tokenised("昆明" * half, "昆明" * half),
            ["B", "E"] * half,
            [*["B", "E"] * (half - 1), "S", "S"],
            0.9,
        )
        for number, half in enumerate([60_000] + [400] * 250, start=1)
    ]
    written = Report("tag", {"cell": "lstm"}, {"scored": len(outcomes)}, tagging(outcomes, "BMES"))
    tagged.write(tmp_path, written, {"test": outcomes}, "BMES")
    assert 1_000_000 < (tmp_path / "report.html").stat().st_size < 5_000_000
    errors = (tmp_path / "errors.csv").read_text(encoding="utf-8")
    assert len(errors.splitlines()) == len(outcomes) + 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segment": {"unit": "word"}, "tag": {"kind": "words"}}, r"segment\.unit"),
        ({"corpus": {"nfkc": True}}, r"corpus\.nfkc = true: set it to false"),
        ({"train": {"label_smoothing": 0.1}}, r"train\.label_smoothing"),
        ({"train": {"metric": "accuracy"}}, r'train\.metric = "accuracy" is not measured'),
        ({"evaluate": {"baselines": ["majority"]}}, r"evaluate\.baselines"),
        (
            {"network": {"features": {"affixes": 4}}},
            r'affixes is a feature of words, but segment\.unit is "char"',
        ),
        ({"task": "classify", "network": {"features": {"bigrams": 4}}}, r'task is "classify"'),
    ],
)
def test_settings_that_no_tagger_can_have(changes, message):
    values = {"name": "a", "task": "tag", "segment": {"unit": "char"}, **changes}
    values["corpus"] = {"train": "a.conll", **changes.get("corpus", {})}
    with pytest.raises(SettingsError, match=message):
        from_mapping(values)
