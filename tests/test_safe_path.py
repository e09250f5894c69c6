"""Whoever stands in a stranger's folder runs none of its modules, however zhpipe is started and whatever it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from random_model import make_model

ROOT = Path(__file__).parent.parent
SCRIPT = "import sys\nfrom pipeline.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
AT_ONCE = """
import pipeline.__main__
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
if __name__ == "__main__":
    label_file("../model", "in.csv", "out.csv", workers=2, limits=Limits(chunk_rows=50, solo_seconds=0.0))
"""
EXTERNAL = (
    *("zhpipe", "pipeline", "corpora", "embeddings"),
    *("numpy", "onnx", "onnxruntime", "rjieba", "jieba", "click", "ray"),
)
TRAP = "with open(r'{caught}', 'a', encoding='utf-8') as file:\n    print(__name__, file=file)\n"


@pytest.fixture
def place(tmp_path):
    """A folder with `here`, in which every module's name is a trap, texts, a script like the command, and a model."""
    here = tmp_path / "here"
    here.mkdir()
    for name in (*EXTERNAL, *sys.stdlib_module_names):
        (here / f"{name}.py").write_text(TRAP.format(caught=tmp_path / "caught"), encoding="utf-8")
    (here / "in.txt").write_text("".join(f"今天天气很好{row}\n" for row in range(2500)), encoding="utf-8")
    (here / "in.csv").write_text("text\n" + "".join(f"今天很好{row}\n" for row in range(400)), encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "zhpipe").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "bin" / "at-once").write_text(AT_ONCE, encoding="utf-8")
    make_model(tmp_path / "model")
    return tmp_path


def run(place, *command, where="here", **environment):
    known = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=place / where,
        env={**known, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def caught(place):
    path = place / "caught"
    return sorted(set(path.read_text(encoding="utf-8").split())) if path.exists() else []


def test_the_traps_work(place):
    done = run(place, "-c", "import csv")
    if sys.version_info >= (3, 13):  # where Python's start imports others of the trapped modules, and fails
        assert caught(place)
    else:
        assert done.returncode == 0
        assert "csv" in caught(place)


@pytest.mark.parametrize(
    "arguments",
    [("zhpipe", "segment", "in.txt", "out.txt", "--workers", 2), ("at-once",)],
    ids=lambda arguments: arguments[0],
)
def test_the_command_and_its_workers(place, arguments):
    script, *others = arguments
    done = run(place, place / "bin" / script, *others)
    assert done.returncode == 0, done.stderr
    assert caught(place) == []


def test_vectors(place):
    text = place / "here" / "in.txt"
    text.write_text("今天天气很好\n" * 2500, encoding="utf-8")
    done = run(place, place / "bin" / "zhpipe", "embed", text, "--out", "vectors")
    assert done.returncode == 0, done.stderr
    assert caught(place) == []


@pytest.mark.slow
def test_the_ray_engine(place):
    pytest.importorskip("ray", reason="the engine ray needs zhpipe[ray]")
    done = run(place, place / "bin" / "zhpipe", "label", "../model", "in.csv", "out", "--engine", "ray", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert caught(place) == []
    assert (place / "here" / "out" / "in.csv" / "part-00000.csv").is_file()


@pytest.mark.parametrize("module", ["pipeline", "zhpipe"])
def test_the_module(place, module):
    """`python -m` imports a few modules, and looks for ours, before any line of ours runs: -P stops that."""
    done = run(place, "-P", "-m", module, "segment", "in.txt", "safe.txt", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert caught(place) == []
    probe = place / "probe"
    probe.mkdir()
    (probe / "probe.py").write_text("import sys\nprint(*sys.modules)\n", encoding="utf-8")
    for name in (*run(place, "-m", "probe", where="probe").stdout.split(), module):
        (place / "here" / f"{name}.py").unlink(missing_ok=True)
    done = run(place, "-m", module, "segment", "in.txt", "out.txt", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert caught(place) == []


@pytest.mark.parametrize("start", [("-c", SCRIPT), ("-m", "pipeline")], ids=["-c", "-m"])
def test_a_checkout_that_is_not_installed(place, start):
    """Its packages are found from the working directory, as they always were."""
    for room in ("pipeline", "corpora", "embeddings"):
        (place / "checkout").mkdir(exist_ok=True)
        (place / "checkout" / room).symlink_to(ROOT / room)
    lines = place / "here" / "in.txt"
    packages = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    done = run(place, "-S", *start, "segment", lines, "out.txt", "--workers", 2, where="checkout", PYTHONPATH=packages)
    assert done.returncode == 0, done.stderr
    assert (place / "checkout" / "out.txt").is_file()


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_workers_of_an_interactive_python(place, method):
    """There "" is on the path, first: the workers don't get it."""
    code = (
        "import multiprocessing as m, os, multiprocessing.popen_forkserver\n"
        "from pipeline import parallel\n"
        f"m.get_all_start_methods = lambda: [{method!r}]\n"
        f"os.chdir({str(place / 'here')!r})\n"
        "print(sum(parallel.map_ordered(len, ['好'] * 9, workers=2, chunk=1, preload=['onnx'])))\n"
        "import sys; print(repr(sys.path[0]), os.environ.get('PYTHONSAFEPATH'))\n"
    )
    done = run(place, "-c", code, where="bin")
    assert (done.returncode, done.stdout) == (0, "9\n'' None\n"), done.stderr
    assert caught(place) == []


def test_workers_of_a_python_that_ignores_its_environment(place):
    code = f"import sys; sys.path.append({str(ROOT)!r})\n{SCRIPT}"
    done = run(place, "-E", "-c", code, "segment", place / "here" / "in.txt", "out.txt", "--workers", 2, where="bin")
    assert done.returncode == 2
    assert "python -E lets worker processes import modules from the working directory: add -P" in done.stderr
