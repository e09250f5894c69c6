"""Language models: a network that can be read on with, n-grams to compare it with, and what is drawn from it."""

from embeddings.vocabulary import PADDING

BOUNDARY = PADDING  # the id that is read before a text's first token and expected after its last; no token has it
