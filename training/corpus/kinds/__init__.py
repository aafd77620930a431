"""Kinds of documents, a module for each family; `registry` lists them all."""
