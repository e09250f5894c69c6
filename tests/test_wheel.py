"""The wheel: it holds what it promises, and outside the checkout it does what README.md says.

`make wheel` does the same with everything installed anew from a package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from light import ROOT, requirements

ROOMS = ("pipeline", "corpora", "embeddings", "zhpipe")
QUICK = ["--set", "train.epochs=1", "--set", "embed.epochs=1", "--set", "evaluate.baselines=[]"]
COLUMNS = ["--text", "主题", "--text", "正文"]
QUICK += ["--set", "train.batch_size=512"]  # Keras compiles one shape of batch

END = "-- end --\n"
# The commands in one process, which imports Keras once.
ONE_AFTER_THE_OTHER = f"""
import json, sys
from pipeline.__main__ import main

for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as ended:
        if ended.code:
            raise
    print({END!r}, end="")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from a copy, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in (*ROOMS, "configs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True, capture_output=True)
    return next(folder.glob("zhpipe-*.whl"))


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    code = {path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    samples = {path.relative_to(ROOT).as_posix() for path in (ROOT / "corpora" / "samples").iterdir() if path.is_file()}
    configs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").glob("*.toml")}
    pages = {
        path.relative_to(ROOT).as_posix()
        for suffix in ("html", "css", "js", "json", "mo", "po")
        for path in (ROOT / "pipeline").rglob(f"*.{suffix}")
    }
    learnt = {
        path.relative_to(ROOT).as_posix()
        for folder in ("pretrained", "models/ready")
        for path in (ROOT / "pipeline" / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    typed = {f"{room}/py.typed" for room in ROOMS}
    assert names == code | samples | configs | pages | typed | learnt


def test_its_metadata_are_those_of_the_light_installation(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        name = next(name for name in packed.namelist() if name.endswith("/METADATA"))
        about = message_from_string(packed.read(name).decode("utf-8"))
    asked = about.get_all("Requires-Dist") or []
    assert {line.partition(";")[0].strip() for line in asked if "extra ==" not in line} == {
        str(requirement) for requirement in requirements()
    }
    assert {"train", "parquet", "ray", "tune", "test"} <= set(about.get_all("Provides-Extra") or [])
    assert "\n# zhpipe\n" in str(about.get_payload())


@pytest.fixture(scope="module")
def outside(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder that the installed command `samples` made, and the environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("outside")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    environment = {**os.environ, "PYTHONPATH": str(folder / "installed"), "PYTHONSAFEPATH": "1"}
    _zhpipe((folder, environment), "samples", "demo")
    return folder / "demo", environment


def _zhpipe(place: tuple[Path, dict[str, str]], *arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "zhpipe", *arguments]
    ran = subprocess.run(command, cwd=place[0], env=place[1], capture_output=True, encoding="utf-8")
    assert ran.returncode == code, ran.stderr
    return ran.stderr if code else ran.stdout


def test_samples_are_copied_once(outside: tuple[Path, dict[str, str]]) -> None:
    folder, environment = outside
    for part in ("corpora/samples", "configs"):
        ours = {path.name: path.read_bytes() for path in (ROOT / part).iterdir() if path.is_file()}
        assert {path.name: path.read_bytes() for path in (folder / part).iterdir()} == ours
    assert _zhpipe((folder.parent, environment), "samples", "demo", code=2) == (
        "zhpipe: demo: exists already: name a new folder\n"
    )


@pytest.fixture(scope="module")
def printed(outside: tuple[Path, dict[str, str]]) -> list[str]:
    """What three commands print: a run of a config, the same run again, and the training on a table of one's own."""
    commands = [
        ["run", "configs/sample-mail.toml", *QUICK],
        ["run", "sample-mail", *QUICK, "--until", "embed", "--set", "name=sample-mail"],
        ["train", "corpora/samples/mail.csv", *COLUMNS, *QUICK],
    ]
    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps(commands)]
    ran = subprocess.run(command, cwd=outside[0], env=outside[1], capture_output=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split(END)[:-1]


def test_its_samples_and_configs_run(outside: tuple[Path, dict[str, str]], printed: list[str]) -> None:
    assert "test accuracy" in printed[0]
    assert "skipped" in printed[1]
    for name in ("evaluate/report.html", "model/network.onnx"):
        assert (outside[0] / "runs" / "sample-mail" / name).is_file()


def test_a_table_of_ones_own_is_trained_on_and_labelled(
    outside: tuple[Path, dict[str, str]], printed: list[str]
) -> None:
    assert "report   runs/mail/evaluate/report.html" in printed[2]
    assert "%" in _zhpipe(outside, "try", "runs/mail", "恭喜您中奖了，请点击链接领取")
    labelled = _zhpipe(outside, "label", "runs/mail", "corpora/samples/inbox.csv", "labelled.csv", *COLUMNS)
    assert labelled.startswith("60 rows: 60 labelled")
