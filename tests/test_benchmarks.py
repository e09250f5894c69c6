"""The scripts in benchmarks/ run on the sample, count what they say they count, and go on where they stopped."""

import gzip
import json
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from mini import mails, write_csv

from benchmarks import (
    classification,
    cold_start,
    defaults,
    dictionaries,
    markdown,
    multilabel,
    records,
    segmentation,
    tagger_defaults,
    taggers,
    training_speed,
    word2vec_speed,
)
from benchmarks.classification import Job
from pipeline.config.evaluate import EvaluateSettings
from pipeline.encoding.batch import Example

ROOT = Path(__file__).resolve().parent.parent
MAIL = ROOT / "corpora" / "samples" / "mail.csv"


def record(row: str, seed: int, accuracy: float, part: str = "test", linear: float | None = None) -> dict[str, object]:
    def scores(value: float) -> dict[str, float]:
        return {"rows": 10, "accuracy": value, "macro_f1": value}

    baselines = {} if linear is None else {"tfidf_words_svc": scores(linear), "tfidf_characters_svc": scores(0.5)}
    return {
        "key": [row, seed],
        "row": row,
        "part": part,
        "scores": {part: scores(accuracy)},
        "baselines": baselines,
        "seconds": {"train": 10.0},
    }


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_is_the_mean_over_seeds_beside_the_better_baseline() -> None:
    found = classification.markdown([record("mail", 1, 0.90, linear=0.88), record("mail", 2, 0.92, linear=0.88)])
    assert cells(found.splitlines()[2]) == [
        "mail", "test", "2", "91.0 ± 1.4", "91.0 ± 1.4", "–", "88.0", "50.0", "–", "+3.0", "10",
    ]  # fmt: skip


def test_without_baselines_there_is_no_distance() -> None:
    found = classification.markdown([record("mail", 1, 0.9, part="dev")])
    assert cells(found.splitlines()[2])[1:4] == ["dev", "1", "90.0"]
    assert cells(found.splitlines()[2])[-2] == "–"


def test_what_is_done_is_not_run_again(tmp_path: Path) -> None:
    config = tmp_path / "mail.toml"
    config.write_text('name = "mail"\n', encoding="utf-8")
    ran: list[int] = []

    def run(job: Job) -> dict[str, object]:
        if job.seed == 3 and len(ran) == 2:
            raise subprocess.CalledProcessError(130, "zhpipe")
        ran.append(job.seed)
        return {name: value for name, value in record(job.row, job.seed, 0.9).items() if name != "key"}

    jobs = [Job("corpora", "mail", config, tmp_path, seed) for seed in (1, 2, 3)]
    with pytest.raises(subprocess.CalledProcessError):
        records.perform(jobs, tmp_path / "records.jsonl", run)
    ran.append(0)
    found = records.perform(jobs, tmp_path / "records.jsonl", run)
    assert ran == [1, 2, 0, 3] and len(found) == 3
    config.write_text('name = "mail"\nseed = 2\n', encoding="utf-8")
    records.perform(jobs[:1], tmp_path / "records.jsonl", run)
    assert ran[-1] == 1, "another config is another run"


def test_a_corpus_without_test_file_is_judged_on_dev(tmp_path: Path) -> None:
    config = tmp_path / "news.toml"
    for name in ("news.toml", "train.csv.gz", "dev.csv"):
        (tmp_path / name).touch()
    arguments = Job("corpora", "news", config, tmp_path, 1, ("train.epochs=1",)).arguments
    assert [argument.partition("=")[0] for argument in arguments] == [
        "seed", "corpus.train", "corpus.dev", "corpus.test_share", "train.epochs",
    ]  # fmt: skip
    assert arguments[1].endswith("train.csv.gz") and arguments[3].endswith("=0.0")


@pytest.mark.slow
def test_a_run_gives_scores_and_its_model_starts(tmp_path: Path) -> None:
    small = ("network.units=4", "embed.vector_size=4", "embed.epochs=1", "train.epochs=1", "network.wide.characters=0")
    files = (f"corpus.train={MAIL.as_posix()}",)
    job = Job("corpora", "mail", ROOT / "configs" / "sample-mail.toml", tmp_path, 1, (*files, *small))
    found = classification.run(job, tmp_path / "runs")
    assert found["part"] == "test" and set(found["baselines"]) == set(EvaluateSettings().baselines)
    assert found["seconds"]["train"] > 0 and 0 < found["scores"]["test"]["accuracy"] <= 1
    json.dumps(found)
    model = next((tmp_path / "runs").glob("*/*/model"))
    assert len(cold_start.measure(model, repeats=1)) == 1


TAGGED = ROOT / "corpora" / "samples"


def test_tagging_reads_test_only_where_it_is_scored(tmp_path: Path) -> None:
    config = tmp_path / "resume.toml"
    config.write_text('[corpus]\ntrain = "data/a/train.txt"\ntest = "data/a/test.txt"\n', encoding="utf-8")
    jobs = [taggers.Job("corpora", "a", config, tmp_path, 3, (), tested) for tested in (False, True)]
    without, whole = (job.settings() for job in jobs)
    train = (tmp_path.resolve() / "a" / "train.txt").as_posix()
    assert without["corpus"] == {"train": train, "test_share": 0.0}
    assert whole["corpus"]["test"].endswith("a/test.txt") and whole["name"] == "resume-3" and whole["seed"] == 3
    assert jobs[0].key != jobs[1].key


def test_each_row_of_inputs_has_those_before_it() -> None:
    for name in ("sample-ner", "sample-pos"):
        rows = list(taggers.inputs_of(ROOT / "configs" / f"{name}.toml").values())
        assert len(rows) > 3 and all(later[: len(row)] == row for row, later in pairwise(rows))


@pytest.mark.slow
def test_a_tagging_run_gives_scores_and_a_row(tmp_path: Path) -> None:
    config = tmp_path / "ner.toml"
    text = (ROOT / "configs" / "sample-ner.toml").read_text(encoding="utf-8")
    config.write_text(re.sub(r"^train = .*$", 'train = "data/ner.conll"', text, count=1, flags=re.M), encoding="utf-8")
    small = ("network.units=4", "embed.vector_size=4", "embed.epochs=1", "train.epochs=1", taggers.CRFSUITE)
    found = taggers.run(taggers.Job("corpora", "ner", config, TAGGED, 1, small, tested=True))
    assert set(found["scores"]) == set(found["crfsuite"]) == {"dev", "test"}
    row = cells(taggers.markdown([found]).splitlines()[2])
    assert row[:2] == ["ner", "1"] and row[7] == f"{100 * found['crfsuite']['test']['f1']:.1f}"


def test_a_report_without_test_and_baselines_gives_a_row(tmp_path: Path) -> None:
    report = {"model": {"best_epoch": 2, "epochs": 3}, "counts": {"scored": 0, "scored_dev": 7}, "dev": {"f1": 0.5}}
    written = {"evaluate/report.json": {**report, "test": {}}, "manifest.json": {"stages": {"train": {"seconds": 3.0}}}}
    (tmp_path / "evaluate").mkdir()
    for name, content in written.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    found = taggers._figures(tmp_path)
    row = cells(taggers.markdown([{"row": "a", **found}]).splitlines()[2])
    assert row == ["a", "1", "50.0", "–", "–", "–", "–", "–", "2", "3"]


def test_training_speed_of_every_loop() -> None:
    pytest.importorskip("torch")
    script = [sys.executable, "-m", "benchmarks.training_speed", str(MAIL), "--text", "正文", "--label", "类别"]
    small = ["--rows", "24", "--units", "4", "--width", "4", "--repeats", "1", "--batch-size", "8", "--cell", "gru"]
    done = subprocess.run([*script, *small], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    assert re.findall(r"^\| gru \| ([^|]+) \|", done.stdout, re.M) == list(training_speed.ROWS)


@pytest.mark.parametrize("cell", training_speed.CELLS)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_the_pytorch_network_does_not_see_the_padding(cell: str, pooling: str) -> None:
    torch = pytest.importorskip("torch")
    settings = training_speed.NetworkSettings(cell=cell, units=3, pooling=pooling)
    table = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    network = training_speed._pytorch_network(settings, table, 2).eval()
    ids = torch.tensor([[2, 3, 0, 0], [4, 5, 6, 7]])
    together = network(ids, torch.tensor([2, 4]))
    alone = network(ids[:1, :2], torch.tensor([2]))
    assert torch.allclose(together[:1], alone, atol=1e-6)


def test_rows_come_from_all_over_a_corpus() -> None:
    assert training_speed._evenly(range(10), 5) == [0, 2, 4, 6, 8]
    assert training_speed._evenly(range(3), 5) == [0, 1, 2]


def test_every_text_once_in_any_order() -> None:
    examples = [Example({"word": np.ones(2, np.int32)}, target=0) for _ in range(7)]
    batches = training_speed._any_order(examples, 3, np.random.default_rng(0))
    assert sorted(np.concatenate(batches)) == list(range(7)) and [len(batch) for batch in batches] == [3, 3, 1]


def test_cuts_are_compared_by_boundaries() -> None:
    same = [["天气", "好"]]
    assert segmentation.difference(same, same) == (1, 0, 1)
    assert segmentation.difference([["天", "气好"]], [["天气", "好"]]) == (0, 2, 1)


def test_segmenters_give_the_text_back() -> None:
    pytest.importorskip("jieba")
    cuts = segmentation.segmenters(workers=1)
    texts = ["今天天气很好。", "iPhone 手机"]
    for cut in cuts.values():
        assert ["".join(tokens) for tokens in cut(texts)] == texts
    found = segmentation.measure(texts, cuts, repeats=1)
    assert segmentation.markdown(found).count("\n") == 1 + len(cuts)


def test_dictionaries_of_several_sizes_are_measured_beside_jieba() -> None:
    texts = ["今天天气很好。", "骑车去滨江步道"]
    pool = dictionaries.candidates(texts)
    assert "今天天气" in pool and "滨江步道" not in pool and "天气很好" not in pool and min(map(len, pool)) == 2
    assert (
        dictionaries.dictionary(pool, 5, 1)
        == dictionaries.dictionary(pool, 5, 1)
        != dictionaries.dictionary(pool, 5, 2)
    )
    assert len(set(dictionaries.dictionary(["今天", "天气"], 6, 1))) == 6
    found = dictionaries.measure(texts, ["滨江步道"], repeats=2)
    assert (found[0].name, found[0].words, len(found[0].speeds)) == ("jieba", 1, 2)
    rows = dictionaries.markdown(found).splitlines()
    assert len(rows) == 2 + 5 and rows[2].endswith("| 1.0 (1.0 to 1.0) |")


def test_word2vec_speed_counts_words() -> None:
    sentences = [["今天", "天气", "好"]] * 20
    options = word2vec_speed.Word2VecOptions(vector_size=4, epochs=1)
    found = word2vec_speed.measure(sentences, options, repeats=1)
    assert set(found) == {"zhpipe", "gensim"}
    assert "| zhpipe | 1 | 30 |" in word2vec_speed.markdown({1: {"zhpipe": [2.0]}}, words=60)


def test_tables_and_spread() -> None:
    assert markdown.spread([1.0, 3.0, 2.0], ".1f") == "2.0 (1.0 to 3.0)"
    assert markdown.table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---:|\n| 1 | 2 |"
    assert "cores" in markdown.machine()


def test_labelling_is_compared_row_for_row() -> None:
    script = [sys.executable, "-m", "benchmarks.labelling", "compare", str(MAIL), "--text", "正文", "--rows", "60"]
    only = ["--only", "ours-int8", "--only", "ceiling"]
    done = subprocess.run([*script, *only], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    found = [cells(line) for line in done.stdout.splitlines() if line.startswith("| samples")]
    assert [row[2] for row in found] == ["zhpipe label --int8, 1 worker", "bare ONNX Runtime and rjieba, 1 core"]
    assert all(row[1] == "60" and float(row[7]) > 50 for row in found), "rows, and the megabytes of a process"


def test_the_share_of_decoding_is_a_share() -> None:
    script = [sys.executable, "-m", "benchmarks.tagging_speed", "share"]
    small = ["--texts", "40", "--tags", "9", "--repeats", "1"]
    done = subprocess.run([*script, *small], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    [row] = [cells(line) for line in done.stdout.splitlines() if line.startswith("| 9 ")]
    assert 0 < float(row[2].rstrip("%")) < 100


def test_two_corpora_become_tables_of_several_labels(tmp_path: Path) -> None:
    for part, name in (("train", "train.csv.gz"), ("dev", "dev.csv"), ("test", "test.csv")):
        opened = gzip.open if name.endswith(".gz") else open
        with opened(tmp_path / name, "wt", encoding="utf-8") as file:
            file.write(f"text,label,cat\n很好{part},1,水果\n不好,0,书籍\n")
    assert multilabel.online_shopping(tmp_path)["train"] == [
        ("很好train", ("水果", "好评")),
        ("不好", ("书籍", "差评")),
    ]
    for part in ("train", "dev"):
        (tmp_path / f"{part}.txt").write_text("昆\tB-地\n明\tI-地\n王\tB-人\n\n好\tO\n\n" * 10, encoding="utf-8")
    found = multilabel.cluener(tmp_path)
    assert {name: len(rows) for name, rows in found.items()} == {"train": 18, "dev": 2, "test": 20}
    assert set(found["test"]) == {("昆明王", ("人", "地")), ("好", ())}


def test_a_row_of_several_labels_is_the_mean_over_seeds() -> None:
    def one(value: float) -> dict[str, object]:
        scores = dict.fromkeys(multilabel.SHOWN, value)
        return {"row": "cluener", "parts": {"test": {"zhpipe": scores, "majority": scores}}}

    lines = multilabel.markdown([one(0.8), one(0.9)], "test").splitlines()
    assert cells(lines[2]) == ["cluener, zhpipe", *["85.0 ± 7.1"] * 5] and len(lines) == 4


def test_defaults_are_judged_on_rows_that_nothing_was_chosen_on(tmp_path):
    for part, rows in (("train", mails(60)), ("dev", mails(30, seed=7))):
        write_csv(tmp_path / f"{part}.csv", [(label, text) for label, text in rows], header=("label", "text"))
    quick = ("train.epochs=1", "network.units=4", "embed.vector_size=6", "embed.epochs=1")
    job = defaults.Job(tmp_path, 40, 1, quick)
    found = defaults.run(job, tmp_path / "runs")
    run = tmp_path / "runs" / f"{tmp_path.name}-40-1"
    report = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert report["counts"]["scored"] == 30 and report["counts"]["scored_dev"] == 4
    part = "test_without_leaked" if report.get("test_without_leaked") else "test"
    assert found["model"] == report[part]["accuracy"] and found["share"] == found["parts"]["weights"]["network"]
    shown = defaults.markdown([found, {**found, "model": found["model"] - 0.5}])
    assert f"| {tmp_path.name}, 40 | 2 |" in shown


def test_a_tuned_config_keeps_its_network_and_leaves_its_files(tmp_path):
    job = defaults.Job(tmp_path, 300, 2, (), Path("configs/waimai_10k.toml").resolve())
    made, tuned = (tomllib.loads(text) for text in (defaults._toml(job), job.config.read_text(encoding="utf-8")))
    assert made["network"] == tuned["network"] and made["train"] == tuned["train"]
    assert "train" not in made["corpus"] and made["name"].endswith("-300-2") and "waimai_10k.toml" in job.row


@pytest.mark.parametrize("has_dev", [True, False])
def test_a_sample_of_sentences_shares_none_with_those_that_judge(tmp_path, has_dev):
    sentences = [f"{mark}\tO\n好\tO\n\n" for mark in map(chr, range(0x4E00, 0x4E00 + 40))]
    (tmp_path / "train.conll.gz").write_bytes(gzip.compress("".join(sentences[:30]).encode()))
    (tmp_path / "dev.conll").write_text("".join(sentences[30:]), encoding="utf-8")
    config = tmp_path / "c.toml"
    dev = 'dev = "data/dev.conll"\n' if has_dev else ""
    config.write_text(f'[corpus]\ntrain = "data/train.conll.gz"\n{dev}[tag]\nkind = "entities"', encoding="utf-8")
    made = tomllib.loads(tagger_defaults._toml(tagger_defaults.Job(config, tmp_path, 8, 1), tmp_path))
    files = {part: Path(made["corpus"][part]).read_text(encoding="utf-8") for part in ("train", "test")}
    found = {part: [f"{block}\n\n" for block in text.split("\n\n") if block] for part, text in files.items()}
    assert len(found["train"]) == 8 and set(found["train"]) <= set(sentences[:30])
    assert set(found["test"]) == set(sentences[30:]) if has_dev else len(found["test"]) == 3
    assert not set(found["train"]) & set(found["test"])
    assert made["tag"] == {"kind": "entities"} and "network" not in made
