"""Independent copies of a network as a batch: one program with an axis of copies, of which each has everything itself.

What no copy can change, and all have alike, they share. Their random draws differ by the seed of each, which whoever
executes the batch is told; the elements are those of one copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from neuroport.program.machine import Array, Injection, Program, Series, arrays_of
from neuroport.program.names import of_run
from neuroport.program.verify import verified

DIFFERS = frozenset({"initial", "designed", "place"})
"""What of an array may differ from copy to copy."""
FORM = tuple(field.name for field in fields(Array) if field.name not in DIFFERS)


def obstacle(programs: Sequence[Program]) -> str | None:
    """What copies differ in that those of a batch have in common, as a part of a sentence; or None."""
    first = programs[0]
    if first.copies > 1:
        return "copies that share variables cannot be copied again"
    if any(population.count for population in first.populations):
        return "their neurons spike several times in a step"
    if any(series.captured for series in first.series):
        return "each copy captures patterns of its own"
    for k, program in enumerate(programs[1:], 1):
        if program is first:
            continue
        if found := next(_differences(first, program), None):
            return f"copy {k} has other {found} than copy 0"
    return None


@verified
def stacked(programs: Sequence[Program]) -> Program:
    """The batch of programs to which there is no obstacle."""
    first = programs[0]
    own = {d.array for d in first.derived} | first.designed.keys()
    arrays = arrays_of(_stacked([p.arrays[name] for p in programs], name in own) for name in first.arrays)
    return replace(
        first,
        name=f"{first.name} x {len(programs)}",
        arrays=arrays,
        series=tuple(_series(of) for of in zip(*(p.series for p in programs), strict=True)),
        derived=(),
        constants={},
        designed={},
        ports=(),
        per_copy={},
        copies=len(programs),
    )


def _stacked(arrays: Sequence[Array], given: bool) -> Array:
    """An array of all copies. given: a host may give it values."""
    first = arrays[0]
    if of_run(first.name):
        return first
    fixed = first.role == "parameter" and not (given or first.dynamic)
    if fixed and all(np.array_equal(array.initial, first.initial) for array in arrays[1:]):
        return replace(first, varied=False)
    initial = np.stack([array.initial for array in arrays], axis=-1)
    designed = next((array.designed for array in arrays if array.designed is not None), None)
    return replace(first, initial=initial, designed=designed, varied=first.role == "parameter", shared=False)


def _series(of: Sequence[Series]) -> Series:
    first = of[0]
    return first if first.start is None else replace(first, start=np.concatenate([s.start for s in of]))


def _differences(one: Program, other: Program) -> Iterator[str]:
    """The parts that are not equal and must be."""
    if one.arrays.keys() != other.arrays.keys():
        yield "variables"
        return
    for name, array in one.arrays.items():
        its = other.arrays[name]
        if array.initial.shape != its.initial.shape or any(getattr(array, x) != getattr(its, x) for x in FORM):
            yield f"formats, of '{name}',"
    for cells, others in zip(one.populations, other.populations, strict=True):
        if (cells.size, cells.first_element, cells.body) != (others.size, others.first_element, others.body):
            yield f"neurons, of '{cells.name}',"
    for synapses, theirs in zip(one.projections, other.projections, strict=True):
        if synapses.bodies != theirs.bodies:
            yield f"synapses, of '{synapses.name}',"
        if not _same_wiring(synapses, theirs):
            yield f"connections, of '{synapses.name}',"
    if [e.body for e in one.events] != [e.body for e in other.events]:
        yield "events"
    if one.tables.keys() != other.tables.keys() or any(
        not np.array_equal(table, other.tables[name]) for name, table in one.tables.items()
    ):
        yield "tables"
    if not all(_same(a, b) for a, b in zip(one.injections, other.injections, strict=True)):
        yield "spikes that are given"
    if not all(np.array_equal(a.table, b.table) for a, b in zip(one.series, other.series, strict=True)):
        yield "patterns"


def _same_wiring(one: Any, other: Any) -> bool:
    return all(
        a is b or np.array_equal(a, b)
        for a, b in (
            (one.pre, other.pre),
            (one.post, other.post),
            (one.element, other.element),
            (one.dendritic, other.dendritic),
            (one.twin, other.twin),
        )
    )


def _same(one: Injection, other: Injection) -> bool:
    return one.input == other.input and all(
        np.array_equal(a, b)
        for a, b in ((one.steps, other.steps), (one.neurons, other.neurons), (one.values, other.values))
    )
