"""Scripts that put no spaces between words: each of their letters counts as a word."""

from __future__ import annotations

import re

ALONE = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff가-힣]"
UNSPACED = re.compile(ALONE)
