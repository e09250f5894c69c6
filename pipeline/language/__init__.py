"""Language models: how likely a text is, what comes next, and text of their own."""
