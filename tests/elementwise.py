"""What every model function promises: arrays give what floats give, nothing is NaN, infinite or below zero."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np


def check_element_by_element(function: Callable[..., Any], **bounds: tuple[float, float]) -> None:
    """Call `function` with arrays and with floats, at every corner of the bounds and between; zeros must not warn.

    Bounds given as whole numbers are for whole numbers.
    """
    corners = np.array(list(itertools.product(*bounds.values())), dtype=float)
    low, high = np.array(list(bounds.values()), dtype=float).T
    between = np.random.default_rng(11).uniform(low, high, (40, len(bounds)))
    whole = [all(isinstance(end, int) for end in ends) for ends in bounds.values()]
    rows = np.vstack([corners, np.where(whole, np.round(between), between)])
    together = np.asarray(function(**dict(zip(bounds, rows.T, strict=True))))
    one_by_one = np.array([float(function(**dict(zip(bounds, row.tolist(), strict=True)))) for row in rows])
    np.testing.assert_allclose(together, one_by_one, rtol=1e-14, atol=0)
    assert np.isfinite(together).all()
    assert (together >= 0).all()
