"""Charts as SVG for inside a page: the page's colours, text as text, reproducible bytes."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# matplotlib takes colours alone; these stand in for variables of the page's style sheet.
_INK, _LINE = "#010203", "#010204"
_SERIES = ("#010205", "#010206", "#010207", "#010208")
_VARIABLES = {_INK: "--ink-soft", _LINE: "--line"} | {
    stand_in: f"--series-{number}" for number, stand_in in enumerate(_SERIES, start=1)
}
_DASHES = ("-", "--", "-.", ":")
_NOT_SCORES = frozenset({"epoch", "seconds", "learning_rate"})


def learning_curve(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """SVG elements of what was measured after each epoch: the losses and, if there are any, the dev scores.

    `history` has a mapping an epoch. Keys that end in `loss` go to the first chart, and other numbers that
    stay between 0 and 1, except for the learning rate, to the second one. None and NaN leave a gap.
    """
    charts = (("loss", _losses(history)), ("score on dev", _dev_scores(history)))
    return [_chart(title, history, keys) for title, keys in charts if keys]


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


def _chart(title: str, history: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.size": 11}):
        figure = Figure(figsize=(5, 3.1), layout="constrained")
        axes = figure.add_subplot()
        epochs = [float(epoch.get("epoch", number)) for number, epoch in enumerate(history, start=1)]
        for number, key in enumerate(keys):
            axes.plot(
                epochs,
                _values(history, key),
                label=key.replace("_", " "),
                color=_SERIES[number % len(_SERIES)],
                linestyle=_DASHES[number // len(_SERIES) % len(_DASHES)],
                marker="o",
                markersize=3,
            )
        _dress(axes, title)
        return _svg(figure, title)


def _dress(axes: "Axes", title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title, loc="left", color=_INK, fontsize=11)
    axes.set_xlabel("epoch", color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(colors=_INK, length=0)
    axes.grid(True, color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.legend(frameon=False, labelcolor=_INK)


def _svg(figure: "Figure", title: str) -> str:
    figure.patch.set_visible(False)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    # Inside a page an SVG needs no XML head, no name spaces, and no style sheet of its own.
    text = text[text.index("<svg") :].strip()
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font-family: [^;\"]*;", "", text)
    text = re.sub(r"(font: [^'\"]*)'[^;\"]*", r"\1sans-serif", text)
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{title} by epoch">', text)
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, f"var({variable})")
    return text
