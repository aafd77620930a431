"""The triplet graph: what facts are, where they are kept, and how a lookup finds them.

Open a store with `open_store("sqlite:///world.db")`, give each visitor a draft with
`store.draft(session_id)`, and answer a model's lookups with `Retriever(draft).lookup(e, r)`.
On the command line: `python -m graph`.
"""
