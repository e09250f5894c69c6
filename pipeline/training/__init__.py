"""Training: passes over batches that make a loss small, by an optimizer, and can be continued."""
