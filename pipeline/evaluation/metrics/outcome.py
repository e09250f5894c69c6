"""The outcome of one scored row: the text, the gold answer, the predicted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.encoding.encoder import Tokenised


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row after prediction.

    `row`: the 1-based data row in its source; `text`: the text as it stands there. `gold`, `predicted`: labels; of a
    tagger `gold_tags` and `predicted_tags`, one a token, instead; of a multi-label classifier `gold_labels` and
    `predicted_labels`, sorted. A row without a gold answer (None) is written to the
    tables and left out of every score. `confidence`: the probability of the predicted answer, 0 to 1; `probabilities`:
    (labels,), in the order of the model's labels, or empty. `leaked`: whether the model was trained on the same text.
    `tokens`: those that the model read, where they matter; `length`: how many tokens the network reads; `unknown`: how
    many of these training has not seen; `slices`: the row's cells in the columns that the report slices by. `sure`: a
    tagger's confidence in each of its spans, in order, with 4 decimals; `unscaled`: the same at the temperature 1, of a
    multi-label classifier that of the whole set.

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
    gold_tags: tuple[str, ...] | None = None
    predicted_tags: tuple[str, ...] = ()
    gold_labels: tuple[str, ...] | None = None
    predicted_labels: tuple[str, ...] = ()

    @classmethod
    def of_tags(
        cls,
        row: int,
        text: Tokenised,
        gold: Sequence[str] | None,
        predicted: Sequence[str],
        confidence: float = 0.0,
        **more: Any,
    ) -> Outcome:
        """The outcome of a tagger: its tags, one a token; `more` are further fields.

        >>> Outcome.of_tags(1, Tokenised("昆明", "昆明"), ["B", "E"], ["S", "S"]).is_error
        True
        """
        return cls(
            row,
            text.text,
            None,
            "",
            confidence,
            tokens=tuple(text.tokens),
            gold_tags=None if gold is None else tuple(gold),
            predicted_tags=tuple(predicted),
            **more,
        )

    @classmethod
    def of_labels(
        cls,
        row: int,
        text: Tokenised,
        gold: Sequence[str] | None,
        predicted: Sequence[str],
        confidence: float = 0.0,
        **more: Any,
    ) -> Outcome:
        """The outcome of a multi-label classifier, with sets of labels; `more` are further fields.

        >>> Outcome.of_labels(1, Tokenised("又慢又贵", ["又", "慢"]), ["物流", "价格"], ["价格", "物流"]).is_error
        False
        """
        return cls(
            row,
            text.text,
            None,
            "",
            confidence,
            tokens=tuple(text.tokens),
            gold_labels=None if gold is None else tuple(sorted(gold)),
            predicted_labels=tuple(sorted(predicted)),
            **more,
        )

    @property
    def is_judged(self) -> bool:
        """Whether the row has a gold answer."""
        return any(gold is not None for gold in (self.gold, self.gold_tags, self.gold_labels))

    @property
    def is_error(self) -> bool:
        """Whether the row has a gold answer and another one was predicted."""
        gold = (self.gold or "", self.gold_tags or (), self.gold_labels or ())
        return self.is_judged and gold != (self.predicted, self.predicted_tags, self.predicted_labels)
