"""The language model: token roles, checkpoints, decoding with lookups, traces, grounding, audits.

This room knows a graph only through the protocol of `graph.lookup.retriever`.
"""
