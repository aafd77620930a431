"""Edits: what each one does, drafts, and what a deletion leaves behind."""
