"""What ports let a host give has a number format on a chip, or the network is refused with what to declare."""

from __future__ import annotations

from dataclasses import replace

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.ports import Port
from neuroport.program import printer
from neuroport.program.ir import Int
from neuroport.program.machine import Program

TEXT = """\
neuroport: 1
name: hosted
dt: 1 ms
neurons:
  unit:
    inputs: {i: {unit: nA}, n: {type: int}}
    state: {v: {init: 0, range: [-16, 16]}, c: {type: int, init: 0, range: [0, 9]}}
    update: v = i
synapses:
  bare: {state: {w: {weight: true, init: 1}}}
populations:
  source: {size: 3, neuron: spike_source}
  units: {size: 2, neuron: unit}
projections:
  p: {source: source, target: units, input: i, synapse: bare, connect: all_to_all, weight: 0.5}
ports:
"""
RANGED = ("{unit: nA}", "{unit: nA, range: [0, 8]}")


def compiled(port: str, chip: str = "generic8", *changes: tuple[str, str]) -> Program:
    text = TEXT + f"  x: {port}\n"
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return neuroport.compile(reader.loads(text, "n.yaml"), chip)


def refused(port: str, chip: str = "generic8", *changes: tuple[str, str]) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        compiled(port, chip, *changes)
    return str(error.value).splitlines()


def ends(program: Program, name: str) -> tuple[float, float, float]:
    """The smallest and the largest sum that an input holds, and the step between sums."""
    kind = program.arrays[name].type
    assert isinstance(kind, Int)
    return kind.lo * 2.0**-kind.frac, kind.hi * 2.0**-kind.frac, 2.0**-kind.frac


# ------------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize("chip", ["generic8", "generic16", "loihi1"])
def test_the_range_of_a_port_is_added_to_what_the_network_sends(chip: str) -> None:
    assert ends(compiled("{inject: units.i, range: [-2 nA, 0.5 nA]}", chip), "units.i")[:2] == pytest.approx(
        (-2, 2), abs=0.01
    )
    assert ends(compiled("{inject: units.n, range: [-2, 5]}", chip), "units.n") == (-2, 5, 1)
    assert ends(compiled("{inject: source.spike_in, range: [0, 1]}", chip), "source.spike_in") == (0, 1, 1)


def test_a_port_without_a_range_has_that_of_its_input() -> None:
    assert ends(compiled("{inject: units.i}", "generic8", RANGED), "units.i")[:2] == (0, 9.5)


def test_a_small_range_of_a_port_makes_an_input_fine() -> None:
    step = ends(compiled("{inject: units.i, range: [0, 1e-4]}", "generic16"), "units.i")[2]
    assert step <= 1e-4 * 2.0**-15


FINE = (
    "ports:\n",
    "stimuli: {s: {series: {values: {array: [0.1], unit: nA}, every: 1 ms}, population: units, input: i}}\nports:\n",
)


@pytest.mark.parametrize(("chip", "bits"), [("generic8", 32), ("loihi1", 22)])
def test_a_sum_with_a_port_has_room_beyond_a_range_that_fills_the_accumulator(chip: str, bits: int) -> None:
    """Of the accumulator's bits, those that only make a range finer are given up before a sum leaves it."""
    alone = ends(compiled("{spikes: source}", chip, RANGED, FINE), "units.i")[2]
    lowest, highest, step = ends(compiled("{inject: units.i, range: [-3, 9]}", chip, RANGED, FINE), "units.i")
    assert alone < step <= 8 * 2.0**-16
    assert (lowest, highest) == pytest.approx((-3, 10.6), abs=0.01)
    assert -lowest / step <= 2 ** (bits - 1) and highest / step < 2 ** (bits - 1)


def test_a_sum_that_is_never_negative_spends_no_bit_on_the_sign() -> None:
    program = compiled("{inject: units.i, range: [0, 9]}", "generic8", RANGED, FINE)
    assert ends(program, "units.i")[2] == 2.0**-28  # up to 10.6


def test_a_port_has_the_range_that_the_author_declared_on_every_specimen() -> None:
    own = "    params: {gain: {default: 1, dynamic: true, range: [0, 4], kind: amplitude}}\n"
    text = TEXT.replace("    update: v = i\n", "    update: v = gain * i\n" + own).replace(
        "weight: 0.5}", "weight: 0.5, ranges: {w: [-1, 1]}}"
    )
    network = reader.loads(text + "  x: {write: units.gain}\n  y: {read: p.w, write: true}\n", "n.yaml")
    program = neuroport.compile(network, "generic8_mismatch10", 3)
    assert program.designed.keys() >= {"units.gain", "p.w"}
    assert [port.range for port in program.ports] == [(0, 4), (-1, 1)]


def test_whole_numbers_may_be_negative_where_only_the_host_makes_them_so() -> None:
    program = compiled("{inject: units.n, range: [-7, 0]}", "ideal", ("{type: int}", "{type: int, range: [0, 5]}"))
    assert program.arrays["units.n"].type == Int(-7, 5)


# ----------------------------------------------------------------------------------------------------------- refusals

NO_RANGE = "which has no range, and chip '{chip}' takes number formats from ranges; "
UNBOUNDED = {
    "{inject: units.i}": "port 'x' adds to units.i, " + NO_RANGE + "give the port one: range: [LOW, HIGH]",
    "{write: units.c}": "port 'x' writes units.c, " + NO_RANGE + "declare it: `ranges: {c: [LOW, HIGH]}` at 'units'",
    "{read: p.w, write: true}": "port 'x' writes p.w, " + NO_RANGE + "declare it: `ranges: {w: [LOW, HIGH]}` at 'p'",
}


@pytest.mark.parametrize("chip", ["generic8", "loihi1"])
@pytest.mark.parametrize("port", UNBOUNDED)
def test_what_a_host_gives_without_bounds_is_for_no_chip(port: str, chip: str) -> None:
    bare = ("{type: int, init: 0, range: [0, 9]}", "{type: int, init: 0}")
    assert refused(port, chip, bare)[0] == f"n.yaml:17:3: {UNBOUNDED[port].replace('{chip}', chip)}"
    assert compiled(port, "ideal", bare).ports[0].range is None
    if "write: true" in port:
        assert compiled("{read: p.w}").ports[0].range is None


def test_a_range_without_zero_is_none_for_a_port() -> None:
    assert refused("{inject: units.i}", "ideal", ("{unit: nA}", "{unit: nA, range: [1, 8]}")) == [
        "n.yaml:17:3: port 'x' has the range of units.i, 1 .. 8, and that does not hold 0, which is what a neuron gets "
        "where nothing is injected; give the port a range"
    ]


def test_a_sum_that_leaves_the_accumulator_is_refused() -> None:
    (text,) = refused("{inject: units.i, range: [0, 4000 nA]}", "loihi1", RANGED)
    assert text == (
        "n.yaml:17:3: port 'x' may add 0 .. 4000 to units.i in a step, and the network sends 0 .. 1.494140625 to it; "
        "that is more than the accumulator of chip 'loihi1' holds with its 22 bits; narrow the range of the port or "
        "send less, or give the input a wider range with `ranges: {i: [LOW, HIGH]}` at 'units'"
    )
    assert compiled("{inject: units.i, range: [0, 4000 nA]}", "loihi1")
    assert compiled("{inject: units.i, range: [0, 4000 nA]}", "ideal", RANGED)
    (text,) = refused("{inject: units.n, range: [-5e9, 0]}", "generic8")
    assert text == (
        "n.yaml:17:3: port 'x' may add -5000000000 .. 0 to units.n in a step, and the network sends 0 .. 0 to it; that "
        "is more than the accumulator of chip 'generic8' holds with its 32 bits; narrow the range of the port or send "
        "less"
    )


@pytest.mark.parametrize(("end", "size"), [("5e-324", "4.94066e-324, too small"), ("1e300", "1e+300, too large")])
def test_a_range_that_no_number_format_holds_is_refused(end: str, size: str) -> None:
    text = refused(f"{{inject: units.i, range: [0, {end}]}}")[0]
    assert text == f"n.yaml:17:3: what port 'x' adds is {size} for any number format; rescale it"


def test_what_is_lost_between_the_steps_of_a_sum_is_told() -> None:
    program = compiled("{inject: units.i, range: [-1e-8, 1e-8]}")
    assert [(line.text, str(line.place)) for line in program.notices if line.subject == "units.i"] == [
        (
            "port 'x' adds up to 1e-08 to it, and it is held in steps of 9.31e-10, so that what is added is up to "
            "4.7 % off; send less, or narrow the range of the input",
            "n.yaml:17:3",
        )
    ]
    assert not compiled("{inject: units.i, range: [-1e-6, 1e-6]}").notices


def test_ports_of_a_network_made_in_python_lead_somewhere() -> None:
    network = reader.loads(TEXT + "  x: {inject: units.i, range: [0, 1]}\n", "n.yaml")
    made = [
        Port(name="a", direction="inject", target="units.v"),
        Port(name="b", direction="spikes", target="units"),
        Port(name="c", direction="read", target="nobody.v"),
        Port(name="d", direction="write", target="units.i", writable=True),
    ]
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(replace(network, ports=tuple(made)))
    assert str(error.value).splitlines() == [
        "port 'a': 'units.v' is no input of this network",
        "port 'b': 'units' is no population that spikes of this network",
        "port 'c': 'nobody.v' is no variable of this network",
        "port 'd': 'units.i' is no variable of this network",
    ]


def test_all_ports_are_looked_at() -> None:
    assert len(refused("{inject: units.i}\n  y: {read: p.w, write: true}")) == 2


# ----------------------------------------------------------------------------------------------------------- printing


def test_ports_survive_and_are_printed() -> None:
    program = compiled(
        "{inject: units.i, range: [-2 nA, 0.5 nA]}\n  y: {read: units.v, write: true}\n  z: {spikes: source}"
    )
    assert printer.text(program).endswith(
        "\nports\n"
        "  x: inject units.i, 2 x real in -2..0.5 nA\n"
        "  y: read, write units.v, 2 x real in -16..16\n"
        "  z: spikes source, 3 x int\n"
    )
