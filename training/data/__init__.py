"""Documents as tokens: the tokenizer, shards and batches."""
