"""Text with lookups: annotated corpora, and annotators that write them."""
