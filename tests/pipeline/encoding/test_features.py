"""Features: their ids, what the network makes of them, and the same from the frozen graph."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.vocabulary import Vocabulary
from pipeline.config.network import NetworkSettings
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.batch import Example, pad
from pipeline.encoding.features import (
    FEATURES,
    Bigrams,
    Segmentation,
    WordAffixes,
    WordCharacters,
    bigrams,
    membership,
    shares,
)
from pipeline.encoding.lexicon import Lexicon
from pipeline.networks import graph, layers, network
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.segmentation.segmenter import Segmenter

CHARACTERS = st.lists(st.lists(st.sampled_from("我爱吃北京烤鸭a1😀，"), max_size=12), max_size=4)
WORDS = st.lists(st.lists(st.text("北京烤鸭ab", min_size=1, max_size=12), min_size=1, max_size=5), max_size=4)
OF_CHARACTERS = {
    "bigrams": Bigrams(Vocabulary(["北京", "烤鸭", "鸭"])),
    "segmentation": Segmentation(),
    "lexicon": Lexicon(Vocabulary(["北京", "北京烤鸭", "烤", "烤鸭"])),
}
OF_WORDS = {
    "characters": WordCharacters(Vocabulary(["北", "京", "烤"])),
    "affixes": WordAffixes(Affixes.build([["北京", "北", "烤鸭"]], longest=2)),
}
UNITS = 4
JIEBA = Segmenter()


def check(feature, texts):
    """The laws of a Feature."""
    found = feature.ids(texts)
    assert [ids.shape for ids in found] == [(len(text), sum(feature.groups)) for text in texts]
    assert all(ids.dtype == np.int32 and ids.min(initial=0) >= 0 and ids.max(initial=0) < len(feature) for ids in found)
    for text, ids in zip(texts, found, strict=True):
        np.testing.assert_array_equal(feature.ids([text])[0], ids)
    values = shares(feature, texts)
    assert values.shape == (len(feature),) and values[0] == 0


@pytest.mark.parametrize("name", OF_CHARACTERS)
@given(texts=CHARACTERS)
def test_ids_of_characters(name, texts):
    check(OF_CHARACTERS[name], texts)


@pytest.mark.parametrize("name", OF_WORDS)
@given(texts=WORDS)
def test_ids_of_words(name, texts):
    check(OF_WORDS[name], texts)


@given(CHARACTERS)
def test_segmentation_is_jiebas(texts):
    for text, ids in zip(texts, OF_CHARACTERS["segmentation"].ids(texts), strict=True):
        places = "".join("ØBMES"[place] for place in ids.ravel())
        words = JIEBA.split("".join(text))
        assert places == "".join("S" if len(word) == 1 else f"B{'M' * (len(word) - 2)}E" for word in words)


def test_a_long_word_is_read_from_both_ends():
    spelling = WordCharacters(Vocabulary("abcdefghij"))
    assert spelling.ids([["abcdefghij", "ab"]])[0].tolist() == [
        [2, 3, 4, 5, 8, 9, 10, 11],
        [2, 3, 0, 0, 0, 0, 0, 0],
    ]


def test_bigrams_of_nothing():
    assert bigrams([]) == [] and bigrams(["我"]) == ["我"]


@pytest.mark.parametrize("name", FEATURES)
def test_what_is_saved_is_loaded(name, tmp_path):
    feature = {**OF_CHARACTERS, **OF_WORDS}[name]
    again = FEATURES[name].load(tmp_path, feature.save(tmp_path))
    texts = [["北", "京", "烤", "鸭"]]
    np.testing.assert_array_equal(again.ids(texts)[0], feature.ids(texts)[0])
    assert len(again) == len(feature) and again.groups == feature.groups


def tables(features):
    generator = np.random.default_rng(0)
    return {
        name: layers.FeatureTable(
            generator.normal(size=(len(feature), 3)).astype(np.float32),
            np.r_[0, generator.uniform(1, 9, len(feature) - 1)].astype(np.float32),
            tuple(feature.groups),
        )
        for name, feature in features.items()
    }


def test_a_summary_by_hand():
    table = tables({"lexicon": OF_CHARACTERS["lexicon"]})["lexicon"]
    ids = OF_CHARACTERS["lexicon"].ids([list("吃北京烤鸭")])[0]
    found = np.asarray(layers.GroupedEmbeddings(table, trainable=True)(ids[None]))[0]
    for row, summed in zip(ids, found, strict=True):
        total, expected = sum(table.shares[id_] for id_ in row), []
        for group in np.split(row, np.cumsum(table.groups)[:-1]):
            vector = sum((table.shares[id_] * table.values[id_] for id_ in group), np.zeros(3))
            expected += (len(table.groups) / total * vector if total else vector).tolist()
        np.testing.assert_allclose(summed, expected, rtol=1e-4, atol=1e-6)
    assert membership((2, 1)).tolist() == [[1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(("unit", "features"), [("char", OF_CHARACTERS), ("word", OF_WORDS)])
@pytest.mark.parametrize("embedding", ["tuned", "frozen"])
def test_the_graph_gives_what_keras_gives(unit, features, embedding, tmp_path):
    settings = NetworkSettings(
        units=UNITS,
        inputs={"char": "characters", "word": "words"}[unit],
        embedding=embedding,
        features=dict.fromkeys(features, 3),
    )
    generator = np.random.default_rng(1)
    embeddings = {unit: generator.normal(size=(9, 5)).astype(np.float32)}
    made = network.Tables(embeddings, {}, 3, per_token=True, chained=True, features=tables(features))
    built = network.build(settings, made, seed=1)
    trained = {variable.path.split("/")[0] for variable in built.trainable_variables}
    assert {f"{name}_feature" for name in features if name not in ("lexicon", "bigrams")} <= trained
    assert ("lexicon_feature" in trained) == (unit == "char" and embedding == "tuned")
    for variable in built.trainable_variables:
        variable.assign(generator.normal(0, 0.8, variable.shape))
    groups = {name: feature.groups for name, feature in features.items()}
    proto = graph.build(settings, network.weights(built), (unit,), (), per_token=True, features=groups)
    graph.save(proto, tmp_path / "network.onnx")
    texts = [list("我爱吃北京烤鸭" * count) for count in (1, 2, 3)]
    ids = {name: feature.ids(texts) for name, feature in features.items()}
    rows = [
        Example(
            {unit: generator.integers(1, 9, len(text)).astype(np.int32)},
            {f"feature_{name}": found[index] for name, found in ids.items()},
        )
        for index, text in enumerate(texts)
    ]
    batch = pad(rows, np.arange(3))
    ours = OnnxNetwork(tmp_path / "network.onnx", threads=1).scores(batch)
    theirs = np.asarray(built(batch.inputs, training=False))
    np.testing.assert_allclose(ours[batch.inside], theirs[batch.inside], atol=1e-4)
    without = replace(rows[0], bags={name: np.zeros_like(bag) for name, bag in rows[0].bags.items()})
    changed = np.asarray(built(pad([without], np.arange(1)).inputs, training=False))
    assert np.abs(changed[0, :7] - theirs[0, :7]).max() > 1e-2, "features must count, or this shows nothing"
