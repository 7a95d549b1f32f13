"""Cut a program into blocks of neurons, with the synapses onto them: what each of several threads computes.

A source of synapses, or of what modulates them, is a population of its own, `NAME$whole`: a thread has all spikes of
it, and of its variables those that synapses read, while of `NAME` it has a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.ir import Body, Expr, Read, Reduce, Send, parts, reads, with_children, with_expressions
from neuroport.program.machine import Array, Injection, Population, Program, Projection, Record, Series
from neuroport.program.repeated import is_repeated
from neuroport.program.rows import Rows
from neuroport.program.wiring import Pairs

SMALLEST = 64
"""Neurons of a block: those of two threads are on different cache lines."""
WHOLE = "$whole"


def whole(name: str) -> str:
    """The name of a population as a source of synapses."""
    return f"{name}{WHOLE}"


def of_source(array: str) -> str:
    """The name of a variable of a population as that of a source of synapses."""
    owner, _, variable = array.rpartition(".")
    return f"{whole(owner)}.{variable}"


def is_whole(name: str) -> bool:
    """Whether a population is there as a source of synapses."""
    return name.endswith(WHOLE)


OF_SOURCES = ("pre", "single")
"""Places of reads of neurons that another thread may compute."""


def sources(program: Program) -> set[str]:
    """The populations of which a thread has all."""
    modulating = {program.arrays[read.array].owner for read in program.reads() if read.at == "single"}
    return {p.source for p in program.projections} | modulating


def read_of_sources(program: Program) -> list[str]:
    """The variables that synapses read of their presynaptic neurons, and of those that modulate them."""
    found = {read.array for read in program.reads() if read.at in OF_SOURCES}
    return [name for name in program.arrays if name in found]


def shared(program: Program) -> Program:
    """The program with the sources of synapses as populations of their own; see above."""
    names = sources(program)
    more = [
        replace(p, name=whole(p.name), body=(), inputs=(), place=None) for p in program.populations if p.name in names
    ]
    seen = [program.arrays[name] for name in read_of_sources(program)]
    arrays = {a.name: a for a in (replace(a, name=of_source(a.name), owner=whole(a.owner)) for a in seen)}
    return replace(
        program,
        arrays=program.arrays | arrays,
        populations=(*program.populations, *more),
        projections=tuple(_from_whole(p) for p in program.projections),
        events=tuple(replace(e, body=_body(e.body)) for e in program.events),
    )


def _from_whole(projection: Projection) -> Projection:
    changed = projection.with_bodies(_body)
    condition = None if changed.row_condition is None else _expression(changed.row_condition)
    wiring = changed.wiring.listed()
    return replace(changed, source=whole(changed.source), wiring=wiring, row_condition=condition, twin=None)


def _body(body: Body) -> Body:
    return tuple(with_expressions(stmt, _expression) for stmt in body)


def _expression(expr: Expr) -> Expr:
    if isinstance(expr, Read) and expr.at in OF_SOURCES:
        return replace(expr, array=of_source(expr.array))
    return with_children(expr, _expression)


# ---------------------------------------------------------------------------------------------------------- blocks


@dataclass(frozen=True, slots=True)
class Block:
    """The neurons that one thread computes: from the first to before the last of each population."""

    ends: dict[str, tuple[int, int]]

    def of(self, population: str) -> slice:
        """The neurons of a population."""
        return slice(*self.ends[population])


def blocks(program: Program, threads: int, smallest: int = SMALLEST) -> list[Block]:
    """The neurons of each thread: as many of every population. The first has those whose joint states are counted."""
    joint = {readout.population for readout in program.readouts}
    ends = {
        p.name: [0, *[p.size] * threads] if p.name in joint else _ends(p.size, threads, smallest)
        for p in program.populations
    }
    pairs = {name: list(pairwise(places)) for name, places in ends.items()}
    return [Block({name: found[k] for name, found in pairs.items()}) for k in range(threads)]


def _ends(size: int, threads: int, smallest: int) -> list[int]:
    units = -(-size // smallest)
    return [min(size, smallest * (units * k // threads)) for k in range(threads + 1)]


def synapses(projection: Projection, block: Block) -> NDArray[np.int64]:
    """The numbers of the synapses onto a block."""
    return np.flatnonzero(inside(projection.wiring.kept, block.of(projection.target)))


def inside(numbers: NDArray[Any], neurons: slice) -> NDArray[np.bool_]:
    """Which of these numbers are of some neurons."""
    within: NDArray[np.bool_] = (numbers >= neurons.start) & (numbers < neurons.stop)
    return within


@dataclass(frozen=True, eq=False)
class Chosen:
    """The synapses of a projection onto a block."""

    projection: Projection
    block: Block

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Their numbers among all of the projection."""
        return synapses(self.projection, self.block)

    @cached_property
    def wiring(self) -> Pairs | Rows:
        """They one by one, onto neurons that are counted from the first of the block."""
        whole, neurons = self.projection.wiring, self.block.of(self.projection.target)
        if isinstance(whole, Rows):
            return whole.onto(neurons.start, neurons.stop)
        pre = self.projection.pre[self.numbers]
        return Pairs(
            pre=pre,
            post=whole.post[self.numbers] - neurons.start,
            indptr=np.searchsorted(pre, np.arange(self.projection.source_size + 1)),
            element=whole.element[self.numbers],
            entry=None if whole.entry is None else whole.entry[self.numbers],
            entries=whole.entries,
            first_entry=whole.first_entry,
        )


def cut(program: Program, block: Block) -> Program:
    """What one thread computes of a program that is `shared`."""
    chosen = {p.name: Chosen(p, block) for p in program.projections}
    return replace(
        program,
        arrays={name: _array(array, block, chosen) for name, array in program.arrays.items()},
        populations=tuple(_population(p, block) for p in program.populations),
        projections=tuple(_projection(p, block, chosen[p.name]) for p in program.projections),
        records=tuple(_record(r, program.arrays[r.array], block, chosen) for r in program.records),
        injections=tuple(_injection(i, block.of(program.arrays[i.input].owner)) for i in program.injections),
        series=tuple(_series(s, block.of(program.arrays[s.input].owner)) for s in program.series),
        readouts=tuple(replace(r, neurons=_within(r.neurons, block.of(r.population))) for r in program.readouts),
    )


def lightened(program: Program) -> Program:
    """A program without the numbers of its synapses, which a machine that is made does not look at."""
    arrays = {
        name: replace(a, initial=np.broadcast_to(a.initial.dtype.type(0), a.initial.shape)) if a.at == "synapse" else a
        for name, a in program.arrays.items()
    }
    return replace(program, arrays=arrays, projections=())


def _array(array: Array, block: Block, chosen: Mapping[str, Chosen]) -> Array:
    if array.at in ("scalar", "kernel") or is_whole(array.owner):
        return array
    if array.at != "synapse":
        return replace(array, initial=array.initial[block.of(array.owner)])
    if is_repeated(array.initial):
        return replace(array, initial=np.broadcast_to(array.initial[:1], (chosen[array.owner].wiring.synapses,)))
    return replace(array, initial=array.initial[chosen[array.owner].numbers])


def _population(population: Population, block: Block) -> Population:
    if is_whole(population.name):
        return population
    first, last = block.ends[population.name]
    return replace(population, size=last - first, first_element=population.first_element + first)


def _projection(projection: Projection, block: Block, chosen: Chosen) -> Projection:
    first, last = block.ends[projection.target]
    return replace(
        projection,
        target_size=last - first,
        wiring=chosen.wiring,
        dendritic=None if projection.dendritic is None else projection.dendritic[chosen.numbers],
    )


def _record(record: Record, array: Array, block: Block, chosen: Mapping[str, Chosen]) -> Record:
    if record.neurons is None or array.at == "kernel":
        return record
    if array.at == "synapse":
        return replace(record, neurons=np.flatnonzero(np.isin(chosen[array.owner].numbers, record.neurons)))
    return replace(record, neurons=_within(record.neurons, block.of(array.owner)))


def _within(numbers: NDArray[np.int64] | None, neurons: slice) -> NDArray[np.int64] | None:
    """Those of these neurons, or of all, that are in a block, counted from its first one."""
    return None if numbers is None else numbers[inside(numbers, neurons)] - neurons.start


def _injection(injection: Injection, neurons: slice) -> Injection:
    chosen = inside(injection.neurons, neurons)
    return replace(
        injection,
        steps=injection.steps[chosen],
        neurons=injection.neurons[chosen] - neurons.start,
        values=injection.values[chosen],
    )


def _series(series: Series, neurons: slice) -> Series:
    return replace(series, table=series.table[:, neurons], neurons=_within(series.neurons, neurons))


# ------------------------------------------------------------------------------------------- what does not fit


def alone(program: Program, threads: int) -> Iterator[str]:
    """Every reason why a program is computed by one thread only."""
    if program.copies > 1:
        yield "its copies share what they learn, and one thread computes them all"
        return
    for owned in program.bodies():
        if any(isinstance(stmt, Send) and stmt.to == "pre" for stmt in owned.body):
            yield f"{owned}: it sends back to its source, whose neurons another thread computes"
        if owned.over == "kernel":
            yield f"{owned}: what synapses share is computed from all of them, which several threads have"
        if any(read.at == "twin" for read in reads(owned.body)):
            yield f"{owned}: it reads its twin, whose synapses another thread computes"
        for one in (part for part in parts(owned.body) if isinstance(part, Reduce)):
            if one.axis in ("population", "outgoing"):
                what = "neurons" if one.axis == "population" else "synapses"
                yield f"{owned}: {one.name} is over {what} of which another thread computes some"
    largest = max((p.size for p in program.populations), default=0)
    most = max(1, -(-largest // SMALLEST))
    if threads > most:
        room = "" if most == 1 else f", enough for {most} threads"
        yield f"a thread takes at least {SMALLEST} neurons, and the largest population has the size {largest}{room}"
