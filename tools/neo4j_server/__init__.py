"""A Neo4j server on this machine."""
