"""The error of this package."""


class EmbeddingError(ValueError):
    """The input can't be used; the message is one sentence: the place, what was expected, what came."""
