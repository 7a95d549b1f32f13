"""Functions and quotients over wide ranges: thousands of arguments each, against exact values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from neuroport.api import run as api
from neuroport.files import network as reader
from neuroport.program.ir import Int

Floats = NDArray[np.float64]
NETWORK = """\
neuroport: 1
name: wide
dt: 1 ms
neurons:
  m:
    state:
      v: {init: INIT, range: [LOW, HIGH], class: plastic}
      a: {init: LEAST, range: [LEAST, MOST], class: plastic}
    update: a = TEXT
populations:
  p: {size: SIZE, neuron: m}
protocol:
  - run: 1 step
"""


@dataclass(frozen=True)
class Found:
    """Arguments as the chip holds them, values, and the unit of the values."""

    v: Floats
    a: Floats
    unit: float


def computed(text: str, over: tuple[float, float], into: tuple[float, float], values: Floats, chip: str) -> Found:
    named = {"INIT": over[0], "LOW": over[0], "HIGH": over[1], "LEAST": into[0], "MOST": into[1]}
    named |= {"TEXT": text, "SIZE": len(values)}
    network = NETWORK
    for name, value in named.items():
        network = network.replace(name, str(value))
    with api.open(reader.loads(network.encode(), "wide.yaml"), "reference", chip=chip) as session:
        session.set("p.v", values)
        session.run(1)
        kind = session.program.arrays["p.a"].type
        assert isinstance(kind, Int)
        return Found(session.get("p.v"), session.get("p.a"), 2.0**-kind.frac)


@pytest.mark.parametrize("chip", ["generic16", "generic8"])
@pytest.mark.parametrize("most", [2**19, 2**23, 2**27])
def test_exp_over_forty_is_within_little_more_than_half_a_unit(most: int, chip: str) -> None:
    found = computed("exp(v)", (-20, 20), (0, most), np.linspace(-20, 20, 20001), chip)
    right = np.exp(found.v)
    inside = right < most
    assert np.abs(found.a - right)[inside].max() <= 0.51 * found.unit
    assert (found.a[~inside] == most).all()


WIDE = np.exp(np.linspace(np.log(2.0**-10), np.log(4096), 20001))


def test_log_over_six_decades() -> None:
    found = computed("log(v)", (2**-10, 4096), (-16, 16), WIDE, "generic16")
    assert np.abs(found.a - np.log(found.v)).max() <= 2.0**-22


def test_sqrt_over_six_decades() -> None:
    found = computed("sqrt(v)", (0, 4096), (0, 64), np.append(WIDE, 0.0), "generic16")
    right = np.sqrt(found.v)
    assert (np.abs(found.a - right) <= 2.0**-20 * right + found.unit).all()


def test_reciprocals_over_six_decades() -> None:
    found = computed("1 / v", (2**-10, 4096), (0, 1024), WIDE, "generic16")
    right = 1 / found.v
    assert (np.abs(found.a - right) <= 2.0**-28 * right + 0.52 * found.unit).all()


def test_reciprocals_of_negative_numbers() -> None:
    found = computed("1 / v", (-4096, -(2**-10)), (-1024, 0), -WIDE, "generic16")
    right = 1 / found.v
    assert (np.abs(found.a - right) <= 2.0**-28 * -right + 0.52 * found.unit).all()


def test_a_quotient_under_a_condition_takes_divisors_of_both_signs_and_0() -> None:
    values = np.concatenate([WIDE, -WIDE, [0.0]])
    found = computed("3 / v if abs(v) > 0.01 else 7", (-4096, 4096), (-512, 512), values, "generic16")
    some = np.abs(found.v) > 0.01
    right = 3 / found.v[some]
    assert (np.abs(found.a[some] - right) <= 2.0**-28 * np.abs(right) + 0.52 * found.unit).all()
    assert (found.a[~some] == 7).all()


def test_softplus_over_hundreds() -> None:
    found = computed("softplus(v)", (-100, 100), (0, 128), np.linspace(-100, 100, 20001), "generic16")
    assert np.abs(found.a - np.logaddexp(0, found.v)).max() <= 2.0**-14
