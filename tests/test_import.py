"""`import zhpipe`: every public name, quick, and never a stranger's package under the name of ours."""

import ast
import re
import sys
from pathlib import Path

import pytest
from mini import python

import zhpipe

HEAVY = ("tensorflow", "keras", "gensim", "numpy", "onnxruntime", "pandas", "sklearn", "pydantic")


@pytest.fixture(autouse=True)
def _without_safe_path(monkeypatch):
    """The command sets PYTHONSAFEPATH for what it starts; these tests are about who does not."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)


def test_every_public_name_is_there_and_typed():
    source = ast.parse(Path(zhpipe.__file__).read_text(encoding="utf-8"))
    typed = {alias.name for node in ast.walk(source) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {name for name in zhpipe.__all__ if getattr(zhpipe, name) is not None} == set(zhpipe.HOMES)
    assert set(zhpipe.__all__) <= typed
    assert dir(zhpipe) == sorted(zhpipe.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'zhpipe' has no attribute 'lable_file'"):
        zhpipe.lable_file  # noqa: B018


def test_a_name_whose_library_is_missing_says_what_to_install(monkeypatch):
    for name in ("sklearn", "sklearn.base"):
        monkeypatch.setitem(sys.modules, name, None)  # which Python takes for a module that is not there
    monkeypatch.delitem(sys.modules, "zhpipe.estimators", raising=False)
    monkeypatch.delitem(vars(zhpipe), "TextClassifier", raising=False)
    needs = 'zhpipe.TextClassifier needs sklearn, which is not installed: pip install "zhpipe[train]"'
    with pytest.raises(ImportError, match=f"^{re.escape(needs)}$"):
        zhpipe.TextClassifier  # noqa: B018


def test_the_import_is_quick_and_loads_nothing_heavy(tmp_path):
    code = f"""
import sys, time
start = time.perf_counter()
import zhpipe
seconds = time.perf_counter() - start
print(seconds, sorted(set(sys.modules) & set({HEAVY})))
"""
    found = [python("-c", code, folder=tmp_path).stdout.split(maxsplit=1) for _ in range(3)]
    assert {names.strip() for _, names in found} == {"[]"}
    assert min(float(seconds) for seconds, _ in found) < 0.2


def test_the_command_runs_as_a_module(tmp_path):
    ran = python("-m", "zhpipe", "--version", folder=tmp_path)
    assert ran.stdout == f"zhpipe, version {zhpipe.__version__}\n", ran.stderr


@pytest.mark.parametrize("make", ["file", "package", "namespace"])
def test_a_package_that_hides_ours_is_named_and_not_run(tmp_path, make):
    stranger = tmp_path / ("pipeline.py" if make == "file" else "corpora")
    code = "raise SystemExit('a stranger ran')\n"
    if make == "file":
        stranger.write_text(code, encoding="utf-8")
    else:
        stranger.mkdir()
        (stranger / ("__init__.py" if make == "package" else "notes.txt")).write_text(code, encoding="utf-8")
    script = tmp_path / "script.py"
    script.write_text(
        "import zhpipe\ntry:\n    zhpipe.load\nexcept ImportError as error:\n    print(error)\nelse:\n"
        "    print('ours')\n",
        encoding="utf-8",
    )
    ran = python(script, folder=tmp_path)
    if make == "namespace":  # Python prefers a real package, wherever it is, to a folder without __init__.py
        assert ran.stdout == "ours\n", ran.stderr
        return
    room = stranger.stem
    assert ran.stdout == (
        f"{stranger}: hides zhpipe's own package '{room}', which is in {Path(zhpipe.__file__).parents[1] / room}: "
        "rename it, or start Python in another folder\n"
    ), ran.stderr


def test_a_script_named_pipeline_is_told_so(tmp_path):
    script = tmp_path / "pipeline.py"
    script.write_text("import zhpipe\nzhpipe.load('runs/mail')\n", encoding="utf-8")
    ran = python(script, folder=tmp_path)
    assert ran.returncode == 1 and ran.stderr.splitlines()[-1].startswith(f"ImportError: {script}: hides zhpipe's own")
