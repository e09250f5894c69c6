"""The outcome of one scored row: what was asked, what was expected, what the model said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row after prediction.

    `row` is the 1-based data row in its source and `text` the text as it stood there. `gold` is None where
    the row had no label; such a row is written to the tables and left out of every score. `confidence` is
    the probability, 0 to 1, given to `predicted`; `probabilities` has shape (labels,), in the order of the
    model's labels, or is empty where the predictor has none. `leaked` says that the same text was trained on.
    `tokens` is what the model was handed of the text, where that matters; `length` how many tokens the network reads,
    `unknown` how many of them training has not seen; `slices` are the row's cells in the columns that the report
    slices by. `sure` are a tagger's confidences in each of its spans, in order, with 4 decimals, and `unscaled` what
    they would be at the temperature 1.

    >>> Outcome(7, "恭喜您中奖", "垃圾邮件", "正常邮件", 0.6, (0.4, 0.6)).is_error
    True
    """

    row: int
    text: str
    gold: str | None
    predicted: str
    confidence: float
    probabilities: tuple[float, ...] = ()
    leaked: bool = False
    tokens: tuple[str, ...] = ()
    length: int = 0
    unknown: int = 0
    slices: tuple[str, ...] = ()
    sure: tuple[float, ...] = ()
    unscaled: tuple[float, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether the row has a gold label and the prediction is another one."""
        return self.gold is not None and self.gold != self.predicted
