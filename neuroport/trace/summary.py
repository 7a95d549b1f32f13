"""What is told of a trace: where it came from, how far it went, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neuroport.pages import Page, Table, Text
from neuroport.pages.plain import shown, some

if TYPE_CHECKING:
    from neuroport.trace.read import Trace


def summary(trace: Trace) -> Page:
    """A trace in a few lines."""
    chip = trace.chip if trace.chip_seed is None else f"{trace.chip}, chip seed {trace.chip_seed}"
    title = f"{trace.name} on {chip} ({trace.arithmetic}), backend {trace.backend}, seed {trace.seed}"
    return Page(str(trace.path), title, tuple(map(Text, _lines(trace))))


def page(trace: Trace) -> Page:
    """The same, with spikes of each population."""
    whole = summary(trace)
    rows = tuple(
        (name, size, trace.spike_counts.get(name, "-"), recorded_of(trace, name))
        for name, size in trace.populations.items()
    )
    table = Table(("population", "neurons", "spikes", "spikes recorded"), rows)
    return Page(whole.name, whole.title, (*whole.parts, table))


def recorded_of(trace: Trace, population: str) -> str:
    """Whether the spikes of a population are recorded: "yes", "no", "of 10 neurons"."""
    if population not in trace.recorded:
        return "no"
    return f"of {len(trace.neurons(population)):,} neurons" if population in trace.extent.parts else "yes"


def _lines(trace: Trace) -> Iterator[str]:
    copies = f", {shown(trace.copies)} copies" if trace.copies > 1 else ""
    end = "" if trace.complete else f"; INCOMPLETE: {trace.lacks}"
    yield f"{trace.steps:,} steps of {trace.dt:g} ms ({shown(trace.steps * trace.dt / 1000)} s){copies}{end}"
    held = {
        "spikes": trace.recorded,
        "record": trace.records,
        "weight_history": trace.snapshots,
        "final": trace.final,
        "metrics": tuple(trace.metrics),
    }
    yield from (f"{what} {some(names)}" for what, names in held.items() if names)
