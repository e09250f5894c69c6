"""A model folder from a stranger is checked before it is used; many threads may use one model, for long."""

import contextlib
import os
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import helper
from random_model import make_model
from seals import seal

from pipeline.__main__ import _exit_code
from pipeline.errors import ModelError, PipelineError
from pipeline.models.model import Model
from pipeline.networks.onnx_network import OnnxNetwork, check_shape


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


def edit(folder, old, new):
    path = folder / "model.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    seal(folder)


def at_once(action, seconds=10):
    """What an action gives; it must not take long, whatever else the machine does."""
    begun = time.process_time()
    found = action()
    assert time.process_time() - begun < seconds
    return found


NAMES = ["model.toml", "SHA256SUMS", "labels.txt", "network.onnx", "vocabulary.word.txt", "dictionary.txt", "beside"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["link", "broken link", "link to itself", "pipe", "device", "socket", "folder"])
def test_whatever_is_no_file_is_refused(folder, tmp_path, name, kind):
    path, secret = folder / name, tmp_path / "secret"
    secret.write_bytes(path.read_bytes() if path.exists() else b"x")
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(folder):
            made.bind(name)
    else:
        target = {"link": secret, "broken link": tmp_path / "nowhere", "link to itself": path, "device": "/dev/zero"}
        path.symlink_to(target[kind])
    at_once(lambda: refused(folder, r"is a link|is not a file|is missing"))


def test_links_with_sums_that_fit_are_refused(folder):
    (folder / "stop_words.txt").unlink()
    (folder / "stop_words.txt").symlink_to("/etc/passwd")
    seal(folder)
    refused(folder, "stop_words.txt: is a link")


def test_files_that_are_not_listed(folder):
    (folder / "words.txt").write_text("好\n", encoding="utf-8")
    refused(folder, "words.txt: is not listed in SHA256SUMS: remove it")
    (folder / "words.txt").rename(folder / ".DS_Store")
    assert Model.load(folder), "what a file browser leaves is never read"


@pytest.mark.parametrize("name", ["model.toml", "SHA256SUMS", "stop_words.txt"])
def test_huge_files_are_not_read(folder, name):
    with (folder / name).open("r+b") as file:
        file.truncate(300 << 20)  # sparse
    at_once(lambda: refused(folder, f"{name}: has 314,572,800 bytes, expected at most"), 5)


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 200_000) + " = 1\n",
        "[" + ".".join(["a"] * 100_000) + "]\n",
        "'\"'" + ".a" * 200_000 + '."x" = 1\n',
        "".join(f"a{number}.b.c.d.e.f = 1\n" for number in range(40_000)),
        "a = " + "[" * 100_000 + "]" * 100_000 + "\n",
        "a = " + "{b = " * 50_000 + "1" + "}" * 50_000 + "\n",
        "".join(f"[[t{number}]]\n" for number in range(60_000)),
        "a = " + "9" * 900_000 + "\n",
        "".join(f"[a{number}]\nx = 1\n" for number in range(50_000)),
    ],
    ids=[
        "dotted key",
        "dotted table",
        "dots between quotes",
        "many keys",
        "arrays",
        "inline tables",
        "array of tables",
        "integer",
        "tables",
    ],
)
def test_bombs_in_model_toml(folder, text):
    path = folder / "model.toml"
    path.write_text((text + path.read_text(encoding="utf-8"))[: 1 << 20], encoding="utf-8")
    seal(folder)
    at_once(lambda: refused(folder, "model.toml: "))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_tokens = 512\nunits", "max_tokens = 0\nunits", "encoder.max_tokens expected 1 or more"),
        ("max_tokens = 512\nunits", "max_tokens = inf\nunits", "encoder.max_tokens expected a whole number"),
        ("max_tokens = 512\nunits", "max_tokens = 9223372036854775807\nunits", "expected 1000000 or less"),
        ("[encoder.windows]", "[encoder.windows]\nword = 1000000000", "encoder.windows.word expected 5 or less"),
        ("[encoder.longest_grams]", "[encoder.longest_grams]\nword = 99", "longest_grams.word expected 3 or less"),
        ("[encoder.longest_grams]", "[encoder.longest_grams]\nchar = 1", "of which it has no vocabulary"),
        ("longest_affix = 0", "longest_affix = 2147483648", "encoder.longest_affix expected 3 or less"),
        ("temperature = 1.0", 'temperature = "1.0"', "options.temperature expected a number"),
        ("temperature = 1.0", "temperature = [1.0]", "options.temperature expected a number"),
        ("hmm = true", 'hmm = "yes"', "segment.hmm expected true or false"),
        ("layers = 1", "layers = 1000000000", "network.layers is 1000000000, expected 1 to 100"),
        ("layers = 1", "layers = -1", "network.layers is -1"),
        ("layers = 1", 'layers = "x"', "network"),
        ("units = 8", "units = 99999999", "network.units is 99999999, expected at most"),
        ("units = 8", "units = [8, 8]", "units has 2 entries"),
        ('cell = "lstm"', 'cell = "x"', "cell expected 'rnn', 'lstm' or 'gru'"),
        ("scale = 10.0", "scale = nan", "scale expected a finite number"),
        ("[encoder.features]", "[encoder.features.lexicon]", "lexicon.txt"),
        ("[encoder.features]", "[encoder.features.evil]", "encoder.features.evil"),
        ("[options]", "[drift]\nunknown = 2.0\n[options]", "drift.unknown expected 1.0 or less"),
        ("[options]", '[drift]\nunknown = "x"\n[options]', "drift.unknown expected a number"),
        ("[options]", "[drift]\nunknown = 0.1\n[options]", "drift.length is missing"),
        ("[options]", "[evil]\nx = 1\n[options]", "has the key 'evil', which is unknown"),
        ('name = "random"', "name = 3", "name expected text in quotes"),
        ('task = "classify"', 'task = "tag"', "network.onnx|tag|scheme|temperature|missing|can't be read"),
        ('task = "classify"', 'task = "language"', "is missing or unknown|can't be read|has no vocabulary"),
        ('reads = [\n    "word",\n]', "reads = []", "encoder.reads expected at least one entry"),
        ('units = [\n    "word",\n]', 'units = ["word", "word", "word"]', "encoder.units"),
        ('engine = "rjieba"', 'engine = "../../x"', "no model here"),
    ],
)
def test_values_that_make_no_sense(folder, old, new, message):
    edit(folder, old, new)
    at_once(lambda: refused(folder, message))


def test_thresholds_without_rows(folder, tmp_path, capfd):
    (folder / "confidence.csv").write_text("threshold,rows,right,promised\n", encoding="utf-8")
    seal(folder)
    (tmp_path / "in.csv").write_text("text\n好\n", encoding="utf-8")
    command = ["label", str(folder), str(tmp_path / "in.csv"), str(tmp_path / "out.csv")]
    assert _exit_code([*command, "--target-precision", "0.9"]) == 2
    assert "confidence.csv: has no rows, so no precision is known" in capfd.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def header(shape, dtype="<i8"):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header((10**12,)), "says it has <i8"),
        (header((-8,)) + bytes(8), "has no header"),
        (header((2,), "<f8") + bytes(16), "says it has <f8"),
        (header((2,)) + bytes(24), "says it has <i8"),
        (header((2,), "|O") + bytes(16), "says it has |O".replace("|", "[|]")),
        (b"\x93NUMPY\x03\x00" + bytes(64), "has no header"),
        (b"PK\x03\x04" + bytes(64), "has no header"),
        (b"", "has no header"),
        (header((2,)).replace(b"2,", b"__import__"), "has no header"),
        (header((2,)) + np.array([7, 5], np.int64).tobytes(), "not in ascending order"),
        (header((2,)) + np.array([5, 5], np.int64).tobytes(), "not in ascending order"),
        (header((1, 2)) + bytes(16), "expected keys"),
    ],
)
def test_arrays(folder, data, message):
    (folder / "grams.word.npy").write_bytes(data)
    edit(folder, "[encoder.longest_grams]", "[encoder.longest_grams]\nword = 1")
    at_once(lambda: refused(folder, message))


def constant(graph, place):
    return next(tensor for tensor in graph.graph.initializer if tensor.name == f"constant_{place}")


def node(graph, operator):
    return next(node for node in graph.graph.node if node.op_type == operator)


def sparse(graph):
    """A constant whose sparse values are in another file."""
    tensor = onnx.TensorProto(name="x", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    value = onnx.SparseTensorProto(values=tensor, dims=[10**12])
    made = helper.make_node("Constant", [], ["constant_0"])
    made.attribute.append(onnx.AttributeProto(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR))
    made.attribute[0].sparse_tensor.CopyFrom(value)
    graph.graph.node.insert(0, made)


def doubled(graph):
    """Forty times as long as before, each time twice: 2 ** 40 values."""
    last = node(graph, "Identity")
    for number in range(40):
        graph.graph.node.insert(0, helper.make_node("Concat", ["word", "word"], [f"x{number}"], axis=0))
    last.input[0] = "x39"


def renamed(graph):
    graph.graph.output[0].name = "others"


CHANGES = {
    "another operator": lambda graph: setattr(node(graph, "Add"), "op_type", "Sub"),
    "another input": lambda graph: node(graph, "MatMul").input.__setitem__(1, "constant_15"),
    "another attribute": lambda graph: setattr(node(graph, "LSTM").attribute[1], "i", 10**9),
    "an attribute more": lambda graph: node(graph, "LSTM").attribute.add(name="clip", type=1, f=1.0),
    "a domain": lambda graph: setattr(node(graph, "Add"), "domain", "com.microsoft"),
    "a loop of nodes": lambda graph: node(graph, "Gather").input.__setitem__(1, "scores"),
    "no nodes": lambda graph: graph.graph.ClearField("node"),
    "a node twice": lambda graph: graph.graph.node.append(node(graph, "Add")),
    "many nodes": lambda graph: graph.graph.node.extend([node(graph, "Identity")] * 100_000),
    "a node without outputs": lambda graph: graph.graph.node.add(op_type="Add"),
    "long ranges": lambda graph: constant(graph, 8).CopyFrom(
        onnx.numpy_helper.from_array(np.array([-(10**9)]), "constant_8")
    ),
    "other axes": lambda graph: constant(graph, 4).CopyFrom(
        onnx.numpy_helper.from_array(np.array([10**9, 0, -1]), "constant_4")
    ),
    "huge dimensions": lambda graph: constant(graph, 0).dims.__setitem__(0, 10**12),
    "negative dimensions": lambda graph: constant(graph, 0).dims.__setitem__(0, -25),
    "too few values": lambda graph: setattr(constant(graph, 0), "raw_data", b"1234"),
    "no values": lambda graph: constant(graph, 0).ClearField("raw_data"),
    "another type": lambda graph: setattr(constant(graph, 0), "data_type", onnx.TensorProto.DOUBLE),
    "strings": lambda graph: setattr(constant(graph, 0), "data_type", onnx.TensorProto.STRING),
    "a constant twice": lambda graph: graph.graph.initializer.append(constant(graph, 0)),
    "a constant more": lambda graph: graph.graph.initializer.append(
        onnx.numpy_helper.from_array(np.zeros(3, np.float32), "more")
    ),
    "a constant less": lambda graph: graph.graph.initializer.remove(constant(graph, 0)),
    "sparse constants elsewhere": sparse,
    "sparse initializers": lambda graph: graph.graph.sparse_initializer.add(dims=[10**12]),
    "values that double": doubled,
    "an output renamed": renamed,
    "an output more": lambda graph: graph.graph.output.append(graph.graph.output[0]),
    "outputs of another rank": lambda graph: graph.graph.output[0].type.tensor_type.shape.dim.add(dim_value=4),
    "outputs of another size": lambda graph: setattr(
        graph.graph.output[0].type.tensor_type.shape.dim[1], "dim_value", 4
    ),
    "outputs of another type": lambda graph: setattr(graph.graph.output[0].type.tensor_type, "elem_type", 11),
    "an input more": lambda graph: graph.graph.input.append(
        helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [10**9])
    ),
    "declared values": lambda graph: graph.graph.value_info.append(
        helper.make_tensor_value_info("Gather_1_0", onnx.TensorProto.FLOAT, [1, 1, 1])
    ),
    "functions": lambda graph: graph.functions.add(name="LSTM", domain=""),
    "training": lambda graph: graph.training_info.add(),
    "an old operator set": lambda graph: setattr(graph.opset_import[0], "version", 6),
    "a foreign operator set": lambda graph: graph.opset_import.add(domain="evil", version=1),
    "another format": lambda graph: setattr(graph, "ir_version", 3),
}


@pytest.mark.parametrize("change", CHANGES)
def test_graphs_that_zhpipe_does_not_write(folder, change):
    alter(folder, CHANGES[change])
    at_once(lambda: refused(folder, r"network\.onnx: .*use a model folder that zhpipe made"))


def test_scores_that_would_be_broadcast(folder):
    """No graph of ours gives one row to a batch of several; nor would it be taken."""
    alter(folder, lambda graph: node(graph, "Gather").input.__setitem__(1, "constant_6"))
    refused(folder, "computes 'Gather_1_0' otherwise")
    with pytest.raises(ModelError, match=r"gives float32 \(1, 3\) where float32 \(4, 3\) is expected"):
        check_shape(folder, np.zeros((1, 3), np.float32), (4, 3))
    with pytest.raises(ModelError, match=r"gives float64 \(4, 3\) where"):
        check_shape(folder, np.zeros((4, 3)), (4, 3))


def test_a_slow_graph_is_stopped(folder):
    network = OnnxNetwork(folder / "network.onnx", threads=1, seconds=0.05)
    inputs = {"word": np.ones((8, 100_000), np.int32), "word_lengths": np.full(8, 100_000, np.int32)}
    with pytest.raises(ModelError, match=r"network.onnx: took more than 0.05 seconds for a batch"):
        network.run(["scores"], inputs)
    small = {"word": np.ones((1, 8), np.int32), "word_lengths": np.full(1, 8, np.int32)}
    assert network.run(["scores"], small)[0].shape == (1, 3), "later batches are not stopped"


def test_too_little_memory_for_a_batch(folder, monkeypatch):
    network = OnnxNetwork(folder / "network.onnx")

    class Short:
        def run(self, *arguments):
            raise MemoryError

    network._session, network._names = Short(), []
    with pytest.raises(PipelineError, match=r"memory is too short for it: use fewer workers"):
        network.run(["scores"], {})
