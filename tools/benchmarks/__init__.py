"""Speed measured as ratios."""
