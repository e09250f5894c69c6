"""Text: readers, writers, splits and the samples; knows no model."""
