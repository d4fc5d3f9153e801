"""The one type of the model's arguments and results: a float, or an array of floats of any shape."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Numeric: TypeAlias = float | Array
