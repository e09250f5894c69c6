"""Baselines: simple models that a trained network should beat."""
