"""Review: people mend doubtful labels on a local page, and what they decide becomes corrections of a corpus."""
