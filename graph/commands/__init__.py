"""The verbs of `python -m graph`, each a function next to the options that it takes."""
