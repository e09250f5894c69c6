"""The architecture, checked on the source: imports go down only, heavy libraries have one owner, nothing is pickled."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("corpora", "embeddings", "pipeline")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
COMMAND = {ROOT / "pipeline" / "__main__.py", *(ROOT / "pipeline" / "commands").glob("*.py")}
# From the bottom up; a module imports from its own row or one above it in this list, never from one below.
ORDER = (
    ("corpora.", "embeddings."),
    ("pipeline.errors", "pipeline.config.problems", "pipeline.progress", "pipeline.training.silence"),
    (
        "pipeline.config.settings",
        *("pipeline.segmentation.dictionary", "pipeline.segmentation.jieba_engines"),
        "pipeline.segmentation.segmenter",
        "pipeline.encoding.labels",
    ),
    ("pipeline.config.load", "pipeline.config.reference"),
    (
        *("pipeline.tagging.__init__", "pipeline.tagging.linear_chain", "pipeline.tagging.overlapping_windows"),
        "pipeline.training.crf",
    ),
    ("pipeline.tagging.forward_backward",),
    ("pipeline.tagging.viterbi", "pipeline.tagging.tagset"),
    ("pipeline.tagging.decoder",),
    ("pipeline.tuning.study",),
    (
        "pipeline.parallel",
        "pipeline.stages.manifest",
        "pipeline.jobs.journal",
        "pipeline.jobs.deferred_writer",
        "pipeline.evaluation.",
    ),
    ("pipeline.encoding.batch", "pipeline.encoding.ngrams"),
    ("pipeline.encoding.context_ngrams", "pipeline.encoding.lexicon"),
    ("pipeline.encoding.features",),
    (
        *(
            "pipeline.encoding.encoder",
            "pipeline.networks.network",
            "pipeline.networks.graph",
            "pipeline.networks.onnx_network",
        ),
        *("pipeline.training.", "pipeline.models.thresholds"),
    ),
    ("pipeline.tagging.constraints", "pipeline.segmentation.model_engine"),
    ("pipeline.language.",),
    ("pipeline.tasks.",),
    ("pipeline.models.drift", "pipeline.jobs.layouts"),
    ("pipeline.training.trainer", "pipeline.models.model"),
    ("pipeline.jobs.predict", "pipeline.models.language_model"),
    ("pipeline.stages.stage",),
    ("pipeline.stages.segment",),
    ("pipeline.stages.embed",),
    ("pipeline.stages.train",),
    ("pipeline.stages.error_analysis",),
    ("pipeline.stages.evaluate",),
    ("pipeline.stages.",),
    ("pipeline.jobs.job", "pipeline.jobs.local"),
    ("pipeline.jobs.input_state",),
    ("pipeline.engines.",),
    ("pipeline.stages.runner",),
    ("pipeline.tuning.tuner",),
    ("pipeline.commands.options", "pipeline.commands.outcome"),
    ("pipeline.commands.run",),
    ("pipeline.commands.",),
    ("pipeline.__main__",),
)
OWNERS = {
    "jieba": {"pipeline/segmentation/jieba_engines.py", "pipeline/evaluation/baselines/jieba_tags.py"},
    "rjieba": {"pipeline/segmentation/jieba_engines.py"},
    "gensim": {"embeddings/word2vec.py"},
    "keras": {
        "pipeline/networks/network.py",
        "pipeline/networks/layers.py",
        "pipeline/networks/language_network.py",
        "pipeline/training/optimizers.py",
        "pipeline/training/lazy_adam.py",
        "pipeline/training/losses.py",
        "pipeline/training/trainer.py",
        "pipeline/training/crf.py",
        "pipeline/stages/train.py",
    },
    "tensorflow": set(),
    "torch": set(),
    "onnx": {"pipeline/networks/graph.py", "pipeline/networks/language_graph.py"},
    "onnxruntime": {"pipeline/networks/onnx_network.py", "pipeline/networks/graph.py"},
    "pyarrow": {"corpora/parquet.py", "corpora/packed.py"},
    "openpyxl": {"corpora/xlsx.py"},
    "pycrfsuite": {"pipeline/evaluation/baselines/crfsuite.py"},
    "opencc": {"corpora/normalise.py"},
    "pydantic": {"pipeline/config/settings.py", "pipeline/config/load.py", "pipeline/config/reference.py"},
    "click": {path.relative_to(ROOT).as_posix() for path in COMMAND},
    "tqdm": {"pipeline/progress.py"},
    "ray": {"pipeline/jobs/ray.py"},
    "mlflow": {"pipeline/evaluation/report/tracking.py"},
    "optuna": {"pipeline/tuning/study.py"},
    "sqlalchemy": {"pipeline/tuning/study.py"},
}
REPORTING = ("sklearn", "scipy", "cleanlab", "matplotlib", "jinja2")
UNSAFE = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}


def name_of(path):
    """The dotted name of a module, a package's `__init__` included."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


NAMES = {name_of(path) for path in FILES}


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path):
    """Every module that a file imports, wherever in it: dotted names."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in NAMES or f"{inner}.__init__" in NAMES else node.module


def own(path):
    """The project's modules that a file imports, a package by its `__init__`."""
    found = {name for name in imported(path) if name.split(".")[0] in ROOMS}
    return {name if name in NAMES else f"{name}.__init__" for name in found} - {"pipeline.__init__"}


def rank(name):
    """The row of a module: that of its longest matching entry."""
    found = [(len(entry), row) for row, names in enumerate(ORDER) for entry in names if f"{name}.".startswith(entry)]
    assert found, f"{name} has no place in the order: give it one here and in DESIGN.md"
    return max(found)[1]


def is_called(node, *names):
    function = node.func
    return getattr(function, "id", getattr(function, "attr", None)) in names


def calls(path):
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


each_file = pytest.mark.parametrize("path", FILES, ids=name_of)


@each_file
def test_first_line_says_what_it_is(path):
    docstring = ast.get_docstring(tree(path))
    assert docstring
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.lstrip("r").startswith('"""'), "the docstring comes first"
    assert ast.get_docstring(tree(path), clean=False).splitlines()[0].endswith("."), "its first line is a sentence"


@pytest.mark.parametrize("path", [path for path in FILES if path != ROOT / "pipeline" / "__init__.py"], ids=name_of)
def test_imports_go_down_only(path):
    name = name_of(path)
    up = {other for other in own(path) if rank(other) > rank(name)}
    assert not up, f"{name} imports what stands above it"


def test_no_cycle_of_imports_hidden_ones_too():
    graph = {name_of(path): own(path) for path in FILES if path != ROOT / "pipeline" / "__init__.py"}
    done, open_ = set(), []

    def visit(name):
        assert name not in open_, " -> ".join([*open_[open_.index(name) :], name])
        if name in done:
            return
        open_.append(name)
        for other in sorted(graph.get(name, ())):
            visit(other)
        done.add(open_.pop())

    for name in graph:
        visit(name)


def test_the_package_itself_imports_nothing_but_when_called():
    body = tree(ROOT / "pipeline" / "__init__.py").body
    at_once = [node for node in body if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ROOMS]
    assert not at_once


def test_rooms_are_apart():
    for path in FILES:
        room, others = path.relative_to(ROOT).parts[0], {name.split(".")[0] for name in own(path)}
        assert room == "pipeline" or others <= {room}, f"{path} knows another room"


@pytest.mark.parametrize("path", [path for path in FILES if path.is_relative_to(ROOT / "corpora")], ids=name_of)
def test_text_knows_no_array(path):
    assert "numpy" not in {name.split(".")[0] for name in imported(path)}


def test_heavy_libraries_have_owners():
    found = defaultdict(set)
    for path in FILES:
        for name in imported(path):
            found[name.split(".")[0]].add(path.relative_to(ROOT).as_posix())
    for library, owners in OWNERS.items():
        assert found[library] <= owners, f"{library} is imported outside {owners}"
    for library in REPORTING:
        assert all(path.startswith("pipeline/evaluation/") for path in found[library]), library
    assert not UNSAFE & set(found)


@each_file
def test_only_the_commands_print(path):
    if path in COMMAND:
        return
    assert not [node.lineno for node in calls(path) if is_called(node, "print", "pprint", "echo")]


@each_file
def test_nothing_is_pickled_or_evaluated(path):
    for node in calls(path):
        allowed = [keyword.value for keyword in node.keywords if keyword.arg == "allow_pickle"]
        assert all(isinstance(value, ast.Constant) and value.value is False for value in allowed)
        assert not isinstance(node.func, ast.Name) or node.func.id not in {"eval", "exec", "compile", "__import__"}
        if is_called(node, "load") and ast.unparse(node.func) in {"np.load", "numpy.load"}:
            assert allowed, f"{path}:{node.lineno}: np.load without allow_pickle=False"


@each_file
def test_text_files_are_opened_with_their_encoding_named(path):
    for node in calls(path):
        if not is_called(node, "read_text", "write_text", "open") or ast.unparse(node.func) in {
            "os.open",
            "Manifest.open",
        }:
            continue
        is_binary = any(
            isinstance(value, ast.Constant | ast.JoinedStr) and "b" in ast.unparse(value) for value in node.args
        )
        named = {keyword.arg for keyword in node.keywords}
        assert is_binary or "encoding" in named, f"{path}:{node.lineno}: {ast.unparse(node)}"


def test_stages_do_not_call_each_other():
    for path in (ROOT / "pipeline" / "stages").glob("*.py"):
        assert not [node.lineno for node in calls(path) if is_called(node, "perform")], path
