"""`lmlm-audit`: LMLMAudit, all databases and prompts of a folder, by its rule and by ours.

`audit_del_on` is the same with only the fact deleted, on the databases of `--data`:

| measure | share of prompts |
| --- | --- |
| audit_del_on | (bad) the text still says the value of the deleted fact |
| audit_not_recorded | the text says that it is not recorded |
| audit_not_recorded_held | the same where another fact holds the value; such prompts only here |

training/evaluation/lmlm_audit/figures.py lists the other measures.
"""

from __future__ import annotations

from pathlib import Path

from training.evaluation.lmlm_audit.conditions import DEL_ON, judged_texts
from training.evaluation.lmlm_audit.figures import Figures, deleted
from training.evaluation.lmlm_audit.suite_files import read_suite
from training.evaluation.natural import there
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext

FOLDER = "lmlm-audit"  # in the folder of data sets


def lmlm_audit(context: SuiteContext) -> Measures:
    """All measures, and the tables to print; none if the default folder is not there.

    Raises:
        EvaluationError: if the folder that was named is not there, or holds no such suite.
    """
    folder = context.against.audit or context.against.data / FOLDER
    if context.against.audit is None and not there(context, "lmlm-audit", folder):
        return {}
    texts = []
    for database in read_suite(folder, context.say):
        for text in judged_texts(context, database):
            texts.append(text)
            context.texts.append(text)
    figures = Figures(texts)
    context.tables.append(figures.tables(context.model_name))
    return figures.measures()


def audit_del_on(context: SuiteContext) -> Measures:
    """The measures of the table above; none without the data."""
    folder: Path = context.against.data / FOLDER
    if not there(context, "audit_del_on", folder):
        return {}
    texts = [
        text
        for database in read_suite(folder, context.say)
        for text in judged_texts(context, database, [DEL_ON])
    ]
    context.texts += texts
    return deleted(Figures(texts).of())
