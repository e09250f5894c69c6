"""The benchmarks of language models run on the sample and count what they say they count."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import language, language_speed, records
from benchmarks.language import Language
from pipeline.encoding.batch import NO_TARGET, Example

ROOT = Path(__file__).resolve().parents[3]
PROSE = ROOT / "corpora" / "samples" / "prose.txt"


def scores(value):
    return {"rows": 10, "tokens": 90, "perplexity": value, "bits_per_token": 7.0, "bits_per_character": 7.1}


def record(row, perplexity, kneser_ney):
    return {
        "row": row,
        "part": "test",
        "scores": scores(perplexity),
        "baselines": {"kneser_ney": scores(kneser_ney), "unigram": scores(600.0)},
        "seconds": 10.0,
        "tokens_per_second": 5000.0,
        "epochs": [2, 3],
    }


def test_a_row_is_the_mean_over_seeds_beside_the_n_grams():
    lines = language.markdown([record("lstm", 90.0, 125.0), record("lstm", 110.0, 125.0), record("gru", 80.0, 100.0)])
    assert lines.splitlines()[2:] == [
        "| lstm | test | 2 | 100.00 ± 14.14 | 7.100 ± 0.000 | 125.00 | 600.00 | 20.0 | 2 of 3, 2 of 3 | 5,000 | 10 |",
        "| gru | test | 1 | 80.00 | 7.100 | 100.00 | 600.00 | 20.0 | 2 of 3 | 5,000 | 10 |",
    ]


@pytest.mark.slow
def test_a_run_gives_perplexities_and_is_kept(tmp_path):
    config = (ROOT / "configs" / "sample-language.toml").read_text(encoding="utf-8")
    (tmp_path / "few.toml").write_text(config.replace("../corpora/samples/prose.txt", "prose.txt"), encoding="utf-8")
    lines = PROSE.read_text(encoding="utf-8").splitlines()[:60]
    (tmp_path / "prose.txt").write_text("\n".join(lines), encoding="utf-8")
    small = ("network.units=4", "embed.vector_size=4", "train.epochs=1", "network.cell=rnn", "language.sampled=20")
    jobs = [Language("cells", "rnn", tmp_path / "few.toml", tmp_path, 1, small)]
    [found] = records.perform(jobs, tmp_path / "records.jsonl", language.run)
    assert set(found["baselines"]) == {"kneser_ney", "unigram"} and found["scores"]["perplexity"] > 1
    json.dumps(found)
    assert records.perform(jobs, tmp_path / "records.jsonl", lambda job: pytest.fail("it is done")) == [found]


def test_training_speed_of_every_loop():
    pytest.importorskip("torch")
    script = [sys.executable, "-m", "benchmarks.language_speed", str(PROSE), "--cell", "lstm", "--sampled", "20"]
    small = ["--rows", "24", "--units", "4", "--repeats", "1", "--batch-size", "8", "--window", "9"]
    done = subprocess.run([*script, *small], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    loops = ["zhpipe", "zhpipe, sampled", "PyTorch", "PyTorch, our windows"]
    assert re.findall(r"^\| lstm \| ([^|]+) \|", done.stdout, re.M) == loops


@pytest.mark.parametrize("texts", [language_speed._stream, language_speed._windowed])
def test_every_loop_reads_what_it_should(texts):
    pytest.importorskip("torch")
    rows = [np.arange(start, start + length, dtype=np.int32) for start, length in ((10, 7), (30, 3), (50, 12), (70, 2))]
    epoch = texts([Example({"char": row[:-1]}, target=row[1:]) for row in rows], 2, 4)
    read, targets, begins = zip(*epoch(), strict=True)
    assert begins[0] and not all(begins)
    assert all(part.shape == other.shape and len(part) == 2 for part, other in zip(read, targets, strict=True))
    pairs = [
        (int(one), int(other))
        for part, following in zip(read, targets, strict=True)
        for one, other in zip(part.flatten(), following.flatten(), strict=True)
        if other != NO_TARGET
    ]
    assert all(other == one + 1 for one, other in pairs)
    every = sum(len(row) - 1 for row in rows)
    assert len(pairs) == len(set(pairs)) and len(pairs) in (every, every - every % 2)
