"""Sums over partitions against plain Python loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.sizing import sums


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    brokers=st.integers(1, 9),
    classes=st.integers(1, 6),
    costs=st.integers(1, 4),
    copies=st.integers(1, 3),
    times=st.booleans(),
    products=st.sampled_from([1, 40, 2**18]),
)
def test_totals_are_those_of_a_loop(  # noqa: PLR0917 - what a case is made of
    seed: int, brokers: int, classes: int, costs: int, copies: int, times: bool, products: int
) -> None:
    """Each partition adds its costs to every broker of its row, by either way and however finely it is cut."""
    generator = np.random.default_rng(seed)
    of_class = np.repeat(generator.permutation(classes), generator.integers(1, 12, classes))
    at = generator.integers(0, brokers, (len(of_class), copies))
    weights = generator.random((classes, costs))
    how_often = generator.integers(0, 3, len(of_class)).astype(float) if times else None
    expected = np.zeros((brokers, costs))
    for partition, row in enumerate(at.tolist()):
        for broker in row:
            for cost in range(costs):
                once = weights[of_class[partition], cost]
                expected[broker, cost] += once if how_often is None else once * how_often[partition]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "_PRODUCTS", products)
        for way in (sums.totals, sums._counted, sums._one_by_one):
            np.testing.assert_allclose(way(at, of_class, weights, brokers, how_often), expected, rtol=1e-12)
        if copies == 1:
            np.testing.assert_allclose(sums.totals(at[:, 0], of_class, weights, brokers, how_often), expected)


def test_no_partition_adds_nothing() -> None:
    none = np.zeros(0, dtype=np.intp)
    assert sums.totals(none, none, np.ones((4, 2)), 3).tolist() == [[0.0, 0.0]] * 3


@pytest.mark.parametrize("products", [1, 12, 2**18])
def test_products_are_the_same_however_finely_cut(products: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two placements, two brokers, three classes, two costs, by hand: 1*10 + 2*100 + 3*1000, and half of it."""
    monkeypatch.setattr(sums, "_PRODUCTS", products)
    counts = np.array([[[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], [[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
    weights = np.array([[10.0, 5.0], [100.0, 50.0], [1000.0, 500.0]])
    expected = [[[3210.0, 1605.0], [100.0, 50.0]], [[20.0, 10.0], [1000.0, 500.0]]]
    assert sums.product(counts, weights).tolist() == expected
