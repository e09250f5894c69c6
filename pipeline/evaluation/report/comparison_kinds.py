"""How systems of each task are compared, and a row on which they differ."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.evaluation.report import likelihood
from pipeline.evaluation.report.summary import percent, signed
from pipeline.evaluation.report.translations import N_


@dataclass(frozen=True)
class Disagreement:
    """A row that the systems answer differently, and their answers; those of language models are bits per character.

    `best`: the right answer, or the least bits.
    """

    row: int
    text: str
    gold: str | None
    answers: tuple[str, ...]
    best: str | None


@dataclass(frozen=True)
class Kind:
    """How systems of a task are compared.

    `scores`: key to title; pairs of systems are compared by the first score, with the `test`; `unit`: of a difference;
    `only`: headings of the two counts of rows of a pair, and `counted`, the same as a sentence; `apart`: how the listed
    rows differ; `show`, `show_difference`: a score, and a difference, as text; `scale`: what a difference is multiplied
    by in a chart.
    """

    scores: Mapping[str, str]
    test: str
    unit: str
    only: tuple[str, str]
    counted: str
    apart: str
    show: Callable[[float | None], str]
    show_difference: Callable[[float], str]
    scale: float = 100.0
    less_is_better: bool = False

    def is_better(self, difference: float) -> bool:
        """Whether the first of two systems whose scores differ so is the better one."""
        return difference < 0 if self.less_is_better else difference > 0


def _signed_bits(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−").replace("+0.000", "±0.000").replace("−0.000", "±0.000")


_RIGHT = (
    N_("points"),
    (N_("only the first is right"), N_("only the second is right")),
    "only the first is right on {}, only the second on {}",
    N_("answered differently"),
    percent,
    signed,
)
KINDS = {
    "classify": Kind(
        {"accuracy": N_("accuracy"), "macro_f1": N_("macro F1")},
        N_("McNemar's exact test"),
        *_RIGHT,
    ),
    "multilabel": Kind(
        {"micro_f1": N_("micro F1"), "macro_f1": N_("macro F1"), "subset_accuracy": N_("all labels right")},
        N_("the paired bootstrap over rows"),
        *_RIGHT,
    ),
    "tag": Kind(
        {"f1": N_("F1"), "macro_f1": N_("macro F1")},
        N_("the paired bootstrap over texts"),
        *_RIGHT,
    ),
    "language": Kind(
        {"bits_per_character": N_("bits per character"), "perplexity": N_("perplexity")},
        N_("the paired bootstrap over texts"),
        unit=N_("bits"),
        only=(N_("likelier to the first"), N_("likelier to the second")),
        counted="{} likelier to the first, {} to the second",
        apart=N_("rated differently"),
        show=likelihood.bits,
        show_difference=_signed_bits,
        scale=1.0,
        less_is_better=True,
    ),
}
