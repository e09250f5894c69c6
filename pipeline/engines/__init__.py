"""Engines: where the files of a labelling job are worked on."""
