"""Jobs and runs that are killed at random moments: the same command makes in the end what an undisturbed one makes.

RUN_KILLS and LABEL_KILLS set how many SIGKILLs are sent: 40 and 160 by `make attacks`.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mini import mails, python, write_config, write_csv
from random_model import make_model

ROOT = Path(__file__).parents[2]
RUN_KILLS, LABEL_KILLS = int(os.environ.get("RUN_KILLS", "2")), int(os.environ.get("LABEL_KILLS", "6"))
LABEL = """
import sys
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
limits = Limits(chunk_rows=64, solo_seconds=0.1, commit_seconds=0.02)
if __name__ == "__main__":
    label_file("model", "in.csv", sys.argv[1], workers=int(sys.argv[2]), limits=limits)
"""
MADE = ("segment/train.csv", "embed/word/vectors.npy", "model/network.onnx", "evaluate/predictions.csv")
FULL = "no space is left on the disk: make room, and the same command goes on where it stopped"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")


def ends(command, folder, seconds):
    """Whether a process ends by itself before it is killed; it must end well."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return False
    assert process.returncode == 0, said.decode()
    return True


def undisturbed(command, folder):
    """How many seconds it takes."""
    begun = time.monotonic()
    assert ends(command, folder, 600)
    return time.monotonic() - begun


def kill_until_done(command, folder, seconds, chance, most, out=None):
    """How often it was killed before it was done; after `most` kills it is left alone.

    `out`: the output, which may be whole already when its process is killed.
    """
    for kills in range(most):
        if ends(command, folder, chance.uniform(0.3, 1.1 * seconds)):
            return kills
        if out is not None and out.exists() and not out.with_name(f"{out.name}.job").exists():
            return kills + 1
    assert ends(command, folder, 600)
    return most


def test_labelling(tmp_path, record_property):
    make_model(tmp_path / "model")
    (tmp_path / "job.py").write_text(LABEL, encoding="utf-8")
    write_csv(tmp_path / "in.csv", [(f"今天很好吃{row % 97}",) for row in range(20_000)], header=("text",))
    seconds, chance = undisturbed(["job.py", "whole.csv", "1"], tmp_path), random.Random(3)
    whole, kills, number = (tmp_path / "whole.csv").read_bytes(), 0, 0
    while kills < LABEL_KILLS:
        out = f"{number}.csv"
        command = ["job.py", out, str(1 + number % 2)]
        kills += kill_until_done(command, tmp_path, seconds, chance, LABEL_KILLS - kills, tmp_path / out)
        assert (tmp_path / out).read_bytes() == whole
        (tmp_path / out).unlink()
        number += 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "job.py", "model", "whole.csv"]
    record_property("tried", kills)


RUN = ["-m", "pipeline", "run", "mini.toml", "--set", "evaluate.baselines=['majority']", "--set"]
RUN += ["evaluate.suspects=false", "--runs"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of an undisturbed run, and how many seconds it took."""
    folder = tmp_path_factory.mktemp("whole")
    write_csv(folder / "mini.csv", mails())
    write_config(folder)
    return folder / "runs" / "mini", undisturbed([*RUN, "runs"], folder)


def test_runs(mini, whole, record_property):
    expected, seconds = whole
    chance = random.Random(4)
    kills = number = 0
    while kills < RUN_KILLS:
        folder = f"runs-{number}"
        kills += kill_until_done([*RUN, folder], mini, seconds, chance, RUN_KILLS - kills)
        for name in MADE:
            path = Path("mini", name)
            assert (mini / folder / path).read_bytes() == (expected / name).read_bytes(), (number, name)
        left = sorted(path.name for path in (mini / folder / "mini").iterdir())
        assert left == sorted(path.name for path in expected.iterdir()), number
        number += 1
    record_property("tried", kills)


@pytest.fixture
def small(tmp_path):
    """`small(kib)`: a disk of that size, empty at first, that can grow."""
    folder = tmp_path / "small"
    folder.mkdir()

    def grow(kib):
        how = f"remount,size={kib}k" if folder.is_mount() else f"size={kib}k"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(folder)], capture_output=True).returncode:
            pytest.skip("no tmpfs may be mounted")
        return folder

    yield grow
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


def grown(small, sizes, command):
    """How often a command was stopped by a full disk before the disk was large enough."""
    for full, kib in enumerate(sizes):
        done = command(small(kib))
        if done.returncode == 0:
            return full
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].endswith(FULL)
    raise AssertionError("the disk is still too small")


@pytest.mark.slow
def test_a_run_whose_disk_fills_up(mini, small, whole, record_property):
    full = grown(small, (40, 150, 30_000), lambda disk: python(*RUN, disk, folder=mini))
    assert full > 1
    for name in MADE:
        assert (mini / "small" / "mini" / name).read_bytes() == (whole[0] / name).read_bytes(), name
    record_property("tried", full)


def test_labelling_whose_disk_fills_up(tmp_path, small, record_property):
    label = ["-m", "pipeline", "label", "model", "in.csv"]
    make_model(tmp_path / "model")
    write_csv(tmp_path / "in.csv", [(f"今天很好吃{row % 97}",) for row in range(20_000)], header=("text",))
    assert python(*label, "whole.csv", folder=tmp_path).returncode == 0
    full = grown(small, (16, 256, 8_000), lambda disk: python(*label, disk / "out.csv", folder=tmp_path))
    assert full > 1
    assert (tmp_path / "small" / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    record_property("tried", full)
