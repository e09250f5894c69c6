"""Tagging: from the scores of a tagger to tags and spans, with a linear chain; in NumPy alone."""
