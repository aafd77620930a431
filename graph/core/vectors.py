"""The type of embedded texts, which stores and encoders share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32 [N, D]: a row for each text, of length 1."""
