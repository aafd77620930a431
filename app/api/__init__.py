"""The channel between page and server: actions in, events out. Scripts use the same."""
