"""Samples readouts: which steps an executor samples."""

from __future__ import annotations

import math

from neuroport.elaborate.values import Materialiser
from neuroport.errors import Problem
from neuroport.network.network import Network
from neuroport.network.protocol import Present, Run, walk
from neuroport.network.results import Samples
from neuroport.network.stimuli import Patterns
from neuroport.numerics import units
from neuroport.program.machine import Record
from neuroport.program.plan import Window
from neuroport.stimuli.patterns import labels_of, pattern_count


def window(readout: Samples, network: Network) -> Window:
    """The steps of a pattern that a readout wants."""
    start, every = (int(units.steps(time, network.dt)) for time in (readout.start, readout.every))
    stop = None if readout.stop is None else int(units.steps(readout.stop, network.dt))
    return Window(start, stop, every, readout.reduce)


def sample_records(network: Network, materialiser: Materialiser) -> tuple[Record, ...]:
    """What executors sample for every samples readout; problems of its labels are noted at the materialiser."""
    _check_labels(network, materialiser)
    records = []
    for readout in network.samples:
        every, phase = _grid(readout, network, materialiser)
        neurons = None if readout.part is None else readout.part.neurons
        records.append(Record(readout.of, every, readout.name, phase, neurons))
    return tuple(records)


def _grid(readout: Samples, network: Network, materialiser: Materialiser) -> tuple[int, int]:
    """The longest interval and the phase with which all the steps are sampled that any item needs."""
    of = window(readout, network)
    first: int | None = None
    interval = longest = 0
    for item in walk(network.protocol):
        if not isinstance(item, Run | Present) or readout.name not in item.readouts:
            continue
        several = False
        if isinstance(item, Run):
            length = int(units.steps(item.duration, network.dt))
        else:
            shown = network.patterns(item.patterns)
            assert shown.hold is not None
            length = int(units.steps(shown.hold, network.dt))
            count = pattern_count(shown, network, materialiser) if item.count is None else item.count
            several = count > 1
        wanted = of.within(length)
        if not wanted:
            continue
        first = wanted[0] if first is None else first
        gaps = (wanted[0] - first, of.every if len(wanted) > 1 else 0, length if several else 0)
        interval = math.gcd(interval, *gaps)
        longest = max(longest, length)
    if first is None:
        return of.every, of.start % of.every
    interval = interval or longest
    return interval, first % interval


def _check_labels(network: Network, materialiser: Materialiser) -> None:
    """Note labels that no cell of a readout stands for."""
    for metric in (m for m in network.metrics if m.labelled):
        readout = next(r for r in network.samples if r.name == metric.readout)
        cells = readout.cells(network.population(readout.of.partition(".")[0]).size)
        shown = {i.patterns for i in walk(network.protocol) if isinstance(i, Present) and metric.readout in i.readouts}
        for patterns in (s for s in network.stimuli if isinstance(s, Patterns) and s.name in shown):
            labels = labels_of(patterns, materialiser)
            if labels is not None and labels.max(initial=0) >= cells:
                text = f"label {labels.max()} of '{patterns.name}' has no cell in readout '{readout.name}', whose "
                text += f"{cells} cells stand for the labels 0 to {cells - 1}; sample a larger population"
                materialiser.problems.append(Problem(patterns.labels.place if patterns.labels else None, text))
