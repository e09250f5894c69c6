"""The light installation, `pip install zhpipe`, inside a full one: what it lacks, and a process that lacks it."""

import configparser
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
CODE = """
import contextlib, importlib.machinery, io, json, sys

absent = set(json.loads(sys.argv[1])) - set(sys.modules)  # what Python's own start loads, such as _distutils_hack


class Light:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in absent:
            return importlib.machinery.PathFinder.find_spec(name, path, target)


sys.meta_path = [Light if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
from pipeline.__main__ import main

for arguments in json.loads(sys.argv[2]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
assert not absent & set(sys.modules), absent & set(sys.modules)
"""


def requirements(extra: str | None = None) -> list[Requirement]:
    """What setup.cfg asks for, or what an extra adds to it."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    section = "options.extras_require" if extra else "options"
    lines = settings[section][extra or "install_requires"].splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("zhpipe[")]


def installed_by(asked: list[Requirement]) -> set[str]:
    """The distributions that come with requirements, those that they need in turn included."""
    found: set[str] = set()
    for requirement in asked:
        name = requirement.name.lower().replace("_", "-")
        if name in found or not (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            continue
        inner = [Requirement(line) for line in metadata.requires(name) or ()]
        found |= {name} | installed_by([one for one in inner if one.name.lower().replace("_", "-") not in found])
    return found


def absent() -> list[str]:
    """The packages that Python finds here and would not find in the light installation."""
    light = installed_by(requirements())
    ours = {"zhpipe", "pipeline", "corpora", "embeddings", "configs"}
    return sorted(
        package
        for package, owners in metadata.packages_distributions().items()
        if package not in ours and not light & {owner.lower().replace("_", "-") for owner in owners}
    )


def run_light(folder: Path, *commands: list[str]) -> list[tuple[int, str, str]]:
    """The exit code, standard output and standard error of each command, in one process of the light installation."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    arguments = [json.dumps(absent()), json.dumps(commands)]
    ran = subprocess.run(
        [sys.executable, "-c", CODE, *arguments], cwd=folder, env=environment, capture_output=True, encoding="utf-8"
    )
    if ran.returncode:
        raise RuntimeError(ran.stdout + ran.stderr)
    return [tuple(json.loads(line)) for line in ran.stdout.splitlines()]
