"""The charts of a report as SVG: learning curves, scores side by side, reliability, coverage, the map of words."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import ScoredClaims, wilson
from pipeline.evaluation.report import drawing
from pipeline.evaluation.report.drawing import INK, LINE, SERIES, dress, is_drawn, marks, not_drawn, plain
from pipeline.evaluation.report.translations import ENGLISH, N_, Translate

_DASHES = ("-", "--", "-.", ":")
_IN_A_ROW = 3  # names in a line of the legend
# Titles of axes, by what has a confidence.
RIGHT = {"rows": N_("share of right rows"), "spans": N_("share of right spans")}
ACCEPTED = {"rows": N_("share of rows accepted"), "spans": N_("share of spans accepted")}
_NOT_SCORES = frozenset({"epoch", "seconds", "learning_rate"})


@dataclass(frozen=True, slots=True)
class Dot:
    """A value on the axis of a chart, as number and as `shown`, and the interval around it, if there is one."""

    name: str
    value: float
    shown: str
    interval: tuple[float, float] | None = None
    is_ours: bool = False


def learning_curve(history: Sequence[Mapping[str, Any]], _: Translate = ENGLISH) -> list[str]:
    """SVG elements of the losses and, if there are any, the dev scores after each epoch.

    `history` has a mapping for each epoch. Keys that end in `loss` are in the first chart; other numbers that stay
    between 0 and 1, except for the learning rate, are in the second one. None and NaN leave a gap.
    """
    epochs = [float(epoch.get("epoch", number)) for number, epoch in enumerate(history, start=1)]
    return [
        lines(
            title,
            {key.replace("_", " "): (epochs, _values(history, key)) for key in keys},
            (_("epoch"), ""),
            _,
            whole_numbers=True,
        )
        for title, keys in ((_("loss"), _losses(history)), (_("score on dev"), _dev_scores(history)))
        if keys
    ]


def reliability(trust: Mapping[str, Any], part: str, _: Translate = ENGLISH, of: str = "rows") -> str:
    """An SVG of the share of right claims in each bin against their mean confidence, with 95 % Wilson intervals.

    `trust`: a part of `calibration.measured`.
    """
    found = {_("calibrated"): trust["reliability"], _("uncalibrated"): trust["uncalibrated"]["reliability"]}
    series = {
        name: ([point["confidence"] for point in bins], [point["right"] for point in bins])
        for name, bins in found.items()
    }
    ours = trust["reliability"]
    bars = {_("calibrated"): [wilson(round(point["right"] * point["rows"]), point["rows"]) for point in ours]}
    said = {name: [_bin(name, point, of, _) for point in bins] for name, bins in found.items()}
    title = _("reliability on {part}", part=_(part))
    return lines(title, series, (_("confidence"), _(RIGHT[of])), _, diagonal=True, bars=bars, said=said)


def _bin(name: str, point: Mapping[str, Any], of: str, _: Translate) -> str:
    return _(
        "{name}: of {rows} {claims} with a confidence of {confidence} on average, {right} are right",
        name=name,
        rows=f"{point['rows']:,}",
        claims=_(of),
        confidence=f"{point['confidence']:.2f}",
        right=f"{100 * point['right']:.1f}%",
    )


def coverage(parts: Mapping[str, ScoredClaims], _: Translate = ENGLISH, of: str = "rows") -> str:
    """An SVG of the precision of the claims above each threshold against their share, a line for each part."""
    series, said = {}, {}
    for part, claims in parts.items():
        points = calibration.accepted(claims.confidences, claims.right, most=100)
        series[_(part)] = (
            [rows / len(claims) for _threshold, rows, _right in points],
            [right / rows for _threshold, rows, right in points],
        )
        said[_(part)] = [
            _(
                "{part}, from a confidence of {threshold}: {accepted} accepted, {right} of them right",
                part=_(part),
                threshold=f"{threshold:.4f}",
                accepted=f"{100 * rows / len(claims):.1f}%",
                right=f"{100 * right / rows:.1f}%",
            )
            for threshold, rows, right in points
        ]
    return lines(_("precision against coverage"), series, (_(ACCEPTED[of]), _("precision")), _, said=said)


def lines(
    title: str,
    series: Mapping[str, tuple[Sequence[Any], Sequence[float]]],
    axes_titles: tuple[str, str],
    _: Translate = ENGLISH,
    *,
    whole_numbers: bool = False,
    diagonal: bool = False,
    logarithmic: bool = False,
    apart: Collection[str] = (),
    bars: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    said: Mapping[str, Sequence[str]] | None = None,
    categories: Sequence[str] | None = None,
) -> str:
    """An SVG element with a line for each of `series`: name -> x and y values; names as x are categories.

    `axes_titles`: of the x and the y axis; `whole_numbers`, `logarithmic`: about the x axis; `diagonal`: draw the line
    from (0, 0) to (1, 1); `apart`: names of series whose points are not joined; `bars`: by name the interval of each
    point; `said`: by name what each point stands for, by default its x and y; `categories`: the names that the x values
    are among, in order.
    """
    if not drawing.can_draw():
        return not_drawn(title, _)
    readings = []
    with drawing.figure(title, 5, 3.1) as figure:
        axes = figure.add_subplot()
        if diagonal:
            axes.plot((0, 1), (0, 1), color=LINE, linewidth=1.5)
        if categories:
            axes.set_xticks(range(len(categories)), labels=[plain(one) for one in categories])
            axes.set_xlim(-0.5, len(categories) - 0.5)
        for number, (name, (across, up)) in enumerate(series.items()):
            places = [categories.index(one) for one in across] if categories else across
            _draw_line(axes, number, name, (places, up), name in apart, (bars or {}).get(name))
            default = [_reading(name, axes_titles[0], x, y) for x, y in zip(across, up, strict=True) if is_drawn(y)]
            readings.append((said or {}).get(name, default))
        if logarithmic:
            axes.set_xscale("log")
        dress(axes, title, axes_titles, whole_numbers)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(frameon=False, labelcolor=INK, loc="outside lower left", ncols=_IN_A_ROW, fontsize=10)
        return drawing.svg(figure, title, readings)


def _draw_line(
    axes: Any,
    number: int,
    name: str,
    points: tuple[Sequence[Any], Sequence[float]],
    is_apart: bool,
    bars: Sequence[tuple[float, float]] | None,
) -> None:
    """The points of the series `number`, joined unless they stand apart, each on its bar if there are bars."""
    colour = SERIES[number % len(SERIES)]
    if bars is not None:
        axes.vlines(points[0], *zip(*bars, strict=True), color=colour, linewidth=1, alpha=0.6)
    axes.plot(
        *points,
        label=name,
        color=colour,
        linestyle="" if is_apart else _DASHES[number // len(SERIES) % len(_DASHES)],
        marker="o",
        markersize=4 if is_apart else 3,
        gid=marks(number),
    )


def _reading(name: str, axis: str, across: object, up: float) -> str:
    place = f"{across:g}" if isinstance(across, int | float) else across
    return f"{name}, {axis} {place}: {up:.4g}" if axis else f"{name}: {up:.4g}"


def dots(
    title: str,
    found: Sequence[Dot],
    axis_title: str,
    _: Translate = ENGLISH,
    *,
    logarithmic: bool = False,
    zero: bool = False,
) -> str:
    """An SVG with a line for each of `found`, the first on top; `zero`: draw a line where the axis is 0."""
    if not drawing.can_draw():
        return not_drawn(title, _)
    names = [drawing.in_two_lines(dot.name) for dot in found]
    width, height = 5.2, (0.38 if any("\n" in name for name in names) else 0.3) * len(found) + 0.85
    with drawing.figure(title, width, height, laid_out=False, size=10) as figure:
        pieces = [piece for name in names for piece in name.split("\n")]
        left, right = (max(map(drawing.points, texts)) / 72 + 0.12 for texts in (pieces, [dot.shown for dot in found]))
        axes = figure.add_axes((left / width, 0.5 / height, 1 - (left + right) / width, 1 - 0.8 / height))
        if zero:
            axes.axvline(0, color=INK, linewidth=1)
        for place, dot in enumerate(found):
            colour = SERIES[0] if dot.is_ours else INK
            if dot.interval is not None:
                axes.plot(dot.interval, (place, place), color=colour, linewidth=1.5, solid_capstyle="round")
            axes.plot((dot.value,), (place,), color=colour, marker="o", markersize=6, linestyle="", gid=marks(place))
            axes.text(1.02, place, dot.shown, transform=axes.get_yaxis_transform(), color=INK, va="center")
        if logarithmic:
            drawing.logarithmic(axes)
        else:
            drawing.end_at_ticks(axes)
        dress(axes, title, (axis_title, ""))
        axes.set_yticks(range(len(found)), labels=names)
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.yaxis.grid(False)
        return drawing.svg(figure, title, [[f"{dot.name}: {dot.shown}"] for dot in found])


def _losses(history: Sequence[Mapping[str, Any]]) -> list[str]:
    return [key for key in _numeric(history) if key.endswith("loss")]


def _dev_scores(history: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = [key for key in _numeric(history) if not key.endswith("loss") and key not in _NOT_SCORES]
    return [key for key in keys if _is_share(history, key)]


def _is_share(history: Sequence[Mapping[str, Any]], key: str) -> bool:
    return all(0 <= value <= 1 for value in _values(history, key) if math.isfinite(value))


def _numeric(history: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = dict.fromkeys(key for epoch in history for key in epoch)
    return [key for key in keys if any(map(math.isfinite, _values(history, key)))]


def _values(history: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    values = (epoch.get(key) for epoch in history)
    return [
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan for value in values
    ]
