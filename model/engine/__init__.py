"""Decoding with lookups: rows, the decoding loops, the key-value cache, sampling, speculation."""
