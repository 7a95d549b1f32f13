"""What a report tells of a trace, as pages: what ran, and what came out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from neuroport.pages import Cell, Lines, Page, Part, Table, Text
from neuroport.trace.read import Trace

NONE = "-"
AGAIN = "neuroport run net.yaml --chip {chip} --seed {seed} --backend {backend} -o again.h5"
AGAIN_ON_A_SPECIMEN = (
    "neuroport run net.yaml --chip {chip} --chip-seed {chip_seed} --seed {seed} --backend {backend} -o again.h5"
)


def provenance(trace: Trace) -> Page:
    """Where a run came from, and how to have it again."""
    rows: list[tuple[Cell, ...]] = [
        ("network", trace.name),
        ("chip", trace.chip),
        ("chip seed", _seed(trace)),
        ("arithmetic", trace.arithmetic + (f", version {trace.arithmetic_version}" if trace.integer else "")),
        ("executed by", trace.backend),
        ("seed", trace.seed),
        ("steps", f"{trace.steps:,} of {trace.dt:g} ms ({trace.steps * trace.dt / 1000:,.6g} s)"),
        ("copies", trace.copies),
        ("took", f"{trace.build_s:.3g} s to build, {trace.run_s:.3g} s to run" if trace.complete else NONE),
        ("digest", trace.digest or NONE),
        ("versions", ", ".join(f"{name} {version}" for name, version in trace.versions.items())),
    ]
    parts: list[Part] = [Table(("what ran", ""), tuple(rows))]
    if not trace.complete:
        parts.insert(0, Text(f"This trace is incomplete: {trace.lacks}."))
    parts.append(Lines("To run it again, save the network below as net.yaml:", command(trace)))
    parts.append(Lines("net.yaml", trace.network_text))
    return Page("What ran", "", tuple(parts))


def _seed(trace: Trace) -> Cell:
    """The seed of the specimen, if it is one."""
    return NONE if trace.chip_seed is None else trace.chip_seed


def command(trace: Trace) -> str:
    """The command that repeats a run of the network that is in its trace."""
    told = AGAIN if trace.chip_seed is None else AGAIN_ON_A_SPECIMEN
    names = {"chip": shlex.quote(trace.chip), "backend": shlex.quote(trace.backend)}
    return told.format(**names, seed=trace.seed, chip_seed=trace.chip_seed)


def results(trace: Trace) -> Page:
    """Rates and metrics of a run."""
    seconds = trace.steps * trace.dt / 1000
    populations = tuple(_population(trace, name, size, seconds) for name, size in trace.populations.items())
    measured = tuple(
        (name, len(points), _shown(points[0][1]), _shown(points[-1][1]), points[-1][0])
        for name, points in trace.metrics.items()
        if points
    )
    parts = (
        Table(("population", "neurons", "spikes", "mean rate (Hz)"), populations),
        Table(("metric", "measured", "first", "last", "at step"), measured),
    )
    return Page("What came out", "", parts)


def _population(trace: Trace, name: str, size: int, seconds: float) -> tuple[Cell, ...]:
    count = trace.spike_counts.get(name)
    rate: Cell = NONE if count is None or not seconds or not size else count / size / seconds
    return name, size, NONE if count is None else count, rate


def _shown(value: Any) -> Cell:
    """A measurement; of a list how many numbers it has, and their mean."""
    if not isinstance(value, list):
        return float(value)
    if len(value) == 1:
        return float(value[0])
    return f"{len(value)} numbers, mean {sum(value) / len(value):.6g}" if value else NONE


def comparison(traces: Sequence[Trace]) -> Page:
    """All runs of a report, a row each."""
    names = list(dict.fromkeys(name for trace in traces for name in trace.metrics))
    rows = tuple(tuple(_row(trace, names)) for trace in traces)
    columns = ("file", "network", "chip", "chip seed", "seed", *names, "digest")
    return Page("Runs", "", (Table(columns, rows),))


def _row(trace: Trace, names: Sequence[str]) -> Iterator[Cell]:
    yield from (trace.path.name, trace.name, trace.chip, _seed(trace), trace.seed)
    for name in names:
        points = trace.metrics.get(name, [])
        yield _shown(points[-1][1]) if points else NONE
    yield trace.digest[:16] if trace.complete else "incomplete"
