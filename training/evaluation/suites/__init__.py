"""The evaluation's suites, one file each: `python -m training evaluate SUITE`.

A suite is a function from a `World` (decoder, graph, seed) to measures, `{name: {"value", "low",
"high", "n"}}`.
"""
