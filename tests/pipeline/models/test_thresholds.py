"""Confidence in labelling: rows to review, precision to expect, and a word where the input looks foreign."""

import csv
import subprocess
import sys
from contextlib import contextmanager

import pytest
from mini import mails, python, write_csv

import pipeline
from pipeline.__main__ import main
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.calibration import Point
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.models import drift, thresholds
from pipeline.models.model import Model

KNOWN = {"length": {"low": 3.0, "middle": 6.0, "high": 12.0}, "unknown": 0.05, "labels": {"好": 0.5, "坏": 0.5}}


def counts(**changed):
    values = {
        "texts": 10,
        "tokens": 60,
        "unknown": 3,
        "claims": 200,
        "confidence": 180.0,
        "label:好": 100,
        "label:坏": 100,
    }
    return values | changed


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_to_review_are_those_below_the_threshold_as_written(trained, tmp_path):
    source = write_csv(tmp_path / "in.csv", [*mails(60, seed=5), ("", " ")])
    confidences = sorted(
        float(row.score) for row in pipeline.load(trained("gru")).predict([t for _, t in mails(60, seed=5)])
    )
    threshold = float(f"{confidences[20]:.4f}")
    done = label_file(trained("gru"), source, tmp_path / "out.csv", text="正文", review_below=threshold)
    rows = rows_of(tmp_path / "out.csv")
    assert list(rows[0]) == ["类别", "正文", "label", "confidence", "needs_review"]
    assert all(row["needs_review"] == str(float(row["confidence"]) < threshold).lower() for row in rows[:-1])
    assert rows[-1]["needs_review"] == ""
    assert done.needs_review == sum(row["needs_review"] == "true" for row in rows) > 10
    assert done.expected_right == pytest.approx(sum(float(row["confidence"]) for row in rows[:-1]) / 60, abs=1e-4)
    plain = label_file(trained("gru"), source, tmp_path / "plain.csv", text="正文")
    assert (plain.expected_right, plain.needs_review) == (done.expected_right, 0)
    assert [row["label"] for row in rows_of(tmp_path / "plain.csv")] == [row["label"] for row in rows]


def test_what_is_counted_survives_an_interruption_and_does_not_depend_on_the_workers(trained, tmp_path):
    limits = Limits(chunk_rows=16, commit_seconds=0.0)
    source = write_csv(tmp_path / "in.csv", mails(100, seed=6))
    arguments = {"text": "正文", "review_below": 0.6, "limits": limits}
    whole = label_file(trained("gru"), source, tmp_path / "whole.csv", **arguments)

    @contextmanager
    def failing(what, *, total, unit):
        rows = []

        def advance(done, note=""):
            rows.append(done)
            if sum(rows) > 48:
                raise OSError(28, "No space left on device")

        yield advance

    with pytest.raises(OSError, match="No space"):
        label_file(trained("gru"), source, tmp_path / "out.csv", progress=failing, **arguments)
    with pytest.raises(PipelineError, match="since then --review-below changed"):
        label_file(trained("gru"), source, tmp_path / "out.csv", **{**arguments, "review_below": 0.7})
    resumed = label_file(trained("gru"), source, tmp_path / "out.csv", **arguments)
    assert resumed.resumed == 48 and (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert resumed.needs_review == whole.needs_review and resumed.warnings == whole.warnings
    assert resumed.expected_right == pytest.approx(whole.expected_right)


def test_confidence_is_at_the_temperature_of_the_folder(trained):
    model = pipeline.load(trained("gru"))
    temperature = model.about["options"]["temperature"]
    assert temperature == model.answerer.temperature != 1.0
    texts = [model.tokenise(text) for _, text in mails(20, seed=4)]
    plain, scaled = model.predict_tokens_at(texts, (1.0, temperature))
    assert scaled == model.predict_tokens(texts)
    for before, after in zip(plain, scaled, strict=True):
        powers = [share ** (1 / temperature) for share in before.distribution]
        assert after.value == before.value
        assert after.score == pytest.approx(max(powers) / sum(powers))


def test_familiar_texts_pass_in_silence_and_others_are_told_with_figures():
    assert drift.warnings(counts(), KNOWN) == [] == drift.warnings(counts(unknown=30), {})
    assert drift.warnings({}, KNOWN) == []
    assert drift.warnings(counts(unknown=30), KNOWN) == ["50.0% of the tokens are unknown (5.0% on dev)"]
    assert (
        "20.0 tokens on average (nine in ten training texts have 3 to 12)"
        in (drift.warnings(counts(tokens=200), KNOWN)[0])
    )
    skewed = counts(**{"label:好": 190, "label:坏": 10})
    assert drift.warnings(skewed, KNOWN) == ["95.0% get the label 好 (50.0% on dev)"]
    assert drift.warnings({**skewed, "claims": 99}, KNOWN) == []


def test_tokens_are_counted_as_the_network_reads_them(trained):
    model = pipeline.load(trained("gru"))
    texts = [model.tokenise(text) for text in ("会议明天龘龘", " ", "恭喜")]
    claims = [claim for found in model.predict_tokens(texts) for claim in model.answerer.claims(found)]
    found = drift.tally(model.encoder, texts, claims, [claim.label for claim in claims])
    vocabulary = model.encoder.vocabularies["word"]
    tokens = [token for text in texts for token in text.tokens]
    assert (found["texts"], found["claims"], found["tokens"]) == (2, 2, len(tokens))
    assert found["unknown"] == sum(token not in vocabulary for token in tokens) > 0
    assert drift.added(found, found) == {key: 2 * value for key, value in found.items()}


def test_the_command_promises_and_refuses(trained, tmp_path):
    write_csv(tmp_path / "in.csv", [("", "龘靐齉爩" * 30)] * 5)
    run = trained("gru")
    ran = python(
        "-m",
        "pipeline",
        "label",
        run,
        "in.csv",
        "out.csv",
        "--text",
        "正文",
        "--target-precision",
        "0",
        folder=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    assert "expected right" in ran.stdout and "need review" in ran.stdout
    assert "needs_review below 0.0000: on dev" in ran.stderr
    assert "looks unlike the training data" in ran.stderr and "% of the tokens are unknown" in ran.stderr
    ran = python(
        "-m",
        "pipeline",
        "label",
        run,
        "in.csv",
        "b.csv",
        "--text",
        "正文",
        "--target-precision",
        "0.999",
        folder=tmp_path,
    )
    assert ran.returncode == 2 and "no threshold promises a precision of 0.999" in ran.stderr
    assert not (tmp_path / "b.csv").exists()
    both = ["--target-precision", "0.5", "--review-below", "0.5"]
    ran = python("-m", "pipeline", "label", run, "in.csv", "b.csv", "--text", "正文", *both, folder=tmp_path)
    assert ran.returncode == 2 and "pass one of them" in ran.stderr


def test_a_promised_precision_loads_the_model_once(trained, tmp_path, monkeypatch):
    write_csv(tmp_path / "in.csv", mails(5))
    loaded, load = [], Model.load.__func__
    counting = classmethod(lambda cls, folder, **options: loaded.append(folder) or load(cls, folder, **options))
    monkeypatch.setattr(Model, "load", counting)
    options = ["--text", "正文", "--target-precision", "0", "--workers", "1"]
    with pytest.raises(SystemExit) as ended:
        main(["label", str(trained("gru")), str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), *options])
    assert ended.value.code == 0 and len(loaded) == 1


def test_a_temperature_costs_no_heavy_library(trained, tmp_path):
    script = (
        "import sys, pipeline; pipeline.load(sys.argv[1]).predict(['会议']);"
        "print(sorted({'scipy', 'sklearn', 'matplotlib', 'jinja2', 'keras'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(trained("gru"))], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_a_model_that_found_nothing_on_dev_promises_nothing(tmp_path):
    thresholds.write(tmp_path, [Point(0.0, 0, 0, 0.0)])
    assert thresholds.coverage(thresholds.read(tmp_path)[0], thresholds.read(tmp_path)) == 0
    for target in (0.0, 0.5):
        with pytest.raises(PipelineError, match="the best that 0 entities of dev support"):
            thresholds.threshold(tmp_path, target, "entities")
