"""What a fact is, the protocol that every store follows, and the types that `graph` shares."""
