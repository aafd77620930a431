"""What a fact is, the protocol of every store, and the plain types that all of `graph` shares."""
