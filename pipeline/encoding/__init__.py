"""Encoding: the tokens of a text as the ids that a network reads, and padded batches of these."""
