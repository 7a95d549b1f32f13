"""Spikes at given times: `{spikes: {times: [1 ms, 3 ms], neurons: [0, 2]}}`.

Or those of a population in a file of SONATA: `{spikes: {file: spikes.h5, population: exc}}`. With `round: true` each is
in the step that is nearest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Problem
from neuroport.network.network import Network
from neuroport.network.stimuli import Stimulus
from neuroport.network.values import ArrayValue, Value
from neuroport.numerics import units
from neuroport.program.machine import Injection, ReportLine
from neuroport.stimuli.kind import Entry, Kind, Maker, Onto, off_grid
from neuroport.yaml.arrays import Sink
from neuroport.yaml.nodes import MapNode
from neuroport.yaml.slots import Rows, Shape, Slot
from neuroport.yaml.sonata import stored_spikes
from neuroport.yaml.values import written_value

KEYS = ("times", "neurons")
STORED = ("file", "population")
ROUND = "round: true puts each spike into the nearest step"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeList(Stimulus):
    """Spikes at given times: one unit is added to `input` of neuron `neurons[k]` in the step of `times[k]`.

    `rounded`: that is the nearest one; else times are whole numbers of steps.
    """

    times: Value
    neurons: Value
    rounded: bool = False


def read(entry: Entry) -> SpikeList | None:
    """Read it."""
    report, what, far = entry.report, entry.what, float("inf")
    if isinstance(entry.inner, MapNode) and set(STORED) & set(entry.inner.entries):
        return _of_file(entry)
    inner = report.mapping(entry.inner, f"spikes of {what}", (*KEYS, "round"), KEYS)
    rounded = report.boolean(inner.get("round"), f"round of {what}") or False
    slot = Slot(f"times of {what}", "step", range=(0, far), dt=entry.dt, fits=_per_spike, folder=entry.folder)
    times = entry.numbers(inner.get("times"), replace(slot, rounded=rounded, remedy=f"; {ROUND}"))
    last = entry.population.size - 1 if entry.population else far
    slot = Slot(f"neurons of {what}", type="int", range=(0, last), fits=_per_spike, folder=entry.folder)
    neurons = entry.numbers(inner.get("neurons"), slot)
    if isinstance(times, ArrayValue) and isinstance(neurons, ArrayValue):
        counts = len(times.values.array), len(neurons.values.array)
        if counts[0] != counts[1]:
            text = f"{what} has {counts[0]} times but {counts[1]} neurons; give one neuron per time"
            report.add(inner["neurons"], text)
    if times is None or neurons is None:
        return None
    return SpikeList(**entry.common, times=times, neurons=neurons, rounded=rounded)


def _of_file(entry: Entry) -> SpikeList | None:
    """The spikes of a population in a file of SONATA."""
    report, what = entry.report, entry.what
    inner = report.mapping(entry.inner, f"spikes of {what}", (*STORED, "round"), ("file",))
    rounded = report.boolean(inner.get("round"), f"round of {what}") or False
    slot = Slot(f"spikes of {what}", folder=entry.folder)
    found = stored_spikes(report, inner.get("file"), inner.get("population"), slot, entry.inner.place)
    return None if found is None else SpikeList(**entry.common, times=found[0], neurons=found[1], rounded=rounded)


def write(item: SpikeList, sink: Sink, at: str) -> dict[str, Any]:
    """Write it."""
    times, neurons = written_value(item.times, sink, f"{at}/times"), written_value(item.neurons, sink, f"{at}/neurons")
    return {"times": times, "neurons": neurons} | ({"round": True} if item.rounded else {})


def elaborate(item: SpikeList, onto: Onto, maker: Maker) -> Injection:
    """The spikes sorted by step, then neuron."""
    steps = _steps(item, maker)
    neurons = maker.free(item.neurons, "", True, item.name, "neurons").reshape(-1)
    if len(steps) != len(neurons):
        text = f"stimulus '{item.name}' has {len(steps)} times and {len(neurons)} neurons; give as many"
        maker.problems.append(Problem(item.place, text))
        steps = neurons = np.zeros(0, np.int64)
    if len(neurons) and not (neurons.min() >= 0 and neurons.max() < onto.size and steps.min() >= 0):
        text = f"stimulus '{item.name}' has neurons outside 0 .. {onto.size - 1} or negative times"
        maker.problems.append(Problem(item.place, text))
    order = np.lexsort((neurons, steps))
    values = np.ones(len(steps), np.int64 if onto.integer else np.float64)
    return Injection(item.name, onto.array, steps[order], neurons[order], values)


def _steps(item: SpikeList, maker: Maker) -> NDArray[np.int64]:
    """The steps of the spikes; how many were rounded is told, and times that may not be are a problem."""
    times = np.asarray(maker.free(item.times, "step", False, item.name, "times"), np.float64).reshape(-1)
    off = np.flatnonzero(off_grid(times))
    most = float(np.abs(times - np.rint(times)).max(initial=0))
    if np.any(np.abs(times) >= 2**53):
        text = f"stimulus '{item.name}' has times from 2^53 steps on, which doubles do not carry exactly"
        maker.problems.append(Problem(item.place, text))
        return np.zeros(len(times), np.int64)
    if len(off) and not item.rounded:
        at, dt = int(off[0]), units.show(maker.network.dt)
        text = (
            f"times of stimulus '{item.name}': that at [{at}] is {times[at]:.12g} steps of {dt}, and {len(off):,} of "
        )
        text += f"{len(times):,} are no whole number of steps; {ROUND}"
        maker.problems.append(Problem(item.times.place, text))
    elif len(off):
        text = f"has {len(off):,} of {len(times):,} spike times off its steps, rounded by at most {most:.3g} steps"
        values: dict[str, float | int | str] = {"count": len(off), "of": len(times), "most": most}
        maker.report.append(ReportLine(item.name, "rounded", text, values, notice=True, place=item.place))
    return np.rint(times).astype(np.int64)


def expected(item: SpikeList, network: Network, maker: Maker) -> float:
    """Step, neuron and value of every spike."""
    return 3.0 * math.prod(maker.shape(item.times))


def _per_spike(shape: Shape, rows: Rows) -> str:
    return "" if len(shape) == 1 else "(n,), one value per spike"


KIND = Kind(SpikeList, read, write, elaborate, expected)
