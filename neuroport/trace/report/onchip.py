"""What a report tells of a chip, as pages: what it made of the numbers, how far it drifts, and what is where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neuroport.chips import cores, description
from neuroport.errors import InvalidInput
from neuroport.pages import Cell, Page, Part, Table, Text
from neuroport.program import lowering
from neuroport.program.machine import ReportLine
from neuroport.trace.drift import Course, Drift, between
from neuroport.trace.read import LEFT_OUT, Trace
from neuroport.trace.trains import Distance

NONE = "-"
PLACES = "Where it is on the chip"
REAL = "It was computed in real numbers ({arithmetic}): nothing was rounded to the words of a chip."
UNKNOWN = (
    "How far it drifts away from real numbers is not known here: that takes a run of the same network and seed on the "
    "chip ideal, given to the same report. neuroport run net.yaml --chip ideal --seed {seed} -o ideal.h5"
)
NOT_COUNTED = "How many stores left the range of their array is not known: the run was ended before it could say so."
EXACT = (
    "Spikes are compared in every step; arrays where both runs sampled them, and at the end. Steps are counted from "
    "the start: after 0 steps nothing has been computed."
)


def arithmetic(trace: Trace) -> Page:
    """What the chip made of the numbers: bits, steps and errors of every array, and what left its range."""
    if not trace.integer:
        return Page("What the chip made of the numbers", "", (Text(REAL.format(arithmetic=trace.arithmetic)),))
    lines = [_line(line) for line in trace.report]
    lost = tuple((name, count) for name, count in trace.overflows.items() if count)
    none = "" if lost else "No store left the range of its array." if trace.knows_settings else NOT_COUNTED
    ends = Table(
        ("at the end", "values", "are 0", "% 0", "at the lowest", "at the highest", "different"), tuple(_ends(trace))
    )
    parts = (lowering.arrays(lines), Text(none), Table(("left its range", "stores"), lost), ends)
    return Page("What the chip made of the numbers", "", (*parts, lowering.others(lines)))


def _line(line: Mapping[str, object]) -> ReportLine:
    """A line of a report as lowering made it, without the place of its text."""
    known = {key: line[key] for key in ("subject", "topic", "text", "values")}
    return ReportLine(**known, notice=bool(line.get("notice")))  # type: ignore[arg-type]


def _ends(trace: Trace) -> Iterator[tuple[Cell, ...]]:
    """Weights at the end: how many are 0, and how many stand at an end of the range of their format."""
    formats = {line["subject"]: line["values"] for line in trace.report if line["topic"] == "format"}
    for name in trace.final:
        array = trace.final_array(name)
        if array.owner not in trace.projections or name not in formats or not array.raw.size:
            continue
        values, raw = formats[name], array.raw
        step = 2.0 ** -values["frac"]
        at = [
            int((array.values <= values["low"] + step / 2).sum()),
            int((array.values >= values["high"] - step / 2).sum()),
        ]
        zeros = int((raw == 0).sum())
        yield name, raw.size, zeros, round(100 * zeros / raw.size, 1), *at, len(np.unique(raw))


# -------------------------------------------------------------------------------------------------------------- drift


def drift(trace: Trace, traces: Sequence[Trace]) -> Page:
    """Where a run on a chip and one in real numbers part, if one of these traces is that; else what it would take."""
    if not trace.integer:
        return Page("", "")
    heading = "How far the chip drifts away from real numbers"
    other = next((one for one in traces if _is_same_in_real(one, trace)), None)
    found = None if other is None else between(other, trace)
    if other is None or found is None:
        return Page(heading, "", (Text(UNKNOWN.format(seed=trace.seed)),))
    return Page(heading, "", (Text(f"Compared with {other.path.name}. {_parts(found)}"), Text(EXACT), *_tables(found)))


def _is_same_in_real(one: Trace, trace: Trace) -> bool:
    """Whether a trace is of the same run in real numbers."""
    same = one.network_text == trace.network_text and one.seed == trace.seed and one.copies == trace.copies
    return same and not one.integer and one.dt == trace.dt


def _parts(found: Drift) -> str:
    """Where two runs part, in sentences."""
    return f"{_spikes_part(found)} {_arrays_part(found)}"


def _spikes_part(found: Drift) -> str:
    spikes = found.first_spikes
    if not found.trains:
        return "No spikes were recorded in both."
    if spikes is None or spikes.first is None:
        return f"All {sum(one.equal for one in found.trains):,} recorded spikes are the same."
    only = "in real numbers" if spikes.first.run == 0 else "on the chip"
    where = f"in step {spikes.first.step:,}: {spikes.population} {spikes.first.neuron}, only {only}"
    return f"The first other spike is {where}."


def _arrays_part(found: Drift) -> str:
    sampled = replace(found, arrays=tuple(course for course in found.arrays if not _only_end(course)))
    first, beyond = sampled.first, sampled.first_beyond
    if not sampled.arrays:
        return "When arrays part is not known: none was sampled in both (record: {states: …})."
    if first is None:
        return "No array was seen to differ."
    by = f"{beyond.array} after {beyond.beyond:,}" if beyond else "none"
    return (
        f"The first array seen to differ is {first.array}, after {first.differs:,} steps; by a step of its format {by}."
    )


def _only_end(course: Course) -> bool:
    """Whether an array was compared once, at the end."""
    return len(course.gaps) == 1


def _tables(found: Drift) -> tuple[Part, ...]:
    spikes = ("population", "spikes real", "spikes chip", "equal", "first other step", "Hz apart", "coincidence")
    arrays = ("array", "largest seen", "step", "differs after", "by a step after", "largest difference", "at the end")
    metrics = tuple((name, *points[-1]) for name, points in found.metrics.items() if points)
    numbers = tuple(row for row in metrics if not any(isinstance(value, list) for value in row))
    return (
        Table(spikes, tuple(map(_train, found.trains))),
        Table(arrays, tuple(_course(course) for course in found.arrays if course.gaps)),
        Table(("metric", "at step", "real", "chip"), numbers),
    )


def _train(found: Distance) -> tuple[Cell, ...]:
    first: Cell = NONE if found.first is None else found.first.step
    coincidence: Cell = NONE if found.coincidence is None else found.coincidence
    return found.population, *found.spikes, found.equal, first, found.rate_difference, coincidence


def _course(course: Course) -> tuple[Cell, ...]:
    differs, beyond = (_steps(steps, _only_end(course)) for steps in (course.differs, course.beyond))
    unit = NONE if course.unit is None else course.unit
    return course.array, course.scale, unit, differs, beyond, course.largest, course.gaps[-1].largest


def _steps(steps: int | None, at_most: bool) -> Cell:
    return NONE if steps is None else f"≤ {steps:,}" if at_most else steps


# ------------------------------------------------------------------------------------------------------------ mapping


def mapping(trace: Trace) -> Page:
    """Which cores of the chip hold which neurons, and how many synapses end there."""
    if not trace.integer:
        return Page("", "")
    sizes = {name: size // trace.copies for name, size in trace.populations.items()}
    try:
        chip = description.read(trace.chip_description, f"{trace.path} (chip)")
    except InvalidInput as error:
        return Page(PLACES, "", (Text(f"It is not known, for the trace does not say what the chip is: {error}"),))
    fan_in = _fan_in(trace, sizes)
    told = cores.told(sizes, fan_in, chip)
    unknown = f"How many synapses end where is not known: the trace {LEFT_OUT}." if fan_in is None else ""
    copies = f"Each of its {trace.copies:,} copies is there once." if trace.copies > 1 else ""
    return Page(PLACES, "", (*told, Text(unknown), Text(copies)))


def _fan_in(trace: Trace, sizes: Mapping[str, int]) -> dict[str, NDArray[np.int64]] | None:
    """How many synapses end at each neuron; None where the trace does not have them."""
    if trace.projections and not trace.extent.topology:
        return None
    counted = {name: np.zeros(size, np.int64) for name, size in sizes.items()}
    for name, (_, target) in trace.connects.items():
        counted[target] += np.bincount(trace.pairs(name)[1], minlength=sizes[target])
    return counted
