"""The page of a search: the value of each setting in each trial, listed values as categories, importance in time."""

import re

import pytest
from page_parser import Page

from pipeline.tuning import page


def trial(number, value, state="complete", **overrides):
    return {
        "number": number,
        "value": value,
        "state": state,
        "as_configured": number == 0,
        "note": "",
        "epochs": [value],
        "seconds": 1.0,
        "overrides": {name.replace("__", "."): chosen for name, chosen in overrides.items()},
    }


def search(trials, importance=None):
    names = ("network.units", "train.learning_rate", "network.cell")
    ranges = {
        "network.units": [16, 64, 256],
        "train.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "network.cell": ["gru", "lstm"],
    }
    configured = {"network.units": 64, "train.learning_rate": 0.01, "network.cell": "gru"}
    return {
        "format_version": 1,
        "name": "mini",
        "metric": "accuracy",
        "wanted": len(trials),
        "best": 1,
        "configured": configured,
        "chosen": configured | {"network.units": 256},
        "importance": importance or dict.fromkeys(names, 1 / 3),
        "test": None,
        "trials": trials,
        "made": {"config": {"tune": {"ranges": ranges}}},
    }


def some(count):
    others = [trial(number, 0.5 + number / 100, network__units=(16, 256)[number % 2]) for number in range(1, count)]
    return [trial(0, 0.5), *others]


def rows(source):
    found = re.findall(
        r"<tr[^>]*>(.*?)</tr>", source.split('<section id="trials">')[1].split("</section>")[0], re.DOTALL
    )
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in re.split(r"</t[hd]>", row)[:-1]] for row in found]


def test_a_trial_that_left_a_setting_alone_shows_that_of_the_config():
    source = page.render(search(some(4)))
    heads, *shown = rows(source)
    units, rate, cell = (heads.index(name) for name in ("network.units", "train.learning_rate", "network.cell"))
    assert [row[units] for row in shown] == ["64", "256", "16", "256"]
    assert {row[rate] for row in shown} == {"0.01"} and {row[cell] for row in shown} == {"gru"}
    assert "–" not in {row[units] for row in shown}


def test_listed_values_are_categories_in_their_order():
    source = page.render(search(some(5)))
    assert source.count("<svg") == 2, "the history, and the one setting that trials set"
    chart = re.findall(r"<svg.*?</svg>", source, re.DOTALL)[1]
    assert "complete, network.units 64: 0.5</title>" in chart and "complete, network.units 256: 0.51</title>" in chart
    places = [
        float(re.search(rf'<text [^>]*?(?:x="([\d.]+)"|translate\(([\d.]+) )[^>]*>{name}</text>', chart)[1] or 0)
        for name in ("16", "64", "256")
    ]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], rel=0.05) and places[0] < places[1]


@pytest.mark.parametrize(("count", "told"), [(9, False), (10, True)])
def test_importance_is_told_from_ten_trials_on(count, told):
    words = "".join(Page(page.render(search(some(count)))).words)
    assert ("importance" in words) == told == ("PED-ANOVA" in words)
    assert ("from 10 finished trials on" in words) != told


def test_it_is_in_chinese_too():
    words = "".join(Page(page.render(search(some(3)), "zh")).words)
    assert "完成 10 次试验后" in words and "finished trials" not in words
