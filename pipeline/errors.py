"""The errors of this room: what a user can put right, in one sentence."""


class PipelineError(ValueError):
    """Something a user can put right; the message names the place, the expectation and the way out."""


class SettingsError(PipelineError):
    """A setting is unknown, has a value that isn't allowed, or contradicts another."""


class Diverged(PipelineError):
    """Training has come to numbers that are none."""


class PoorScore(PipelineError):
    """A score of a report fails a bar that was set for it."""


class ModelError(PipelineError):
    """A model folder is missing, incomplete, altered or of another format version."""


class DictionaryError(PipelineError):
    """A user dictionary or a list of stop words can't be read, or holds lines that aren't entries."""
