"""Encoding: tokens become the ids and features that a network reads, in padded batches."""
