"""Formats of annotated texts: what annotation tools and published corpora write, in and out, and converted."""
