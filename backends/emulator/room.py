"""How much memory a program takes in the emulator, told before it is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from neuroport.backends.emulator.emit import emit
from neuroport.backends.emulator.emit_threads import emit_threads
from neuroport.backends.emulator.layout import held, power_of_two, width
from neuroport.backends.emulator.limits import executed
from neuroport.backends.emulator.machine import SAMPLE_BUFFER, SPIKE_BUFFER
from neuroport.backends.emulator.synapses import Index, asked, connections
from neuroport.backends.generated import storage
from neuroport.copies.states import own_name
from neuroport.program.machine import Array, Program, Projection
from neuroport.program.memory import waiting
from neuroport.program.room import MIB, Part
from neuroport.program.rows import Rows

COMPILER, CODE = 79.0 * MIB, 220.0
"""LLVM and what it needs to compile a program that was not compiled before; and for each character of its code."""
PER_SPIKE = 12
"""Bytes of a spike that is kept until Python looks at it."""
SORTED, WIDE = 16.0, 8.0
"""Bytes of a synapse while the places of columns are found, and while other indices are, before they are narrowed."""
CHOSEN = 8.0
"""Bytes of a synapse of a thread while it is chosen, where synapses differ in more than what they join."""
RING, FLAG = 4, 1
"""Bytes of a neuron for each step that its spikes are known, and for whether it spiked."""
IN_COLUMNS = {"column_synapse", "column_pre", "column_entry"}
OF_SYNAPSES = {"post", "element", "twin", "dendritic", "places", "entry"}
NARROWED = {"element", "twin", "dendritic", "places", "entry"}
WITHOUT = {"post", "element", "column_synapse", "column_pre"}
"""Indices of synapses that full matrices do without."""


def room(program: Program, synapses: Mapping[str, float], full: Collection[str], threads: int) -> Iterator[Part]:
    """What an executor takes, by object.

    `synapses`: how many synapses projections will have that have few here; `full`: those of them that have all.
    """
    made = executed(program)
    module = emit(made) if threads == 1 else emit_threads(made)
    wanted = asked(module)
    own = {p.name: p.name if made.copies == program.copies else own_name(p.name) for p in made.projections}
    neurons = {p.name: p.name if made.copies == program.copies else own_name(p.name) for p in made.populations}
    what = {name: f"the synapses of '{given}'" for name, given in own.items()}
    what |= {name: f"population '{given}'" for name, given in neurons.items()}
    many = {p.name: 0.0 if p.redrawn else synapses.get(own[p.name], float(p.synapses)) for p in made.projections}
    yield Part("the emulator's compiler", COMPILER + CODE * len(module.text), once=True)
    large = sum(p.size for p in made.populations if p.spiking and p.size > SPIKE_BUFFER)
    yield Part("spikes that were not looked at yet", float(PER_SPIKE * max(large, SPIKE_BUFFER)))
    for array in made.arrays.values():
        grows = many[array.owner] / len(array.initial) if array.at == "synapse" and array.initial.size else 1.0
        yield Part(what.get(array.owner, "the run"), _of_array(array, made) * grows)
    for population in made.populations:
        delays = [p.delay for p in made.projections if p.source == population.name]
        ring = power_of_two(max([population.spike_slots, *delays]))
        yield Part(what[population.name], population.size * (RING * ring + FLAG))
    making = 0.0
    for projection in made.projections:
        kinds = {kind for kind, name in wanted if name == projection.name}
        kinds -= WITHOUT if own[projection.name] in full else set()
        indices = [(kind, index) for kind, index in connections(made, projection).items() if kind in kinds]
        for kind, index in indices:
            grows = kind in IN_COLUMNS or kind in OF_SYNAPSES
            size = index.dtype.itemsize * many[projection.name] if grows else index.nbytes
            if not (threads == 1 and kind == "post" and _is_given(projection, index)):
                yield Part(what[projection.name], float(size))
        each = SORTED if kinds & IN_COLUMNS else WIDE if kinds & NARROWED else 0.0
        if threads > 1:
            own_numbers = CHOSEN if _differ(made, projection) else 0.0
            each += (own_numbers + _of_program(made, projection) / max(projection.synapses, 1)) / threads
        making = max(making, each * many[projection.name])
    yield Part("making the executor", making)
    for record in made.records:
        array = made.arrays[record.array]
        row = record.of(array.initial).size * storage(array, made).itemsize
        yield Part(f"samples of '{record.array}'", float(min(max(SAMPLE_BUFFER, row), row * waiting(made, record))))
    for series in made.series:
        size = series.table.size * held(made.arrays[series.input], made).itemsize
        yield Part(f"stimulus '{series.name}'", float(size))


def _is_given(projection: Projection, posts: Index) -> bool:
    """Whether the postsynaptic neurons of synapses are those that the program holds, and not a copy of them."""
    return isinstance(projection.wiring, Rows) and projection.wiring.stored.dtype == posts.dtype


def _of_array(array: Array, program: Program) -> float:
    copies = width(program) if program.copies > 1 and array.own else 1
    rows = power_of_two(array.slots) if array.role == "input" else 1
    rows += power_of_two(array.history) if array.history else 0
    size = len(array.initial) if array.initial.ndim else 1
    return float(size * copies * rows * held(array, program).itemsize)


def _values(program: Program, projection: Projection) -> Iterator[NDArray[Any]]:
    """The initial values of what synapses of a projection have each."""
    owned = (array for array in program.arrays.values() if array.owner == projection.name)
    return (array.initial for array in owned if array.at == "synapse")


def _differ(program: Program, projection: Projection) -> bool:
    """Whether synapses have values of their own."""
    own = any(all(values.strides) for values in _values(program, projection))
    return own or projection.dendritic is not None or projection.twin is not None


def _of_program(program: Program, projection: Projection) -> float:
    """What synapses of a projection take in the program itself; every thread has its part while it is made."""
    arrays = (values.nbytes for values in _values(program, projection))
    numbers = (n.nbytes for n in projection.wiring.numbers() if len(n) == projection.synapses)
    return float(sum(arrays) + sum(numbers))
