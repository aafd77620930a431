"""Token roles: the one reader of the lookup grammar.

    <|db_entity|> E<|db_relationship|> R<|db_return|> V<|db_end|>

The rule is small: **the last marker decides**. After `<|db_entity|>` a token is part of the entity,
after `<|db_relationship|>` of the relation, after `<|db_return|>` of the value, and after
`<|db_end|>` it is text again. So a role needs no search for a partner and is defined for every
sequence, malformed ones included:

- A lookup that never closes keeps its last role until the end of the row.
- A marker out of order, or a lookup inside a lookup, starts its own slot at once. What follows a
  `<|db_return|>` is therefore always a value, and never slips into the loss.
- A row without a prompt may be cut at the left: the tokens before its first marker then have the
  role which that marker ends (before a `<|db_end|>` stands a value).
- Markers inside the prompt are prompt: a person's words never open a lookup.

`misplaced_markers` finds where a sequence breaks the grammar, for those who refuse such a corpus.
The training loss masks by these roles (arXiv 2505.15962, section 3), the decoder drives by them,
perplexities split by them, and the page colours by them.

Letters in tensor names: B rows of a batch, T tokens of a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

ENTITY = "<|db_entity|>"
RELATIONSHIP = "<|db_relationship|>"
RETURN = "<|db_return|>"
END = "<|db_end|>"
MARKERS = (ENTITY, RELATIONSHIP, RETURN, END)  # in the order of the grammar


class Role(IntEnum):
    """What a token is."""

    PROMPT = 0  # what the person wrote, the opening token and the separator included
    TEXT = 1  # what the model writes
    ENTITY = 2  # the entity asked about, in a lookup
    RELATION = 3  # the relation asked about, in a lookup
    VALUE = 4  # what the graph answered
    MARKER = 5  # one of the four special tokens


@dataclass(frozen=True)
class MarkerIds:
    """The ids of the four special tokens in one tokenizer's vocabulary."""

    entity: int
    relationship: int
    return_: int
    end: int

    @classmethod
    def of(cls, tokenizer: Any) -> MarkerIds:
        """The ids in `tokenizer` (of transformers or of tokenizers).

        Raises ValueError, in one sentence, if the vocabulary lacks one of the four.
        """
        vocabulary = tokenizer.get_vocab()
        missing = [marker for marker in MARKERS if marker not in vocabulary]
        if missing:
            raise ValueError(
                f"The tokenizer lacks {', '.join(missing)}; add the four tokens with "
                f"tokenizer.add_tokens({list(MARKERS)}, special_tokens=True) and "
                "model.resize_token_embeddings(len(tokenizer)), then train them."
            )
        return cls(*(vocabulary[marker] for marker in MARKERS))

    def as_tuple(self) -> tuple[int, int, int, int]:
        """The ids in the order of the grammar."""
        return self.entity, self.relationship, self.return_, self.end


# The role of a token after [no marker, entity, relationship, return, end], and before it.
_AFTER = (Role.TEXT, Role.ENTITY, Role.RELATION, Role.VALUE, Role.TEXT)
_BEFORE = (Role.TEXT, Role.TEXT, Role.ENTITY, Role.RELATION, Role.VALUE)


def add_markers(tokenizer: Any) -> None:
    """Add the four markers that a tokenizer lacks, after its own tokens and in their order."""
    missing = [marker for marker in MARKERS if marker not in tokenizer.get_vocab()]
    if missing:
        tokenizer.add_tokens(missing, special_tokens=True)


def next_role(role: Role, token: int, markers: MarkerIds) -> Role:
    """The role of the tokens after `token`, if those before it had `role`.

    This is one step of the same grammar, for a decoder that goes token by token.
    """
    ids = markers.as_tuple()
    return _AFTER[ids.index(token) + 1] if token in ids else role


@lru_cache(maxsize=8)
def _kind_table(markers: MarkerIds, device: torch.device) -> Tensor:
    """[highest marker + 2], int32: the kind of each id; the last entry, of any beyond, is 0."""
    table_V = torch.zeros(max(markers.as_tuple()) + 2, dtype=torch.int32)
    table_V[list(markers.as_tuple())] = torch.arange(1, 5, dtype=torch.int32)
    return table_V.to(device)


def _kinds(ids_BT: Tensor, markers: MarkerIds, prompt_BT: Tensor | None) -> Tensor:
    """[B, T], int32: 1 to 4 where the token is a marker, in the order of the grammar, else 0.

    A token of the prompt is never a marker.
    """
    table_V = _kind_table(markers, ids_BT.device)  # one look into a table, not four comparisons
    kinds_BT = table_V.take(ids_BT.clamp(-1, len(table_V) - 1))
    return kinds_BT if prompt_BT is None else kinds_BT.masked_fill_(prompt_BT, 0)


def _seen(kinds_BT: Tensor) -> Tensor:
    """[B, T]: the last marker up to each token, as 8 * its position + its kind; 0 for none."""
    eights_T = torch.arange(0, 8 * kinds_BT.shape[1], 8, device=kinds_BT.device, dtype=torch.int32)
    marked_BT = (eights_T + kinds_BT).mul_(kinds_BT > 0)
    # The latest marker has the highest position, so a running maximum carries it along the row.
    return torch.cummax(marked_BT, dim=1).values if marked_BT.numel() else marked_BT


def _in_prompt(ids_BT: Tensor, prompt_lengths: Tensor | None) -> Tensor | None:
    if prompt_lengths is None:
        return None
    positions_T = torch.arange(ids_BT.shape[1], device=ids_BT.device)
    return positions_T < prompt_lengths.to(ids_BT.device)[:, None]


def token_roles(ids_BT: Tensor, markers: MarkerIds, prompt_lengths: Tensor | None = None) -> Tensor:
    """The role of each token.

    ids_BT: token ids, [B, T]. prompt_lengths: tokens of the prompt at the start of each row, [B];
    without it no row has a prompt. Returns roles as int64, [B, T], on the device of the ids.
    """
    prompt_BT = _in_prompt(ids_BT, prompt_lengths)
    kinds_BT = _kinds(ids_BT, markers, prompt_BT)
    seen_BT = _seen(kinds_BT)
    roles_BT = (seen_BT & 3).add_(1)  # _AFTER, whose roles stand in the order of the grammar

    # Rows without a prompt may be cut at the left: look at their first marker.
    if ids_BT.shape[1] and (prompt_lengths is None or not bool(prompt_lengths.all())):
        before = torch.tensor(_BEFORE, device=ids_BT.device, dtype=torch.int32)
        first_B1 = (kinds_BT > 0).int().argmax(dim=1, keepdim=True)
        opening_B1 = before[kinds_BT.gather(1, first_B1).long()]
        if prompt_lengths is not None:
            cut_B1 = prompt_lengths.to(ids_BT.device)[:, None] == 0
            opening_B1 = torch.where(cut_B1, opening_B1, int(Role.TEXT))
        roles_BT = torch.where(seen_BT == 0, opening_B1, roles_BT)

    roles_BT.masked_fill_(kinds_BT > 0, int(Role.MARKER))
    if prompt_BT is not None:
        roles_BT.masked_fill_(prompt_BT, int(Role.PROMPT))
    return roles_BT.long()


def misplaced_markers(
    ids_BT: Tensor, markers: MarkerIds, prompt_lengths: Tensor | None = None
) -> Tensor:
    """Where the grammar is broken, bool [B, T]: each marker that does not follow its predecessor.

    The first marker of a row may be any one if the row has no prompt, since it may be cut at the
    left; a lookup that is open at the end of a row is not an error, since it may be cut there.
    """
    kinds_BT = _kinds(ids_BT, markers, _in_prompt(ids_BT, prompt_lengths))
    previous_BT = torch.zeros_like(kinds_BT)
    previous_BT[:, 1:] = _seen(kinds_BT)[:, :-1] & 7
    expected_BT = previous_BT % 4 + 1  # entity after nothing or end, and so on round
    wrong_BT = (kinds_BT > 0) & (kinds_BT != expected_BT)
    may_be_cut = (previous_BT == 0) & (kinds_BT > 0)
    if prompt_lengths is not None:
        may_be_cut &= prompt_lengths.to(ids_BT.device)[:, None] == 0
    return wrong_BT & ~may_be_cut
