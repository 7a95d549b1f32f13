"""What the emulator cannot execute, and what it relies on: compiled code checks no index, so this is checked before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroport.copies.axis import is_own
from neuroport.copies.unbatch import unbatch
from neuroport.errors import Unsupported
from neuroport.program import stated
from neuroport.program.ir import Body, Const, Expr, Int, Read, Round, Send, Store, Sum, parts, walk
from neuroport.program.machine import Program, Projection

LARGEST_HISTOGRAM = 24


def problems(program: Program) -> tuple[str, ...]:
    """Every reason why the emulator cannot execute the program."""
    if program.copies == 1 or copies_together(program):
        return tuple(dict.fromkeys(_problems(program)))
    try:
        return tuple(dict.fromkeys(_problems(unbatch(program))))
    except Unsupported as error:
        return (str(error),)


def copies_together(program: Program) -> bool:
    """Whether several copies are computed with a loop over them; otherwise each is written out (`unbatch`).

    Spikes, histograms and dendritic delays have no form for several copies.
    """
    return not (
        any(p.spiking for p in program.populations)
        or any(p.dendritic is not None for p in program.projections)
        or program.readouts
    )


def _bodies(program: Program) -> Iterator[tuple[str, Body, Projection | None]]:
    for population in program.populations:
        yield population.name, population.body, None
    for projection in program.projections:
        for body in (projection.step, projection.arrive, projection.post_body):
            yield projection.name, body, projection
    for event in program.events:
        owner = program.projection(event.owner) if event.over == "synapse" else None
        yield f"event {event.name} of {event.owner}", event.body, owner


def _problems(program: Program) -> Iterator[str]:
    yield from stated.problems(program)
    for where, body, projection in _bodies(program):
        for expr in parts(body):
            yield from _expression(program, where, expr, projection)
        changed = {s.array for s in body if isinstance(s, Store)}
        for name in {e.array for e in parts(body) if isinstance(e, Read) and e.at == "twin"} & changed:
            yield f"{where}: {name} is read from the twin and assigned in the same block; the order decides."
        for stmt in body:
            if isinstance(stmt, Store) and stmt.overflow == "wrap" and not program.integer:
                yield f"{where}: {stmt.array} wraps, which has no meaning in a program of real numbers."
            if isinstance(stmt, Send) and stmt.delay == "synapse" and projection and projection.dendritic is not None:
                longest, slots = int(projection.dendritic.max(initial=0)), program.arrays[stmt.input].slots
                if slots <= longest:
                    yield f"{where}: sends up to {longest} steps ahead, but {stmt.input} has {slots} slots."
    if program.copies > 1:
        yield from _shared_stores(program)
    for projection in program.projections:
        yield from _projection(program, projection)
    for readout in program.readouts:
        size = program.population(readout.population).size
        if size > LARGEST_HISTOGRAM:
            yield (
                f"readout {readout.name}: a histogram of {size} neurons has 2**{size} entries; "
                f"the emulator keeps at most 2**{LARGEST_HISTOGRAM}."
            )
    for record in program.records:
        array = program.arrays[record.array]
        if array.at == "scalar" or array.role == "input":
            yield f"record {record.array}: only arrays of neurons or synapses that are no inputs can be recorded."
    for injection in program.injections:
        size = len(program.arrays[injection.input].initial)
        ascending = np.all(np.diff(injection.steps) >= 0)
        inside = np.all((injection.neurons >= 0) & (injection.neurons < size))
        if not (ascending and inside and len(injection.steps) == len(injection.neurons) == len(injection.values)):
            yield f"injection {injection.name}: steps must ascend and neurons must lie in 0..{size - 1}."
    for series in program.series:
        size = len(program.arrays[series.input].initial)
        if series.table.ndim != 2 or series.table.shape[1] != size or len(series.table) == 0 or series.hold < 1:
            yield f"series {series.name}: needs rows of {size} values, at least one row, and a hold of at least 1 step."
        elif series.frames < 1 or series.hold % series.frames or len(series.table) % series.frames:
            yield f"series {series.name}: {series.frames} frames must divide its rows and its hold."
        if series.start is not None and not (
            series.loop and series.start.shape == (program.copies,) and series.start.min() >= 0
        ):
            yield f"series {series.name}: needs a start that is not negative for each copy, and a loop."


def _shared_stores(program: Program) -> Iterator[str]:
    """What each copy computes is stored into what they share only as a sum over all of them."""
    bodies = [(p.name, p.body) for p in program.populations] + [(p.name, p.step) for p in program.projections]
    bodies += [(f"event {e.name} of {e.owner}", e.body) for e in program.events if not e.once]
    for where, body in bodies:
        for stmt in body:
            if isinstance(stmt, Store) and not is_own(program.arrays[stmt.array]) and not isinstance(stmt.value, Sum):
                yield f"{where}: each copy stores into {stmt.array}, which all share; only a sum over copies can be."


def _expression(program: Program, where: str, expr: Expr, projection: Projection | None) -> Iterator[str]:
    longest = 0
    if projection is not None and projection.dendritic is not None:
        longest = int(projection.dendritic.max(initial=0))
    match expr:
        case Round() if not program.integer:
            yield f"{where}: an integer rounding stands in a program of real numbers."
        case Read(array=array, at="twin"):
            twin = None if projection is None else projection.twin
            size = len(program.arrays[array].initial)
            if twin is None or twin.min(initial=0) < 0 or twin.max(initial=-1) >= size:
                yield f"{where}: {array} is read from a twin, and not every synapse has one among its {size} synapses."
        case Const(value=value, type=Int()) if not program.integer and not -(2**63) <= value < 2**63:
            yield f"{where}: the constant {value} does not fit 64 bits."
        case Read(array=array, lag=lag) if lag != 0:
            needed = longest if lag == "synapse" else int(lag)
            if program.arrays[array].history <= needed and needed:
                yield f"{where}: {array} is read {needed} steps back, but keeps {program.arrays[array].history}."


def _projection(program: Program, projection: Projection) -> Iterator[str]:
    p = projection
    sorted_rows = len(p.indptr) == p.source_size + 1 and np.array_equal(
        p.indptr, np.searchsorted(p.pre, np.arange(p.source_size + 1))
    )
    inside = p.synapses == 0 or (p.post.min() >= 0 and p.post.max() < p.target_size and p.pre.max() < p.source_size)
    if not (sorted_rows and inside and len(p.post) == len(p.element) == p.synapses and p.delay >= 1):
        yield f"{p.name}: synapses must be sorted, inside both populations, and have a delay of at least 1 step."
    for at, size in ((p.source, p.source_size), (p.target, p.target_size)):
        if program.population(at).size != size:
            yield f"{p.name}: population {at} has {program.population(at).size} neurons, not {size}."
    if p.row_condition is not None:
        for expr in walk(p.row_condition):
            yield from _expression(program, p.name, expr, p)
