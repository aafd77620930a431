"""Who may do what: one middleware in front of every page, script and endpoint."""
