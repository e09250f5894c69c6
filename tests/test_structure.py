"""The architecture, checked on the source: imports go down only, heavy libraries have one owner, nothing is pickled."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("corpora", "embeddings", "pipeline", "zhpipe")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
COMMAND = {ROOT / "pipeline" / "__main__.py", *(ROOT / "pipeline" / "commands").glob("*.py")}
# From the bottom up: a module imports from its own row or from a row above it in this list. CONTRIBUTING.md quotes it.
ORDER = (
    ("corpora", "embeddings"),
    (
        "pipeline.errors",
        "pipeline.extras",
        "pipeline.progress",
        "pipeline.provenance",
        "pipeline.locks",
        "pipeline.workplace",
        "pipeline.arrays",
    ),
    ("pipeline.config",),
    ("pipeline.segmentation", "pipeline.parallel"),
    ("pipeline.encoding",),
    ("pipeline.tagging",),
    ("pipeline.networks",),
    ("pipeline.training",),
    ("pipeline.language",),
    ("pipeline.evaluation",),
    ("pipeline.tasks",),
    ("pipeline.models", "pipeline.segmentation.model_engine", "pipeline.pretrained"),
    ("pipeline.stages",),
    ("pipeline.jobs",),
    ("pipeline.tuning", "pipeline.serving", "pipeline.review"),
    ("pipeline.__init__", "pipeline.__main__", "pipeline.commands", "zhpipe"),
)
OWNERS = {
    "jieba": {"pipeline/segmentation/jieba_engines.py", "pipeline/evaluation/baselines/jieba_tags.py"},
    "rjieba": {"pipeline/segmentation/rjieba_module.py"},
    "ahocorasick_rs": {"pipeline/segmentation/dictionary.py"},
    "gensim": {"embeddings/word2vec.py"},
    "keras": {
        "pipeline/networks/network.py",
        "pipeline/networks/layers.py",
        "pipeline/networks/recurrent.py",
        "pipeline/networks/language_network.py",
        "pipeline/training/optimizers.py",
        "pipeline/training/lazy_adam.py",
        "pipeline/training/losses.py",
        "pipeline/training/trainer.py",
        "pipeline/training/crf.py",
        "pipeline/stages/train.py",
    },
    "tensorflow": {"pipeline/networks/tensorflow_loops.py", "pipeline/training/tensorflow_step.py"},
    "torch": set(),
    "onnx": {
        f"pipeline/networks/{name}.py"
        for name in ("graph", "graph_check", "graph_weights", "language_graph", "encoder_graph", "quantise")
    },
    "onnxruntime": {f"pipeline/networks/{name}.py" for name in ("onnx_network", "deadline", "quantise")},
    "spacy": {"pipeline/tasks/spacy_doc.py"},
    "pyarrow": {"corpora/parquet.py", "corpora/packed.py"},
    "openpyxl": {"corpora/xlsx.py"},
    "pycrfsuite": {"pipeline/evaluation/baselines/crfsuite.py"},
    "opencc": {"corpora/normalise.py"},
    "pydantic": {
        "pipeline/models/schema.py",
        "pipeline/pretrained/card.py",
        "pipeline/serving/messages.py",
        "pipeline/review/app.py",
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline" / "config").glob("*.py")),
    },
    "click": {path.relative_to(ROOT).as_posix() for path in COMMAND},
    "tqdm": {"pipeline/progress.py"},
    "ray": {"pipeline/jobs/ray.py"},
    "mlflow": {"pipeline/evaluation/report/tracking.py"},
    "optuna": {"pipeline/tuning/study.py"},
    "fastapi": {f"pipeline/serving/{name}.py" for name in ("app", "replies", "service")} | {"pipeline/review/app.py"},
    "starlette": {f"pipeline/serving/{name}.py" for name in ("app", "guards", "replies")} | {"pipeline/review/app.py"},
    "uvicorn": {"pipeline/serving/server.py", "pipeline/review/server.py"},
    "prometheus_client": {"pipeline/serving/counters.py"},
    "sqlalchemy": {"pipeline/tuning/study.py"},
}
REPORTING = ("sklearn", "scipy", "cleanlab", "matplotlib", "jinja2")
NO_TEXT_FILES = {"os.open", "Manifest.open", "self.input.open", "archive.open"}
LONGEST_FILE, LONGEST_FUNCTION, MOST_METHODS = 400, 45, 15
# What the reporting libraries also do, outside of evaluation.
ELSEWHERE = {
    "sklearn": {
        "pipeline/training/linear_ngrams.py",
        "pipeline/training/label_regressions.py",
        "zhpipe/estimators.py",
        "zhpipe/multilabel.py",
    },
    "scipy": {"pipeline/training/linear_ngrams.py", "pipeline/training/weighing.py"},
}
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
    return {name if name in NAMES else f"{name}.__init__" for name in found}


def rank(name):
    """The row of a module in ORDER: that of its longest matching entry."""
    found = [
        (len(entry), row)
        for row, entries in enumerate(ORDER)
        for entry in entries
        if name == entry or name.startswith(f"{entry}.")
    ]
    assert found, f"{name} has no place in the order: give it one here and in CONTRIBUTING.md"
    return max(found)[1]


def is_called(node, *names):
    function = node.func
    return getattr(function, "id", getattr(function, "attr", None)) in names


def calls(path):
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def places(found):
    """Faults as one readable assertion message."""
    return "\n".join(sorted(found))


def test_first_line_says_what_it_is():
    def is_told(path):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        docstring = ast.get_docstring(tree(path), clean=False)
        return docstring and first.lstrip("r").startswith('"""') and docstring.splitlines()[0].endswith(".")

    untold = [name_of(path) for path in FILES if not is_told(path)]
    assert not untold, "the first line is a docstring that is a sentence: " + places(untold)


def test_imports_go_down_only():
    up = {
        f"{name_of(path)} imports {other}" for path in FILES for other in own(path) if rank(other) > rank(name_of(path))
    }
    assert not up, places(up)


def test_the_order_is_short_and_contributing_quotes_it():
    assert len(ORDER) <= 16
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    quoted = [entry for row in ORDER for entry in row if f"`{entry}`" not in page and entry not in page]
    assert not quoted, "CONTRIBUTING.md does not quote " + places(quoted)


def test_no_cycle_of_imports():
    """Deferred imports and `__init__` count too."""
    graph, done, open_ = {name_of(path): own(path) for path in FILES}, set(), []

    def visit(name):
        assert name not in open_, " -> ".join([*open_[open_.index(name) :], name])
        if name in done:
            return
        open_.append(name)
        for other in sorted(graph[name]):
            visit(other)
        done.add(open_.pop())

    for name in graph:
        visit(name)


def test_rooms_are_apart():
    for path in FILES:
        room, others = path.relative_to(ROOT).parts[0], {name.split(".")[0] for name in own(path)}
        assert room in ("pipeline", "zhpipe") or others <= {room}, f"{path} knows another room"


def test_text_knows_no_array():
    arrays = {
        name_of(path)
        for path in FILES
        if path.is_relative_to(ROOT / "corpora") and "numpy" in {name.split(".")[0] for name in imported(path)}
    }
    assert not arrays, places(arrays)


def test_heavy_libraries_have_owners():
    found = defaultdict(set)
    for path in FILES:
        for name in imported(path):
            found[name.split(".")[0]].add(path.relative_to(ROOT).as_posix())
    for library, owners in OWNERS.items():
        assert found[library] <= owners, f"{library} is imported outside {owners}"
    for library in REPORTING:
        outside = {path for path in found[library] if not path.startswith("pipeline/evaluation/")}
        assert outside <= ELSEWHERE.get(library, set()), library
    assert not UNSAFE & set(found)


def test_only_the_commands_print():
    printing = {
        f"{path}:{node.lineno}"
        for path in FILES
        if path not in COMMAND
        for node in calls(path)
        if is_called(node, "print", "pprint", "echo")
    }
    assert not printing, places(printing)


def test_nothing_is_pickled_or_evaluated():
    def is_safe(node):
        allowed = [keyword.value for keyword in node.keywords if keyword.arg == "allow_pickle"]
        loads = is_called(node, "load") and ast.unparse(node.func) in {"np.load", "numpy.load"}
        evaluates = isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec", "compile", "__import__"}
        pickles = any(not isinstance(value, ast.Constant) or value.value is not False for value in allowed)
        return not (pickles or evaluates or (loads and not allowed))

    unsafe = {f"{path}:{node.lineno}" for path in FILES for node in calls(path) if not is_safe(node)}
    assert not unsafe, "np.load needs allow_pickle=False, and nothing is evaluated: " + places(unsafe)


def test_text_files_are_opened_with_their_encoding_named():
    def is_named(node):
        if not is_called(node, "read_text", "write_text", "open") or ast.unparse(node.func) in NO_TEXT_FILES:
            return True
        is_binary = any(
            isinstance(value, ast.Constant | ast.JoinedStr) and "b" in ast.unparse(value) for value in node.args
        )
        return is_binary or "encoding" in {keyword.arg for keyword in node.keywords}

    unnamed = {
        f"{path}:{node.lineno}: {ast.unparse(node)}" for path in FILES for node in calls(path) if not is_named(node)
    }
    assert not unnamed, places(unnamed)


def test_stages_do_not_call_each_other():
    calling = {
        f"{path}:{node.lineno}"
        for path in (ROOT / "pipeline" / "stages").glob("*.py")
        if path.name != "runner.py"
        for node in calls(path)
        if is_called(node, "perform")
    }
    assert not calling, places(calling)


def lines_of_code(node):
    """Lines of a function that hold code: no docstring, no blank line, no comment."""
    held = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.stmt) and not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if (
                isinstance(inner, ast.Expr)
                and isinstance(inner.value, ast.Constant)
                and isinstance(inner.value.value, str)
            ):
                continue
            held.update(range(inner.lineno, (inner.end_lineno or inner.lineno) + 1))
    return len(held)


def is_public_method(node):
    """Whether a part of a class is a method for others; a property is an attribute to them."""
    return (
        isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
    )


def test_files_functions_and_classes_are_small():
    large = {
        f"{path}: over {LONGEST_FILE} lines"
        for path in FILES
        if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE
    }
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and lines_of_code(node) > LONGEST_FUNCTION:
                large.add(f"{path}:{node.lineno}: {node.name} has {lines_of_code(node)} lines of code")
            if isinstance(node, ast.ClassDef):
                methods = [method for method in node.body if is_public_method(method)]
                if len(methods) > MOST_METHODS:
                    large.add(f"{path}:{node.lineno}: {node.name} has {len(methods)} public methods")
    assert not large, places(large)


def test_no_bare_assert_and_no_silent_broad_except():
    found = set()
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Assert):
                found.add(f"{path}:{node.lineno}: assert")
            is_broad = isinstance(node, ast.ExceptHandler) and (
                node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
            )
            if is_broad and not any(isinstance(inner, ast.Raise | ast.Return | ast.Assign) for inner in ast.walk(node)):
                found.add(f"{path}:{node.lineno}: broad except that neither raises nor reports")
    assert not found, places(found)
