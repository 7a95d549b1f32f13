"""What there is to compute of a program: operations of every step, and synapses that spikes reach."""

from __future__ import annotations

from dataclasses import dataclass

from neuroport.program.ir import Body, parts, reductions, stored
from neuroport.program.machine import Event, Program


@dataclass(frozen=True, slots=True)
class Work:
    """Counts over all copies, and over all of `runs` independent runs beside each other; `copies` are those of all.

    `operations`: those of neurons in every step; `dense`: those of synapses that compute whether anything spikes or
    not. `firing`: neurons that can spike. Where each of them spikes once, `rows` and `events` are the synapses that
    only send, `learned_rows` and `learned_events` those that learn, each time that their source or target spikes.
    `sums`: blocks of every step that add up over elements.
    """

    steps: int
    dt: float  # ms
    operations: int = 0
    dense: int = 0
    firing: int = 0
    rows: int = 0
    events: int = 0
    learned_rows: int = 0
    learned_events: int = 0
    sums: int = 0
    synapses: int = 0
    copies: int = 1
    runs: int = 1


def work(program: Program, steps: int, runs: int = 1) -> Work:
    """What so many steps of a program, in so many independent runs, have to compute."""
    sizes = {p.name: p.size for p in program.populations}
    firing = {p.name: p.size for p in program.populations if p.spiking}
    operations = sum(p.size * _operations(p.body) for p in program.populations)
    dense = sum(p.synapses * _operations(p.step) for p in program.projections)
    of_steps = [event for event in program.events if event.every_step]
    operations += sum(sizes[event.owner] * _operations(event.body) for event in of_steps if event.over == "neuron")
    dense += sum(_elements(program, event) * _operations(event.body) for event in of_steps if event.over != "neuron")
    rows, events, learned_rows, learned_events = 0, 0, 0, 0
    for projection in program.projections:
        before, after = firing.get(projection.source, 0), firing.get(projection.target, 0)
        if projection.arrive and before and stored(projection.arrive):
            learned_rows, learned_events = learned_rows + before, learned_events + projection.synapses
        elif projection.arrive and before:
            rows, events = rows + before, events + projection.synapses
        if projection.post_body and after:
            learned_rows, learned_events = learned_rows + after, learned_events + projection.synapses
    copies = program.copies * runs
    return Work(
        steps=steps,
        dt=program.dt,
        operations=copies * operations,
        dense=copies * dense,
        firing=copies * sum(firing.values()),
        rows=copies * rows,
        events=copies * events,
        learned_rows=copies * learned_rows,
        learned_events=copies * learned_events,
        sums=sum(any(True for stmt in event.body for _ in reductions(stmt)) for event in of_steps),
        synapses=copies * sum(p.synapses for p in program.projections),
        copies=copies,
        runs=runs,
    )


def _operations(body: Body) -> int:
    """How many expressions a body has, and parts of them: a measure of what it takes."""
    return sum(1 for _ in parts(body))


def _elements(program: Program, event: Event) -> int:
    projection = program.projection(event.owner)
    return projection.values if event.over == "kernel" else projection.synapses
