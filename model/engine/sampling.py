"""Sampling a token.

Noise is tied to the position in the text, not to the order of calls: it depends on the seed, the
number of lookups so far and the tokens since the last of them. So when an edit changes the text,
what follows the next lookup gets the same noise again, and a difference is the effect of the edit.
The method is the Gumbel-max trick (Gumbel 1954): the most probable token after independent noise on
each logit is a sample of the softmax, and small changes of the logits change few samples.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from model.settings import DecodingSettings


def sample_token(
    logits_V: Tensor,
    settings: DecodingSettings,
    position: tuple[int, int],
    forbidden: Sequence[int] = (),
    allowed: Sequence[int] | None = None,
) -> tuple[int, float]:
    """The next token's id, and its probability under the model.

    logits_V: [V] float32. position: what the noise depends on besides the seed. The probability is
    of the unchanged logits: at temperature 1, without top-p, `forbidden` not yet taken out. With
    `allowed`, it is one of these.
    """
    allowed_V = logits_V
    if forbidden:
        allowed_V = logits_V.clone()
        allowed_V[list(forbidden)] = -math.inf
    if allowed is not None:
        allowed_V = torch.full_like(logits_V, -math.inf)
        allowed_V[list(allowed)] = logits_V[list(allowed)]
    if settings.temperature > 0:
        scaled_V = allowed_V / settings.temperature
        if settings.top_p < 1:
            scaled_V = _nucleus(scaled_V, settings.top_p)
        allowed_V = scaled_V + _gumbel_noise(settings.seed, position, scaled_V)
    token = int(allowed_V.argmax())
    return token, math.exp(float(logits_V[token]) - float(logits_V.logsumexp(0)))


def _nucleus(logits_V: Tensor, top_p: float) -> Tensor:
    """Logits with all but the most probable tokens of total probability `top_p` at -inf
    (arXiv 1904.09751)."""
    sorted_V, order_V = logits_V.sort(descending=True)
    probability_V = sorted_V.softmax(0)
    outside_V = probability_V.cumsum(0) - probability_V >= top_p  # the first always stays
    return logits_V.index_fill(0, order_V[outside_V], -math.inf)


def _gumbel_noise(seed: int, position: tuple[int, int], like_V: Tensor) -> Tensor:
    digest = hashlib.blake2b(repr((seed, *position)).encode(), digest_size=8).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)
    uniform_V = torch.rand(like_V.shape, generator=generator).clamp_(1e-20, 1 - 1e-7)
    return -(-uniform_V.log()).log()
