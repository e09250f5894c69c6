"""The Python of the documentation passes mypy: what it shows of the public types is true."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_docs import ROOT, _blocks

SPANS = """
import pipeline

for prediction in pipeline.load("runs/ner").predict(["老周去了昆明"]):
    for span in prediction.spans:
        print(prediction.tokens[0], prediction.tags[0], span.text[span.start :], span.type + "!", span.confidence + 1)
"""


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_accepts_the_python_of_the_page(tmp_path: Path) -> None:
    found = [block.content for block in _blocks(ROOT / "docs" / "python.md") if block.language == "python"]
    for number, content in enumerate([*found, SPANS]):
        (tmp_path / f"block_{number}.py").write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache")]
    ran = subprocess.run(
        [*command, *map(str, sorted(tmp_path.iterdir()))], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
