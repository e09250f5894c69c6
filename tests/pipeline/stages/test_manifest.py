"""The manifest: a stage is current while all that it read and made is unaltered; half a stage is never taken whole."""

import json

import pytest

from pipeline.errors import PipelineError
from pipeline.provenance import sha256
from pipeline.stages.manifest import Inputs, Manifest


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "read.txt"
    path.write_text("春天", encoding="utf-8")
    return path


def inputs(read, version=1, **settings):
    return Inputs({"size": 3, **settings}, [read], version)


def perform(manifest, given, text="made", makes=("cut",)):
    with manifest.running("cut", given, makes) as made:
        for folder in made.values():
            (folder / "out.txt").write_text(text, encoding="utf-8")


def reopened(tmp_path):
    return Manifest.open(tmp_path / "run")


def test_a_stage_is_current_after_it_ran(tmp_path, read):
    manifest = reopened(tmp_path)
    assert not manifest.is_current("cut", inputs(read))
    perform(manifest, inputs(read), makes=("cut", "model"))
    assert reopened(tmp_path).is_current("cut", inputs(read))
    assert (tmp_path / "run" / "model" / "out.txt").read_text(encoding="utf-8") == "made"
    record = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))["stages"]["cut"]
    assert record["outputs"] == {
        f"{name}/out.txt": sha256(tmp_path / "run" / name / "out.txt") for name in ("cut", "model")
    }
    assert record["inputs"] == {str(read): sha256(read)}
    assert record["seconds"] >= 0 and "numpy" in record["versions"]


@pytest.mark.parametrize("altered", ["setting", "version", "input", "output", "output gone", "new setting"])
def test_whatever_changes_makes_it_stale(tmp_path, read, altered):
    perform(reopened(tmp_path), inputs(read))
    given = inputs(read)
    if altered == "setting":
        given = inputs(read, size=4)
    elif altered == "new setting":
        given = inputs(read, other=None)
    elif altered == "version":
        given = inputs(read, version=2)
    elif altered == "input":
        read.write_text("夏天", encoding="utf-8")
    elif altered == "output":
        (tmp_path / "run" / "cut" / "out.txt").write_text("no", encoding="utf-8")
    else:
        (tmp_path / "run" / "cut" / "out.txt").unlink()
    assert not reopened(tmp_path).is_current("cut", given)


def test_a_failure_keeps_what_was_there_and_its_own_half(tmp_path, read):
    manifest = reopened(tmp_path)
    perform(manifest, inputs(read), "first")
    with pytest.raises(RuntimeError), manifest.running("cut", inputs(read, size=4), ("cut",)) as made:
        (made["cut"] / "checkpoint").write_text("half", encoding="utf-8")
        raise RuntimeError
    assert reopened(tmp_path).is_current("cut", inputs(read))
    assert (tmp_path / "run" / "cut" / "out.txt").read_text(encoding="utf-8") == "first"
    with manifest.running("cut", inputs(read, size=4), ("cut",)) as made:
        assert (made["cut"] / "checkpoint").read_text(encoding="utf-8") == "half", "the next attempt goes on from it"
        (made["cut"] / "checkpoint").unlink()
    assert [path.name for path in (tmp_path / "run").iterdir() if "partial" in path.name] == []
    assert list((tmp_path / "run" / "cut").iterdir()) == []


def test_a_half_made_under_other_settings_is_thrown_away(tmp_path, read):
    manifest = reopened(tmp_path)
    with pytest.raises(KeyboardInterrupt), manifest.running("cut", inputs(read), ("cut", "model")) as made:
        (made["model"] / "checkpoint").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt
    with manifest.running("cut", inputs(read, size=9), ("cut", "model")) as made:
        assert not (made["model"] / "checkpoint").exists()


def test_a_missing_input_is_named(tmp_path, read):
    for path, message in ((tmp_path / "nowhere.txt", "no such file"), (tmp_path, "is a folder; a file is expected")):
        with pytest.raises(PipelineError, match=message):
            reopened(tmp_path).is_current("cut", Inputs({}, [path], 1)) or perform(
                reopened(tmp_path), Inputs({}, [path], 1)
            )


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"stages": 3}', '{"stages": {"cut": 3}}', "\udce9"])
def test_a_manifest_that_cannot_be_read_is_one_sentence(tmp_path, read, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(PipelineError, match=r"manifest\.json: can't be read .*: move .* away to run every stage again"):
        reopened(tmp_path).is_current("cut", inputs(read))
