"""How much memory a program takes while it is executed, known before any of it is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from neuroport.errors import Place
from neuroport.program.ir import Read, Reduce, parts
from neuroport.program.machine import Array, Event, Program, Record
from neuroport.program.plan import Capture, If, Item, Measure, Present, Repeat, Run, walk
from neuroport.program.room import Part

BYTES_PER_VALUE = 8
BYTES_PER_HOLD = 32
"""Of a pattern that is shown: its number, as it is drawn, dealt and given to an executor."""
BYTES_PER_MEASUREMENT = 120
"""Of a number that was measured, with its step."""
NUMBERS = 2**18
"""About so many numbers are recorded between two looks at them, or those of one step."""
BYTES_PER_SPIKE = 16
"""Its step and its neuron."""
HELD = 3
"""How many times they are there then: as an executor gave them in pieces, as one, and those of the look before."""

Takes = Callable[[Measure | Capture], bool]
"""Whether an item takes away the rows of a readout that were gathered until then."""


def of_program(program: Program) -> Iterator[Part]:
    """What an executor's arrays take beside synapses, with what they remember of the past and what is on its way.

    Synapses are there already, and what an executor makes of them is for `neuroport.api.foresee`.
    """
    places = {p.name: p.place for p in program.populations} | {p.name: p.place for p in program.projections}
    for array in program.arrays.values():
        yield Part(f"the values of '{array.name}'{_slots(array)}", _of_array(array), places.get(array.owner))
    for population in program.populations:
        size = float(population.size) * program.copies * _ring(population.spike_slots) * 4
        what = f"the spikes of '{population.name}' that are on their way for up to {population.spike_slots:,} steps"
        yield Part(what, size, population.place)
    for event in program.events:
        yield from _of_reductions(program, event, places)
    for series in program.series:
        yield Part(f"the values of stimulus '{series.name}'", float(series.table.nbytes))


def _of_reductions(program: Program, event: Event, places: Mapping[str, Place | None]) -> Iterator[Part]:
    """What compiled code keeps of the elements while it adds them up."""
    terms = [part.x for part in parts(event.body) if isinstance(part, Reduce) and not isinstance(part.x, Read)]
    if terms and event.over != "kernel":
        neurons = event.over == "neuron"
        elements = program.population(event.owner).size if neurons else program.projection(event.owner).synapses
        size = float(elements) * program.copies * len(terms) * BYTES_PER_VALUE
        yield Part(f"what '{event.name}' of '{event.owner}' adds up", size, places[event.owner])


def _of_array(array: Array) -> float:
    now = 0 if array.at in ("synapse", "kernel") else _ring(array.slots)
    rings = now + (_ring(array.history) if array.history else 0)
    return float(array.initial.size) * rings * BYTES_PER_VALUE


def _ring(slots: int) -> int:
    """The power of two that a ring of so many slots has in the emulator."""
    return 1 << max(slots - 1, 0).bit_length()


def _slots(array: Array) -> str:
    if array.history > 1:
        return f" in the last {array.history:,} steps"
    return f" in the coming {array.slots:,} steps" if array.slots > 1 else ""


def sampled(program: Program) -> float:
    """How many numbers are sampled in a step, on average, while all readouts are active."""
    return sum(record.of(program.arrays[record.array].initial).size / record.every for record in program.records)


def recorded(program: Program) -> float:
    """How many numbers are recorded in a step at most: what is sampled, and two of each neuron that spikes."""
    return sampled(program) + 2.0 * _spiking(program)


def _spiking(program: Program) -> int:
    """How many neurons can spike, in all copies."""
    return program.copies * sum(p.size for p in program.populations if p.spiking)


def waiting(program: Program, record: Record) -> float:
    """How many rows of a record there are between two looks at them, about."""
    return max(1.0, NUMBERS / max(sampled(program), 1.0) / record.every)


def of_records(program: Program) -> Iterator[Part]:
    """What was recorded and is being looked at."""
    spikes = min(_spiking(program), NUMBERS)
    yield Part("spikes that are being looked at", float(HELD * BYTES_PER_SPIKE * spikes), once=True)
    for record in program.records:
        array = program.arrays[record.array]
        row = record.of(array.initial).size * array.dtype.itemsize
        yield Part(f"samples of '{record.array}'", float(HELD * row * waiting(program, record)))


def of_protocol(program: Program, items: tuple[Item, ...], takes: Callable[[str], Takes]) -> Iterator[Part]:
    """What a protocol gathers: the orders of its patterns, and rows of samples until they are used.

    `takes`: which items take the rows of a readout.
    """
    for item in walk(items):
        if isinstance(item, Present):
            yield Part(
                f"the order of the patterns '{item.patterns}'", float(item.holds) * program.copies * BYTES_PER_HOLD
            )
    for record in program.records:
        if record.readout:
            size = float(record.of(program.arrays[record.array].initial).size) * 2 * BYTES_PER_VALUE
            rows = _gathered(items, record.readout, takes(record.readout))[0]
            yield Part(f"the rows of readout '{record.readout}' between two measurements", size * rows)


def measured(items: tuple[Item, ...], metrics: int) -> float:
    """What the results of measuring take at most; `metrics`: how many there are."""
    size = 0.0
    for item in items:
        match item:
            case Measure():
                size += BYTES_PER_MEASUREMENT * (len(item.metrics) or metrics)
            case Repeat():
                size += item.count * measured(item.do, metrics)
            case If():
                size += max(measured(item.then, metrics), measured(item.otherwise, metrics))
            case _:
                pass
    return size


def _gathered(items: tuple[Item, ...], readout: str, takes: Takes) -> tuple[float, float, bool]:
    """How many rows there are at most, how many at the end, and whether the earlier ones were taken away."""
    most, left, taken = 0.0, 0.0, False
    for item in items:
        match item:
            case Run() | Present() if readout in item.readouts:
                left += item.holds if isinstance(item, Present) else 1
            case Measure() | Capture() if takes(item):
                left, taken = 0.0, True
            case Repeat():
                peak, rest, emptied = _gathered(item.do, readout, takes)
                most = max(most, left + peak, rest + peak if emptied else 0.0)
                left, taken = rest if emptied else left + item.count * rest, taken or emptied
            case If():
                inside = [_gathered(branch, readout, takes) for branch in (item.then, item.otherwise)]
                emptied, rest = any(e for _, _, e in inside), max(r for _, r, _ in inside)
                most = max(most, *(left + peak for peak, _, _ in inside))
                left, taken = rest if emptied else left + rest, taken or emptied
            case _:
                pass
        most = max(most, left)
    return most, left, taken
