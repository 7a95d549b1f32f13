"""Sums of what arrives are kept in 16 bits only where nothing can leave them; what a host adds is never lost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import neuroport
from neuroport.backends.emulator import sums
from neuroport.backends.emulator.machine import Machine
from neuroport.files import network as reader
from neuroport.program.machine import Program
from tests.support.random_hosted import agree

TEXT = """\
neuroport: 1
name: sums
dt: 1 ms
chip: loihi1
neurons:
  always: {state: {x: {type: int, init: 0, range: [0, 1]}}, spike: x == 0}
  counts: {inputs: {n: {type: int}}, state: {c: {type: int, init: 0, range: [-99999, 99999]}}, update: c = n}
populations:
  a: {size: SOURCES, neuron: always}
  b: {size: 3, neuron: counts}
projections:
  p: {source: a, target: b, synapse: loihi_static, connect: all_to_all, weight: 120,
      ranges: {w: [0, 127]}}
"""


def program(sources: int = 200) -> Program:
    return neuroport.compile(reader.loads(TEXT.replace("SOURCES", str(sources)), "sums.yaml"))


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a network of a few neurons had more sums than a processor's first cache."""
    monkeypatch.setattr(sums, "CACHE", 0)


def test_sums_of_small_networks_stay_wide() -> None:
    assert sums.narrow(program()) == frozenset()


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize(("sources", "found"), [(258, {"b.n"}), (259, set())])
def test_sums_are_narrow_where_all_that_can_arrive_fits(sources: int, found: set[str]) -> None:
    assert sums.narrow(program(sources)) == found
    assert (sources * 127 <= 2**15 - 1) is bool(found)


@pytest.mark.usefixtures("no_cache")
def test_sums_to_which_a_port_adds_are_never_narrow() -> None:
    """They would be made wide in the first exchange, for which the module is compiled anew."""
    text = TEXT.replace("SOURCES", "200") + "ports: {events: {inject: b.n, range: [0, 3]}, seen: {read: b.c}}\n"
    assert sums.narrow(neuroport.compile(reader.loads(text, "sums.yaml"))) == frozenset()


def loaded(machine: Machine) -> None:
    machine.add("b.n", np.array([20000, 0, 0]))
    machine.load(machine.save())


HOSTS: dict[str, Callable[[Machine], None]] = {
    "adds": lambda machine: machine.add("b.n", np.array([20000, 0, 0])),
    "writes": lambda machine: machine.write("b.n", np.array([20000, 0, 0])),
    "adds and loads": loaded,
}


@pytest.mark.dear
@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize("host", HOSTS)
def test_what_a_host_adds_to_narrow_sums_is_there(host: str) -> None:
    machine = Machine(program(), 1, [])
    machine.advance(2)
    HOSTS[host](machine)
    machine.advance(1)
    assert machine.read("b.c").tolist() == [200 * 120 + 20000, 200 * 120, 200 * 120]
    machine.advance(1)
    assert machine.read("b.c").tolist() == 3 * [200 * 120]


@pytest.mark.dear
@pytest.mark.usefixtures("no_cache")
def test_another_machine_takes_sums_that_narrow_ones_cannot_hold() -> None:
    one, other = (Machine(program(), 1, []) for _ in range(2))
    one.advance(2)
    one.add("b.n", np.array([20000, 0, 0]))
    other.load(one.save())
    other.advance(1)
    assert other.read("b.c")[0] == 200 * 120 + 20000


@pytest.mark.dear
@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize("seed", range(2))
def test_random_programs_are_the_same_with_narrow_sums(seed: int) -> None:
    agree(seed, "emulator")
