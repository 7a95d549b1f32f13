"""How much memory a program takes in the reference, told before it is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from neuroport.backends.reference.text import initial
from neuroport.program.machine import Program
from neuroport.program.room import Part
from neuroport.program.rows import Rows

LISTED = 28.0
"""Of a synapse of rows: its two neurons, and the number of its pair for draws."""
ORDERED = 8.0
"""Of a synapse: its place in the column of its target,"""
SORTED = 8.0
"""and what is needed to find it."""


def room(program: Program, synapses: Mapping[str, float]) -> Iterator[Part]:
    """What an executor takes, by object. `synapses`: how many projections will have that have few here."""
    names = {p.name: f"the synapses of '{p.name}'" for p in program.projections}
    names |= {p.name: f"population '{p.name}'" for p in program.populations}
    for array in program.arrays.values():
        grows = synapses[array.owner] / len(array.initial) if array.at == "synapse" and array.owner in synapses else 1.0
        rows = (array.slots if array.role == "input" else 1) + array.history
        yield Part(names.get(array.owner, "the run"), initial(array, program).nbytes * rows * grows)
    many = {p.name: synapses.get(p.name, float(p.synapses)) for p in program.projections}
    yield from (Part(names[name], ORDERED * count) for name, count in many.items())
    rows_of = (p.name for p in program.projections if isinstance(p.wiring, Rows))
    yield from (Part(names[name], LISTED * many[name]) for name in rows_of)
    yield Part("making the executor", SORTED * max(many.values(), default=0.0))
