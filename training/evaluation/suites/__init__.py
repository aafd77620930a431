"""The evaluation's suites, one file each: `python -m training evaluate SUITE`.

A suite is a function from a `SuiteContext` (decoder, graph, seed) to measures, `{name: {"value",
"low", "high", "n"}}`. To add one, write its function in a file here and name it in
`training.evaluation.runner.SUITES`.
"""
