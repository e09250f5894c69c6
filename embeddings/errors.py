"""The error of this room."""


class EmbeddingError(ValueError):
    """What was handed in can't be used: one sentence with the place, what was expected and what came."""
