"""The type of text embeddings, which stores and encoders share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32 [N, D]: one row of length 1 for each text."""
