"""The commands of `python -m graph`: for each, a function and the options that it takes."""
