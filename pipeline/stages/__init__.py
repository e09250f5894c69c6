"""Stages: what a run goes through; they meet in files, so that each can be run alone."""
