"""The map of words as a chart: each word beside its point, where no other word stands; the rest by hover and focus."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.evaluation.report import drawing
from pipeline.evaluation.report.drawing import INK, LINE, SERIES, dress, marks, not_drawn, plain
from pipeline.evaluation.report.translations import ENGLISH, Translate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 2_000  # words with a vector below which a map shows nothing that holds
_MARK = 3.0  # half the width of a mark, in points
_LINE = 11.0  # height of a word, in points
# Where a word may stand beside its point: the side on which its text begins, and the offset in points.
_PLACES = (
    ("left", "center", 5.0, 0.0),
    ("right", "center", -5.0, 0.0),
    ("center", "bottom", 0.0, 4.0),
    ("center", "top", 0.0, -4.0),
    ("left", "bottom", 3.0, 3.0),
    ("right", "bottom", -3.0, 3.0),
    ("left", "top", 3.0, -3.0),
    ("right", "top", -3.0, -3.0),
)

Box = tuple[float, float, float, float]  # left, bottom, right, top


def word_map(placed: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """An SVG of the words that `wordmap.mapped` returns: a colour for each label, neighbours grey."""
    title = _("map of words")
    if not drawing.can_draw():
        return not_drawn(title, _)
    labels = list(dict.fromkeys(one["label"] for one in placed["words"] if one["label"] is not None))
    colours: dict[str | None, str] = {label: SERIES[place % len(SERIES)] for place, label in enumerate(labels)}
    with drawing.figure("words", 9, 5, size=10) as figure:
        axes = figure.add_subplot()
        readings = []
        for number, label in enumerate((*labels, None)):
            chosen = [one for one in placed["words"] if one["label"] == label]
            named = _("neighbour") if label is None else plain(label)
            axes.plot(
                [one["x"] for one in chosen],
                [one["y"] for one in chosen],
                label=named,
                color=colours.get(label, LINE),
                linestyle="",
                marker="o" if label is None else "os^D"[number // len(SERIES) % 4],
                markersize=5,
                gid=marks(number),
            )
            readings.append([f"{one['word']}: {named}" for one in chosen])
        axes.legend(frameon=False, labelcolor=INK, loc="center left", bbox_to_anchor=(1, 0.5))
        axis = _("axis")
        titles = [f"{axis} {number} ({100 * share:.0f}%)" for number, share in enumerate(placed["explained"], 1)]
        dress(axes, title, (titles[0], titles[1]))
        figure.draw_without_rendering()  # the axes get their place, from which the words get theirs
        figure.set_layout_engine("none")
        _write(axes, placed["words"], colours)
        return drawing.svg(figure, title, readings)


def _write(axes: "Axes", words: Sequence[Mapping[str, Any]], colours: Mapping[str | None, str]) -> None:
    """The words, those of labels first; a word that fits nowhere is left to its mark."""
    scale = 72 / axes.get_figure().dpi  # type: ignore[union-attr]
    places = axes.transData.transform([(one["x"], one["y"]) for one in words]) * scale
    taken = [(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in places]
    room = axes.get_window_extent().frozen().get_points() * scale
    order = sorted(range(len(words)), key=lambda place: words[place]["label"] is None)
    for number in order:
        one, (x, y) = words[number], places[number]
        text = plain(one["word"])
        for across, up, right, above in _PLACES:
            box = _box(x + right, y + above, drawing.points(text), across, up)
            others = (other for place, other in enumerate(taken) if place != number)
            if _inside(box, room) and not _overlaps(box, others):
                axes.annotate(
                    text,
                    (one["x"], one["y"]),
                    textcoords="offset points",
                    xytext=(right, above),
                    ha=across,
                    va=up,
                    color=colours.get(one["label"], INK),
                    parse_math=False,
                )
                taken.append(box)
                break


def _box(x: float, y: float, width: float, across: str, up: str) -> Box:
    left = x - {"left": 0.0, "center": width / 2, "right": width}[across]
    bottom = y - {"bottom": 0.0, "center": _LINE / 2, "top": _LINE}[up]
    return left, bottom, left + width, bottom + _LINE


def _inside(box: Box, room: Any) -> bool:
    return bool(box[0] >= room[0][0] and box[1] >= room[0][1] and box[2] <= room[1][0] and box[3] <= room[1][1])


def _overlaps(box: Box, others: Iterable[Box]) -> bool:
    return any(box[0] < far[2] and far[0] < box[2] and box[1] < far[3] and far[1] < box[3] for far in others)
