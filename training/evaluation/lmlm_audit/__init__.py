"""LMLMAudit, the public audit of forgetting (https://github.com/raeesiarya/LMLMAudit, after
arXiv 2607.00605), run on a model of ours: all databases and prompts of a folder.

`suite_files` finds the files, `matching` has the suite's measures, `deletions` what is deleted for
a prompt, `conditions` writes and judges the texts, `figures` counts them, and `published` has the
figures of LMLM-382M.
"""
