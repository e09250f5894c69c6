"""A tagger's confidence: its temperature against every sequence there is, what dev bears out, and rows to review."""

import csv
import itertools
import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from mini import python, write_csv
from random_tagger import TOKENS, make_answerer, make_tagger
from seals import seal

from pipeline.errors import PipelineError
from pipeline.evaluation.metrics import calibration
from pipeline.jobs.label import label_file
from pipeline.models import thresholds
from pipeline.models.model import Model
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tasks.tag.scores import window_scores

CHARACTERS = TOKENS["char"][:12]


def texts(count=30, longest=40, seed=1):
    generator = random.Random(seed)
    return ["".join(generator.choices(CHARACTERS, k=generator.randint(1, longest))) for _ in range(count)]


def spoilt(lines, names, seed=1):
    """Lines of tags, in which one tag in eight is random."""
    generator = random.Random(seed)
    return [[tag if generator.random() < 0.875 else generator.choice(names) for tag in line] for line in lines]


def of_all_sequences(decoder, scores, factor):
    """The probability of each stretch's tags, by adding up the probabilities of every sequence at a temperature."""
    steps, count = scores.shape
    found = decoder.decode(scores[None], np.array([steps]))[0]
    local = decoder.scored_spans(scores[None], np.array([steps])).scores[0]
    chain, logs = decoder.chain, {}
    for path in itertools.product(range(count), repeat=steps):
        between = sum(chain.transitions[pair] for pair in itertools.pairwise(path))
        emitted = sum(local[step, tag] for step, tag in enumerate(path))
        logs[path] = float(chain.start[path[0]] + between + emitted + chain.end[path[-1]]) / factor
    shift = max(logs.values())
    weights = {path: math.exp(value - shift) for path, value in logs.items()}
    total = sum(weights.values())
    return [
        sum(value for path, value in weights.items() if list(path[start:stop]) == found.ids[start:stop]) / total
        for start, stop, _, _ in found.spans
    ]


@pytest.mark.parametrize("decode", ["greedy", "maxent", "crf"])
def test_a_temperature_changes_how_sure_a_tagger_is_and_no_tag(decode):
    decoder = make_answerer("entities", decode=decode, seed=3).decoder
    cooler, generator = replace(decoder, temperature=0.4), np.random.default_rng(5)
    for steps in (1, 3, 4):
        scores = generator.normal(0, 1.5, (steps, len(decoder.tagset.labels))).astype(np.float32)
        one, other = (each.decode(scores[None], np.array([steps]))[0] for each in (decoder, cooler))
        assert one.ids == other.ids
        sure = [stretch[3] for stretch in other.spans]
        assert sure == pytest.approx(of_all_sequences(decoder, scores, 0.4), abs=1e-6)
        asserted = decoder.scored_spans(scores[None], np.array([steps]))
        assert asserted.confidences(0.4).tolist() == pytest.approx(sure)
        assert asserted.confidences(1.0).tolist() == pytest.approx([stretch[3] for stretch in one.spans])


def test_a_long_text_is_as_sure_as_its_parts_are(tmp_path):
    make_tagger(tmp_path / "model")
    model = Model.load(tmp_path / "model")
    decoder, tokens = replace(model.answerer.decoder, temperature=2.0), model.tokenise("去滨江步道骑车，" * 400)
    scores = window_scores(model.network, model.encoder, tokens, len(model.labels))
    long = decoder.decode_long(scores)
    whole = decoder.decode(scores[None], np.array([len(scores)]))[0]
    assert len(scores) > 2048 and long.ids == whole.ids
    assert [one[3] for one in long.spans] == pytest.approx([one[3] for one in whole.spans], abs=1e-6)
    assert long.log_probability == pytest.approx(whole.log_probability, rel=1e-6)


@pytest.mark.parametrize("kind", ["entities", "words", "joint", "pos"])
def test_the_temperature_is_the_one_that_dev_fits_best(kind, tmp_path):
    make_tagger(tmp_path / "model", kind)
    model = Model.load(tmp_path / "model")
    asked = model.tokenise_all(texts())
    golds = spoilt([found.raw_tags for found in model.predict_tokens(asked)], model.labels.names)
    fitted, about, points = model.answerer.calibrated(model.network, model.encoder, asked, golds)
    assert fitted.temperature != 1.0 and "temperature" not in about
    before, after = model.predict_tokens_at(asked, (1.0, fitted.temperature))
    assert after == fitted.predict(model.network, model.encoder, asked)
    assert [found.raw_tags for found in before] == [found.raw_tags for found in after]

    def loss(temperature):
        [found] = model.predict_tokens_at(asked, (temperature,))
        sure = [claim.confidence for one in found for claim in model.answerer.claims(one)]
        chance = np.clip(sure, 1e-12, 1 - 1e-12)
        return -(target * np.log(chance) + (1 - target) * np.log1p(-chance)).mean()

    right = np.array(right_claims(model, before, golds))
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    assert loss(fitted.temperature) < min(loss(fitted.temperature * 0.93), loss(fitted.temperature * 1.07))
    sure = [claim.confidence for found in after for claim in fitted.claims(found)]
    assert about["rows"] == len(right) == points[0].rows and points[0].right == right.sum()
    assert about["calibration_error"] == pytest.approx(calibration.calibration_error(sure, right), abs=1e-6)


def test_two_temperatures_cost_one_pass_of_the_network(tmp_path, monkeypatch):
    make_tagger(tmp_path / "model")
    model = Model.load(tmp_path / "model")
    asked, batches = model.tokenise_all([*texts(), "去滨江步道骑车，" * 30]), []
    scores = OnnxNetwork.scores
    monkeypatch.setattr(OnnxNetwork, "scores", lambda network, batch: batches.append(batch) or scores(network, batch))
    model.predict_tokens_at(asked, (1.0,))
    once = len(batches)
    cool, plain = model.predict_tokens_at(asked, (0.5, 1.0))
    assert len(batches) == 2 * once > 0
    assert [one.raw_tags for one in cool] == [one.raw_tags for one in plain] and cool != plain


def right_claims(model, answers, golds):
    """Whether each entity or word is exactly a gold one, by the letters of BMES, or by the tag of its token."""
    found = []
    for answer, gold in zip(answers, golds, strict=True):
        if model.answerer.options.kind == "pos":
            found += [one == other for one, other in zip(gold, answer.raw_tags, strict=True)]
        else:
            kept, told = stretches(gold), stretches(answer.raw_tags)
            found += [span in kept for span in told]
    return found


def stretches(tags):
    """(start, stop, type) as any sequence is read: a stretch ends where another begins or is another's."""
    found = []
    for place, tag in enumerate(tags):
        letter, _, type_ = tag.partition("-")
        goes_on = (
            found and letter in "ME" and found[-1][1] == place and tags[place - 1][0] in "BM" and found[-1][2] == type_
        )
        if letter == "O":
            continue
        if goes_on:
            found[-1] = (found[-1][0], place + 1, type_)
        else:
            found.append((place, place + 1, type_))
    return found


def test_a_dev_without_entities_leaves_the_temperature_as_it_is(tmp_path):
    make_tagger(tmp_path / "model")
    model = Model.load(tmp_path / "model")
    fitted, about, points = model.answerer.calibrated(model.network, model.encoder, [], [])
    assert (fitted.temperature, about, points[0].rows) == (1.0, {"rows": 0}, 0)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A tagger's folder with confidence.csv, of points that a dev might give."""
    folder = tmp_path_factory.mktemp("calibrated") / "model"
    make_tagger(folder)
    thresholds.write(folder, calibration.coverage([0.9] * 300 + [0.3] * 100, [True] * 298 + [False] * 102))
    seal(folder)
    return folder


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_reviewed_by_their_least_sure_entity_and_entities_by_themselves(calibrated, tmp_path):
    source = write_csv(tmp_path / "in.csv", [*([text] for text in texts(40)), [" "]], header=("正文",))
    done = label_file(calibrated, source, tmp_path / "out.csv", text="正文", review_below=0.6)
    rows = rows_of(tmp_path / "out.csv")
    sure = [[one["confidence"] for one in json.loads(row["entities"])] for row in rows[:-1]]
    assert [row["needs_review"] for row in rows[:-1]] == [str(any(one < 0.6 for one in row)).lower() for row in sure]
    assert rows[-1]["needs_review"] == ""
    assert done.needs_review == sum(row["needs_review"] == "true" for row in rows) > 0
    every = [one for row in sure for one in row]
    assert (done.claims, done.claimed) == (len(every), ("entity", "entities"))
    assert done.expected_right == pytest.approx(sum(every) / len(every), abs=1e-4)
    long = label_file(calibrated, source, tmp_path / "long.csv", text="正文", review_below=0.6, layout="long")
    found = rows_of(tmp_path / "long.csv")
    assert list(found[0]) == ["row", "text", "type", "start", "end", "confidence", "needs_review"]
    assert [row["needs_review"] for row in found] == [str(float(row["confidence"]) < 0.6).lower() for row in found]
    assert (long.needs_review, long.expected_right) == (done.needs_review, done.expected_right)
    several = label_file(calibrated, source, tmp_path / "n.csv", text="正文", review_below=0.6, n_best=2)
    again = rows_of(tmp_path / "n.csv")
    assert list(again[0])[-2:] == ["needs_review", "alternatives"] and several.needs_review == done.needs_review
    assert [row["needs_review"] for row in again] == [row["needs_review"] for row in rows]


def test_a_layout_without_a_place_for_it_is_refused(calibrated, tmp_path):
    source = write_csv(tmp_path / "in.csv", [["去骑车"]], header=("正文",))
    with pytest.raises(PipelineError, match="--layout conll has no place for: choose table or long"):
        label_file(calibrated, source, tmp_path / "out.conll", text="正文", review_below=0.6, layout="conll")


def test_the_command_says_what_one_row_and_one_entity_are(calibrated, tmp_path):
    write_csv(tmp_path / "in.csv", [["去滨江步道骑车"]], header=("正文",))
    command = ["-m", "pipeline", "label", calibrated, "in.csv", "out.csv", "--text", "正文"]
    ran = python(*command, "--target-precision", "0.97", folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "needs_review below 0.9000: on dev 300 of 400 entities (75.0%) reached it, and 99.3% of them" in ran.stderr
    first, second = ran.stdout.splitlines()
    assert first.startswith("1 row: 1 labelled, 0 blank; ")
    [row] = rows_of(tmp_path / "out.csv")
    found = json.loads(row["entities"])
    said = "1 entity" if len(found) == 1 else f"{len(found)} entities"
    assert f"% of {said}; " in second and second.endswith(("1 row needs review", "0 rows need review"))
