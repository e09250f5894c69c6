"""Tuning: searches for better settings, trial by trial."""
