"""Analysis: which words, labels and rows lie behind a model's mistakes."""
