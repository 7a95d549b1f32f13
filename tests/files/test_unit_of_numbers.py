"""`unit: 1` says that a name is a pure number: its values are written as such, and the program is the same."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import writer
from neuroport.network.network import Network

TEXT = """
neuroport: 1
name: net
dt: 1 ms
chip: generic16
neurons:
  cell:
    params:
      tau: {default: 20 ms, unit: ms, range: [1, 100]}
      g: {default: 0.5, UNIT range: [0, 1], dynamic: true}
      n: {type: int, default: 3, UNIT range: [0, 5]}
      h: {UNIT range: [0, 2]}
    inputs:
      x: {UNIT range: [0, 8]}
    state:
      m: {UNIT init: 0.5, range: [0, 1]}
      k: {type: int, UNIT init: 1, range: [0, 9]}
    update: |
      m = m + dt / tau * (g * h - m) + x
      k = min(k + n, 9)
    spike: m > 0.75
synapses:
  rule:
    state: {w: {weight: true, UNIT range: [0, 2]}}
populations:
  cells: {size: 3, neuron: cell, params: {h: {uniform: [0, 2]}, g: 0.25}, init: {m: {array: [0.1, 0.2, 0.3]}}}
projections:
  all: {source: cells, target: cells, synapse: rule, connect: all_to_all, weight: {normal: {mean: 1, sd: 0.1}}}
stimuli:
  given: {population: cells, series: {values: [0.5, 0.25], every: 2 ms}}
protocol:
  - run: 5 ms
  - set: {cells.g: 0.75}
  - run: 5 ms
"""


def loaded(unit: str, text: str = TEXT) -> Network:
    return neuroport.loads(text.replace("UNIT", unit))


def ran(network: Network) -> tuple[str, list[float]]:
    """What a run of a network leaves behind: its digest, and the factors of its cells."""
    with neuroport.open(network, backend="reference") as session:
        session.run_protocol()
        return session.digest(), list(session.get("cells.h"))


@pytest.mark.parametrize("unit", ["1", "mV/mV", "ms*kHz"])
def test_the_program_is_that_of_names_without_a_unit(unit: str) -> None:
    network = loaded(f"unit: {unit},")
    assert network["cells"].neuron.states[0].unit == unit
    assert ran(network) == ran(loaded(""))
    assert neuroport.loads(writer.to_yaml(network)) == network


def test_a_value_with_a_unit_is_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        loaded("unit: 1,", TEXT.replace("g: 0.25", "g: 1 mV"))
    text = "parameter 'g' of population 'cells' is a pure number, but 1 mV is in mV; leave the unit out"
    assert str(error.value) == f"<text>:26:68: {text}"


def test_a_pure_number_keeps_the_unit_that_it_is_a_factor_of_and_goes_with_no_other() -> None:
    with pytest.raises(InvalidInput) as error:
        loaded("unit: 1,", TEXT.replace("(g * h - m)", "(g * h * tau - m)"))
    text = "g * h * tau is in ms and m a pure number, which cannot be subtracted"
    assert str(error.value) == f"<text>:19:27: {text}; multiply m by what is in ms, such as dt, or correct a unit"
    assert loaded("", TEXT.replace("(g * h - m)", "(g * h * tau - m)"))
