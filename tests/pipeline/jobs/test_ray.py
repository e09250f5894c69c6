"""On a Ray cluster come the rows and answers of the local engine, whatever dies: a worker's machine, or the command."""

import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from random_model import make_model

from corpora.table_options import TableOptions
from pipeline.config.segment import SegmentSettings
from pipeline.errors import PipelineError
from pipeline.jobs import ray
from pipeline.jobs.job import SegmentJob
from pipeline.jobs.label import label_file, rejected_path
from pipeline.segmentation.segmenter import Segmenter
from pipeline.stages.segment import segment_file

ROOT = Path(__file__).parents[3]
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
ROWS = 30_000
DRIVER = """
import json, sys
from pathlib import Path
from pipeline.jobs import ray
from pipeline.jobs.job import LabelJob
from pipeline.jobs.limits import Limits
from pipeline.jobs.options import LabelOptions

if __name__ == "__main__":
    model, address, folder, *sources = sys.argv[1:]
    job = LabelJob(Path(model), "float32", LabelOptions(), Limits(part_chunks=1))
    for outcome in ray.run(job, sources, folder, address=address):
        done = outcome.result
        print(json.dumps([outcome.source.name, outcome.error, done and [done.rows, done.rejected, done.resumed]]))
"""


@pytest.fixture(scope="module")
def cluster():
    """A cluster of three nodes on this machine: one that only leads, and two with a core each; its dashboard is off."""
    pytest.importorskip("ray", reason="the engine ray needs zhpipe[ray]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
        try:
            made.add_node(**NODE)
            made.add_node(**NODE)
            yield made
        finally:
            made.shutdown()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a model, a script that labels, and tables: one of many rows, some of them bad, and small ones."""
    folder = tmp_path_factory.mktemp("ray")
    make_model(folder / "model")
    (folder / "driver.py").write_text(DRIVER, encoding="utf-8")
    (folder / "in" / "二").mkdir(parents=True)
    rows = [f"{row},味道很好{'不' * (row % 9)}\n" if row % 997 else f"{row},坏,了\n" for row in range(ROWS)]
    (folder / "in" / "many.csv").write_text("id,text\n" + "".join(rows), encoding="utf-8")
    (folder / "in" / "empty.csv").write_text("text\n", encoding="utf-8")
    (folder / "in" / "bad.csv").write_text("文\n好\n", encoding="utf-8")
    (folder / "in" / "二" / "few.csv.gz").write_bytes(gzip.compress('text\n"好,\n吃"\n\u3000 \n'.encode()))
    return folder


def driver(cluster, place, out, *sources):
    script = [sys.executable, place / "driver.py", place / "model", cluster.address, place / out, *sources]
    return subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place)


def outcomes(process):
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return [json.loads(line) for line in out.splitlines()]


def same_as_local(place, source, folder):
    """Whether the parts, header but for the first left out, are the bytes of the local engine's output."""
    label_file(place / "model", place / source, place / "local.csv", origin=source, force=True)
    suffix = ".csv.gz" if source.endswith(".gz") else ".csv"
    for name, whole in (
        (f"part-*{suffix}", place / "local.csv"),
        ("rejected-*.csv", rejected_path(place / "local.csv")),
    ):
        found = [path.read_bytes() for path in sorted(folder.glob(name))]
        parts = [gzip.decompress(data) if suffix.endswith(".gz") and "part" in name else data for data in found]
        expected = whole.read_bytes().splitlines(keepends=True) if whole.exists() else []
        joined = [line for part in parts[:1] for line in part.splitlines(keepends=True)]
        joined += [line for part in parts[1:] for line in part.splitlines(keepends=True)[1:]]
        assert joined == expected, f"{source}: {name}"


def test_a_folder_of_tables(cluster, place):
    missing = f'{place / "in" / "bad.csv"}: no column "text"; the columns are "文": choose one with --text'
    bad = ROWS // 997 + 1
    assert outcomes(driver(cluster, place, "out", "in")) == [
        ["bad.csv", missing, None],
        ["empty.csv", "", [0, 0, 0]],
        ["many.csv", "", [ROWS, bad, 0]],
        ["few.csv.gz", "", [2, 0, 0]],
    ]
    for name in ("many.csv", "empty.csv", "二/few.csv.gz"):
        same_as_local(place, f"in/{name}", place / "out" / name)
    assert len(list((place / "out" / "many.csv").glob("part-*"))) == -(-ROWS // 2048)
    assert sorted(path.name for path in (place / "out").iterdir()) == [".zhpipe.jsonl", "empty.csv", "many.csv", "二"]
    again = outcomes(driver(cluster, place, "out", "in"))
    assert [done for _, _, done in again] == [None] * 4, "all that could be done is done"


@pytest.mark.slow
def test_the_command_and_a_node_that_die(cluster, place):
    journal = place / "killed" / "many.csv.job" / ".parts.jsonl"

    def wait_for(parts):
        while not (journal.exists() and journal.read_bytes().count(b"\n") > parts):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)

    process = driver(cluster, place, "killed", "in/many.csv")
    wait_for(2)
    process.kill()
    process.communicate()
    assert not (place / "killed" / "many.csv").exists()
    process = driver(cluster, place, "killed", "in/many.csv")
    wait_for(journal.read_bytes().count(b"\n") + 1)
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    name, error, (rows, _, resumed) = outcomes(process)[0]
    cluster.add_node(**NODE)
    assert (name, error, rows) == ("many.csv", "", ROWS) and 0 < resumed < ROWS
    same_as_local(place, "in/many.csv", place / "killed" / "many.csv")


def command(cluster, *arguments):
    options = ["--engine", "ray", "--address", cluster.address]
    call = [sys.executable, "-m", "pipeline", *map(str, arguments), *options]
    return subprocess.run(call, capture_output=True, text=True, cwd=ROOT, timeout=120)


def test_the_commands(cluster, place):
    table, text = place / "in" / "二" / "few.csv.gz", place / "lines.txt"
    text.write_text("今天天气很好\n\niPhone 手机\n", encoding="utf-8")
    done = command(cluster, "label", place / "model", table, place / "command", "--output-format", "parquet")
    assert done.returncode == 0 and done.stdout.startswith("2 rows: 1 labelled, 1 blank"), done.stderr
    local = label_file(place / "model", table, place / "few.csv")
    assert f"expected right  {local.expected_right:.1%} of 1 labelled row" in done.stdout
    assert [path.name for path in sorted((place / "command" / "few.parquet").glob("p*"))] == ["part-00000.parquet"]
    done = command(cluster, "segment", text, place / "cut")
    assert done.returncode == 0, done.stderr
    segment_file(text, place / "cut.txt", SegmentSettings())
    assert (place / "cut" / "lines.txt" / "part-00000.txt").read_bytes() == (place / "cut.txt").read_bytes()
    done = command(cluster, "segment", place / "in" / "many.csv", place / "cut")
    assert done.returncode == 2 and "2 cells expected" in done.stderr and "Traceback" not in done.stderr


def test_no_cluster(place, monkeypatch):
    pytest.importorskip("ray", reason="the engine ray needs zhpipe[ray]")
    with pytest.raises(PipelineError, match=r"--address 127.0.0.1:1: can't be reached \(.*\): ask `ray status` there"):
        ray.run(SegmentJob(Segmenter(), ("text",), TableOptions()), [place / "in"], place / "x", address="127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PipelineError, match=r"pip install zhpipe\[ray\]"):
        ray.run(SegmentJob(Segmenter(), ("text",), TableOptions()), [place / "in"], place / "x")
