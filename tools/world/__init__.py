"""Builds the shipped world from raw triplets."""
