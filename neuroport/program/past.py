"""How much of the past the coming steps of a program see, and whether a state is one of a program."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from neuroport.errors import InvalidInput
from neuroport.numerics.steps import MOST
from neuroport.program.ir import Body, Numbers, Real, reads
from neuroport.program.machine import Array, Program, Projection, Series
from neuroport.program.state import State, Whole
from neuroport.program.stated import checked, within_bounds

NONE = np.zeros(0, np.int64)


def rows_read(program: Program) -> dict[str, int]:
    """Of every array whose past is read: how many rows of it, the first being what it held a step before the last."""
    rows: dict[str, int] = {}
    bodies = {p.name: list(p.bodies) for p in program.projections}
    for event in program.events:
        bodies.setdefault(event.owner, []).append(event.body)
    for projection in (p for p in program.projections if p.synapses):
        for array, back in _reaches(projection, bodies[projection.name]):
            rows[array] = max(rows.get(array, 0), back)
    return {name: back for name, back in rows.items() if back}


def _reaches(projection: Projection, bodies: Iterable[Body]) -> Iterator[tuple[str, int]]:
    for read in (read for body in bodies for read in reads(body)):
        yield read.array, projection.longest_delay if read.lag == "synapse" else read.lag


def lags_delivered(program: Program) -> dict[str, int]:
    """Of every population whose spikes are delivered: for how many steps, the last one included, they still are."""
    spiking = {p.name for p in program.populations if p.spiking}
    lags: dict[str, int] = {}
    for p in (p for p in program.projections if p.synapses):
        if p.arrive:
            lags[p.source] = max(lags.get(p.source, 0), p.delay)
        if p.post_body:
            lags[p.target] = max(lags.get(p.target, 0), 1)
    return {p.name: lags[p.name] for p in program.populations if p.name in spiking & lags.keys()}


def packed(by_lag: Iterable[Numbers]) -> tuple[Whole, Whole]:
    """Spikes as a State has them, from the ascending numbers of each lag."""
    numbers = [np.asarray(n, np.int64) for n in by_lag]
    lags = np.repeat(np.arange(len(numbers)), [len(n) for n in numbers])
    return lags.astype(np.int64), np.concatenate([NONE, *numbers])


def unpacked(spikes: tuple[Whole, Whole], lags: int) -> list[Whole]:
    """The numbers of each of so many lags."""
    ends = np.searchsorted(spikes[0], np.arange(lags + 1))
    return [spikes[1][first:last] for first, last in itertools.pairwise(ends)]


def dealt(program: Program, schedules: Mapping[str, Whole]) -> dict[str, Whole]:
    """Copies of the schedules of series as a State has them: in a program of several copies, one for each copy."""
    each = _each(program.copies)
    found = {s.name: np.asarray(schedules[s.name], np.int64) for s in program.series if s.name in schedules}
    columns = {name: rows[:, None] if each and rows.ndim == 1 else rows for name, rows in found.items()}
    return {name: np.array(np.broadcast_to(rows, (len(rows), *each))) for name, rows in columns.items()}


# -------------------------------------------------------------------------------------------- of this program or not


def fitting(program: Program, state: State) -> None:
    """InvalidInput, naming what differs first, for a state that no executor of the program can have saved."""
    for what, found, wanted in _forms(program, state):
        _known(what, found, wanted)
        for name, values in found.items():
            form = values.dtype.kind, values.shape
            if form != wanted[name]:
                raise _other(f"{what} '{name}' is {_shown(*form)}, and here {_shown(*wanted[name])}")
    _known("count of spikes of", state.counts, [p.name for p in program.populations if p.spiking])
    _known("overflows of", state.overflows, program.arrays, all_=False)
    for what, counts in (("count of spikes of", state.counts), ("overflows of", state.overflows)):
        for name, count in counts.items():
            if not 0 <= count <= MOST:
                raise _other(f"{what} '{name}' {_is(what)} {count}, to which no run comes")
    for name, lags in lags_delivered(program).items():
        _in_order(name, *state.spikes[name], lags, program.population(name).size * program.copies)
    for series in program.series:
        if series.name in state.schedules and not _shows(series, state.schedules[series.name], program.copies):
            raise _other(f"the schedule of '{series.name}' has patterns that are not here")
    if not 0 <= state.item_step <= state.step <= MOST:
        raise _other(f"step {state.item_step} of an item cannot be step {state.step} of a run")
    for name, values in state.arrays.items():
        checked(program, program.arrays[name], values)
    for name, values in state.inputs.items():
        within_bounds(program, program.arrays[name], program.arrays[name].arrived(values))
    for name, values in state.histories.items():
        within_bounds(program, program.arrays[name], values)
    for series in (s for s in program.series if s.name in state.tables):
        within_bounds(program, program.arrays[series.input], state.tables[series.name])


Form = tuple[str, tuple[int, ...]]
"""The kind of numbers, as NumPy has it, and the shape of an array."""


def _forms(program: Program, state: State) -> Iterator[tuple[str, Mapping[str, Numbers], Mapping[str, Form]]]:
    """What is to have which form, in words, as it is found, and as it must be."""
    arrays, sizes = program.arrays, {p.name: p.size for p in program.populations}
    series = {s.name: s for s in program.series}
    yield "array", state.arrays, {n: _form(a) for n, a in arrays.items() if a.held}
    yield "input", state.inputs, {n: _form(a, a.slots) for n, a in arrays.items() if a.role == "input"}
    yield "history of", state.histories, {n: _form(arrays[n], rows) for n, rows in rows_read(program).items()}
    yield "histogram", state.histograms, {r.name: ("i", (r.states(sizes[r.population]),)) for r in program.readouts}
    replaced = {n: (_form(arrays[series[n].input])[0], series[n].table.shape) for n in state.tables if n in series}
    yield "table of", state.tables, replaced
    numbers = {name: numbers for name, (_, numbers) in state.spikes.items()}
    yield "spikes of", numbers, {n: ("i", numbers[n].shape if n in numbers else ()) for n in lags_delivered(program)}


def _form(array: Array, *rows: int) -> Form:
    return "f" if isinstance(array.type, Real) else "i", (*rows, *array.initial.shape)


def _known(what: str, found: Iterable[str], wanted: Iterable[str], all_: bool = True) -> None:
    for name in (n for n in wanted if all_ and n not in found):
        raise _other(f"{what} '{name}' {_is(what)} missing")
    for name in (n for n in found if n not in wanted):
        raise _other(f"{what} '{name}' {_is(what)} not known here")


def _is(what: str) -> str:
    return "are" if what in ("spikes of", "overflows of") else "is"


def _shown(letter: str, shape: tuple[int, ...]) -> str:
    return f"{'real' if letter == 'f' else 'whole' if letter == 'i' else 'no'} numbers of shape {shape}"


def _in_order(name: str, lags: Whole, numbers: Whole, most: int, size: int) -> None:
    inside = lags.shape == numbers.shape == (len(lags),) and _within(lags, most) and _within(numbers, size)
    if not inside or not (np.diff(lags * size + numbers) > 0).all():
        raise _other(f"spikes of '{name}' are not those of {size} neurons in {most} steps, in order")


def _within(values: Numbers, end: int) -> bool:
    return not values.size or bool(values.min() >= 0 and values.max() < end)


def _shows(series: Series, schedule: Whole, copies: int) -> bool:
    fits = schedule.dtype.kind == "i" and schedule.shape[1:] == _each(copies)
    return fits and _within(schedule, len(series.table) // series.frames)


def _each(copies: int) -> tuple[int, ...]:
    return (copies,) if copies > 1 else ()


def _other(difference: str) -> InvalidInput:
    text = f"this is the state of another program: {difference}; load it where the program runs that it was saved of"
    return InvalidInput.one(None, text)


# --------------------------------------------------------------------------------------------------- rings by step


def next_time(step: int, first: int, every: int) -> int:
    """The first of the steps first, first + every, first + 2 * every ... that has not gone before `step`."""
    return first if step <= first else step + (first - step) % every


def ahead(ring: Numbers, step: int, rows: int) -> Whole:
    """Where the rows of `step` and of those after it are in a ring by step."""
    return np.asarray((step + np.arange(rows)) % len(ring))


def back(ring: Numbers, step: int, rows: int) -> Whole:
    """Where the rows of `step` and of those before it are in a ring by step."""
    return np.asarray((step - np.arange(rows)) % len(ring))
