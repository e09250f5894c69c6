"""Tagging: what a tagger reads beside its tokens, and how its scores become tags, in a chain."""
