"""A model folder from a stranger is checked before it is used; many threads may use one model, for long."""

import resource
from concurrent.futures import ThreadPoolExecutor

import onnx
import pytest
from onnx import helper
from random_model import make_model
from seals import seal

from pipeline.errors import ModelError
from pipeline.models.model import Model


@pytest.fixture
def folder(tmp_path):
    return make_model(tmp_path / "model")


def alter(folder, change):
    graph = onnx.load_model(folder / "network.onnx")
    change(graph)
    (folder / "network.onnx").write_bytes(graph.SerializeToString())
    seal(folder)


def refused(folder, message):
    with pytest.raises(ModelError, match=message) as caught:
        Model.load(folder)
    assert "\n" not in str(caught.value)


def test_both_networks_pass(folder):
    for precision in ("float32", "int8"):
        assert Model.load(folder, precision=precision).predict(["很好吃"])[0].value


def test_a_graph_that_reads_other_files(folder, tmp_path):
    (tmp_path / "secret").write_bytes(b"0" * 4096)

    def change(graph):
        tensor = max(graph.graph.initializer, key=lambda tensor: len(tensor.raw_data))
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../secret")

    alter(folder, change)
    refused(folder, "network.onnx: keeps in another file the constant 'constant_")


@pytest.mark.parametrize(("operator", "domain"), [("Nix", ""), ("PyOp", "ai.onnx.contrib"), ("Identity", "evil")])
def test_a_graph_with_unknown_operators(folder, operator, domain):
    alter(folder, lambda graph: graph.graph.node.add(op_type=operator, domain=domain))
    refused(folder, f"has the operator '{operator}' in a place where zhpipe writes none")


def test_a_graph_within_the_graph(folder):
    inner = helper.make_graph([], "inner", [], [])
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    alter(folder, lambda graph: graph.graph.node.append(node))
    refused(folder, "has the operator 'If' in a place")


def test_links_are_refused(folder, tmp_path):
    (folder / "labels.txt").rename(tmp_path / "labels.txt")
    (folder / "labels.txt").symlink_to(tmp_path / "labels.txt")
    refused(folder, "labels.txt: is a link")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/b"])
def test_names_that_lead_outside(folder, name):
    with (folder / "SHA256SUMS").open("a", encoding="utf-8") as file:
        file.write(f"{'0' * 64}  {name}\n")
    refused(folder, "SHA256SUMS: is cut short or altered" if "/" in name else "is missing")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("name", ["network.onnx", "model.toml", "labels.txt", "vocabulary.word.txt", "SHA256SUMS"])
def test_half_copied_files(folder, name, share):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(len(data) * share)])
    refused(folder, str(folder))
    if name == "network.onnx":
        seal(folder)
        with pytest.raises(ModelError) as caught:
            Model.load(folder).predict(["好"])
        assert "\n" not in str(caught.value)


def test_threads_get_what_one_thread_gets(folder):
    model = Model.load(folder)
    texts = [f"今天天气{'很好' * (number % 9)}，味道{number}" for number in range(200)]
    expected = [model.predict([text])[0] for text in texts]
    fresh = Model.load(folder)
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda number: fresh.predict([texts[number % 200]])[0], range(3200)))
    assert found == expected * 16


def test_memory_stays_flat(folder):
    model = Model.load(folder, threads=1)

    def call(times):
        for number in range(times):
            model.predict([f"今天天气{'很好' * (number % 9)}"])
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = call(1000)
    assert call(4000) - before < 4096, "KiB"
