"""The exact step of the neurons of NIR, beside solutions of their equations for an input that stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport

STEPS, X = 40, 0.75
TIMES = np.arange(1, STEPS + 1)


def course(neuron: str, **params: Any) -> NDArray[np.float64]:
    """v after each step of 1 ms, with an input of X from the first one on."""
    net = neuroport.Network(dt="1 ms")
    net.population("cell", 1, neuron, **params)
    net.stimulus("drive", "cell", series={"values": [X], "every": "1 ms", "loop": True}, input="x")
    found = []
    with neuroport.open(net, "reference") as session:
        for _ in range(STEPS):
            session.run(1)
            found.append(session.get("cell.v")[0])
    return np.array(found)


@pytest.mark.parametrize(("r", "leak"), [(1, 0), (2.5, -0.5)])
def test_a_leak(r: float, leak: float) -> None:
    found = course("nir_li", tau="8 ms", r=r, v_leak=leak, exact=1)
    end = leak + r * X
    assert np.allclose(found, end + (0 - end) * np.exp(-TIMES / 8), rtol=1e-12)


def test_small_steps_of_euler_come_near_the_exact_one() -> None:
    exact, euler = (course("nir_li", tau="400 ms", exact=flag) for flag in (1, 0))
    assert 1e-6 < np.abs(exact - euler).max() < 2e-4


def test_no_leak() -> None:
    assert np.allclose(course("nir_i", r="0.5 kHz", bias=0.25), 0.5 * TIMES * (X + 0.25), rtol=1e-12)


@pytest.mark.parametrize("updated", [0, 1])
def test_a_current(updated: int) -> None:
    """The current is exact; v takes it for the length of a step, from its beginning or its end."""
    found = course("nir_cuba_li", tau_syn="5 ms", tau_mem="8 ms", w_in=2, r=3, exact=1, updated=updated)
    current = 2 * X * (1 - np.exp(-(TIMES - 1 + updated) / 5))
    keep = np.exp(-1 / 8)
    v = [0.0]
    for i in current:
        v.append(v[-1] * keep + 3 * i * (1 - keep))
    assert np.allclose(found, v[1:], rtol=1e-12)


def test_what_a_spike_does() -> None:
    """It spikes above the threshold, not where v is equal to it."""
    assert course("nir_if", v_threshold=1.5)[:3].tolist() == [0.75, 1.5, 0]
    assert course("nir_if", v_threshold=1.25, v_reset=0.25)[:3].tolist() == [0.75, 0.25, 1]
    assert course("nir_if", v_threshold=1, subtract=1)[:4].tolist() == [0.75, 0.5, 0.25, 1]
