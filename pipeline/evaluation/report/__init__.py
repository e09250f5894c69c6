"""Report: an evaluation as JSON, text, Markdown and a page, and comparisons of several."""
