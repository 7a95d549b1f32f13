"""Metrics against hand-made numbers."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

from neuroport.api import run as api
from neuroport.cli import main
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.metrics import ALL
from neuroport.metrics.divergence import dkl
from neuroport.metrics.elements import Max, Mean, Min, OverElements, Sd, Values
from neuroport.metrics.metric import Real
from neuroport.metrics.rate import rate
from neuroport.metrics.rows import Accuracy, CrossEntropy, squared_error
from neuroport.metrics.weights import Angle, Distance, asymmetry
from neuroport.trace.read import open_trace

OVER_ELEMENTS: tuple[type[OverElements], ...] = (Mean, Sd, Min, Max, Values)


def test_dkl() -> None:
    p = np.array([0.5, 0.25, 0.25, 0.0])
    assert dkl(np.array([50, 25, 25, 0]), p, floor=0) == 0.0
    assert dkl(np.array([50, 50, 0, 0]), p, floor=0) == math.inf
    q = np.array([50, 50, 0.5, 0.5]) / 101
    expected = sum(a * math.log(a / b) for a, b in zip(p[:3], q[:3], strict=True))
    assert dkl(np.array([50, 50, 0, 0]), p) == pytest.approx(expected, rel=1e-14)
    assert math.isnan(dkl(np.zeros(4, int), p))


def test_asymmetry() -> None:
    numbers = np.random.Generator(np.random.PCG64(3))
    n = 7
    w = numbers.normal(size=(n, n))  # w[i, j]: from j to i
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    pre, post = np.array([j for _, j in pairs]), np.array([i for i, _ in pairs])
    values = np.array([w[i, j] for i, j in pairs])
    expected = np.var((w - w.T)[np.triu_indices(n, 1)])
    assert asymmetry(pre, post, values) == pytest.approx(expected, rel=1e-13)


def test_asymmetry_of_one_way_connections_is_undefined() -> None:
    assert math.isnan(asymmetry(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 2.0])))
    assert math.isnan(asymmetry(np.zeros(0, int), np.zeros(0, int), np.zeros(0)))
    both = asymmetry(np.array([0, 1, 1, 2, 0]), np.array([1, 0, 2, 1, 0]), np.array([1.0, 3.0, 2.0, 9.0, 5.0]))
    assert both == np.var([2.0, 7.0])


def test_rate_and_elements() -> None:
    assert rate(20, 4, 1000, 0.5) == 10.0
    assert math.isnan(rate(0, 4, 0, 1.0))
    values = np.array([[1.0, 2.0], [3.0, 6.0]])
    assert [kind.over(values) for kind in OVER_ELEMENTS] == [
        3.0,
        np.std([1, 2, 3, 6]),
        1.0,
        6.0,
        [1.0, 2.0, 3.0, 6.0],
    ]


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


COMPARED = """
neuroport: 1
name: n
dt: 1 ms
COPIES
neurons: {n: {state: {v: {init: 0}, shared: {init: 0, over_copies: shared}}}}
populations:
  a: {size: 3, neuron: n, init: {v: [3, 4, 0]}}
  b: {size: 4, neuron: n, init: {v: [4, 9, 9, 3]}}
metrics:
  angle: {angle: "a.v[0:2]", to: "b.v[0, 3]"}
  distance: {distance: "b.v[0:3]", to: a.v}
"""


@pytest.mark.parametrize("copies", ["", "copies: 3"])
def test_variables_of_as_many_neurons_are_compared(copies: str) -> None:
    network = reader.loads(COMPARED.replace("COPIES", copies).encode(), "n.yaml")
    assert reader.loads(writer.to_yaml(network), "n.yaml") == network
    assert [metric.shown for metric in network.metrics] == ["a.v[0:2]", "b.v[0:3]"]
    with api.open(network, "reference", "ideal") as session:
        session.measure()
    assert session.results["angle"] == [(0, pytest.approx(math.degrees(math.acos(24 / 25))))]
    assert session.results["distance"] == [(0, pytest.approx(math.sqrt(1 + 25 + 81)))]


def test_variables_of_more_neurons_are_not_compared_with_those_of_fewer() -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(COMPARED.replace("COPIES", "").replace("0:2", "0:3").encode(), "n.yaml")
    assert str(error.value) == (
        "n.yaml:11:34: angle of metric 'angle' needs two projections between the same populations, in either "
        "direction, or variables of as many neurons each; found 3 and 2"
    )


def test_angle_of_nothing_is_undefined() -> None:
    assert math.isnan(Angle.formula(np.zeros((2, 2)), np.ones((2, 2))))


def test_rows_against_labels_and_targets() -> None:
    rows, labels = np.array([[1.0, 3.0], [2.0, 2.0], [800.0, 0.0]]), np.array([1, 0, 1])
    assert Accuracy.formula(rows, labels) == pytest.approx(200 / 3)
    losses = [np.log(1 + np.exp(-2.0)), np.log(2.0), 800.0]
    assert CrossEntropy.formula(rows, labels) == pytest.approx(np.mean(losses), rel=1e-15)
    assert squared_error(rows, rows + np.array([1.0, 3.0])) == 5.0


def test_no_rows_have_no_value() -> None:
    rows, labels = np.zeros((0, 3)), np.zeros(0, np.int64)
    values = [Accuracy.formula(rows, labels), CrossEntropy.formula(rows, labels), squared_error(rows, rows)]
    assert np.all(np.isnan([*values, *(kind.over(rows) for kind in OVER_ELEMENTS[:4])])) and Values.over(rows) == []


def test_distance() -> None:
    assert Distance.formula(np.array([[1.0, 2.0]]), np.array([[4.0, -2.0]])) == 5.0


# ---------------------------------------------------------------------------------------------------- a metric more


@dataclass(frozen=True, slots=True, kw_only=True)
class Median(OverElements):
    kind: ClassVar[str] = "median"

    @staticmethod
    def formula(values: Real) -> float:
        return float(np.median(values))


NETWORK = """\
neuroport: 1
name: n
dt: 1 ms
populations:
  cells: {size: 3, neuron: lif, params: {v_rest: {array: [-70, -60, -55], unit: mV}},
          init: {v: {array: [-70, -60, -55], unit: mV}}}
metrics: {middle: {median: cells.v}, seen: {median: rows}}
protocol: [{run: 2 ms, readout: [rows]}, {measure: [middle]}, {run: 3 ms}, {measure: []}]
readouts: {rows: {samples: {of: cells.v}}}
"""


@pytest.fixture
def with_median(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A network file with a metric whose class was registered, and nothing else."""
    monkeypatch.setitem(ALL, "median", Median)
    path = tmp_path / "n.yaml"
    path.write_text(NETWORK)
    return path


def answer(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_new_metric_is_one_class_and_its_name(with_median: Path, tmp_path: Path) -> None:
    network = reader.load(with_median)
    assert network.metrics == (Median(name="middle", of="cells.v"), Median(name="seen", of="rows"))
    assert reader.loads(writer.to_yaml(network), "n.yaml") == network
    trace = tmp_path / "n.h5"
    run = json.loads(answer("run", with_median, "--backend", "reference", "-q", "--json", "-o", trace))
    assert run["metrics"] == {"middle": [[2, -60.0], [5, -60.0]], "seen": [[5, -60.0]]}
    assert open_trace(trace).metrics == {"middle": [(2, -60.0), (5, -60.0)], "seen": [(5, -60.0)]}
    assert answer("compare", trace, trace).startswith("identical")
    assert answer("check", with_median).splitlines()[0].startswith("n:")
    assert "  middle  median  cells.v\n  seen    median  rows\n" in answer("show", with_median)


def test_messages_know_of_a_new_metric(with_median: Path) -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(NETWORK.replace("median: cells.v", "meedian: cells.v"), "n.yaml")
    assert str(error.value) == (
        "n.yaml:7:19: metric 'middle' must have one of the keys dkl, asymmetry, angle, update_angle, distance, rate, "
        "accuracy, cross_entropy, squared_error, mean, sd, min, max, values, median; found a mapping with 'meedian'; "
        "did you mean 'median'?"
    )


def test_a_rate_leaves_the_rows_of_a_readout_with_the_name_of_its_population() -> None:
    text = NETWORK.replace("seen: {median: rows}", "seen: {rate: cells}").replace("median: cells.v", "mean: cells.v")
    with api.open(reader.loads(text.replace("rows", "cells"), "n.yaml"), "reference") as session:
        session.run_protocol()
        assert session.rows("cells")[1].tolist() == [[-70.0, -60.0, -55.0]]


def test_numbers_that_grow_without_end_are_measured_without_a_warning() -> None:
    text = NETWORK.replace("neuron: lif", "neuron: n").replace("median:", "sd:")
    text = re.sub(r", params: .*\n.*", ", init: {v: [1e300, -1e300, 0]}}", text)
    text = text.replace("populations:", "neurons: {n: {state: {v: {init: 0}}, update: v = v}}\npopulations:")
    with api.open(reader.loads(text.encode(), "n.yaml"), "reference") as session:
        session.run_protocol()
        assert session.results["seen"] == [(5, math.inf)]
