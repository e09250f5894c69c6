"""Error analysis: the words, labels and rows behind a model's mistakes."""
