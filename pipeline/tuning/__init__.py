"""Tuning: a search for better settings."""
