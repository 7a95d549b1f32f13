"""Ports in a network file: what they may lead to, and a sentence with its place for every other one."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.ports import Port
from neuroport.program import machine
from neuroport.program.machine import Program

HEAD = """\
neuroport: 1
name: hosted
dt: 0.5 ms
neurons:
  unit:
    params: {gain: {default: 1, dynamic: true, range: [0, 4]}, tau: {default: 20 ms, unit: ms}}
    inputs: {i: {unit: nA, range: [-2, 2]}, free: {unit: nA}, n: {type: int, range: [0, 9]}}
    state: {v: {init: 0 mV, unit: mV, range: [-8, 8]}, wild: {init: 0}}
    update: v = 0.9 * v + gain * i
    spike: v > 1
  quiet: {state: {x: {init: 0, range: [0, 1]}}}
populations:
  units: {size: 3, neuron: unit}
  still: {size: 2, neuron: quiet}
projections:
  p: {source: units, target: units, input: i, synapse: static, connect: all_to_all}
stimuli:
  drive: {spikes: {times: [1 step], neurons: [0]}, population: units, input: n}
"""

GOOD = """\
ports:
  events: {inject: units.n, range: [0, 3]}
  current: {inject: units.free, range: [-1 nA, 0.002 uA]}
  default: {inject: units.i}
  observation: {write: units.v}
  modulator: {write: units.gain}
  action: {spikes: units}
  units: {spikes: units}
  seen: {read: units.wild}
  x: {read: still.x, write: false}
  weights: {read: p.w, write: true}
"""


def problems(ports: str) -> list[str]:
    """All that the reader says of the file with these ports."""
    with pytest.raises(InvalidInput) as error:
        reader.loads(HEAD + ports, "net.yaml")
    return str(error.value).splitlines()


def compiled(ports: str, chip: str = "ideal") -> Program:
    return neuroport.compile(reader.loads(HEAD + ports, "net.yaml"), chip)


def test_ports_as_a_network_has_them() -> None:
    network = reader.loads(HEAD + GOOD, "net.yaml")
    assert network.ports == (
        Port(name="events", direction="inject", target="units.n", range=(0, 3)),
        Port(name="current", direction="inject", target="units.free", range=(-1, 2)),
        Port(name="default", direction="inject", target="units.i"),
        Port(name="observation", direction="write", target="units.v", writable=True),
        Port(name="modulator", direction="write", target="units.gain", writable=True),
        Port(name="action", direction="spikes", target="units"),
        Port(name="units", direction="spikes", target="units"),
        Port(name="seen", direction="read", target="units.wild"),
        Port(name="x", direction="read", target="still.x"),
        Port(name="weights", direction="read", target="p.w", writable=True),
    )
    assert reader.loads(writer.to_yaml(network), "again.yaml").ports == network.ports


def test_ports_as_a_program_has_them() -> None:
    assert compiled(GOOD).ports == (
        machine.Port("events", "inject", "units.n", 3, "int", "", (0, 3), False),
        machine.Port("current", "inject", "units.free", 3, "real", "nA", (-1, 2), False),
        machine.Port("default", "inject", "units.i", 3, "real", "nA", (-2, 2), False),
        machine.Port("observation", "write", "units.v", 3, "real", "mV", (-8, 8), True),
        machine.Port("modulator", "write", "units.gain", 1, "real", "", (0, 4), True),
        machine.Port("action", "spikes", "units", 3, "int", "", None, False),
        machine.Port("units", "spikes", "units", 3, "int", "", None, False),
        machine.Port("seen", "read", "units.wild", 3, "real", "", None, False),
        machine.Port("x", "read", "still.x", 2, "real", "", (0, 1), False),
        machine.Port("weights", "read", "p.w", 9, "real", "", (-16, 16), True),
    )


INPUTS = "units.i, units.free, units.n"
KNOWN = "units.v, units.wild, units.gain"
BAD = {
    "{inject: nobody.i}": "15: unknown population or projection 'nobody'; allowed are units, still, p",
    "{}": "6: port 'x' must have one of the keys write, inject, spikes, read; found none",
    "": "5: port 'x' must have one of the keys write, inject, spikes, read; found none",
    "units": "6: port 'x' must be a mapping with the keys write, inject, spikes, read, range; found the text 'units'",
    "{spikes: units, read: units.v}": "6: port 'x' must have one of the keys write, inject, spikes, read; "
    "found spikes, read",
    "{listen: units}": "7: unknown key 'listen' in port 'x'; allowed are write, inject, spikes, read, range",
    "{spikes: unit}": "15: unknown population 'unit'; did you mean 'units'? allowed are units, still",
    "{spikes: still}": "15: spikes of port 'x': neuron model 'quiet' of population 'still' has no spikes; "
    "allowed are units",
    "{spikes: units.v}": "15: spikes of port 'x' are those of a population; write units, or units[0:10] of some",
    "{spikes: [units]}": "15: spikes of port 'x' must be a text; found a list",
    "{spikes: units, range: [0, 1]}": "29: port 'x': 'range' is what a host adds, and this port adds nothing; leave it "
    "out",
    "{inject: units}": "15: inject of port 'x' must be written OBJECT.NAME, such as units.x; found 'units'",
    "{inject: unit.i}": "15: unknown population or projection 'unit'; did you mean 'units'? "
    "allowed are units, still, p",
    "{inject: units.j}": f"15: inject of port 'x': population 'units' has no input 'j'; "
    f"did you mean 'units.n'? allowed are {INPUTS}",
    "{inject: units.v}": "15: inject of port 'x': 'units.v' is a variable, which is written and not added to; use "
    "'write'",
    "{inject: p.w}": "15: inject of port 'x': projection 'p' has no inputs; they belong to populations",
    "{inject: still.x}": "15: inject of port 'x': 'still.x' is a variable, which is written and not added to; use "
    "'write'",
    "{inject: still.i}": "15: inject of port 'x': population 'still' has no input 'i'; there are none",
    "{inject: units.i, write: true}": "6: port 'x' must have one of the keys write, inject, spikes, read; "
    "found write, inject",
    "{inject: units.i, range: [1, 0]}": "31: range of port 'x' must have its lower end first; found [1, 0]",
    "{inject: units.i, range: [0, 0]}": "31: range of port 'x' must have two ends that differ; found [0, 0]",
    "{inject: units.i, range: [1, 2]}": "31: range of port 'x' must hold 0, which is what a neuron gets where nothing "
    "is injected; found [1, 2]",
    "{inject: units.i, range: [0, .inf]}": "35: range of port 'x' must be a finite number; found .inf",
    "{inject: units.i, range: [0, 1 mV]}": "35: range of port 'x' must be a current (nA), but 1 mV is in mV",
    "{inject: units.i, range: [0, 1e308 mA]}": "35: range of port 'x': the number is too large; found 1e+308 mA",
    "{inject: units.n, range: [0, 1.5]}": "31: range of port 'x' must have whole numbers as ends; found [0, 1.5]",
    "{inject: units.i, range: 1}": "31: range of port 'x' must be a list of two numbers [low, high]; found 1",
    "{write: units}": "14: write of port 'x' must be written OBJECT.NAME, such as units.x; found 'units'",
    "{write: true}": "14: write of port 'x' must be written OBJECT.NAME, such as units.x; found 'true'",
    "{write: units.i}": "14: write of port 'x': 'units.i' is an input, which starts from 0 in every step; use 'inject'",
    "{write: units.tau}": "14: write of port 'x': 'units.tau' is a parameter that is fixed while the network runs; "
    "declare it `dynamic: true` with a range in its model",
    "{write: units.vv}": f"14: write of port 'x': population 'units' has no variable 'vv'; "
    f"did you mean 'units.v'? allowed are {KNOWN}",
    "{write: units.v, range: [0, 1]}": "30: port 'x': 'range' is what a host adds, and this port has the range of its "
    "variable; give that with `ranges` at its population or projection",
    "{read: units.tau}": "13: read of port 'x': 'units.tau' is a parameter that is fixed while the network runs; "
    "declare it `dynamic: true` with a range in its model",
    "{read: units.i}": "13: read of port 'x': 'units.i' is an input, which starts from 0 in every step; use 'inject'",
    "{read: units.v, write: units.v}": "29: write of port 'x', beside read, must be true or false; found the text "
    "'units.v'",
}


@pytest.mark.parametrize("port", BAD)
def test_a_wrong_port_is_told_with_its_place(port: str) -> None:
    assert problems(f"ports:\n  x: {port}\n") == [f"net.yaml:20:{BAD[port]}"]


NAMES = {
    "units: {spikes: p}": "20:19: unknown population 'p'; allowed are units, still",
    "units: {read: units.v}": "20:3: the port 'units' has the name of a population; rename the port",
    "still: {spikes: units}": "20:3: the port 'still' has the name of a population; rename the port",
    "p: {read: p.w}": "20:3: the port 'p' has the name of a projection; rename the port",
    "drive: {inject: units.n}": "20:3: the port 'drive' has the name of a stimulus; rename the port",
    "9: {spikes: units}": "20:3: '9' in ports is no name; use letters, digits and _, not starting with a digit",
    "a: {inject: units.n}\n  b: {inject: units.n}": "21:3: port 'b' injects into units.n, as port 'a' does; keep one "
    "of the two",
    "a: {spikes: units}\n  a: {spikes: units}": "21:3: the key 'a' was given before, at line 20, "
    "column 3; keep one of the two",
}


@pytest.mark.parametrize("port", NAMES)
def test_names_of_ports_mean_one_thing(port: str) -> None:
    assert problems(f"ports:\n  {port}\n")[-1] == f"net.yaml:{NAMES[port]}"
