"""The corpus: documents written from a graph, in the LMLM format (arXiv 2505.15962, section 3)."""
