"""Commands for developers: the shipped world, benchmarks, a Neo4j server."""
