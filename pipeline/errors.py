"""Errors of this package that a user can put right, each in one sentence."""

from pathlib import Path


class PipelineError(ValueError):
    """Something a user can put right; the message names the place, what was expected, what came, and the way out."""


class SettingsError(PipelineError):
    """A setting is unknown, has a value that isn't allowed, or contradicts another."""


class Diverged(PipelineError):
    """Training diverged: a loss or a weight is infinite or NaN."""


class PoorScore(PipelineError):
    """A score of a report misses a limit that was set for it."""


class ModelError(PipelineError):
    """A model folder is missing, incomplete, altered, or has another format version."""


class NotFinite(ModelError):
    """A network's scores of a text are NaN, infinite, or so large that no probability comes of them.

    `network`: its file; `text`: the place of the text among those asked for, from 0.
    """

    def __init__(self, network: Path, text: int) -> None:
        super().__init__(network, text)
        self.network = network
        self.text = text

    def __str__(self) -> str:
        return self.message(f"text {self.text + 1} of those given")

    def message(self, place: str) -> str:
        """The error in a sentence; `place`: where the text stands."""
        return f"{place}: {self.network} gives it scores that are not finite: copy the model again, or train anew"


class DictionaryError(PipelineError):
    """A user dictionary or a stop-word list can't be read, or has invalid lines."""
