"""Pre-trained bases, and the adapters that teach them to look facts up."""
