"""Audits: where does a fact live, in the graph or in the weights?"""
