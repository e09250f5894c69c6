"""Drawing: Matplotlib figures as SVG to be included in a page: the page's colours, text as text, reproducible.

Each mark has its value as a title, which the page's script also shows for the keyboard. Where Matplotlib is not
installed, a sentence takes the place of a chart.
"""

import io
import math
import re
import textwrap
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline import extras
from pipeline.evaluation.report.translations import Translate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Matplotlib takes only colours: these are replaced by variables of the page's style sheet.
INK, LINE = "#010203", "#010204"
SERIES = ("#010205", "#010206", "#010207", "#010208")
_VARIABLES = {INK: "--ink-soft", LINE: "--line"} | {
    stand_in: f"--series-{number}" for number, stand_in in enumerate(SERIES, start=1)
}
SHORT = 28  # characters of a name in a chart
IN_A_LINE = 22  # characters, where a name may have two lines
_MARKED = re.compile(r'<g id="marks-(\d+)">(.*?)(?=<g id=|\Z)', re.DOTALL)


@contextmanager
def figure(title: str, width: float, height: float, *, laid_out: bool = True, size: int = 11) -> Iterator["Figure"]:
    """A figure, in inches, of text in `size` points; `laid_out`: whether Matplotlib arranges what is in it."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.size": size}), warnings.catch_warnings():
        # The reader's fonts draw the Chinese, so Matplotlib needs none.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield Figure(figsize=(width, height), layout="constrained" if laid_out else None)


def can_draw() -> bool:
    """Whether Matplotlib is installed."""
    return extras.is_installed("matplotlib")


def not_drawn(title: str, _: Translate) -> str:
    """What stands in a figure in place of its chart."""
    from markupsafe import escape

    note = _("{title}: not drawn, as Matplotlib is not installed; zhpipe[train] has it", title=title)
    return f'<figcaption class="note">{escape(note)}</figcaption>'


def marks(number: int) -> str:
    """The name of the marks of a series, for Matplotlib's `gid`: their readings are those of that place in `svg`."""
    return f"marks-{number}"


def plain(text: str) -> str:
    """`text` in one line, shortened; Matplotlib would take text between two dollar signs for mathematics."""
    line = " ".join(text.split())
    return (line if len(line) <= SHORT else f"{line[: SHORT - 1]}…").replace("$", "＄")


def in_two_lines(text: str) -> str:
    """`text` in one line, or in two if its words fit so; shortened like `plain` otherwise.

    >>> in_two_lines("TF-IDF characters + logistic regression")
    'TF-IDF characters +\\nlogistic regression'
    """
    pieces = textwrap.wrap(" ".join(text.split()), IN_A_LINE)
    return "\n".join(map(plain, pieces)) if len(pieces) == 2 else plain(text)


def end_at_ticks(axes: "Axes") -> None:
    """Lets the x axis begin and end at a number."""
    numbers = axes.xaxis.get_major_locator().tick_values(*axes.get_xlim())
    axes.set_xlim(numbers[0], numbers[-1])


def points(text: str, size: float = 10.0) -> float:
    """About how wide a text is in `size` points, in points: a Chinese character is as wide as it is high."""
    return sum(size * (1.0 if unicodedata.east_asian_width(one) in "WF" else 0.58) for one in text)


def is_drawn(value: object) -> bool:
    """Whether Matplotlib draws a mark for a value: for names, and for finite numbers."""
    return not isinstance(value, float) or math.isfinite(value)


def dress(axes: "Axes", title: str, axes_titles: tuple[str, str], whole_numbers: bool = False) -> None:
    """Titles, grid and colours."""
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.set_xlabel(axes_titles[0], color=INK)
    axes.set_ylabel(axes_titles[1], color=INK)
    if whole_numbers:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(which="both", colors=INK, length=0)
    axes.grid(True, color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)


def logarithmic(axes: "Axes") -> None:
    """A logarithmic x axis whose numbers are written out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))


def svg(figure: "Figure", title: str, readings: Sequence[Sequence[str]]) -> str:
    """The SVG element of a figure; `readings`: of each series of `marks`, what each of its marks stands for."""
    from markupsafe import escape

    figure.patch.set_visible(False)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    # An SVG inside a page needs no XML declaration, namespaces or style sheet.
    text = text[text.index("<svg") :].strip()
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = _MARKED.sub(lambda found: _read(found[2], readings[int(found[1])]), text)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font-family: [^;\"]*;", "", text)
    text = re.sub(r"(font: [^'\"]*)'[^;\"]*", r"\1sans-serif", text)
    start = f'role="group" aria-label="{escape(title)}">'.replace("\\", r"\\")
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf"<svg \1 {start}", text, count=1)
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, f"var({variable})")
    return text


def _read(drawn: str, readings: Sequence[str]) -> str:
    """The marks of a series with their readings."""
    from markupsafe import escape

    begun = re.findall(r"<use [^>]*?/>", drawn)
    if len(begun) != len(readings):  # some lie outside of the axes, and Matplotlib leaves them out
        return f"<g>{drawn}"
    said = iter(readings)

    def one(found: re.Match[str]) -> str:
        return (
            f'{found[0][:-2].rstrip()} class="mark" tabindex="-1" role="img"><title>{escape(next(said))}</title></use>'
        )

    return "<g>" + re.sub(r"<use [^>]*?/>", one, drawn)
