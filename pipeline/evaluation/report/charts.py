"""Charts as SVG to be included in a page: with the page's colours, text as text, and reproducible.

Where Matplotlib is not installed, a sentence takes the place of a chart.
"""

import io
import math
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline import extras
from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.report.translations import ENGLISH, N_, Translate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Matplotlib takes only colours: these are replaced by variables of the page's style sheet.
_INK, _LINE = "#010203", "#010204"
_SERIES = ("#010205", "#010206", "#010207", "#010208")
_VARIABLES = {_INK: "--ink-soft", _LINE: "--line"} | {
    stand_in: f"--series-{number}" for number, stand_in in enumerate(_SERIES, start=1)
}
_DASHES = ("-", "--", "-.", ":")
_IN_A_ROW = 3  # names in a line of the legend
# Titles of axes, by what has a confidence.
RIGHT = {"rows": N_("share of right rows"), "spans": N_("share of right spans")}
ACCEPTED = {"rows": N_("share of rows accepted"), "spans": N_("share of spans accepted")}
_NOT_SCORES = frozenset({"epoch", "seconds", "learning_rate"})


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
    """An SVG of the share of right claims against confidence; `trust`: a part of `calibration.measured`."""
    found = {_("calibrated"): trust["reliability"], _("uncalibrated"): trust["uncalibrated"]["reliability"]}
    series = {
        name: ([point["confidence"] for point in bins], [point["right"] for point in bins])
        for name, bins in found.items()
    }
    return lines(_("reliability on {part}", part=_(part)), series, (_("confidence"), _(RIGHT[of])), _, diagonal=True)


def coverage(parts: Mapping[str, ScoredClaims], _: Translate = ENGLISH, of: str = "rows") -> str:
    """An SVG of the precision of the claims above each threshold against their share, a line for each part."""
    series = {}
    for part, claims in parts.items():
        points = calibration.accepted(claims.confidences, claims.right, most=100)
        series[_(part)] = (
            [rows / len(claims) for _threshold, rows, _right in points],
            [right / rows for _threshold, rows, right in points],
        )
    return lines(_("precision against coverage"), series, (_(ACCEPTED[of]), _("precision")), _)


def _losses(history: Sequence[Mapping[str, Any]]) -> list[str]:
    return [key for key in _numeric(history) if key.endswith("loss")]


def _dev_scores(history: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = [key for key in _numeric(history) if not key.endswith("loss") and key not in _NOT_SCORES]
    return [key for key in keys if _is_share(history, key)]


def word_map(placed: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """An SVG of the words that `wordmap.mapped` returns: a colour for each label, neighbours grey."""
    if not extras.is_installed("matplotlib"):
        return _not_drawn(_("map of words"), _)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(one["label"] for one in placed["words"] if one["label"] is not None))
    colours = {label: _SERIES[number % len(_SERIES)] for number, label in enumerate(labels)}
    markers = {label: "os^D"[number // len(_SERIES) % 4] for number, label in enumerate(labels)}
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "words", "font.size": 10}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure = Figure(figsize=(9, 6.5), layout="constrained")
        axes = figure.add_subplot()
        for label in (*labels, None):
            chosen = [one for one in placed["words"] if one["label"] == label]
            colour = _LINE if label is None else colours[label]
            named = _("neighbour") if label is None else _plain(label)
            axes.plot(
                [one["x"] for one in chosen],
                [one["y"] for one in chosen],
                label=named,
                color=colour,
                linestyle="",
                marker="o" if label is None else markers[label],
                markersize=5,
            )
            for one in chosen:
                axes.annotate(
                    _plain(one["word"]),
                    (one["x"], one["y"]),
                    textcoords="offset points",
                    xytext=(4, 3),
                    color=_INK if label is None else colour,
                    parse_math=False,
                )
        axes.legend(frameon=False, labelcolor=_INK, loc="center left", bbox_to_anchor=(1, 0.5))
        axis = _("axis")
        titles = [f"{axis} {number} ({100 * share:.0f}%)" for number, share in enumerate(placed["explained"], 1)]
        _dress(axes, _("map of words"), (titles[0], titles[1]), whole_numbers=False)
        return _svg(figure, _("map of words"))


def _plain(text: str) -> str:
    """`text` in one line, shortened; Matplotlib would take text between two dollar signs for mathematics."""
    return " ".join(text.split())[:24].replace("$", "＄")


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
) -> str:
    """An SVG element with a line for each of `series`: name -> x and y values.

    `axes_titles`: of the x and the y axis; `whole_numbers`, `logarithmic`: about the x axis; `diagonal`: draw the line
    from (0, 0) to (1, 1); `apart`: names of series whose points are not joined.
    """
    if not extras.is_installed("matplotlib"):
        return _not_drawn(title, _)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.size": 11}), warnings.catch_warnings():
        # The reader's fonts draw the Chinese, so Matplotlib needs none.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure = Figure(figsize=(5, 3.1), layout="constrained")
        axes = figure.add_subplot()
        if diagonal:
            axes.plot((0, 1), (0, 1), color=_LINE, linewidth=1.5)
        for number, (name, (across, up)) in enumerate(series.items()):
            axes.plot(
                across,
                up,
                label=name,
                color=_SERIES[number % len(_SERIES)],
                linestyle="" if name in apart else _DASHES[number // len(_SERIES) % len(_DASHES)],
                marker="o",
                markersize=4 if name in apart else 3,
            )
        if logarithmic:
            axes.set_xscale("log")
        _dress(axes, title, axes_titles, whole_numbers)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(frameon=False, labelcolor=_INK, loc="outside lower left", ncols=_IN_A_ROW, fontsize=10)
        return _svg(figure, title)


def _not_drawn(title: str, _: Translate) -> str:
    """What stands in a figure in place of its chart."""
    from markupsafe import escape

    note = _("{title}: not drawn, as Matplotlib is not installed; zhpipe[train] has it", title=title)
    return f'<figcaption class="note">{escape(note)}</figcaption>'


def _dress(axes: "Axes", title: str, axes_titles: tuple[str, str], whole_numbers: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title, loc="left", color=_INK, fontsize=11)
    axes.set_xlabel(axes_titles[0], color=_INK)
    axes.set_ylabel(axes_titles[1], color=_INK)
    if whole_numbers:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(which="both", colors=_INK, length=0)
    axes.grid(True, color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)


def _svg(figure: "Figure", title: str) -> str:
    figure.patch.set_visible(False)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    # An SVG inside a page needs no XML declaration, namespaces or style sheet.
    text = text[text.index("<svg") :].strip()
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font-family: [^;\"]*;", "", text)
    text = re.sub(r"(font: [^'\"]*)'[^;\"]*", r"\1sans-serif", text)
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{title}">', text)
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, f"var({variable})")
    return text
