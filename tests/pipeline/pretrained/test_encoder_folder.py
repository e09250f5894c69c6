"""The folder of an encoder: what is saved is loaded, what is damaged is refused in a sentence, and zh-open is whole."""

import os
import shutil

import numpy as np
import pytest
from seals import seal
from tiny_encoder import CHARACTERS, make_encoder, states

from pipeline.config.network import ENCODERS, NetworkSettings
from pipeline.encoding.batch import Example, pad
from pipeline.errors import ModelError
from pipeline.networks import encoder_graph, graph
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.pretrained import encoder as encoders

LARGEST = 12_000_000  # bytes of an encoder that comes with zhpipe


@pytest.fixture
def folder(tmp_path):
    return make_encoder(tmp_path / "tiny")


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_what_is_saved_is_loaded(tmp_path, precision):
    folder = make_encoder(tmp_path / "one", precision=precision)
    made = encoders.load(folder)
    assert (made.card.precision, made.card.units, made.vocabulary.tokens) == (precision, [5, 4], tuple(CHARACTERS))
    (tmp_path / "two").mkdir()
    encoders.save(made, tmp_path / "two")
    again = encoders.load(tmp_path / "two")
    for name, array in made.arrays.items():
        np.testing.assert_allclose(again.arrays[name], array, rtol=1e-6)


def test_int8_is_within_half_a_step_of_each_row(tmp_path):
    exact = encoders.load(make_encoder(tmp_path / "exact", precision="float16")).arrays
    rounded = encoders.load(make_encoder(tmp_path / "rounded")).arrays
    for name, array in exact.items():
        step = np.abs(array).max(axis=-1, keepdims=True) / 127
        assert np.all(np.abs(rounded[name] - array) <= 0.5 * step + 1e-3), name


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def swap(folder, name, array):
    np.save(folder / name, array)
    seal(folder)


def replace_in_card(folder, old, new):
    card = folder / "encoder.toml"
    text = card.read_text(encoding="utf-8")
    assert old in text
    card.write_text(text.replace(old, new), encoding="utf-8")
    seal(folder)


BIAS = "forward.0.bias.npy"
DAMAGES = {
    "no folder": (shutil.rmtree, "no encoder here: expected a folder with encoder.toml"),
    "no card": (lambda folder: (folder / "encoder.toml").unlink(), "no encoder here"),
    "a byte is missing": (lambda folder: cut(folder / BIAS), "SHA-256 differs"),
    "a file is missing": (
        lambda folder: (folder / BIAS).unlink(),
        "the file 'forward.0.bias.npy' that",
    ),
    "a file is too many": (lambda folder: (folder / "more.npy").touch(), "is not listed in SHA256SUMS"),
    "no checksums": (lambda folder: (folder / "SHA256SUMS").unlink(), "SHA256SUMS: is missing"),
    "a link": (lambda folder: ((folder / BIAS).unlink(), (folder / BIAS).symlink_to("/etc/passwd")), "is a link"),
    "another version": (lambda f: replace_in_card(f, "format_version = 1", "format_version = 2"), "format version 2"),
    "an unknown key": (lambda folder: replace_in_card(folder, "width = 6", "width = 6\nmore = 1"), "'more'"),
    "another width": (lambda folder: replace_in_card(folder, "width = 6", "width = 7"), "embedding.npy has the shape"),
    "a layer too many": (lambda folder: replace_in_card(folder, "    4,", "    4,\n    4,"), "forward.2.input.npy"),
    "no TOML": (lambda folder: replace_in_card(folder, "units = [", "units = [["), "can't be read"),
    "another type": (lambda folder: swap(folder, BIAS, np.zeros(20)), "forward.0.bias.npy says it has <f8"),
    "NaN": (lambda folder: swap(folder, BIAS, np.full(20, np.nan, np.float16)), "values that are not finite"),
    "an infinite scale": (
        lambda folder: swap(folder, "forward.0.input.scales.npy", np.full(20, np.inf, np.float32)),
        "values that are not finite",
    ),
    "a repeated character": (
        lambda folder: ((folder / "vocabulary.txt").write_text("我\n我\n", encoding="utf-8"), seal(folder)),
        "vocabulary.txt, line 2",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused_in_a_sentence(folder, damage):
    change, said = DAMAGES[damage]
    if damage == "a link" and os.name == "nt":
        pytest.skip("links need rights on Windows")
    change(folder)
    with pytest.raises(ModelError) as raised:
        encoders.load(folder)
    message = str(raised.value)
    assert said in message and str(folder) in message and "\n" not in message
    assert message.count(": ") >= 2 or "expected" in message, "it names the place and the way out"


def test_the_names_that_settings_know_are_those_that_come_with_zhpipe():
    shipped = {path.parent.name for path in encoders.folder_of("zh-open").parent.glob("*/encoder.toml")}
    assert shipped == set(ENCODERS) - {"none"}


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "none"])
def test_a_shipped_encoder_gives_the_states_of_the_equations(tmp_path, name):
    folder = encoders.folder_of(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= LARGEST
    encoder = encoders.load(folder)
    assert "CC BY-SA 4.0" in encoder.card.licence and encoder.card.attribution
    generator = np.random.default_rng(0)
    width = encoder.pretrained.state_width + 2
    weights = {
        **encoder.weights,
        "char_embedding/embeddings": generator.normal(size=(4, 2)).astype(np.float32),
        "scores/kernel": generator.normal(size=(2, 1)).astype(np.float32),
        "scores/bias": np.zeros(1, np.float32),
    }
    for part, shape in (("kernel", (width, 8)), ("recurrent_kernel", (2, 8)), ("bias", (8,))):
        weights[f"char_0_forward/{part}"] = generator.normal(size=shape).astype(np.float32)
    settings = NetworkSettings(inputs="characters", units=2, bidirectional=False, encoder_width=0)
    drafted = graph.draft(settings, weights, ("char",), (), per_token=True, encoder=encoder.pretrained.units)
    graph.save(graph.model_of(drafted), tmp_path / "network.onnx")
    encoder_graph.save_encoder(tmp_path / "network.onnx", tmp_path / "encoder.onnx")
    texts = ["昨天下了一夜的雨，河水涨到了桥边。", "　A股\u200b齉"]
    rows = [Example({"encoder": encoder.vocabulary.ids(text)}) for text in texts]
    found = OnnxNetwork(tmp_path / "encoder.onnx").run(["encoder_states"], pad(rows, np.arange(2)).inputs)[0]
    for row, text in enumerate(texts):
        np.testing.assert_allclose(found[row, : len(text)], states(encoder, text), atol=1e-4)
