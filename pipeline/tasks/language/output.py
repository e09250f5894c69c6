"""The output of a language model: how likely each text is, and how surprising each token."""

from __future__ import annotations

import json

from pipeline.tasks.language.likelihood import Likelihood
from pipeline.tasks.output import Output


class LanguageOutput(Output[Likelihood]):
    """Writes likelihoods."""

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """`log_probability` (natural, of the whole text, its end included) and `perplexity`.

        With `probabilities` also `surprisal`: a JSON list of [start, end, bits] for each token, in characters,
        half-open, and for the end.
        """
        return ("log_probability", "perplexity", *(("surprisal",) if probabilities else ()))

    def is_number(self, column: str) -> bool:
        """All are, except the surprisal."""
        return column != "surprisal"

    def cells(self, prediction: Likelihood, probabilities: bool) -> tuple[str, ...]:
        """Numbers with 4 decimals."""
        if prediction.value is None:
            return ("",) * len(self.columns(probabilities))
        shown = (f"{prediction.log_probability:.4f}", f"{prediction.perplexity:.4f}")
        if not probabilities:
            return shown
        pairs = zip(prediction.places, prediction.bits, strict=True)
        return (*shown, json.dumps([[start, end, round(bits, 4)] for (start, end), bits in pairs]))
