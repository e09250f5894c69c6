"""Page: the trials of a search, their scores, and the settings that mattered, as JSON and as HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.evaluation.report import charts, frame
from pipeline.evaluation.report.summary import percent, signed
from pipeline.evaluation.report.translations import Locale, Translate, translator

if TYPE_CHECKING:
    from pipeline.tuning.study import Trial

FORMAT_VERSION = 1
MOST_CHARTS = 10  # settings with a chart of their own, the most important first
ENOUGH = 10  # finished trials from which the importance of a setting says something


def document(
    name: str,
    metric: str,
    trials: Sequence[Trial],
    best: Trial,
    importance: Mapping[str, float],
    *,
    wanted: int,
    configured: Mapping[str, Any],
    chosen: Mapping[str, Any],
    test: Mapping[str, Any] | None,
    made: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of tune.json, in JSON's types.

    `wanted`: the number of trials asked for; `configured` and `chosen`: the searched settings in the config and in the
    best trial; `test`: the test scores of the best config, once it was run. A trial's `epochs`
    are its dev metrics.
    """
    return {
        "format_version": FORMAT_VERSION,
        "name": name,
        "metric": metric,
        "wanted": wanted,
        "best": best.number,
        "configured": dict(configured),
        "chosen": dict(chosen),
        "importance": dict(importance),
        "test": None if test is None else dict(test),
        "trials": [{**asdict(trial), "epochs": list(trial.epochs)} for trial in trials],
        "made": dict(made),
    }


def render(found: Mapping[str, Any], language: Locale = "en") -> str:
    """The HTML page of what `document` returns."""
    from markupsafe import Markup

    _ = translator(language)
    finished = sum(trial["state"] in ("complete", "pruned") for trial in found["trials"])
    importance = found["importance"] if finished >= ENOUGH else {}
    names = sorted(found["chosen"], key=lambda name: -importance.get(name, 0.0))
    drawn = [_history(found, _), *(_scatter(found, name, _) for name in names[:MOST_CHARTS])]
    return frame.template("tuning.html", language).render(
        found=found,
        title=_("{name}: a search for better settings", name=found["name"]),
        said=sentences(found, _),
        names=names,
        importance=importance,
        enough=ENOUGH,
        value_of=lambda trial, name: _value_of(found, trial, name),
        charts=[Markup(chart) for chart in drawn if chart],
        shown=lambda value: _value(found, value),
        setting=_setting,
        **frame.script(),
    )


def sentences(found: Mapping[str, Any], _: Translate) -> list[str]:
    """The result in sentences."""
    trials = {trial["number"]: trial for trial in found["trials"]}
    best = trials[found["best"]]
    states = [trial["state"] for trial in found["trials"]]
    done = states.count("complete") + states.count("pruned")
    result = [
        _(
            "After {done} of {wanted} trials, {pruned} of them stopped early, trial {number} is the best: {metric} on "
            "dev is {value}.",
            done=done,
            wanted=max(found["wanted"], done),  # an earlier search may have asked for more
            pruned=states.count("pruned"),
            number=best["number"],
            metric=found["metric"],
            value=_value(found, best["value"]),
        )
    ]
    before = next((trial for trial in found["trials"] if trial["as_configured"] and trial["value"] is not None), None)
    if before is not None:
        difference = best["value"] - before["value"]
        result.append(
            _(
                "The config as it stands has {value} ({difference}).",
                value=_value(found, before["value"]),
                difference=f"{difference:+.4f}" if found["metric"] == "loss" else signed(difference),
            )
        )
    if found["test"]:
        shown = _shown_scores(found["test"])
        scores = ", ".join(f"{name.replace('_', ' ')} {_score(name, value)}" for name, value in shown)
        result.append(_("On test, which was looked at once, at the end: {scores}.", scores=scores))
    else:
        result.append(_("Test has not been looked at."))
    return result


def _shown_scores(test: Mapping[str, Any]) -> list[tuple[str, float]]:
    names = ("accuracy", "f1", "macro_f1", "perplexity", "bits_per_character")
    return [(name, test[name]) for name in names if name in test]


def _score(name: str, value: float) -> str:
    return f"{value:.3f}" if name in ("perplexity", "bits_per_character") else percent(value)


def _value(found: Mapping[str, Any], value: float | None) -> str:
    """A dev metric as text."""
    return "–" if value is None else f"{value:.4f}" if found["metric"] == "loss" else percent(value)


def _setting(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def _history(found: Mapping[str, Any], _: Translate) -> str:
    """A chart of the metric of each trial, and the best so far."""
    by_state = {state: [one for one in _measured(found) if one["state"] == state] for state in ("complete", "pruned")}
    better = min if found["metric"] == "loss" else max
    numbers: list[int] = []
    reached: list[float] = []
    for trial in by_state["complete"]:
        numbers.append(trial["number"])
        reached.append(better([trial["value"], *reached[-1:]]))
    series = {_(state): _points(trials) for state, trials in by_state.items() if trials}
    series[_("best so far")] = (numbers, reached)
    apart = {_("complete"), _("pruned")}
    return charts.lines(_("trials"), series, (_("trial"), found["metric"]), whole_numbers=True, apart=apart)


def _scatter(found: Mapping[str, Any], name: str, _: Translate) -> str:
    """A chart of the metric against the values of a setting, "" if no trial set it; listed values are categories."""
    searched = found["made"].get("config", {}).get("tune", {}).get("ranges", {}).get(name, {})
    trials = _measured(found)
    values = [_value_of(found, one, name) for one in trials]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    order: list[str] | None = None
    if isinstance(searched, list) or not numeric:
        order = list(dict.fromkeys(map(_setting, (*(searched if isinstance(searched, list) else ()), *values))))
    series = {}
    for state in ("complete", "pruned"):
        chosen = [place for place, one in enumerate(trials) if one["state"] == state]
        if chosen:
            across = [values[place] if order is None else _setting(values[place]) for place in chosen]
            series[_(state)] = (across, [trials[place]["value"] for place in chosen])
    if not any(name in one["overrides"] for one in trials):
        return ""
    logarithmic = isinstance(searched, Mapping) and bool(searched.get("log"))
    titles = (name, found["metric"])
    return charts.lines(name, series, titles, _, logarithmic=logarithmic, apart=set(series), categories=order)


def _value_of(found: Mapping[str, Any], trial: Mapping[str, Any], name: str) -> Any:
    """The value that a setting had in a trial: its own, or that of the config."""
    return trial["overrides"].get(name, found["configured"].get(name))


def _measured(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in found["trials"] if one["value"] is not None]


def _points(trials: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[float]]:
    return [one["number"] for one in trials], [one["value"] for one in trials]
