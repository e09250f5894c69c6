"""Baselines: the simple models that a trained network has to beat."""
