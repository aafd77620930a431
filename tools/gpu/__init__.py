"""Training on a GPU machine that is lent for minutes and has no network: see docs/training.md."""
