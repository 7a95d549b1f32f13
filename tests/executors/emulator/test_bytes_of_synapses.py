"""What synapses take on the emulator: few bytes, and those that are told are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroport
from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.emit import module_text
from neuroport.backends.emulator.layout import AHEAD
from neuroport.backends.emulator.machine import Machine
from neuroport.backends.emulator.synapses import connections
from neuroport.backends.reference import Reference
from neuroport.network.network import Network
from neuroport.program.machine import Program

WORDS = """
name: words16
title: t
source: s
words:
  state: {bits: 32}
  weight: {bits: 16}
  plastic: {bits: 16}
  trace: {bits: 16}
  accumulator: {bits: 32}
  coefficient: {bits: 16, distance_bits: 10}
tables: {intervals: 1024, bits: 32}
"""


def net(chip: str, synapse: str, **more: object) -> Network:
    """A thousand neurons with 40 synapses each."""
    made = neuroport.Network(dt="1 ms", chip=chip, name="net")
    made.population("a", 1000, "lif", ranges={"v": ["-90 mV", "-40 mV"]})
    made.project("a", "a", synapse, input="jump", connect={"fixed_probability": 0.04}, weight=0.5, **more)  # type: ignore[arg-type]
    return made.build()


def bytes_of(program: Program) -> dict[str, int]:
    """The bytes of the arrays of a running program, by projection."""
    machine = Machine(program, 1, [])
    found = {}
    for projection in program.projections:
        arrays = {name for name, a in program.arrays.items() if a.owner == projection.name and a.at == "synapse"}
        kinds = [("array", name) for name in arrays]
        kinds += [(kind, projection.name) for kind in connections(program, projection)]
        kinds += [("history", name) for name in arrays]
        found[projection.name] = sum(machine._values[key].nbytes for key in kinds if key in machine._values)
    return found


@pytest.mark.dear
@pytest.mark.parametrize("name", ["balanced", "stdp_pair", "sal_sampling", "gle_lagline_batch"])
def test_told_bytes_are_those_that_are_there(name: str) -> None:
    program = neuroport.compile(neuroport.load(name))
    assert {m.projection: m.nbytes for m in Emulator().memory(program)} == bytes_of(program)


def test_a_static_synapse_of_8_bits_has_4_bytes_at_most() -> None:
    (memory,) = Emulator().memory(neuroport.compile(net("generic8", "static")))
    assert 3 < memory.each <= 4


@pytest.mark.parametrize(("size", "each"), [(2**16, 2), (2**16 + 1, 4)])
def test_numbers_of_65536_neurons_have_two_bytes(size: int, each: int) -> None:
    made = neuroport.Network(dt="1 ms", chip="generic8", name="net")
    made.population("a", size, "lif", ranges={"v": ["-90 mV", "-40 mV"]})
    made.project("a", "a", "static", input="jump", connect={"pairs": [[size - 1, size - 1]]}, weight=0.5)
    program = neuroport.compile(made.build())
    index = connections(program, program.projections[0])
    assert {index[kind].dtype.itemsize for kind in ("post", "column_pre")} == {each}
    assert {int(index[kind].made().astype(index[kind].dtype)[0]) for kind in ("post", "column_pre")} == {size - 1}


@pytest.mark.parametrize(("longest", "least"), [(7, 3), (70, 5)])
def test_a_synapse_with_a_delay_has_its_place_among_all_sums(longest: int, least: int) -> None:
    late = net("generic8", "static", dendritic_delay={"uniform": ["0 ms", f"{longest} ms"]})
    (memory,) = Emulator().memory(neuroport.compile(late))
    assert least < memory.each <= least + 1


def plastic(tmp_path: Path) -> Program:
    """Pair STDP where weights, learned or not, have 16 bits."""
    chip = tmp_path / "words16.yaml"
    chip.write_text(WORDS, "utf-8")
    return neuroport.compile(net(str(chip), "stdp_pair", ranges={"w": [0, 127 / 128]}))


def test_a_plastic_synapse_of_16_bits_has_12_bytes_at_most(tmp_path: Path) -> None:
    (memory,) = Emulator().memory(plastic(tmp_path))
    assert 10 < memory.each <= 12


def test_a_learned_weight_that_leaves_its_synapse_whole_is_there_once(tmp_path: Path) -> None:
    p = plastic(tmp_path)
    assert p.arrays["a_a.w"].visible == ""
    assert "a_a.w.visible" not in p.arrays
    assert "a_jump_now[j] += w\n" in module_text(p)


@pytest.mark.dear
def test_columns_are_asked_for_ahead_and_never_beyond_their_end(tmp_path: Path) -> None:
    """The index that says where they lie has as many entries more as are looked ahead."""
    p = plastic(tmp_path)
    (line,) = [line.strip() for line in module_text(p).splitlines() if "prefetch(a_a_w, " in line]
    assert line == f"prefetch(a_a_w, a_a_column_synapse[entry + {AHEAD}])"
    checked, literal = Emulator(boundscheck=True).open(p, 1, ["a"]), Emulator().open(p, 1, ["a"])
    for machine in (checked, literal):
        machine.write("a.v", np.where(np.arange(1000) % 3, -70, -40) << 24)
        machine.advance(20)
    assert np.array_equal(checked.read("a_a.w"), literal.read("a_a.w"))
    assert literal.spike_counts()["a"] > 0


@pytest.mark.dear
def test_plastic_words_that_are_visible_whole_are_the_same_everywhere(tmp_path: Path) -> None:
    p = plastic(tmp_path)
    machines = [backend.open(p, 1, ["a"]) for backend in (Emulator(), Reference())]
    for machine in machines:
        machine.write("a.v", np.where(np.arange(1000) % 3, -70, -40) << 24)
        machine.advance(20)
    first, second = (machine.read("a_a.w") for machine in machines)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, p.arrays["a_a.w"].initial)
