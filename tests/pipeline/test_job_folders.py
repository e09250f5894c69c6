"""Folders of a user that have the name of one of ours are refused in one sentence, and not a byte is touched."""

import os

import pytest
from mini import write_csv
from random_model import make_model

from pipeline.__main__ import _exit_code
from pipeline.config.embed import EmbedSettings
from pipeline.config.segment import SegmentSettings
from pipeline.errors import PipelineError
from pipeline.jobs.journal import JobProgress, Journal
from pipeline.jobs.results import RowCounts
from pipeline.stages.embed import embed_files
from pipeline.stages.manifest import Inputs, Manifest

REFUSED = "zhpipe needs this name for a folder of its own, and what stands there is not known to be one"


@pytest.fixture(scope="module")
def random_model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "random")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder to work in, with in.csv, and a folder with somebody's letters beside it."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("亲爱的", encoding="utf-8")
    write_csv(work / "in.csv", [("很好吃",), ("不好看",)], header=("text",))
    monkeypatch.chdir(work)
    return work


def foreign(path, kind):
    """Puts somebody else's folder, or the like, at a path."""
    letters = path.parent
    while not (letters / "letters").exists():
        letters = letters.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "link":
        path.symlink_to(letters / "letters", target_is_directory=True)
    elif kind == "broken link":
        path.symlink_to(letters / "nowhere")
    elif kind == "file":
        path.write_text("mine", encoding="utf-8")
    else:
        (path / "sub").mkdir(parents=True)
        (path / "sub" / "note.txt").write_text("mine", encoding="utf-8")
        names = {
            "ours by name": ("output", "rejects", "journal.jsonl", "part-00000.csv"),
            "journal": ("journal.jsonl",),
        }
        for name in names.get(kind, ("letter.txt",)):
            (path / name).write_text("{}\n", encoding="utf-8")


def snapshot(folder):
    """Every path below a folder with its content, links as what they lead to."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)  # noqa: PTH118
            whole = os.readlink(path) if os.path.islink(path) else None  # noqa: PTH114, PTH115
            if whole is None and name in files:
                with open(path, "rb") as file:  # noqa: PTH123
                    whole = file.read()
            found[path] = whole
    return found


def zhpipe(capfd, *arguments):
    """The exit code and what is said on standard error."""
    code = _exit_code([str(argument) for argument in arguments])
    return code, capfd.readouterr().err


kinds = pytest.mark.parametrize("kind", ["folder", "ours by name", "journal", "link", "broken link", "file"])


@kinds
@pytest.mark.parametrize("option", [None, "--force", "--restart"])
def test_label(place, random_model, kind, option, capfd):
    foreign(place / "out.csv.job", kind)
    before = snapshot(place.parent)
    code, said = zhpipe(capfd, "label", random_model, "in.csv", "out.csv", *([option] if option else []))
    assert code == 2 and f"out.csv.job: {REFUSED}" in said and said.count("\n") == 1
    assert snapshot(place.parent) == before


@kinds
def test_label_of_several(place, random_model, kind, capfd):
    foreign(place / "out" / "in.csv.job", kind)
    before = snapshot(place / "out" / "in.csv.job")
    (place / "more").mkdir()
    write_csv(place / "more" / "in.csv", [("很好吃",)], header=("text",))
    code, said = zhpipe(capfd, "label", random_model, "more", "out", "--restart")
    assert code == 2 and REFUSED in said
    assert snapshot(place / "out" / "in.csv.job") == before and not (place / "out" / "in.csv").exists()


def test_an_empty_folder_may_be_used(place, random_model, capfd):
    (place / "out.csv.job").mkdir()
    assert zhpipe(capfd, "label", random_model, "in.csv", "out.csv")[0] == 0
    assert (place / "out.csv").exists() and not (place / "out.csv.job").exists()


def test_the_job_of_another_output(place, random_model, capfd):
    with Journal.at(place / "old.csv.job", {"the input": "x"}) as journal:
        journal.append(b"half", b"")
        journal.commit(JobProgress(chunks=1, rows=RowCounts(1, 1), output=4))
    (place / "old.csv.job").rename(place / "out.csv.job")
    before = snapshot(place)
    code, said = zhpipe(capfd, "label", random_model, "in.csv", "out.csv", "--restart")
    assert code == 2 and REFUSED in said and snapshot(place) == before


def test_a_file_put_into_our_folder_stays(place, random_model, capfd):
    with Journal.at(place / "out.csv.job", {}):
        pass
    (place / "out.csv.job" / "note.txt").write_text("mine", encoding="utf-8")
    assert zhpipe(capfd, "label", random_model, "in.csv", "out.csv")[0] == 0
    assert [path.name for path in (place / "out.csv.job").iterdir()] == ["note.txt"]


def test_a_link_in_our_folder_is_not_written_through(place):
    depends, letter = {"the input": "x"}, place.parent / "letters" / "letter.txt"
    with Journal.at(place / "out.csv.job", depends) as journal:
        journal.append(b"half", b"")
        journal.commit(JobProgress(chunks=1, rows=RowCounts(1, 1), output=4))
    (place / "out.csv.job" / "output").unlink()
    (place / "out.csv.job" / "output").symlink_to(letter)
    with pytest.raises(PipelineError, match="output: zhpipe needs this name"):
        Journal.at(place / "out.csv.job", depends)
    assert letter.read_text(encoding="utf-8") == "亲爱的"


@kinds
@pytest.mark.parametrize("name", ["segment.partial", "segment", "model.partial", "model", "evaluate"])
def test_run(mini, kind, name, capfd):
    (mini / "letters").mkdir()
    foreign(mini / "runs" / "mini" / name, kind)
    before = snapshot(mini)
    code, said = zhpipe(capfd, "run", "mini.toml", "--force")
    assert code == 2 and f"{name}: {REFUSED}" in said
    assert snapshot(mini) == before, "nothing is begun"


def test_a_folder_with_a_config_of_its_own(mini, capfd):
    (mini / "runs" / "mini").mkdir(parents=True)
    (mini / "runs" / "mini" / "config.toml").write_text("mine", encoding="utf-8")
    before = snapshot(mini)
    code, said = zhpipe(capfd, "run", "mini.toml")
    assert code == 2 and f"config.toml: {REFUSED}" in said and snapshot(mini) == before


def test_a_folder_made_beside_what_a_run_has_made(tmp_path):
    """A run's own folders are replaced; another one is not, though it has the name of one that a stage makes."""
    (tmp_path / "read.txt").write_text("春", encoding="utf-8")
    for size in (1, 2):
        inputs = Inputs({"size": size}, [tmp_path / "read.txt"], 1)
        with Manifest.open(tmp_path / "run").running("cut", inputs, ["cut"]) as made:
            (made["cut"] / "out.txt").write_text(str(size), encoding="utf-8")
    assert (tmp_path / "run" / "cut" / "out.txt").read_text(encoding="utf-8") == "2"
    (tmp_path / "run" / "train").mkdir()
    (tmp_path / "run" / "train" / "note.txt").write_text("mine", encoding="utf-8")
    with (
        pytest.raises(PipelineError, match=REFUSED),
        Manifest.open(tmp_path / "run").running("train", inputs, ["train"]),
    ):
        pass
    assert (tmp_path / "run" / "train" / "note.txt").exists()


@pytest.mark.parametrize("killed", ["before a rename", "between renames", "before the record"])
def test_a_kill_while_folders_get_their_names(tmp_path, killed, monkeypatch):
    """What a kill leaves is still known as ours, and the same command makes the stage whole."""
    (tmp_path / "read.txt").write_text("春", encoding="utf-8")
    inputs = Inputs({}, [tmp_path / "read.txt"], 1)

    def perform():
        with Manifest.open(tmp_path / "run").running("train", inputs, ["train", "model"]) as made:
            for folder in made.values():
                (folder / "out.txt").write_text("made", encoding="utf-8")

    perform()
    rename, calls = type(tmp_path).rename, []

    def kill(path, target):
        calls.append(path)
        if len(calls) == {"before a rename": 1, "between renames": 2}.get(killed, 3):
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(tmp_path), "rename", kill)
        if killed == "before the record":
            patch.setattr("pipeline.stages.manifest.versions", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        perform()
    perform()
    assert Manifest.open(tmp_path / "run").is_current("train", inputs)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["manifest.json", "model", "train"]
    assert not (tmp_path / "run" / "train" / "begun.json").exists()


@kinds
def test_vectors(place, kind):
    (place / "raw.txt").write_text("今天天气很好\n" * 20, encoding="utf-8")
    foreign(place / "vectors.partial", kind)
    before = snapshot(place.parent)
    with pytest.raises(PipelineError, match=f"vectors.partial: {REFUSED}"):
        embed_files([place / "raw.txt"], place / "vectors", EmbedSettings(), SegmentSettings(workers=1))
    assert snapshot(place.parent) == before


@kinds
def test_tune(mini, kind, capfd):
    pytest.importorskip("optuna", reason="tune needs zhpipe[tune]")
    (mini / "letters").mkdir()
    foreign(mini / "runs" / "mini" / "tune", kind)
    with (mini / "mini.toml").open("a", encoding="utf-8") as file:
        file.write('[tune.ranges]\n"network.units" = [4, 5]\n')
    before = snapshot(mini)
    code, said = zhpipe(capfd, "tune", "mini.toml", "--restart", "--trials", "1")
    assert code == 2 and f"tune: {REFUSED}" in said, said
    assert snapshot(mini) == before


@kinds
@pytest.mark.parametrize("name", ["in.csv.job", "in.csv", ".zhpipe.job"])
def test_the_ray_engine(place, random_model, kind, name, capfd):
    """Refused before Ray is started."""
    if (name, kind) in {("in.csv", "file"), ("in.csv", "broken link"), (".zhpipe.job", "journal")}:
        pytest.skip("a file of the output's name is replaced with --force, as by the local engine")
    foreign(place / "out" / name, kind)
    before = snapshot(place / "out" / name), snapshot(place.parent / "letters")
    code, said = zhpipe(capfd, "label", random_model, "in.csv", "out", "--engine", "ray", "--restart", "--force")
    assert code == 2 and REFUSED in said
    assert (snapshot(place / "out" / name), snapshot(place.parent / "letters")) == before
