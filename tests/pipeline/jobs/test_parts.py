"""Parts made in any order, by workers of which any may die at any moment, are the local engine's output in pieces."""

import random

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_model import make_model

from pipeline.errors import PipelineError
from pipeline.jobs.folder_record import FolderRecord
from pipeline.jobs.input_state import LOG, InputState
from pipeline.jobs.job import LabelJob
from pipeline.jobs.label import label_file, rejected_path
from pipeline.jobs.limits import Limits
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.parts import LabelledParts, PartReader, PartRecord
from pipeline.jobs.predict import answers
from pipeline.jobs.results import RowCounts
from pipeline.jobs.scheduler import Scheduler
from pipeline.jobs.table_job import TableJob
from pipeline.models.model import Model

TABLE = "id,text\n" + "".join(f"{row},{'好吃' * (row % 3)}\n" if row % 7 else f"{row},坏,了\n" for row in range(50))
PARTS = 7  # of 2 chunks of 4 rows
LIMITS = Limits(chunk_rows=4, part_chunks=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with random weights, loaded."""
    return Model.load(make_model(tmp_path_factory.mktemp("models") / "random"), threads=1)


@pytest.fixture
def place(tmp_path):
    """A folder with a table of 50 rows."""
    (tmp_path / "in.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


@given(st.lists(st.integers()), st.integers(1, 4), st.lists(st.integers(0, 6), max_size=8))
def test_parts_are_slices(items, size, numbers):
    parts = PartReader(lambda: iter(items), size)
    for number in numbers:
        end = (number + 1) * size
        assert list(parts.at(number)) == items[end - size : end]
        assert parts.is_over == (len(items) <= end)


def same_as_local(place, folder):
    local = place / "local.csv"
    label_file(place / "model", place / "in.csv", local, origin=str(place / "in.csv"), force=True, limits=LIMITS)
    for pattern, whole in (("part-*.csv", local), ("rejected-*.csv", rejected_path(local))):
        parts = [path.read_text("utf-8").splitlines() for path in sorted(folder.glob(pattern))]
        assert [*parts[0], *(line for part in parts[1:] for line in part[1:])] == whole.read_text("utf-8").splitlines()


def test_parts_in_any_order(place, model):
    options = LabelOptions(origin=str(place / "in.csv"))
    parts = LabelledParts(TableJob(model, place / "in.csv", place / "in.csv", options, LIMITS))
    (place / "parts").mkdir()
    (place / "model").symlink_to(model.network.path.parent)
    numbers = [*range(PARTS), 3, 99, 0]
    random.Random(1).shuffle(numbers)
    made = {number: parts.write(number, place / "parts") for number in numbers}
    assert made.pop(99) is None
    assert [made[number].last for number in range(PARTS)] == [False] * 6 + [True]
    rows = [part.rows for part in made.values()]
    assert sum(part.read for part in rows) == 50
    assert all(part.read == part.labelled + part.blank + part.rejected for part in rows)
    same_as_local(place, place / "parts")


def test_parquet_parts_keep_their_types(place, model):
    frame = pandas.DataFrame({"n": pandas.array([None, 2, 3], "Int32"), "text": ["好", "", "吃"]})
    frame.to_parquet(place / "in.parquet")
    source = place / "in.parquet"
    parts = LabelledParts(TableJob(model, source, place / "out.parquet", LabelOptions(origin="in.parquet"), LIMITS))
    tally = answers(model, ["好", "", "吃"]).tally
    assert tally["claims"] == 2
    assert parts.write(0, place) == PartRecord(0, RowCounts(3, 2, 1, tally=tally), last=True)
    found = pandas.read_parquet(place / "part-00000.parquet")
    assert list(found.columns) == ["n", "text", "file", "row", "label", "confidence"]
    assert list(found["row"]) == [1, 2, 3] and found["n"].isna()[0] and found["label"].isna()[1]


class FakeRay:
    """As much of Ray as the scheduler uses, in this process: answers come in any order, and workers die now and then.

    `deadly`: a part that kills whoever makes it; `versions`: what workers say is installed.
    """

    class exceptions:
        RayError = type("RayError", (Exception,), {})
        RayTaskError = type("RayTaskError", (RayError,), {})
        RayActorError = type("RayActorError", (RayError,), {})

    def __init__(self, seed, deaths, *, deadly=None, versions=None):
        self.chance = random.Random(seed)
        self.deaths = deaths
        self.deadly = deadly
        self.versions = versions
        self.lost = 0

    def put(self, job):
        return job

    def remote(self, num_cpus):
        return lambda kind: type("Actors", (), {"remote": lambda _, job: FakeWorker(self, kind(job))})()

    def wait(self, answers, timeout):
        assert answers, "the engine waits for nothing"
        return [self.chance.choice(answers)], []

    def get(self, answer):
        worker, method, arguments = answer
        if method == "start" and self.versions:
            return self.versions
        if method == "write" and arguments[3] == self.deadly:
            raise self.exceptions.RayActorError("out of memory")
        if worker.dead or self.chance.random() < self.deaths:
            worker.dead, self.lost = True, self.lost + 1
            raise self.exceptions.RayActorError("it died")
        return getattr(worker.inner, method)(*arguments)


class FakeWorker:
    """An actor; it works when its answer is asked for."""

    def __init__(self, ray, inner):
        self.inner = inner
        self.dead = False
        for method in ("start", "write"):
            setattr(self, method, type("Method", (), {"remote": lambda _, *given, of=method: (self, of, given)})())


def inputs(place, job, *names):
    (place / "out").mkdir(exist_ok=True)
    record = FolderRecord(place / "out")
    return [InputState.begin(job, place / name, place / "out" / name, record) for name in names]


@pytest.fixture
def job(place, model):
    """Labelling in parts of two chunks; beside the table of 50 rows an empty one, and one without the column."""
    (place / "model").symlink_to(model.network.path.parent)
    (place / "empty.csv").write_text("text\n", encoding="utf-8")
    (place / "bad.csv").write_text("文\n好\n", encoding="utf-8")
    return LabelJob(place / "model", "float32", LabelOptions(), LIMITS)


@pytest.mark.parametrize("seed", range(8))
def test_whoever_dies_every_part_is_made_once(place, job, seed):
    ray = FakeRay(seed, deaths=0.3 if seed % 3 else 0.0)
    found = inputs(place, job, "empty.csv", "in.csv", "bad.csv")
    rows = []
    Scheduler(ray, job, found, 1 + seed % 4, rows.append, max_deaths=1000).perform()
    assert sum(rows) == 50 and (ray.lost > 0) == (seed % 3 > 0)
    empty, whole, bad = (each.result for each in found)
    assert (empty.result.rows, whole.result.rows) == (0, 50) and "no column" in bad.error
    assert (whole.result.labelled, whole.result.blank, whole.result.rejected) == (28, 14, 8)
    local = label_file(job.folder, place / "in.csv", place / "whole.csv", limits=LIMITS)
    assert whole.result.expected_right == pytest.approx(local.expected_right)
    assert whole.result.warnings == local.warnings
    same_as_local(place, place / "out" / "in.csv")
    assert not list((place / "out").glob("*.job"))


def test_a_part_that_kills_whoever_makes_it_is_given_up(place, job):
    found = inputs(place, job, "in.csv")
    Scheduler(FakeRay(0, 0.0, deadly=3), job, found, 2, lambda rows: None).perform()
    assert "3 processes died at part 3: memory may be short" in found[0].result.error
    again = inputs(place, job, "in.csv")
    assert 0 < again[0].resumed < 50, "what was done is kept"
    (again[0].folder / ".12345678-part-00003.csv").touch()  # as a worker leaves it that is killed
    Scheduler(FakeRay(0, 0.0), job, again, 2, lambda rows: None).perform()
    assert again[0].result.result.rows == 50
    assert [path.name for path in (place / "out" / "in.csv").glob(".*")] == [LOG]
    same_as_local(place, place / "out" / "in.csv")


def test_workers_that_never_start_are_given_up(place, job):
    with pytest.raises(PipelineError, match="workers die as they start: it died"):
        Scheduler(FakeRay(0, 1.0), job, inputs(place, job, "in.csv"), 2, lambda rows: None).perform()


def test_another_version_is_refused(place, job):
    ray = FakeRay(0, 0.0, versions={"zhpipe": "0.0.1"})
    with pytest.raises(PipelineError, match=r"one of the machines has .*zhpipe 0.0.1, not .*the same versions"):
        Scheduler(ray, job, inputs(place, job, "in.csv"), 1, lambda rows: None).perform()


def test_an_unfinished_folder_goes_on_or_says_why_not(place, job):
    (begun,) = inputs(place, job, "in.csv")
    parts = job.parts(begun.source, begun.name, begun.target)
    for number in (0, 2):
        begun.add(parts.write(number, begun.folder))
    with (begun.folder / LOG).open("ab") as file:
        file.write(b'{"number": 4, "re')
    (begun.folder / "part-00002.csv").unlink()
    (again,) = inputs(place, job, "in.csv")
    assert sorted(again.done) == [0] and again.resumed == 8
    again.add(parts.write(1, again.folder))
    (place / "in.csv").write_text(TABLE + "50,好\n", encoding="utf-8")
    (changed,) = inputs(place, job, "in.csv")
    assert "since then the input changed: put that back to go on, or pass --restart" in changed.error
    head = (begun.folder / LOG).read_bytes().splitlines(keepends=True)[0]
    for damage in (b"[1]\n", b"{}\n", b"\xff\n", b"1\n"):
        (begun.folder / LOG).write_bytes(head + damage)
        assert "is damaged: pass --restart" in inputs(place, job, "in.csv")[0].error
    record = FolderRecord(place / "out")
    fresh = InputState.begin(job, place / "in.csv", place / "out" / "in.csv", record, restart=True)
    assert not fresh.error and not fresh.done
