"""Counts the judged texts of LMLMAudit: shares with Wilson's intervals, by the suite's rule and ours.

A prompt counts once, with its texts under all conditions. Totals are sums of counts.

| the suite's rule | share of prompts |
| --- | --- |
| exact_full, exact_del_on, exact_del_off | the answer is the value; under DEL-OFF it is leakage, L |
| exact_retrieval | right under DEL-ON and not under DEL-OFF: R |
| exact_artefact | right under DEL-ON, though no lookup returned the fact |
| unknown_full, unknown_del_on, unknown_del_off | the answer is "unknown" or another such word |

| our rule | share of prompts |
| --- | --- |
| right_full | the text passes the pass rule |
| said_del_on, said_del_off | the text says the value after the deletion |
| said_held, said_closed | of the prompts whose value another fact holds: with only the fact deleted, and with its closure deleted too |
| leaked | said under DEL-OFF or, without a lookup that returned it, under DEL-ON, and not given in the prompt |
| recovered | said under DEL-ON, and a lookup returned it from another fact |
| artefact | said under DEL-ON, though no lookup returned it |
| not_recorded | no other fact holds the value, and the text says that it is not recorded |
| not_recorded_held, not_recorded_closed | the same of prompts whose value another fact holds |
| named | the entity's name says the value; such prompts count in none of our rule's shares after a deletion |
"""  # noqa: E501 (a table)

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from training.evaluation.lmlm_audit.conditions import CLOSED, DEL_OFF, DEL_ON, FULL, Judged
from training.evaluation.lmlm_audit.published import LMLM_382M
from training.evaluation.statistics import Estimate, Measures, wilson

Prompt = Mapping[str, Judged]
"""The texts of one prompt by condition."""
Count = Callable[[Prompt], bool | None]
"""Whether a prompt counts as right; None if it does not count."""


def _plain(condition: str, key: str) -> Count:
    return lambda prompt: prompt[condition][key] if condition in prompt else None


def _after(condition: str, count: Callable[[Prompt], bool], held: bool | None = None) -> Count:
    """A measure of our rule after a deletion; with `held`, only of such prompts."""

    def of(prompt: Prompt) -> bool | None:
        text = prompt.get(condition)
        if text is None or text["named"] or held not in (None, text["held"]):
            return None
        return count(prompt)

    return of


def _leaked(prompt: Prompt) -> bool:
    on, off = prompt[DEL_ON], prompt[DEL_OFF]
    return not off["given"] and (off["said"] or (on["said"] and not on["returned"]))


SUITE_RULE: dict[str, Count] = {
    "exact_full": _plain(FULL, "exact_match"),
    "exact_del_on": _plain(DEL_ON, "exact_match"),
    "exact_del_off": _plain(DEL_OFF, "exact_match"),
    "exact_retrieval": lambda prompt: (
        prompt[DEL_ON]["exact_match"] and not prompt[DEL_OFF]["exact_match"]
        if DEL_OFF in prompt
        else None
    ),
    "exact_artefact": lambda prompt: (
        prompt[DEL_ON]["exact_match"] and not prompt[DEL_ON]["evidence"]
    ),
    "unknown_full": _plain(FULL, "unknown"),
    "unknown_del_on": _plain(DEL_ON, "unknown"),
    "unknown_del_off": _plain(DEL_OFF, "unknown"),
}
OUR_RULE: dict[str, Count] = {
    "right_full": _plain(FULL, "right"),
    "said_del_on": _after(DEL_ON, lambda prompt: prompt[DEL_ON]["said"]),
    "said_held": _after(DEL_ON, lambda prompt: prompt[DEL_ON]["said"], held=True),
    "said_closed": _after(CLOSED, lambda prompt: prompt[CLOSED]["said"]),
    "said_del_off": _after(DEL_OFF, lambda prompt: prompt[DEL_OFF]["said"]),
    "leaked": _after(DEL_OFF, _leaked),
    "recovered": _after(DEL_ON, lambda p: p[DEL_ON]["said"] and p[DEL_ON]["returned"]),
    "artefact": _after(DEL_ON, lambda p: p[DEL_ON]["said"] and not p[DEL_ON]["returned"]),
    "not_recorded": _after(DEL_ON, lambda prompt: prompt[DEL_ON]["not_recorded"], held=False),
    "not_recorded_held": _after(DEL_ON, lambda prompt: prompt[DEL_ON]["not_recorded"], held=True),
    "not_recorded_closed": _after(CLOSED, lambda prompt: prompt[CLOSED]["not_recorded"]),
    "named": _plain(DEL_ON, "named"),
}
DELETED = {  # the measures of deleted facts in our own tables
    "audit_del_on": "said_del_on",
    "audit_not_recorded": "not_recorded",
    "audit_not_recorded_held": "not_recorded_held",
}


class Figures:
    """All shares of a run.

    Args:
        texts: the judged texts, of any databases, kinds and conditions.
    """

    def __init__(self, texts: Iterable[Judged]) -> None:
        self._prompts: dict[tuple[str, str, int], dict[str, Judged]] = {}
        self._variants: dict[str, str] = {}
        for text in texts:
            where = text["database"], text["kind"], text["row"]
            self._prompts.setdefault(where, {})[text["condition"]] = text
            self._variants[text["database"]] = text["variant"]

    def of(self, database: str = "", kind: str = "", variant: str = "") -> Measures:
        """The shares of a database, a kind of prompt, a variant, or of all that match."""
        prompts = [
            prompt
            for (name, of_kind, _), prompt in self._prompts.items()
            if database in ("", name)
            and kind in ("", of_kind)
            and variant in ("", self._variants[name])
        ]
        shares = {m: _share(prompts, count) for m, count in (SUITE_RULE | OUR_RULE).items()}
        return {measure: share for measure, share in shares.items() if share}

    def measures(self) -> Measures:
        """All shares: `lmlm_audit_M` in total, and apart `lmlm_audit/DATABASE/KIND/M`."""
        total = self.of()
        found = {f"lmlm_audit_{measure}": share for measure, share in total.items()}
        found |= deleted(total)
        for scope, shares in self.scopes():
            found |= {f"lmlm_audit/{scope}/{m}": share for m, share in shares.items()}
        return found

    def scopes(self) -> Iterable[tuple[str, Measures]]:
        """The shares of each database and kind of prompts, of each database, and of each kind."""
        databases = sorted(self._variants)
        for database in databases:
            for kind in self._kinds(database):
                yield f"{database}/{kind}", self.of(database, kind)
            yield f"{database}/all", self.of(database)
        if len(databases) > 1:
            for kind in self._kinds():
                yield f"all/{kind}", self.of(kind=kind)

    def tables(self, model: str) -> str:
        """Both rules' shares in per cent, and those of LMLM-382M next to ours.

        Args:
            model: the name of the measured model.
        """
        rows = [*self.scopes(), ("all/all", self.of())]
        suite = ("exact_full", "exact_del_on", "exact_del_off", "exact_artefact", "unknown_del_on")
        ours = ("right_full", "said_del_on", "said_held", "said_closed", "leaked", "not_recorded")
        parts = [
            _table("LMLMAudit's rule: exact match, per cent", rows, suite),
            _table("Our rule, per cent", rows, ours),
            self._next_to_published(model),
        ]
        left_out = self.of().get("named", {"value": 0.0, "n": 0})
        number = round(left_out["value"] * left_out["n"])
        return "\n\n".join(parts) + (
            f"\n\n{number} of {left_out['n']:,} prompts have a value that the entity's name says; "
            "our rule leaves them out after a deletion.\n"
            "/n: how many prompts a share is of, where that is not the row's n."
        )

    def _next_to_published(self, model: str) -> str:
        lines = [
            'Exact match and "unknown" after the deletion, per cent, next to LMLM-382M\'s',
            f"{'variant':10} {'':20} {'n':>6}  {'FULL':15} {'DEL-ON':15} unknown",
        ]
        for variant in LMLM_382M:
            found = self.of(variant=variant)
            if not found:
                continue
            shares = [found[m] for m in ("exact_full", "exact_del_on", "unknown_del_on")]
            cells = " ".join(f"{_cell(share):15}" for share in shares).rstrip()
            lines.append(f"{variant:10} {model[:20]:20} {shares[0]['n']:6}  {cells}")
            theirs = LMLM_382M[variant]
            lines.append(
                f"{'':10} {'LMLM-382M':20} {theirs.number:6}  {theirs.full:<15} "
                f"{theirs.del_on:<15} {theirs.unknown}"
            )
        return "\n".join(lines)

    def _kinds(self, database: str = "") -> list[str]:
        return sorted({kind for name, kind, _ in self._prompts if database in ("", name)})


def deleted(total: Measures) -> Measures:
    """The measures of deleted facts under their own names (`DELETED`)."""
    return {name: total[measure] for name, measure in DELETED.items() if measure in total}


def _share(prompts: Sequence[Prompt], count: Count) -> Estimate | None:
    counted = [right for prompt in prompts if (right := count(prompt)) is not None]
    return wilson(np.array([(sum(counted), len(counted))])) if counted else None


def _table(title: str, rows: Sequence[tuple[str, Measures]], columns: Sequence[str]) -> str:
    width = max(len(scope) for scope, _ in rows)
    lines = [title, f"{'':{width}} {'n':>6}  " + " ".join(f"{name:19}" for name in columns)]
    for scope, found in rows:
        number = max((int(share["n"]) for share in found.values()), default=0)
        cells = " ".join(f"{_cell(found.get(name), number):19}" for name in columns)
        lines.append(f"{scope:{width}} {number:6}  {cells}")
    return "\n".join(line.rstrip() for line in lines)


def _cell(share: Estimate | None, number: int | None = None) -> str:
    if share is None:
        return "-"
    value, low, high = (100 * share[key] for key in ("value", "low", "high"))
    apart = "" if number in (None, share["n"]) else f" /{share['n']}"
    return f"{value:.1f} [{low:.0f}, {high:.0f}]{apart}"
