"""The bootstrap over texts, beside one that draws texts one by one."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.encoding.encoder import Tokenised
from pipeline.evaluation.metrics import bootstrap
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.spans import judged, tagging

GOLD = "B-地 E-地 O S-人"
SAID = (GOLD, "B-地 E-地 O O", "O O O S-人", "B-人 E-人 S-地 S-人")


def texts(answers):
    text = Tokenised("昆明有张", "昆明有张")
    return [Outcome.of_tags(row, text, GOLD.split(), said.split(), 0.9) for row, said in enumerate(answers, 1)]


def drawn(count, chances, seed):
    return np.random.default_rng(seed).choice(SAID, count, p=chances).tolist()


def test_intervals_are_those_of_texts_drawn_one_by_one():
    outcomes = texts(drawn(60, (0.6, 0.2, 0.1, 0.1), 1))
    found = bootstrap.intervals(judged(outcomes, "BMES"))
    generator, samples = np.random.default_rng(2), []
    for _ in range(400):
        scores = tagging([outcomes[place] for place in generator.integers(60, size=60)], "BMES")
        samples.append([*(scores[key] for key in ("precision", "recall", "f1")), scores["per_label"]["人"]["f1"]])
    low, high = np.percentile(samples, (2.5, 97.5), axis=0)
    shown = np.array([*(found[key] for key in ("precision", "recall", "f1")), found["per_label"]["人"]["f1"]])
    assert np.allclose(shown[:, 0], low, atol=0.03) and np.allclose(shown[:, 1], high, atol=0.03)
    whole = tagging(outcomes, "BMES")
    assert all(found[key][0] <= whole[key] <= found[key][1] for key in ("precision", "recall", "f1"))
    assert set(found["per_label"]) == {"地", "人"} and bootstrap.intervals([]) == {}


def test_two_taggers_differ_or_do_not():
    good, poor = (texts(drawn(200, chances, 3)) for chances in ((0.9, 0.1, 0, 0), (0.5, 0.2, 0.2, 0.1)))
    found = bootstrap.against(judged(good, "BMES"), judged(poor, "BMES"))
    expected = tagging(good, "BMES")["f1"] - tagging(poor, "BMES")["f1"]
    assert found["difference"] == pytest.approx(expected) and found["rows"] == 200
    assert found["interval"][0] < expected < found["interval"][1] and found["p"] < 0.01
    back = bootstrap.against(judged(poor, "BMES"), judged(good, "BMES"))
    assert back["difference"] == pytest.approx(-expected) and back["p"] < 0.01
    same = bootstrap.against(judged(good, "BMES"), judged([replace(one) for one in good], "BMES"))
    assert same == {"rows": 200, "difference": 0.0, "interval": [0.0, 0.0], "p": 1.0}


def test_chance_alone_is_rarely_taken_for_a_difference():
    pairs = [
        [judged(texts(drawn(80, (0.6, 0.2, 0.1, 0.1), 2 * n + side)), "BMES") for side in (0, 1)] for n in range(60)
    ]
    assert sum(bootstrap.against(*pair)["p"] < 0.05 for pair in pairs) <= 9
