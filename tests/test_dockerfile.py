"""The Dockerfile: what it claims of itself, and hadolint's rules. No daemon is needed."""

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from light import ROOT

LINES = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]
STAGES = [place for place, (name, _) in enumerate(STEPS) if name == "FROM"]
FINAL = STEPS[STAGES[-1] :]


def steps(name, among=STEPS):
    return [rest for step, rest in among if step == name]


def ignored(path):
    """Whether .dockerignore keeps a path of the checkout out; the last line that matches decides."""
    found = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and (fnmatch(path, pattern) or path.startswith(f"{pattern}/")):
            found = not line.startswith("!")
    return found


def test_hadolint_has_nothing_to_say():
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint is not installed")
    ran = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, encoding="utf-8")
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout


def test_it_has_two_stages_of_one_pinned_image():
    assert steps("FROM") == ["python:${PYTHON}-slim AS build", "python:${PYTHON}-slim"]
    (pinned,) = steps("ARG")
    assert re.fullmatch(r"PYTHON=3\.1[1-3]", pinned)


def test_the_image_holds_only_the_environment_that_was_built():
    assert steps("COPY", FINAL) == ["--from=build /opt/zhpipe /opt/zhpipe"]
    assert not steps("ADD") and not [run for run in steps("RUN", FINAL) if "install" in run]


def test_it_installs_the_light_part_and_keeps_no_cache():
    (run,) = [run for run in steps("RUN") if "pip --python" in run]
    assert run.endswith("install --no-cache-dir .")


def test_it_does_not_run_as_root_and_starts_the_command():
    assert [name for name, _ in FINAL][-3:] == ["USER", "ENTRYPOINT", "CMD"]
    (user,) = steps("USER")
    assert int(user) > 0 and f"--uid {user} " in steps("RUN", FINAL)[0]
    assert steps("ENTRYPOINT") == ['["zhpipe"]'] and steps("WORKDIR", FINAL) == ["/data"]


def test_what_it_copies_is_all_that_the_build_gets():
    copied = [source for rest in steps("COPY", STEPS[: STAGES[-1]]) for source in rest.split()[:-1]]
    assert all((ROOT / source).exists() and not ignored(source) for source in copied)
    for name in (".git", ".venv", "runs", "tests", "docs", "benchmarks", "build", "pipeline/__pycache__"):
        assert ignored(name), name
    assert set(copied) >= {"pyproject.toml", "setup.cfg", "pipeline", "corpora", "embeddings", "zhpipe", "configs"}
