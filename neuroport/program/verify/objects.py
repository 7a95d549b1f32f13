"""Legal objects: arrays with their shapes and bounds, index arrays, delays, stimuli, and names given once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics.parts import Part
from neuroport.program.ir import OVERFLOWS, ROUNDINGS, Int, Real, Spike, reads
from neuroport.program.machine import (
    Array,
    Designed,
    Event,
    Injection,
    Population,
    Port,
    Program,
    Projection,
    Readout,
    Record,
    Series,
)
from neuroport.program.names import RUN
from neuroport.program.rows import Rows
from neuroport.program.wiring import Kernel, Pairs

ORDERS = ("time", "item")
LARGEST_HISTOGRAM = 24
"""The largest number of neurons whose joint states are counted: there are 2**24 counts."""


Sizes = Mapping[tuple[str, str], int]
"""How many neurons, or synapses, an object of that name has."""


def problems(program: Program) -> Iterator[str]:
    """Everything that is wrong with the objects of a program, leaving aside its bodies."""
    yield from list(_names(program)) or list(_templates(program)) or _problems(program)


def _problems(program: Program) -> Iterator[str]:
    sizes = {("neuron", p.name): p.size for p in program.populations}
    sizes |= {("synapse", p.name): p.synapses for p in program.projections}
    sizes |= {("kernel", p.name): p.wiring.entries for p in program.projections if p.shares}
    populations = {p.name: p for p in program.populations}
    if program.copies < 1 or not program.dt > 0:
        yield f"the program has {program.copies} copies and steps of {program.dt} ms; both are above 0"
    yield from _arrays(program, sizes)
    for population in program.populations:
        yield from _told(f"population {population.name}", _population(program, population))
    for projection in program.projections:
        yield from _told(f"projection {projection.name}", _projection(projection, populations))
    for event in program.events:
        yield from _told(f"event {event.name} of {event.owner}", _event(program, event, sizes))
    for readout in program.readouts:
        yield from _told(f"readout {readout.name}", _readout(readout, populations))
    yield from _recorded_and_added(program)
    yield from _switched(program)
    for port in program.ports:
        yield from _told(f"port {port.name}", _port(program, port, populations))


def _templates(program: Program) -> Iterator[str]:
    """Kernels of which nobody knows how many synapses they have."""
    for projection in program.projections:
        w = projection.wiring
        if isinstance(w, Kernel) and not (w.template.shape == (w.sources,) and _within(w.template, len(w.first) - 1)):
            yield f"projection {projection.name}: not every presynaptic neuron has a template"


def _told(what: str, found: Iterator[str]) -> Iterator[str]:
    return (f"{what}: {text}" for text in found)


def _names(program: Program) -> Iterator[str]:
    """Names that stand for two things, or for none."""
    kinds = {
        "object": [p.name for p in program.populations] + [p.name for p in program.projections],
        "readout": [r.name for r in program.readouts] + [r.name for r in program.records],
        "port": [p.name for p in program.ports],
        "stimulus": [s.name for s in program.injections] + [s.name for s in program.series],
    }
    for what, names in kinds.items():
        yield from (f"{what} {name}: the name is given {n} times" for name, n in Counter(names).items() if n > 1)
    for name, array in program.arrays.items():
        if name != array.name:
            yield f"array {array.name}: the program has it under the name '{name}'"


# --------------------------------------------------------------------------------------------------------- arrays


def _arrays(program: Program, sizes: Sizes) -> Iterator[str]:
    owners = {RUN, *(name for _, name in sizes)}
    for array in program.arrays.values():
        if array.owner in owners:
            yield from _told(f"array {array.name}", _array(program, array, sizes))
        else:
            yield f"array {array.name}: there is no '{array.owner}'"
    for name, table in program.tables.items():
        if table.ndim != 1 or table.dtype != np.int64 or not table.size:
            yield f"table {name}: it has shape {table.shape} and numbers of {table.dtype}; a table is a row of int64"


def _array(program: Program, array: Array, sizes: Sizes) -> Iterator[str]:
    if array.at != "scalar" and (array.at, array.owner) not in sizes:
        yield f"there is no '{array.owner}' with a value for each {array.at}"
        return
    shape: tuple[int, ...] = () if array.at == "scalar" else (sizes[array.at, array.owner],)
    if array.own and (program.copies > 1 or array.role == "parameter"):
        shape = (*shape, program.copies)
    if array.initial.shape != shape:
        yield f"its initial values have the shape {array.initial.shape}; it has {shape}"
    if array.history < 0 or array.slots < 1 or (array.slots > 1 and array.role != "input"):
        yield f"it keeps {array.history} steps and has {array.slots} slots"
    if array.role == "input" and array.at != "neuron":
        yield "it is an input, and these belong to neurons"
    fed = {i.input for i in program.injections} | {s.input for s in program.series}
    if array.reduce == "max" and (array.role != "input" or array.name in fed):
        yield "the largest is taken of what synapses send to inputs, and of nothing else"
    for link in (array.visible, array.hidden, array.factor):
        if link and link not in program.arrays and link not in program.constants:
            yield f"it is linked to '{link}', and there is none"
    if array.rounding not in ROUNDINGS or array.overflow not in OVERFLOWS:
        yield f"'{array.rounding}' and '{array.overflow}' are no rules for rounding and for what lies outside a range"
    yield from _typed(program, array)


def _typed(program: Program, array: Array) -> Iterator[str]:
    if isinstance(array.type, Real) and program.integer:
        yield "it is real in a program of integers"
    wanted = array.kept(program.integer)
    if array.initial.dtype != wanted:
        yield f"its initial values are {array.initial.dtype}; they should be {wanted}"
    if isinstance(array.type, Int) and array.initial.size:
        low, high = array.initial.min(), array.initial.max()
        if not array.type.lo <= low <= high <= array.type.hi:
            yield f"its initial values lie in {low}..{high}, and its format holds {array.type.lo}..{array.type.hi}"


# -------------------------------------------------------------------------------------------------------- objects


def _population(program: Program, population: Population) -> Iterator[str]:
    spikes = any(isinstance(stmt, Spike) for stmt in population.body)
    if spikes != population.spiking:
        yield f"it is said {'not to spike' if spikes else 'to spike'}, and its body has {'a' if spikes else 'no'} spike"
    for name in population.inputs:
        array = program.arrays.get(name)
        if array is None or array.role != "input" or array.owner != population.name:
            yield f"it has no input '{name}'"
    counted = program.arrays.get(population.count)
    if population.count and not (population.spiking and counted is not None and _counts(counted, population.name)):
        yield f"it has no variable '{population.count}' that counts spikes: an int from 0 up of every neuron"


def _counts(array: Array, population: str) -> bool:
    """Whether an array can be the number of spikes that a spike stands for."""
    own = (array.owner, array.at, array.role) == (population, "neuron", "state") and not array.shared
    return own and isinstance(array.type, Int) and array.type.lo >= 0 and array.type.frac == 0


def _projection(projection: Projection, populations: Mapping[str, Population]) -> Iterator[str]:
    p = projection
    for name, size in ((p.source, p.source_size), (p.target, p.target_size)):
        if name not in populations:
            yield f"there is no population '{name}'"
        elif populations[name].size != size:
            yield f"population {name} has {populations[name].size} neurons, not {size}"
    kept = populations[p.source].spike_slots if p.source in populations else p.delay
    if not 1 <= p.delay <= max(kept, 1):
        yield f"spikes arrive after {p.delay} steps, and are kept for {kept}"
    yield from _index_arrays(p)


def _index_arrays(p: Projection) -> Iterator[str]:
    sizes = {"dendritic": p.synapses, "twin": p.values, "entry": p.synapses, "element": p.synapses}
    given: dict[str, NDArray[Any] | None] = {"dendritic": p.dendritic, "twin": p.twin}
    if isinstance(p.wiring, Pairs):
        given |= {"pre": p.pre, "post": p.post, "element": p.element, "entry": p.wiring.entry}
    for name, numbers in given.items():
        size = sizes.get(name, p.synapses)
        if numbers is not None and not _row_of(numbers, size, np.uint64 if name == "element" else np.int64):
            of = "entries" if name == "twin" and p.shares else "synapses"
            yield f"{name} has shape {numbers.shape} and numbers of {numbers.dtype}, for {size} {of}"
            return
    match p.wiring:
        case Pairs():
            yield from _pairs(p, p.wiring)
        case Rows():
            yield from _rows(p, p.wiring)
        case Kernel():
            yield from _kernel(p, p.wiring)
    if p.dendritic is not None and p.dendritic.min(initial=0) < 0:
        yield f"a dendritic delay is {p.dendritic.min()} steps"
    if p.twin is not None and p.twin.min(initial=0) < 0:
        yield f"the twin of a synapse is number {p.twin.min()}"


def _pairs(p: Projection, wiring: Pairs) -> Iterator[str]:
    """Synapses one by one: within their populations and in order."""
    if not (_within(wiring.pre, p.source_size) and _within(wiring.post, p.target_size)):
        yield "a synapse lies outside its populations"
    elif not sorted_pairs(wiring.pre, wiring.post):
        yield "its synapses are not sorted by presynaptic, then postsynaptic neuron"
    elif not np.array_equal(wiring.indptr, np.searchsorted(wiring.pre, np.arange(p.source_size + 1))):
        yield "indptr does not say where the row of each presynaptic neuron begins"
    elif wiring.entry is not None and not _within(wiring.entry, wiring.entries):
        yield "a synapse has an entry that its kernel has not"


def _rows(p: Projection, wiring: Rows) -> Iterator[str]:
    """Rows of targets: within their population and in order, some rows at a time."""
    begins = wiring.indptr
    if not _row_of(begins, p.source_size + 1, np.int64) or begins[0] != 0 or np.any(np.diff(begins) < 0):
        yield "indptr does not say where the row of each presynaptic neuron begins"
        return
    if wiring.law is not None:
        return
    for row, end, kept in wiring.pieces():
        rows = begins[row:end] - begins[row]
        up = np.ones(len(kept), np.bool_)
        up[1:] = kept[1:] > kept[:-1]
        up[rows[rows < len(kept)]] = True
        if not _within(kept, p.target_size):
            yield "a synapse lies outside its populations"
            return
        if not up.all():
            yield "its synapses are not sorted by presynaptic, then postsynaptic neuron, or join two neurons twice"
            return


def _kernel(p: Projection, wiring: Kernel) -> Iterator[str]:
    """Rows of a kernel, looked at once for every template, with the places at which most and least of it begins."""
    if (wiring.sources, wiring.targets) != (p.source_size, p.target_size):
        yield f"its kernel joins {wiring.sources} neurons with {wiring.targets}"
        return
    for template, (begin, end) in enumerate(pairwise(wiring.first.tolist())):
        of, ahead = wiring.template == template, wiring.target_ahead[begin:end]
        if np.any(np.diff(ahead) < wiring.width):
            yield f"the runs of template {template} are not sorted by postsynaptic neuron, or overlap"
        if of.any() and len(ahead):
            ends = wiring.entry_ahead[begin:end] + np.array([[0], [(wiring.width - 1) * wiring.step]])
            targets = wiring.target[of][:, None] + np.array([ahead[0], ahead[-1] + wiring.width - 1])
            entries = wiring.entry_base[of][:, None] + np.array([ends.min(), ends.max()])
            if not (_within(targets, wiring.targets) and _within(entries, wiring.entries)):
                yield f"a run of template {template} lies outside of its population or of the kernel"


def _row_of(numbers: NDArray[Any], size: int, dtype: type[np.generic]) -> bool:
    return numbers.shape == (size,) and numbers.dtype == dtype


def _within(numbers: NDArray[np.integer[Any]], size: int) -> bool:
    return not numbers.size or bool(numbers.min() >= 0 and numbers.max() < size)


def sorted_pairs(pre: NDArray[np.int64], post: NDArray[np.int64]) -> bool:
    """Whether synapses are sorted by presynaptic, then postsynaptic neuron."""
    up = np.diff(pre)
    return bool(np.all((up > 0) | ((up == 0) & (np.diff(post) >= 0))))


def _event(program: Program, event: Event, sizes: Sizes) -> Iterator[str]:
    if (event.over, event.owner) not in sizes:
        yield f"there is no '{event.owner}' with a value for each {event.over}"
    if event.once and program.copies == 1:
        yield "it is computed once for all copies, and there is one"


# ----------------------------------------------------------------------------------------- what is read out and added


def _recorded_and_added(program: Program) -> Iterator[str]:
    for record in program.records:
        yield from _told(f"record {record.name}", _record(program, record))
    for injection in program.injections:
        yield from _told(f"injection {injection.name}", _injection(program, injection))
    for series in program.series:
        yield from _told(f"series {series.name}", _series(program, series))


def _readout(readout: Readout, populations: Mapping[str, Population]) -> Iterator[str]:
    population = populations.get(readout.population)
    if population is None:
        yield f"there is no population '{readout.population}'"
    elif readout.neurons is not None and not _some_of(readout.neurons, population.size):
        yield f"its neurons are not some of 0..{population.size - 1} in ascending order"
    elif readout.states(population.size) > 2**LARGEST_HISTOGRAM:
        neurons = population.size if readout.neurons is None else len(readout.neurons)
        yield f"it counts the joint states of {neurons} neurons, and {LARGEST_HISTOGRAM} are the most"
    yield from _moments(readout.every, readout.phase)


def _record(program: Program, record: Record) -> Iterator[str]:
    array = program.arrays.get(record.array)
    if array is None:
        yield f"there is no array '{record.array}'"
    elif array.at == "scalar" or array.role == "input":
        yield f"{record.array} cannot be recorded; arrays of neurons and synapses that are no inputs can"
    elif record.neurons is not None and not _some_of(record.neurons, len(array.initial)):
        yield f"its neurons are not some of 0..{len(array.initial) - 1} in ascending order"
    yield from _moments(record.every, record.phase)


def _some_of(neurons: NDArray[np.int64], size: int) -> bool:
    fits = neurons.dtype == np.int64 and neurons.ndim == 1 and len(neurons) > 0 and _within(neurons, size)
    return fits and bool(np.all(np.diff(neurons) > 0))


def _moments(every: int, phase: int) -> Iterator[str]:
    if not 0 <= phase < every:
        yield f"it looks at steps {phase} modulo {every}"


def _injection(program: Program, injection: Injection) -> Iterator[str]:
    array = _input(program, injection.input)
    if array is None:
        yield f"there is no input '{injection.input}'"
        return
    steps, neurons, values, size = injection.steps, injection.neurons, injection.values, len(array.initial)
    if steps.dtype != np.int64 or neurons.dtype != np.int64 or values.dtype != array.initial.dtype:
        yield f"its steps, neurons and values are {steps.dtype}, {neurons.dtype} and {values.dtype}"
    if not len(steps) == len(neurons) == len(values):
        yield f"it has {len(steps)} steps, {len(neurons)} neurons and {len(values)} values"
    elif steps.min(initial=0) < 0 or np.any(np.diff(steps) < 0):
        yield "its steps do not ascend from 0"
    elif not _within(neurons, size):
        yield f"a neuron lies outside 0..{size - 1}"


def _series(program: Program, series: Series) -> Iterator[str]:
    array = _input(program, series.input)
    if array is None:
        yield f"there is no input '{series.input}'"
        return
    size, table, frames = len(array.initial), series.table, series.frames
    if series.order not in ORDERS or table.dtype != array.initial.dtype:
        yield f"it is in the order of '{series.order}' and its table of {table.dtype}"
    if table.ndim != 2 or table.shape[1] != size or not len(table):
        yield f"its table has the shape {table.shape}; it has rows of {size} values, and at least one"
    elif series.hold < 1 or frames < 1 or series.hold % frames or len(table) % frames:
        yield f"its {len(table)} rows, each for {series.hold} steps, do not fall into {frames} frames"
    elif series.neurons is not None and not _some_of(series.neurons, size):
        yield f"its neurons are not some of 0..{size - 1} in ascending order"
    elif series.neurons is not None and np.count_nonzero(series.of(table)) != np.count_nonzero(table):
        yield "its table has numbers for neurons to which it does not lead"
    start = series.start
    if start is not None and not (series.loop and start.shape == (program.copies,) and start.min() >= 0):
        yield f"it starts at rows {start.tolist()}; each of {program.copies} copies needs one from 0, and a loop"


def _port(program: Program, port: Port, populations: Mapping[str, Population]) -> Iterator[str]:
    array, some = program.arrays.get(port.target), port.part
    if port.direction == "spikes":
        population = populations.get(port.target)
        if population is None or not population.spiking:
            yield f"there is no spiking population '{port.target}'"
        elif port.size != (population.size if some is None else _there(some, population.size)):
            yield f"it has {port.size} neurons, and population {port.target} has {population.size}"
    elif array is None or (array.role == "input") != (port.direction == "inject"):
        yield f"there is no {'input' if port.direction == 'inject' else 'variable'} '{port.target}'"
    elif some is not None and array.at != "neuron":
        yield f"it is of some neurons, and {port.target} has one value for each {array.at}"
    elif port.size != (_there(some, len(array.initial)) if some else _numbers(array)):
        yield f"it has {port.size} numbers, and {port.target} the shape {array.initial.shape}"
    if port.range is not None and not port.range[0] <= port.range[1]:
        yield f"its range is {port.range[0]} .. {port.range[1]}"


def _numbers(array: Array) -> int:
    """How many numbers a host reads or writes of an array, of every copy."""
    return 1 if array.role == "parameter" else len(array.initial)


def _there(part: Part, size: int) -> int:
    """How many neurons a part has; -1 where some of them are none of the population of that size."""
    return len(part) if part.pieces[-1][-1] < size else -1


def _input(program: Program, name: str) -> Array | None:
    array = program.arrays.get(name)
    return array if array is not None and array.role == "input" else None


# -------------------------------------------------------------------------------------------------- what is switched


def _switched(program: Program) -> Iterator[str]:
    """Derived parameters follow from what is known, in order; what deviates has a number for each element."""
    follows = {derived.array for derived in program.derived}
    known = program.constants.keys() - follows
    for derived in program.derived:
        array = program.arrays.get(derived.array)
        if array is None or array.role != "parameter":
            yield f"derived {derived.array}: there is no such parameter"
        for name in sorted({read.array for read in reads((Spike(derived.value),))} - known):
            yield f"derived {derived.array}: it follows from {name}, which is not known before it"
        known |= {derived.array}
    for name, designed in program.designed.items():
        yield from _told(f"designed {name}", _designed(program.arrays.get(name), designed))


def _designed(array: Array | None, designed: Designed) -> Iterator[str]:
    if array is None:
        yield "there is no such array"
        return
    shape = array.initial.shape
    of_circuits = shape[:1] if array.role == "parameter" and array.own else shape
    for numbers, expected in ((designed.value, shape), (designed.circuit, of_circuits)):
        if numbers.shape not in ((), expected):
            yield f"it has numbers of the shape {numbers.shape}, for values of {expected}"
