"""Runs, masks and model cards as people read them."""
