"""Metrics against hand-made numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroport.api import run as api
from neuroport.files import network as reader
from neuroport.session import metrics


def test_dkl() -> None:
    p = np.array([0.5, 0.25, 0.25, 0.0])
    assert metrics.dkl(np.array([50, 25, 25, 0]), p, floor=0) == 0.0
    assert metrics.dkl(np.array([50, 50, 0, 0]), p, floor=0) == math.inf
    q = np.array([50, 50, 0.5, 0.5]) / 101
    expected = sum(a * math.log(a / b) for a, b in zip(p[:3], q[:3], strict=True))
    assert metrics.dkl(np.array([50, 50, 0, 0]), p) == pytest.approx(expected, rel=1e-14)
    assert math.isnan(metrics.dkl(np.zeros(4, int), p))


def test_asymmetry() -> None:
    numbers = np.random.Generator(np.random.PCG64(3))
    n = 7
    w = numbers.normal(size=(n, n))  # w[i, j]: from j to i
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    pre, post = np.array([j for _, j in pairs]), np.array([i for i, _ in pairs])
    values = np.array([w[i, j] for i, j in pairs])
    expected = np.var((w - w.T)[np.triu_indices(n, 1)])
    assert metrics.asymmetry(pre, post, values) == pytest.approx(expected, rel=1e-13)


def test_asymmetry_of_one_way_connections_is_undefined() -> None:
    assert math.isnan(metrics.asymmetry(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 2.0])))
    assert math.isnan(metrics.asymmetry(np.zeros(0, int), np.zeros(0, int), np.zeros(0)))
    both = metrics.asymmetry(np.array([0, 1, 1, 2, 0]), np.array([1, 0, 2, 1, 0]), np.array([1.0, 3.0, 2.0, 9.0, 5.0]))
    assert both == np.var([2.0, 7.0])


def test_rate_and_elements() -> None:
    assert metrics.rate(20, 4, 1000, 0.5) == 10.0
    assert math.isnan(metrics.rate(0, 4, 0, 1.0))
    values = np.array([[1.0, 2.0], [3.0, 6.0]])
    kinds = ("mean", "sd", "min", "max", "values")
    assert [metrics.over_elements(k, values) for k in kinds] == [
        3.0,
        np.std([1, 2, 3, 6]),
        1.0,
        6.0,
        [1.0, 2.0, 3.0, 6.0],
    ]
    with pytest.raises(ValueError, match="there is no metric 'median'"):
        metrics.over_elements("median", values)


def test_angle_is_transposed_where_the_projections_go_opposite_ways() -> None:
    text = """
neuroport: 1
name: n
dt: 1 ms
populations: {a: {size: 3, neuron: lif}, b: {size: 2, neuron: lif}}
projections:
  up: {source: a, target: b, input: jump, synapse: static, connect: all_to_all,
       weight: {rows: target, array: [[1, 2, 3], [4, 5, 6]]}}
  down: {source: b, target: a, input: jump, synapse: static, connect: all_to_all,
         weight: {rows: source, array: [[2, 4, 6], [8, 10, 12]]}}
  other: {source: a, target: b, input: jump, synapse: static, connect: all_to_all,
          weight: {rows: target, array: [[-1, 0, 0], [0, 0, 0]]}}
metrics: {opposite: {angle: up.w, to: down.w}, same: {angle: up.w, to: other.w}}
"""
    with api.open(reader.loads(text.encode(), "n.yaml"), "reference", "ideal") as session:
        session.measure()
    assert session.results["opposite"] == [(0, pytest.approx(0, abs=1e-5))]
    assert session.results["same"] == [(0, pytest.approx(math.degrees(math.acos(-1 / math.sqrt(91)))))]


def test_angle_of_nothing_is_undefined() -> None:
    assert math.isnan(metrics.angle(np.zeros((2, 2)), np.ones((2, 2))))


def test_rows_against_labels_and_targets() -> None:
    rows, labels = np.array([[1.0, 3.0], [2.0, 2.0], [800.0, 0.0]]), np.array([1, 0, 1])
    assert metrics.accuracy(rows, labels) == pytest.approx(200 / 3)
    losses = [np.log(1 + np.exp(-2.0)), np.log(2.0), 800.0]
    assert metrics.cross_entropy(rows, labels) == pytest.approx(np.mean(losses), rel=1e-15)
    assert metrics.squared_error(rows, rows + np.array([1.0, 3.0])) == 5.0


def test_no_rows_have_no_value() -> None:
    rows, labels = np.zeros((0, 3)), np.zeros(0, np.int64)
    values = [metrics.accuracy(rows, labels), metrics.cross_entropy(rows, labels), metrics.squared_error(rows, rows)]
    values += [float(metrics.over_elements(kind, rows)) for kind in ("mean", "sd", "min", "max")]  # type: ignore[arg-type]
    assert np.all(np.isnan(values)) and metrics.over_elements("values", rows) == []


def test_distance() -> None:
    assert metrics.distance(np.array([[1.0, 2.0]]), np.array([[4.0, -2.0]])) == 5.0
