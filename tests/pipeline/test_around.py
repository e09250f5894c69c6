"""What is around a command: other processes, permissions, pipes, limits of the system, networks and secrets."""

import os
import resource
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from mini import write_csv
from random_model import make_model

from corpora.files import replace_when_done
from pipeline.__main__ import _exit_code
from pipeline.config.evaluate import EvaluateSettings
from pipeline.errors import PipelineError
from pipeline.jobs.label import label_file
from pipeline.locks import held

ROOT = Path(__file__).parents[2]
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="permissions and limits of Unix")
CLOSED_PIPE = 141


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with a model and a table."""
    make_model(tmp_path / "model")
    write_csv(tmp_path / "in.csv", [("很好吃",)] * 3000, header=("text",))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def started(place, *arguments, limits=(), **options):
    def limit():
        for kind, value in limits:
            resource.setrlimit(kind, (value, value))

    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *map(str, arguments)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **options},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limit if limits else None,
    )


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_two_runs_of_one_name(mini, capfd):
    """The second says who holds the run; it runs when the first is done."""
    (mini / "runs" / "mini").mkdir(parents=True)
    with held(mini / "runs" / "mini"):
        assert _exit_code(["run", "mini.toml", "--until", "segment"]) == 2
    said = capfd.readouterr().err
    assert f"runs/mini: another process is working on this output (process {os.getpid()} on " in said
    assert _exit_code(["run", "mini.toml", "--until", "segment"]) == 0
    assert sorted(path.name for path in (mini / "runs" / "mini").iterdir()) == [
        "config.toml",
        "manifest.json",
        "segment",
    ]


@UNIX
@pytest.mark.parametrize("before", [0o600, 0o640, 0o664])
def test_force_keeps_the_permissions(place, before):
    for name in ("out.csv", "out.csv.rejected.csv"):
        (place / name).touch()
        (place / name).chmod(before)
    write_csv(place / "bad.csv", [("好",), ("好", "多")], header=("text",))
    label_file("model", "bad.csv", "out.csv", force=True)
    assert [mode(place / name) for name in ("out.csv", "out.csv.rejected.csv")] == [before, before]


@UNIX
@pytest.mark.parametrize(("mask", "expected"), [(0o077, 0o600), (0o027, 0o640), (0o002, 0o664)])
def test_the_umask_is_respected(place, mask, expected):
    before = os.umask(mask)
    try:
        label_file("model", "in.csv", "out.csv")
        with replace_when_done(place / "other.txt") as temporary:
            assert mode(temporary) == 0o600
            temporary.write_text("x", encoding="utf-8")
            assert mode(temporary) == 0o600
    finally:
        assert os.umask(before) == mask
    assert mode(place / "out.csv") == mode(place / "other.txt") == expected


@UNIX
def test_unfinished_work_is_private(place, monkeypatch):
    seen = []

    def interrupted(*arguments, **options):
        seen.extend(mode(path) for path in (place / "out.csv.job").rglob("*"))
        seen.append(mode(place / "out.csv.job"))
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.jobs.label._write_pieces", interrupted)
    with pytest.raises(KeyboardInterrupt):
        label_file("model", "in.csv", "out.csv")
    assert seen and all(found & 0o077 == 0 for found in seen if found != 0o644 & ~0o022), seen
    assert seen[-1] == 0o700


@UNIX
@pytest.mark.parametrize(
    "arguments",
    [("label", "model", "in.csv", "-", "--workers", "1"), ("config",), ("--help",), ("label", "--help")],
    ids=" ".join,
)
def test_a_closed_pipe(place, arguments):
    """As in `| head -1`: nothing is said, and the exit code is that of a process that SIGPIPE ends."""
    process = started(place, *arguments)
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) == CLOSED_PIPE and "Traceback" not in said and "Exception ignored" not in said


@UNIX
@pytest.mark.parametrize("kib", [100_000, 200_000, 390_000])
def test_too_little_memory(place, kib):
    process = started(place, "label", "model", "in.csv", "out.csv", limits=[(resource.RLIMIT_AS, kib * 1024)])
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and b"memory is too short" in said and said.count(b"\n") == 1, said.decode()
    assert not (place / "out.csv").exists()


@UNIX
def test_too_little_memory_to_train(mini):
    process = started(mini, "run", "mini.toml", limits=[(resource.RLIMIT_AS, 400_000 * 1024)])
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and b"3,000,000 needed" in said


@UNIX
@pytest.mark.parametrize("count", [10, 16, 20])
def test_too_few_descriptors(place, count):
    arguments = ("label", "model", "in.csv", "out.csv", "--workers", "2")
    process = started(place, *arguments, limits=[(resource.RLIMIT_NOFILE, count)])
    _, said = process.communicate(timeout=60)
    assert b"Traceback" not in said and process.returncode in (0, 2), said.decode()
    assert process.returncode == 0 or b"Too many open files" in said


def test_memory_errors_are_sentences(place, monkeypatch, capfd):
    def short(*arguments):
        raise MemoryError

    monkeypatch.setattr("pipeline.jobs.label.run_job", short)
    assert _exit_code(["label", "model", "in.csv", "out.csv"]) == 2
    assert capfd.readouterr().err == (
        "zhpipe: memory is too short: use fewer workers, or allow the process more (ulimit -v)\n"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "https://me:geheim@host/",
        "postgresql://host/db?password=geheim",
        "postgresql://host/db?user=me&pw=geheim",
        "https://host/?token=geheim",
        "https://host/?access_key=geheim",
        "mssql://host/db?PWD=geheim",
        "https://host/?x=1&client_secret=geheim",
    ],
)
def test_secrets_in_a_tracking_uri(uri):
    with pytest.raises(ValueError, match="has a password or another secret") as caught:
        EvaluateSettings(mlflow=uri)
    assert "leave it out" in str(caught.value)


@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "https://host/?timeout=3", "file:///tmp/x", "http://me@host/"])
def test_other_tracking_uris(uri):
    assert EvaluateSettings(mlflow=uri).mlflow == uri


def test_the_secret_is_not_repeated(mini, capfd):
    config = mini / "mini.toml"
    text = config.read_text(encoding="utf-8") + '[evaluate]\nmlflow = "https://host/?token=geheim"\n'
    config.write_text(text, encoding="utf-8")
    assert _exit_code(["run", "mini.toml"]) == 2
    assert "geheim" not in "".join(capfd.readouterr())
    assert not (mini / "runs").exists()


@UNIX
def test_the_home_folder_stays_untouched(place):
    """ONNX Runtime would write a device's id there, and report its use."""
    home = place / "home"
    home.mkdir()
    process = started(place, "label", "model", "in.csv", "out.csv", "--workers", "2", HOME=str(home))
    assert process.communicate(timeout=120) and process.returncode == 0
    assert not list(home.rglob("*"))


@UNIX
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc/net")
def test_ray_listens_on_the_loopback_alone(place):
    pytest.importorskip("ray", reason="the engine ray needs zhpipe[ray]")
    before, found, folders, done = listening(), set(), {}, threading.Event()
    begun = started(place, "label", "model", "in.csv", "out", "--engine", "ray", "--workers", "1")

    def watch():
        while not done.wait(0.05):
            found.update(listening() - before)
            for path in Path("/tmp").glob(f"zhpipe-{begun.pid}-*"):
                with suppress(FileNotFoundError):  # it may be gone by now
                    folders[path] = mode(path)

    thread = threading.Thread(target=watch)
    thread.start()
    _, said = begun.communicate(timeout=200)
    done.set()
    thread.join()
    assert begun.returncode == 0, said.decode()
    assert found and {address for address, _ in found} <= {"127.0.0.1", "::1"}, found
    assert folders and set(folders.values()) == {0o700} and not any(path.exists() for path in folders)


def listening():
    """The (address, port) pairs that processes listen on."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == "0A":
                host, port = local.split(":")
                known = {"0100007F": "127.0.0.1", "00000000000000000000000001000000": "::1"}
                mapped = host[-8:] if host.startswith("0000000000000000FFFF0000") else host  # IPv4 in IPv6
                found.add((known.get(mapped, mapped), int(port, 16)))
    return found


def test_the_lock_of_a_folder_names_its_process(tmp_path):
    match = pytest.raises(PipelineError, match=rf"\(process {os.getpid()} on ")
    with held(tmp_path / "run"), match, held(tmp_path / "run"):
        pass
