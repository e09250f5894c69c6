"""Evaluation: the scores of a model, the baselines beside it, and the report that shows both."""
