"""Networks with a pretrained encoder: Keras, ONNX and the equations of the LSTM give the same states and scores."""

from dataclasses import dataclass

import keras
import numpy as np
import pytest
from tiny_encoder import make_encoder, states

from pipeline.config.network import NetworkSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Example, pad
from pipeline.networks import encoder_graph, graph, graph_check, network, quantise
from pipeline.networks.encoder_states import EncoderStates, NetworkOnStates
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.pretrained import encoder as encoders
from pipeline.training import losses
from pipeline.training.trainer import Trainer

OUTPUTS = 3
TEXTS = ["我们走", "好吃？北京烤鸭好吃！", "会", "项目报告附件，明天"]  # ？ and ！ are unknown to it


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return encoders.load(make_encoder(tmp_path_factory.mktemp("encoders") / "tiny"))


def settings(**options):
    return NetworkSettings(**{"units": 3, "inputs": "characters", "encoder_width": 7, **options})


def build(encoder, *, per_token=True, **options):
    """A network whose own vectors are random, on top of an encoder."""
    table = np.random.default_rng(2).normal(0, 0.3, (9, 5)).astype(np.float32)
    tables = network.Tables({"char": table}, {}, OUTPUTS, per_token, pretrained=encoder.weights)
    return network.build(settings(**options), tables, seed=1)


def examples(encoder, texts=TEXTS, *, per_token=True):
    generator = np.random.default_rng(3)
    made = []
    for text in texts:
        target = generator.integers(0, OUTPUTS, len(text)).astype(np.int32) if per_token else len(text) % OUTPUTS
        ids = generator.integers(1, 9, len(text)).astype(np.int32)
        made.append(Example({"char": ids, "encoder": encoder.vocabulary.ids(text)}, target=target))
    return made


def drafted(encoder, weights, *, per_token=True, **options):
    given = {"per_token": per_token, "encoder": encoder.pretrained.units}
    return graph.draft(settings(**options), weights, ("char",), (), **given)


def frozen(encoder, built, path, **options):
    graph.save(graph.model_of(drafted(encoder, network.weights(built), **options)), path)
    return path


@dataclass
class Graphs:
    """A network, its graph, and the two parts of the graph."""

    built: keras.Model
    whole: OnnxNetwork
    encoder: OnnxNetwork
    on_states: NetworkOnStates


@pytest.fixture(scope="module")
def graphs(encoder, tmp_path_factory):
    folder, built = tmp_path_factory.mktemp("graphs"), build(encoder)
    path = frozen(encoder, built, folder / "whole.onnx")
    encoder_graph.save_encoder(path, folder / "encoder.onnx")
    encoder_graph.save_on_states(path, folder / "rest.onnx")
    alone = OnnxNetwork(folder / "encoder.onnx")
    return Graphs(built, OnnxNetwork(path), alone, NetworkOnStates(folder / "rest.onnx", EncoderStates(alone, folder)))


def test_states_are_those_of_the_equations(encoder, graphs):
    batch = pad(examples(encoder), np.arange(len(TEXTS)))
    found = graphs.encoder.run(["encoder_states"], batch.inputs)[0]
    of_keras = keras.Model(graphs.built.inputs, graphs.built.get_layer("encoder_states").output)
    in_keras = np.asarray(of_keras([batch.inputs[tensor.name] for tensor in of_keras.inputs]))
    for row, text in enumerate(TEXTS):
        expected = states(encoder, text)
        np.testing.assert_allclose(found[row, : len(text)], expected, atol=1e-5)
        np.testing.assert_allclose(in_keras[row, : len(text)], expected, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"encoder_width": 0, "cell": "gru"}, {"per_token": False, "layers": 2}])
def test_keras_and_onnx_give_the_same_scores(encoder, tmp_path, options):
    built = build(encoder, **options)
    per_token = options.get("per_token", True)
    batch = pad(examples(encoder, per_token=per_token), np.arange(len(TEXTS)))
    trained = np.asarray(built.predict_on_batch(batch.inputs))
    found = OnnxNetwork(frozen(encoder, built, tmp_path / "network.onnx", **options)).scores(batch)
    inside = batch.inside if per_token else ...
    np.testing.assert_allclose(found[inside], trained[inside], atol=1e-5)


def test_its_parts_give_the_scores_of_the_whole(encoder, graphs):
    batch = pad(examples(encoder), np.arange(len(TEXTS)))
    expected = graphs.whole.scores(batch)[batch.inside]
    for _ in range(2):  # computed, then from the disk
        np.testing.assert_allclose(graphs.on_states.scores(batch)[batch.inside], expected, atol=2e-3)
    learner = network.on_states(graphs.built)
    given = {**batch.inputs, "encoder_states": graphs.encoder.run(["encoder_states"], batch.inputs)[0]}
    trained = learner.predict_on_batch({name: given[name] for name in learner.input})
    np.testing.assert_allclose(np.asarray(trained)[batch.inside], expected, atol=1e-5)


def test_states_are_computed_once_whatever_the_batch(encoder, graphs, tmp_path):
    asked = []

    class Counted(OnnxNetwork):
        def run(self, outputs, inputs):
            asked.append(len(inputs["encoder"]))
            return super().run(outputs, inputs)

    kept, rows = EncoderStates(Counted(graphs.encoder.path), tmp_path), examples(encoder)
    first = kept.of(pad(rows, np.array([0, 1])))
    again = kept.of(pad(rows, np.array([1, 3, 0])))
    assert asked == [2, 1]
    np.testing.assert_array_equal(again[0, : len(TEXTS[1])], first[1, : len(TEXTS[1])])
    np.testing.assert_allclose(first[0, : len(TEXTS[0])], states(encoder, TEXTS[0]), atol=1e-3)
    assert not first[0, len(TEXTS[0]) :].any()
    assert list(tmp_path.iterdir()) == [], "the file has no name"


def test_only_its_own_graph_is_accepted(encoder, graphs, tmp_path):
    path, int8 = graphs.whole.path, tmp_path / "int8.onnx"
    quantise.save_int8(path, int8)
    weights = graph_check.UnknownWeights(OUTPUTS)
    own = [drafted(encoder, weights)]
    assert graph_check.fault(path, own) is None
    assert graph_check.fault(int8, own) is None
    other = graph.draft(settings(), weights, ("char",), (), per_token=True, encoder=(5, 3))
    without = graph.draft(settings(), weights, ("char",), (), per_token=True)
    assert graph_check.fault(path, [other]) and graph_check.fault(path, [without])


def train(encoder, tmp_path, **options):
    """The weights of a network before and after three steps."""
    built = build(encoder, **options)
    before = network.weights(built)
    rows = examples(encoder)
    settings = TrainSettings(
        epochs=3, batch_size=4, encoder_learning_rate=1e-4, optimizer=options.get("optimizer", "adam")
    )
    trainer = Trainer(
        built,
        rows,
        losses.independent(),
        settings.model_copy(update={"metric": "f1"}),
        seed=1,
        checkpoint=tmp_path / "checkpoint.npz",
        measure=lambda: {"f1": 1.0},
    )
    list(trainer.epochs(lambda done, note: None))
    return before, network.weights(built)


def test_a_frozen_encoder_keeps_its_weights(encoder, tmp_path):
    before, after = train(encoder, tmp_path)
    own = {name for name in before if name.startswith("encoder_")}
    assert own == set(encoder.weights)
    for name in before:
        assert np.array_equal(before[name], after[name]) == (name in own), name


def test_a_tuned_encoder_learns_at_its_own_pace(encoder, tmp_path):
    before, after = train(encoder, tmp_path, encoder_mode="tuned")
    moved = {name: float(np.abs(after[name] - before[name]).max()) for name in before}
    # A step of Adam moves a weight by about the learning rate.
    assert all(0 < moved[name] < 4e-4 for name in encoder.weights)
    assert moved["scores/kernel"] > 2e-3


def test_of_a_tuned_encoder_only_the_layers_at_the_top_are_trained(encoder, tmp_path):
    before, after = train(encoder, tmp_path, encoder_mode="tuned", encoder_layers=1)
    top = max(int(name.split("/")[0].split("_")[2]) for name in encoder.weights if "embedding" not in name)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert top > 0
    assert moved & set(encoder.weights) == {
        name for name in encoder.weights if name.startswith((f"encoder_forward_{top}/", f"encoder_backward_{top}/"))
    }
