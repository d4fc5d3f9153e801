"""Sums of what partitions cost their brokers, quick enough for hundreds of thousands of them."""

from __future__ import annotations

import numpy as np

from planner.model.placement import Integers
from planner.model.types import Array

# Multiplications at a time: counts stay in the processor's cache, and OpenBLAS, which takes threads from 2**18 on, does
# not wake them for so little.
_PRODUCTS = 2**18


def product(counts: Array, weights: Array) -> Array:
    """Counts by class, shape (..., brokers, classes), times the costs of each class, shape (classes, costs).

    Examples
    --------
    >>> product(np.array([[1.0, 2.0]]), np.array([[10.0], [7.0]])).tolist()
    [[24.0]]
    """
    per = _classes_at_a_time(counts.shape[-2], weights.shape[1])
    if per >= len(weights):
        return np.asarray(counts @ weights)
    parts = (counts[..., first : first + per] @ weights[first : first + per] for first in range(0, len(weights), per))
    return np.asarray(sum(parts))


def _classes_at_a_time(brokers: int, costs: int) -> int:
    return max(1, _PRODUCTS // (brokers * costs))


def totals(at: Integers, of_class: Integers, weights: Array, brokers: int, times: Array | None = None) -> Array:
    """Sum the costs of each partition at every broker that its row of `at` names.

    Parameters
    ----------
    at
        Brokers, shape (partitions,) or (partitions, replicas).
    of_class
        Class of each partition, shape (partitions,), those of a class one after the other.
    weights
        Costs, shape (classes, costs).
    brokers
        How many brokers there are.
    times
        How often a partition counts, shape (partitions,); once when absent.

    Returns
    -------
    Array
        Shape (brokers, costs).

    Examples
    --------
    Three partitions of two classes, on two brokers:

    >>> totals(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([[10.0], [7.0]]), 2).tolist()
    [[10.0], [17.0]]
    """
    at = at if at.ndim > 1 else at[:, None]
    starts = np.flatnonzero(np.diff(of_class, prepend=-1))
    dense = brokers * len(starts) <= at.size * weights.shape[1]
    return (_counted if dense else _one_by_one)(at, of_class, weights, brokers, times)


def _one_by_one(at: Integers, of_class: Integers, weights: Array, brokers: int, times: Array | None) -> Array:
    """Cost by cost: few partitions, or few costs."""
    total = np.zeros((brokers, weights.shape[1]))
    columns = [np.ascontiguousarray(column) for column in at.T]
    for cost, weight in enumerate(np.ascontiguousarray(weights.T)):
        each = weight[of_class] if times is None else weight[of_class] * times
        for column in columns:
            total[:, cost] += np.bincount(column, each, brokers)
    return total


def _counted(at: Integers, of_class: Integers, weights: Array, brokers: int, times: Array | None) -> Array:
    """Count each class on each broker, some classes at a time, then multiply by the costs: many partitions."""
    total = np.zeros((brokers, weights.shape[1]))
    starts = np.flatnonzero(np.diff(of_class, prepend=-1))
    run = np.zeros(len(of_class), dtype=np.intp)
    run[starts[1:]] = 1
    run = run.cumsum()
    per = _classes_at_a_time(brokers, weights.shape[1])
    for first in range(0, len(starts), per):
        begin = starts[first]
        end = starts[first + per] if first + per < len(starts) else len(of_class)
        many = run[end - 1] - first + 1
        cell = ((run[begin:end] - first) * brokers)[:, None] + at[begin:end]
        each = None if times is None else np.repeat(times[begin:end], at.shape[1])
        counts = np.bincount(cell.ravel(), each, many * brokers).reshape(many, brokers)
        total += counts.astype(float).T @ weights[of_class[starts[first : first + per]]]
    return total
