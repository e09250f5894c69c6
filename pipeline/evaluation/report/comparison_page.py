"""The page of a comparison: which run is better, their differences as a chart, and the rows on which they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluation.metrics.significance import SIGNIFICANT
from pipeline.evaluation.report import charts, frame
from pipeline.evaluation.report.charts import Dot
from pipeline.evaluation.report.comparison_kinds import Disagreement, Kind
from pipeline.evaluation.report.summary import p_value
from pipeline.evaluation.report.translations import Locale, Translate, translator

SHOWN = 200  # most disagreements on the page
CHARTED = 30  # most pairs in the chart


def render(found: Mapping[str, Any], kind: Kind, differing: Sequence[Disagreement], locale: Locale = "en") -> str:
    """The page of what `comparison.compare` returns; `differing`: the rows on which the systems differ."""
    from markupsafe import Markup

    _ = translator(locale)
    names = [system["name"] for system in found["systems"]]
    leader = best(found, kind)
    return frame.template("comparison.html", locale).render(
        found=found,
        kind=kind,
        names=names,
        differing=differing[:SHOWN],
        title=" / ".join(names),
        verdict=verdict(found, kind, _),
        standing="better" if leader else "open",
        leader=leader,
        chart=Markup(_pairs(found, kind, _)),
        **frame.script("texts.js"),
    )


def best(found: Mapping[str, Any], kind: Kind) -> str:
    """The name of the system that is significantly better than every other; "" if none is."""
    for system in found["systems"]:
        against = [_seen_from(pair, system["name"]) for pair in found["pairs"]]
        mine = [one for one in against if one is not None]
        if mine and all(one["p"] < SIGNIFICANT and kind.is_better(one["difference"]) for one in mine):
            return str(system["name"])
    return ""


def verdict(found: Mapping[str, Any], kind: Kind, _: Translate) -> str:
    """Which of two systems is better, or which of several; or that chance may explain their differences."""
    leader, names = best(found, kind), [system["name"] for system in found["systems"]]
    if not leader and len(names) == 2:
        [pair] = found["pairs"]
        return _(
            "{first} and {second} can't be told apart: {difference} {unit} (p {p}).",
            first=names[0],
            second=names[1],
            difference=kind.show_difference(pair["difference"]),
            unit=_(kind.unit),
            p=p_value(pair["p"]),
        )
    if not leader:
        return _("None of the {count} is better than all others: see each against each below.", count=len(names))
    against = [one for pair in found["pairs"] if (one := _seen_from(pair, leader)) is not None]
    nearest = min(against, key=lambda one: abs(one["difference"]))
    values = {
        "name": leader,
        "size": kind.show_difference(abs(nearest["difference"])).lstrip("+"),
        "unit": _(kind.unit),
        "p": p_value(nearest["p"]),
    }
    if len(names) == 2:
        return _("{name} is better by {size} {unit} (p {p}).", **values)
    return _(
        "{name} is the best: {size} {unit} ahead of {other}, the nearest (p {p}).", other=nearest["other"], **values
    )


def _seen_from(pair: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """A pair as the difference of the system `name` from the `other`; None if it is of two others."""
    if name not in (pair["first"], pair["second"]):
        return None
    turned = name != pair["first"]
    other = pair["first"] if turned else pair["second"]
    return {"other": other, "difference": -pair["difference"] if turned else pair["difference"], "p": pair["p"]}


def _pairs(found: Mapping[str, Any], kind: Kind, _: Translate) -> str:
    """A chart of the difference of each pair with its interval."""
    dots = [
        Dot(
            f"{pair['first']} − {pair['second']}",
            kind.scale * pair["difference"],
            kind.show_difference(pair["difference"]),
            (kind.scale * pair["interval"][0], kind.scale * pair["interval"][1]),
            is_ours=pair["p"] < SIGNIFICANT,
        )
        for pair in found["pairs"][:CHARTED]
    ]
    score = next(iter(found["scores"].values()))
    title = _("differences in {score}", score=_(score))
    return charts.dots(title, dots, _(kind.unit), _, zero=True)
