"""Parts made in any order, by workers of which any may die at any moment, are the local engine's output in pieces."""

import random

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_model import make_model

from pipeline.errors import PipelineError
from pipeline.jobs import ray as engine
from pipeline.jobs import table_job
from pipeline.jobs.input_state import JOURNAL, InputState
from pipeline.jobs.job import Labelling
from pipeline.jobs.label import label_file, rejected_path
from pipeline.jobs.local import RECORD, Record
from pipeline.jobs.parts import ChunkReader, LabelledParts, PartRecord
from pipeline.jobs.predict import answers
from pipeline.jobs.table_job import Options, TableJob
from pipeline.models.model import Model

TABLE = "id,text\n" + "".join(f"{row},{'好吃' * (row % 3)}\n" if row % 7 else f"{row},坏,了\n" for row in range(50))
PARTS = 7  # of 2 chunks of 4 rows


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with random weights, loaded."""
    return Model.load(make_model(tmp_path_factory.mktemp("models") / "random"), threads=1)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a table of 50 rows, to be read in chunks of 4."""
    monkeypatch.setattr(table_job, "CHUNK", 4)
    (tmp_path / "in.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


@given(st.lists(st.integers()), st.integers(1, 4), st.lists(st.integers(0, 6), max_size=8))
def test_stretches_are_slices(items, size, numbers):
    stretches = ChunkReader(lambda: iter(items), size)
    for number in numbers:
        end = (number + 1) * size
        assert list(stretches.at(number)) == items[end - size : end]
        assert stretches.is_over == (len(items) <= end)


def same_as_local(place, folder):
    local = place / "local.csv"
    label_file(place / "model", place / "in.csv", local, origin=str(place / "in.csv"), force=True)
    for pattern, whole in (("part-*.csv", local), ("rejected-*.csv", rejected_path(local))):
        parts = [path.read_text("utf-8").splitlines() for path in sorted(folder.glob(pattern))]
        assert [*parts[0], *(line for part in parts[1:] for line in part[1:])] == whole.read_text("utf-8").splitlines()


def test_parts_in_any_order(place, model):
    options = Options(origin=str(place / "in.csv"))
    parts = LabelledParts(TableJob(model, place / "in.csv", place / "in.csv", options), 2)
    (place / "parts").mkdir()
    (place / "model").symlink_to(model.network.path.parent)
    numbers = [*range(PARTS), 3, 99, 0]
    random.Random(1).shuffle(numbers)
    made = {number: parts.write(number, place / "parts") for number in numbers}
    assert made.pop(99) is None
    assert [made[number].last for number in range(PARTS)] == [False] * 6 + [True]
    assert sum(part.read for part in made.values()) == 50
    assert all(part.read == part.labelled + part.blank + part.rejected for part in made.values())
    same_as_local(place, place / "parts")


def test_parquet_parts_keep_their_types(place, model):
    frame = pandas.DataFrame({"n": pandas.array([None, 2, 3], "Int32"), "text": ["好", "", "吃"]})
    frame.to_parquet(place / "in.parquet")
    source = place / "in.parquet"
    parts = LabelledParts(TableJob(model, source, place / "out.parquet", Options(origin="in.parquet")), 1)
    tally = answers(model, ["好", "", "吃"]).tally
    assert tally["claims"] == 2
    assert parts.write(0, place) == PartRecord(0, 3, 2, 1, last=True, tally=tally)
    found = pandas.read_parquet(place / "part-00000.parquet")
    assert list(found.columns) == ["n", "text", "file", "row", "label", "confidence"]
    assert list(found["row"]) == ["1", "2", "3"] and found["n"].isna()[0] and found["label"][1] == ""


class FakeRay:
    """As much of Ray as the engine uses, in this process: answers come in any order, and workers die now and then."""

    class exceptions:
        RayError = type("RayError", (Exception,), {})
        RayTaskError = type("RayTaskError", (RayError,), {})
        RayActorError = type("RayActorError", (RayError,), {})

    def __init__(self, seed, deaths):
        self.chance = random.Random(seed)
        self.deaths = deaths
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
    record = Record(place / "out" / RECORD)
    return [InputState.begin(job, place / name, place / "out" / name, record, False, False) for name in names]


@pytest.fixture
def job(place, model):
    """Labelling in parts of two chunks; beside the table of 50 rows an empty one, and one without the column."""
    (place / "model").symlink_to(model.network.path.parent)
    (place / "empty.csv").write_text("text\n", encoding="utf-8")
    (place / "bad.csv").write_text("文\n好\n", encoding="utf-8")
    return Labelling(place / "model", "float32", Options(), chunks=2)


@pytest.mark.parametrize("seed", range(8))
def test_whoever_dies_every_part_is_made_once(place, job, seed, monkeypatch):
    monkeypatch.setattr(engine, "DEATHS", 1000)
    ray = FakeRay(seed, deaths=0.3 if seed % 3 else 0.0)
    found = inputs(place, job, "empty.csv", "in.csv", "bad.csv")
    rows = []
    engine._Work(ray, job, [each for each in found if not each.is_done], 1 + seed % 4, rows.append).perform()
    assert sum(rows) == 50 and (ray.lost > 0) == (seed % 3 > 0)
    empty, whole, bad = (each.outcome for each in found)
    assert (empty.labelled.rows, whole.labelled.rows) == (0, 50) and "no column" in bad.error
    assert (whole.labelled.labelled, whole.labelled.blank, whole.labelled.rejected) == (28, 14, 8)
    local = label_file(job.folder, place / "in.csv", place / "whole.csv")
    assert whole.labelled.expected_right == pytest.approx(local.expected_right)
    assert whole.labelled.warnings == local.warnings
    same_as_local(place, place / "out" / "in.csv")
    assert not list((place / "out").glob("*.job"))


def test_a_part_that_kills_whoever_makes_it_is_given_up(place, job):
    found = inputs(place, job, "in.csv")
    ray = FakeRay(0, 0.0)
    write = engine._Worker.write

    def deadly(worker, source, name, target, number, folder):
        if number == 3:
            raise ray.exceptions.RayActorError("out of memory")
        return write(worker, source, name, target, number, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine._Worker, "write", deadly)
        engine._Work(ray, job, found, 2, lambda rows: None).perform()
    assert "3 processes died at part 3: memory may be short" in found[0].outcome.error
    again = inputs(place, job, "in.csv")
    assert 0 < again[0].resumed < 50, "what was done is kept"
    (again[0].folder / ".1234-part-00003.csv").touch()  # as a worker leaves it that is killed
    engine._Work(ray, job, again, 2, lambda rows: None).perform()
    assert again[0].outcome.labelled.rows == 50
    assert [path.name for path in (place / "out" / "in.csv").glob(".*")] == [JOURNAL]
    same_as_local(place, place / "out" / "in.csv")


def test_workers_that_never_start_are_given_up(place, job):
    with pytest.raises(PipelineError, match="workers die as they start: it died"):
        engine._Work(FakeRay(0, 1.0), job, inputs(place, job, "in.csv"), 2, lambda rows: None).perform()


def test_another_version_is_refused(place, job, monkeypatch):
    monkeypatch.setattr(engine._Worker, "start", lambda worker: {"zhpipe": "0.0.1"})
    with pytest.raises(PipelineError, match=r"one of the machines has .*zhpipe 0.0.1, not .*the same versions"):
        engine._Work(FakeRay(0, 0.0), job, inputs(place, job, "in.csv"), 1, lambda rows: None).perform()


def test_an_unfinished_folder_goes_on_or_says_why_not(place, job):
    (begun,) = inputs(place, job, "in.csv")
    parts = job.parts(begun.source, begun.name, begun.target)
    for number in (0, 2):
        begun.add(parts.write(number, begun.folder))
    with (begun.folder / JOURNAL).open("ab") as file:
        file.write(b'{"number": 4, "re')
    (begun.folder / "part-00002.csv").unlink()
    (again,) = inputs(place, job, "in.csv")
    assert sorted(again.done) == [0] and again.resumed == 8
    again.add(parts.write(1, again.folder))
    (place / "in.csv").write_text(TABLE + "50,好\n", encoding="utf-8")
    (changed,) = inputs(place, job, "in.csv")
    assert "since then the input changed: put that back to go on, or pass --restart" in changed.error
    for damage in (b"[1]\n", b"{}\n{}\n", b"\xff\n", b"1\n"):
        (begun.folder / JOURNAL).write_bytes(damage)
        assert "is damaged: pass --restart" in inputs(place, job, "in.csv")[0].error
    record = Record(place / "out" / RECORD)
    fresh = InputState.begin(job, place / "in.csv", place / "out" / "in.csv", record, False, True)
    assert not fresh.error and not fresh.done
