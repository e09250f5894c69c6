"""Errors of this package that a user can put right, each in one sentence."""


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


class DictionaryError(PipelineError):
    """A user dictionary or a stop-word list can't be read, or has invalid lines."""
