"""Model folders damaged at random, their checksums put right: each is used or refused in one sentence, at once.

MODEL_FUZZ sets how many folders are tried: 2,000 by `make attacks`.
"""

import os
import random
import shutil
import signal
import sys
import time

import pytest
from random_model import make_model
from random_tagger import make_tagger
from seals import seal

from pipeline.errors import PipelineError
from pipeline.models.model import Model

COUNT = int(os.environ.get("MODEL_FUZZ", "200"))
SEED = int(os.environ.get("MODEL_FUZZ_SEED", "14"))
LONGEST = 10  # seconds that a folder may take
TEXTS = ["今天很好吃", "", "北京烤鸭", "🦆" * 40]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and alarms of Unix")


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """The folders of a classifier, with int8, and of a tagger."""
    folder = tmp_path_factory.mktemp("originals")
    return [make_model(folder / "classifier"), make_tagger(folder / "tagger", dictionary={"烤鸭": None})]


def flipped(generator, path, others):
    data = bytearray(path.read_bytes())
    for _ in range(generator.choice((1, 1, 2, 8, 64)) if data else 0):
        data[generator.randrange(len(data))] = generator.randrange(256)
    path.write_bytes(data)


def swapped(generator, path, others):
    other = generator.choice(others)
    first, second = path.read_bytes(), other.read_bytes()
    path.write_bytes(second)
    other.write_bytes(first)


def cut(generator, path, others):
    data = path.read_bytes()
    path.write_bytes(data[: generator.randrange(len(data) + 1)])


def repeated(generator, path, others):
    data = path.read_bytes()
    start, stop = sorted(generator.randrange(len(data) + 1) for _ in range(2))
    path.write_bytes(data[:stop] + data[start:stop] * generator.choice((1, 2, 50)) + data[stop:])


def mixed_up(generator, path, others):
    lines = path.read_bytes().splitlines(keepends=True)
    generator.shuffle(lines)
    path.write_bytes(b"".join(lines))


def numbers_changed(generator, path, others):
    """Digits become others, or extreme numbers: mostly of model.toml."""
    path = next((other for other in others if other.name == "model.toml"), path)
    if b" = " not in path.read_bytes():
        return
    parts = path.read_text(encoding="utf-8", errors="replace").split(" = ")
    place = generator.randrange(1, len(parts))
    _, newline, rest = parts[place].partition("\n")
    strange = ("-1", "0", "1e999", "nan", "inf", "1" * 30, '"x"', "[]", "{}", "true", "1e-300", "[[[1]]]", "2", "65536")
    parts[place] = generator.choice(strange) + newline + rest
    path.write_text(" = ".join(parts), encoding="utf-8")


def removed(generator, path, others):
    path.unlink()


def linked(generator, path, others):
    targets = ("/etc/hostname", "/dev/zero", "../secret", path.name, generator.choice(others).name, "nowhere", "..")
    path.unlink()
    path.symlink_to(generator.choice(targets))


def piped(generator, path, others):
    path.unlink()
    os.mkfifo(path)


def added(generator, path, others):
    data, name = path.read_bytes(), generator.choice(("words.txt", "x.pkl", "a.npy", ".hidden", "network.int8.onnx"))
    path.with_name(name).unlink(missing_ok=True)  # it may have become a pipe
    path.with_name(name).write_bytes(data)


KINDS = (flipped, flipped, flipped, swapped, cut, repeated, mixed_up, numbers_changed, removed, linked, piped, added)


def damage(generator, folder):
    """Damages a folder in one or two ways; returns what was done."""
    done = []
    for _ in range(generator.choice((1, 1, 2))):
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
        kind, path = generator.choice(KINDS), generator.choice(files)
        kind(generator, path, files)
        done.append(f"{kind.__name__} {path.name}")
    if generator.random() < 0.9:
        seal(folder)
    return ", ".join(done)


def hang(number, frame):
    raise TimeoutError("it hangs")


def test_damaged_folders(originals, tmp_path, record_property):
    (tmp_path / "secret").write_text("mine", encoding="utf-8")
    generator, outcomes = random.Random(SEED), {"used": 0, "refused": 0}
    signal.signal(signal.SIGALRM, hang)
    for number in range(COUNT):
        folder = tmp_path / "model"
        shutil.copytree(generator.choice(originals), folder)
        done = damage(generator, folder)
        begun = time.process_time()
        signal.alarm(2 * LONGEST)
        try:
            model = Model.load(folder, precision=generator.choice(("float32", "float32", "int8")), threads=1)
            assert len(model.predict(TEXTS)) == len(TEXTS)
            outcomes["used"] += 1
        except PipelineError as error:
            assert "\n" not in str(error), (number, done, str(error))
            outcomes["refused"] += 1
        except Exception as error:
            raise AssertionError(f"folder {number} ({done}) gives {error!r}") from error
        finally:
            signal.alarm(0)
        assert time.process_time() - begun < LONGEST, (number, done)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "secret"], (number, done)
        shutil.rmtree(folder)
    assert (tmp_path / "secret").read_text(encoding="utf-8") == "mine"
    assert outcomes["refused"] > COUNT // 3 and outcomes["used"] > 0, outcomes
    record_property("tried", COUNT)
