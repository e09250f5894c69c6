"""What only language models have: reading on from a state, generation, sampled training, the cost of unknown tokens."""

from embeddings.vocabulary import PADDING

BOUNDARY = PADDING  # the id read before a text's first token and expected after its last; no token has it
