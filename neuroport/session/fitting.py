"""Whether what a session held is what a session of this program can hold: said before anything of it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from neuroport.errors import InvalidInput
from neuroport.metrics.following import Followed, Following
from neuroport.numerics.steps import MOST
from neuroport.program.ir import Numbers
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.session.checkpoint import Host
from neuroport.session.controls import Pending
from neuroport.session.digest import BYTES
from neuroport.session.kept import Kept, Left
from neuroport.session.record import spiking
from neuroport.session.sample import Holds

NOBODY: Numbers = np.array(0, np.int64)
"""The number of a neuron, as spikes have it."""


def fitting(host: Host, program: Program, plan: Plan, step: int) -> None:
    """InvalidInput, naming the first part that does not fit, for what no session of the program can have held."""
    for part, fits in _looked_at(host, program, plan, step):
        if not fits:
            text = f"the checkpoint cannot be restored: its {part} is none of this program; take one that is whole"
            raise InvalidInput.one(None, text)


def _looked_at(host: Host, program: Program, plan: Plan, step: int) -> Iterator[tuple[str, bool]]:
    """Every part, in words, and whether it fits."""
    shapes = {name: array.initial.shape for name, array in program.arrays.items()}
    yield "digest of spikes", set(host.spikes) == set(spiking(program))
    for name, links in host.spikes.items():
        whole = len(links.hash) == 32 and len(links.rest) % 16 == 0 and len(links.rest) < BYTES
        yield f"digest of spikes of '{name}'", whole
    for name, rows in host.samples.rows.items():
        known = name in plan.windows
        yield f"readout '{name}'", known and all(r.values.ndim == 2 and len(r.values) == len(r.patterns) for r in rows)
    sampled = {r.readout: r.of(program.arrays[r.array].initial).shape for r in program.records if r.readout}
    for name, item in host.samples.items.items():
        yield f"readout '{name}'", name in sampled and _holds_fit(item, sampled[name], program.copies)
    for name, followed in host.measured.followed.items():
        yield f"record of items of metric '{name}'", _followed_fits(followed, name, plan, shapes)
    tables = {series.name: series.table.shape for series in program.series if series.order == "item"}
    yield from _shaped("captured patterns", host.captured.tables, tables)
    constants = {name: values.shape for name, values in program.constants.items()}
    yield from _shaped("setting", host.switches.values, shapes | constants)
    yield from _shaped("setting", host.switches.designed, {n: d.value.shape for n, d in program.designed.items()})
    settable = constants.keys() | program.designed.keys() | host.switches.values.keys()
    yield "setting", set(host.switches.switched) <= settable
    yield from _shaped("weight", host.given, shapes)
    for name, injected in host.injected.items():
        fits = injected.values.shape == injected.raw.shape == shapes.get(name)
        yield f"sum of what was injected into '{name}'", fits
    numbers = {name: np.broadcast_to(np.zeros((), a.dtype), a.initial.shape) for name, a in program.arrays.items()}
    examples = dict.fromkeys(spiking(program), NOBODY) | numbers
    yield from _recorded(host.kept, examples, step)
    for one in host.pending:
        yield f"write to '{one.name}'", one.name in shapes and _comes(one, shapes[one.name], step)


def _shaped(
    what: str, values: Mapping[str, Numbers], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[str, bool]]:
    for name, numbers in values.items():
        yield f"{what} '{name}'", name in shapes and numbers.shape in ((), shapes[name])


def _holds_fit(item: Holds, shape: tuple[int, ...], copies: int) -> bool:
    holds = len(item.counts)
    return item.hold > 0 and item.sums.shape == (holds, *shape) and item.patterns.shape == (holds, copies)


def _followed_fits(followed: Followed, name: str, plan: Plan, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    metric = next((m for m in plan.metrics if m.name == name), None)
    return isinstance(metric, Following) and metric.fits(followed, shapes)


def _recorded(kept: Kept, examples: Mapping[str, Numbers], step: int) -> Iterator[tuple[str, bool]]:
    yield "first step that is kept", 0 <= kept.first <= step
    for name, left in kept.left.items():
        example = _example(name, left, examples)
        yield f"record of '{name}'", example is not None and _was_kept(left, example, kept.first, step)
    for name, taken in kept.taken.items():
        there = kept.left.get(taken.of)
        fits = there is not None and 0 <= taken.rows <= there.gone + len(there.steps)
        yield f"count of what was taken of '{name}'", fits


def _example(name: str, left: Left, examples: Mapping[str, Numbers]) -> Numbers | None:
    """An example of what is kept under a name: of an array, or of a part of one (see `kept.label`)."""
    array, bracket, _ = name.partition("[")
    example = examples.get(array)
    if example is None or not bracket:
        return example
    fits = example.ndim > 0 and left.values.ndim > 1 and left.values.shape[1] <= len(example)
    return example[: left.values.shape[1]] if fits else None


def _was_kept(left: Left, example: Numbers, first: int, step: int) -> bool:
    """Whether rows are of the steps that are kept, in their order, with a value like the example each."""
    steps = np.concatenate([[first], left.steps, [step - 1]]) if len(left.steps) else left.steps
    in_order = 0 <= left.gone < MOST and bool(np.all(steps[1:] >= steps[:-1]))
    values = left.values
    return in_order and values.dtype == example.dtype and values.shape == (len(left.steps), *example.shape)


def _comes(one: Pending, shape: tuple[int, ...], step: int) -> bool:
    """Whether a write to steps to come has elements that there are, and numbers for them."""
    cells = one.cells
    if cells is not None and (cells.ndim != 1 or not shape or np.any((cells < 0) | (cells >= shape[0]))):
        return False
    wanted = shape if cells is None else (len(cells), *shape[1:])
    return step < one.first < one.end and one.values.shape in ((), (1,), wanted)
