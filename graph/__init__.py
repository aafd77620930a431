"""The triplet graph: facts, the stores that keep them, and the lookups that find them.

Open a store with `open_store("sqlite:///world.db")`, give each visitor a draft with
`store.draft(session_id)`, and answer a model's lookups with `Retriever(draft).lookup(e, r)`.
On the command line: `python -m graph`.
"""
