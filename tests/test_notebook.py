"""docs/first-hour.ipynb: a valid notebook whose cells run, and whose stored outputs are those of its cells.

After a change that is meant, run the cells anew and read the difference; this takes some minutes:

    ZHPIPE_RENEW_NOTEBOOK=1 .venv/bin/python -m pytest tests/test_notebook.py
"""

import json
import os
import shutil
from pathlib import Path

import notebook
import pytest

ROOT = Path(__file__).parent.parent
PATH = ROOT / "docs" / "first-hour.ipynb"
RENEW = bool(os.environ.get("ZHPIPE_RENEW_NOTEBOOK"))
CELLS = [{**cell, "source": "".join(cell["source"])} for cell in json.loads(PATH.read_text(encoding="utf-8"))["cells"]]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory as the notebook's first cell describes it."""
    shutil.copytree(ROOT / "corpora" / "samples", tmp_path / "corpora" / "samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_a_small_valid_notebook():
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.read(PATH, as_version=4))
    assert PATH.stat().st_size < 50_000
    assert len(CODE) >= 8 and CELLS[0]["source"].startswith("# ")
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))


def test_its_cells_run_and_show_what_is_stored(folder):
    quick = [cell["source"].replace("seed=1)", "seed=1, epochs=1, batch_size=512)") for cell in CODE]
    assert sum("epochs=1" in source for source in quick) == 2
    for cell, outputs in zip(CODE, notebook.run(quick), strict=True):
        assert notebook.kinds(outputs) == notebook.kinds(cell["outputs"]), cell["source"]
        for shown, stored in zip(outputs, cell["outputs"], strict=True):
            lines = "".join(stored.get("text", "")).splitlines()
            assert len(shown.get("text", "").splitlines()) == len(lines), cell["source"]
    assert (folder / "models" / "mail" / "model.toml").is_file()


def test_no_output_is_an_error_or_names_a_machine():
    for cell in CODE:
        assert all(output["output_type"] in ("stream", "execute_result") for output in cell["outputs"])
        assert "/tmp" not in json.dumps(cell["outputs"])


@pytest.mark.skipif(not RENEW, reason="only where the outputs are renewed")
def test_renew(folder):
    nbformat = pytest.importorskip("nbformat")
    found = nbformat.read(PATH, as_version=4)
    cells = [cell for cell in found.cells if cell.cell_type == "code"]
    for number, (cell, outputs) in enumerate(zip(cells, notebook.run([cell.source for cell in cells]), strict=True), 1):
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
        cell.execution_count = number
    nbformat.write(found, PATH)
