"""Metrics: the scores of a model, their intervals, and the calibration of its confidence."""
