"""Guided lookups: which entities and relations a lookup may name, and which name is likeliest."""
