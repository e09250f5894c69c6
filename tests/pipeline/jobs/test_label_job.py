"""A labelling job goes on after whatever stopped it, to the bytes of an undisturbed run, and never mixes two jobs."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from random_model import make_model

from pipeline.errors import PipelineError
from pipeline.jobs.journal import JobProgress, Journal
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.jobs.results import RowCounts

ROWS = [
    f"{row},今天天气{'很好' * (row % 7)}，\r\n" if row % 5 else f'{row},"味道 ""x""\n不好吃"\n' for row in range(3000)
]
BAD = {500: "500,多,了\n", 1700: '1700,"坏"了\n', 2999: "2999\n"}
DRIVER = """
import sys
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
limits = Limits(chunk_rows=50, solo_seconds=0.0, commit_seconds=0.0)
if __name__ == "__main__":
    done = label_file(sys.argv[1], sys.argv[2], sys.argv[3], workers=int(sys.argv[4]), limits=limits)
    print(done.rows, done.labelled, done.blank, done.rejected, done.resumed)
"""
SMALL = Limits(chunk_rows=4, commit_seconds=0.0)


@pytest.fixture(scope="module")
def random_model(tmp_path_factory):
    """The folder of a model with random weights."""
    return make_model(tmp_path_factory.mktemp("models") / "random")


@pytest.fixture(scope="module")
def job(tmp_path_factory, random_model):
    """A folder with rows.csv, three of them bad, a script that labels it, and the bytes of an undisturbed run."""
    folder = tmp_path_factory.mktemp("job")
    rows = "".join(BAD.get(number, row) for number, row in enumerate(ROWS))
    (folder / "rows.csv").write_text("id,text\n" + rows, encoding="utf-8", newline="")
    (folder / "driver.py").write_text(DRIVER, encoding="utf-8")
    assert subprocess.run(command(folder, random_model, "whole.csv", 1), check=True, capture_output=True)
    return folder, random_model


def command(folder, model, out, workers):
    return [
        sys.executable,
        str(folder / "driver.py"),
        str(model),
        str(folder / "rows.csv"),
        str(folder / out),
        str(workers),
    ]


def same(folder, out):
    for name in (out, f"{out}.rejected.csv"):
        whole = (folder / name.replace(out, "whole.csv")).read_bytes()
        assert (folder / name).read_bytes() == whole
    assert not (folder / f"{out}.job").exists()


@pytest.mark.parametrize(("out", "workers"), [("one.csv", 1), ("two.csv", 2)])
def test_a_killed_job_goes_on_to_the_same_bytes(job, out, workers):
    folder, model = job
    journal = folder / f"{out}.job" / "journal.jsonl"
    for lines in (2, 31):  # the first is no entry
        process = subprocess.Popen(command(folder, model, out, workers), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") >= lines):
            time.sleep(0.005)
        process.kill()
        process.communicate()
        assert not (folder / out).exists()
    done = subprocess.run(command(folder, model, out, workers), check=True, capture_output=True, text=True)
    rows, labelled, blank, rejected, resumed = map(int, done.stdout.split())
    assert (rows, labelled, blank, rejected) == (3000, 2997, 0, 3) and resumed >= 30 * 50
    same(folder, out)


def test_an_interrupt_keeps_what_is_done(job):
    folder, model = job
    process = subprocess.Popen(command(folder, model, "int.csv", 1), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    journal = folder / "int.csv.job" / "journal.jsonl"
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 1):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0 and journal.exists()
    assert subprocess.run(command(folder, model, "int.csv", 2), check=True, capture_output=True)
    same(folder, "int.csv")


@pytest.fixture
def small(tmp_path):
    """A folder with a table of 30 rows."""
    (tmp_path / "in.csv").write_text("text\n" + "好吃\n" * 30, encoding="utf-8")
    return tmp_path


def disk_of(rows):
    """A meter that fails once more rows are written, as a full disk would."""

    @contextmanager
    def progress(what, *, total, unit):
        written = 0

        def advance(done, note=""):
            nonlocal written
            written += done
            if written > rows:
                raise OSError(28, "No space left on device")

        yield advance

    return progress


def begun(small, model):
    """A job that a full disk stopped after 12 rows, and half a chunk."""
    with pytest.raises(OSError, match="No space"):
        label_file(model, small / "in.csv", small / "out.csv", limits=SMALL, progress=disk_of(12))
    assert (small / "out.csv.job").is_dir() and not (small / "out.csv").exists()
    with (small / "out.csv.job" / "output").open("ab") as file:
        file.write("好吃".encode()[:4])


def test_a_full_disk_costs_nothing(small, random_model):
    label_file(random_model, small / "in.csv", small / "whole.csv", limits=SMALL)
    begun(small, random_model)
    done = label_file(random_model, small / "in.csv", small / "out.csv", limits=SMALL)
    assert (done.rows, done.labelled, done.resumed) == (30, 30, 12)
    assert (small / "out.csv").read_bytes() == (small / "whole.csv").read_bytes()


def test_what_changed_is_named_and_nothing_is_mixed(small, random_model):
    begun(small, random_model)
    with pytest.raises(PipelineError, match="--probabilities changed"):
        label_file(random_model, small / "in.csv", small / "out.csv", probabilities=True, limits=SMALL)
    with pytest.raises(PipelineError, match="the size of a chunk changed"):
        label_file(random_model, small / "in.csv", small / "out.csv")
    (small / "in.csv").write_text("text\n" + "难看\n" * 30, encoding="utf-8")
    with pytest.raises(PipelineError, match=r"since then the input changed: .* --restart"):
        label_file(random_model, small / "in.csv", small / "out.csv", limits=SMALL)
    done = label_file(random_model, small / "in.csv", small / "out.csv", restart=True)
    assert done.resumed == 0 and (small / "out.csv").read_text("utf-8").count("难看") == 30


@pytest.mark.parametrize("change", [lambda path: path.write_text("text\n好看\n", encoding="utf-8"), Path.unlink])
def test_an_input_that_changes_meanwhile_is_refused(small, random_model, change):
    @contextmanager
    def changing(what, *, total, unit):
        yield lambda done, note="": change(small / "in.csv") if done else None

    limits = Limits(chunk_rows=30)
    with pytest.raises(PipelineError, match="changed while it was read"):
        label_file(random_model, small / "in.csv", small / "out.csv", limits=limits, progress=changing)
    assert not (small / "out.csv").exists()


def test_a_job_that_never_began_leaves_nothing(small, random_model):
    with pytest.raises(OSError, match="No space"):
        label_file(random_model, small / "in.csv", small / "out.csv", limits=SMALL, progress=disk_of(0))
    assert sorted(path.name for path in small.iterdir()) == ["in.csv"]


@pytest.mark.parametrize("place", ["rejects", "output", "folder"])
def test_a_kill_between_the_renames_is_survived(small, random_model, monkeypatch, place):
    (small / "in.csv").write_text("id,text\n" + "1,好吃\n" * 9 + "1\n", encoding="utf-8")
    label_file(random_model, small / "in.csv", small / "whole.csv")

    class Killed(BaseException):
        pass

    def finish(journal, target, rejected, output):
        journal.close()
        if place != "rejects":
            (journal.folder / "rejects").replace(rejected)
        if place == "folder":
            (journal.folder / output).replace(target)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Journal, "finish", finish)
        label_file(random_model, small / "in.csv", small / "out.csv")
    done = label_file(random_model, small / "in.csv", small / "out.csv")
    assert (done.rows, done.labelled, done.rejected) == (10, 9, 1)
    for name in ("out.csv", "out.csv.rejected.csv"):
        assert (small / name).read_bytes() == (small / name.replace("out.csv", "whole.csv", 1)).read_bytes()
    with pytest.raises(PipelineError, match="exists already"):
        label_file(random_model, small / "in.csv", small / "out.csv")


def test_one_process_at_a_time(tmp_path):
    code = "import sys, pathlib, pipeline.jobs.journal as j; j.Journal.at(pathlib.Path(sys.argv[1]), {})"
    with Journal.at(tmp_path / "a.job", {}):
        with pytest.raises(PipelineError, match="another process"):
            Journal.at(tmp_path / "a.job", {})
        other = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.job")], capture_output=True, text=True)
        assert "another process is working on this output" in other.stderr
    with Journal.at(tmp_path / "a.job", {}):
        pass


def test_a_torn_line_promises_nothing(tmp_path):
    with Journal.at(tmp_path / "a.job", {}) as journal:
        journal.append(b"one", b"")
        journal.commit(JobProgress(chunks=1, rows=RowCounts(1, 1), output=3))
        journal.append(b"two", b"bad")
    with (tmp_path / "a.job" / "journal.jsonl").open("ab") as file:
        file.write(json.dumps({"chunks": 2}).encode())
    with Journal.at(tmp_path / "a.job", {}) as journal:
        assert journal.progress == JobProgress(chunks=1, rows=RowCounts(1, 1), output=3)
        journal.append(b"zwo", b"")
        journal.commit(JobProgress(chunks=2, rows=RowCounts(2, 2), output=6, whole=True))
        journal.finish(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == b"onezwo" and [path.name for path in tmp_path.iterdir()] == ["a"]


HEAD = b'{"format": 3, "output": "a", "depends": {}}\n'


@pytest.mark.parametrize(
    "damage",
    [HEAD.replace(b"3", b"2"), HEAD + b"[]\n", HEAD + b"\xff\n", HEAD + b"{}\n", HEAD + b'{"chunks": 1, "rows"\n'],
)
def test_a_damaged_journal_is_refused(tmp_path, damage):
    (tmp_path / "a.job").mkdir()
    (tmp_path / "a.job" / "journal.jsonl").write_bytes(damage)
    with pytest.raises(PipelineError, match="damaged: pass --restart"):
        Journal.at(tmp_path / "a.job", {})
    with Journal.at(tmp_path / "a.job", {}, restart=True) as journal:
        assert journal.progress == JobProgress()
