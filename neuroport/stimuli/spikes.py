"""Spikes at given times: `{spikes: {times: [1 ms, 3 ms], neurons: [0, 2]}}`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.errors import Problem
from neuroport.network.network import Network
from neuroport.network.stimuli import Stimulus
from neuroport.network.values import ArrayValue, Value
from neuroport.program.machine import Injection
from neuroport.stimuli.kind import Entry, Kind, Maker, Onto
from neuroport.yaml.arrays import Sink
from neuroport.yaml.slots import Rows, Shape, Slot
from neuroport.yaml.values import written_value

KEYS = ("times", "neurons")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeList(Stimulus):
    """Spikes at given times: one unit is added to `input` of neuron `neurons[k]` in the step of `times[k]`."""

    times: Value
    neurons: Value


def read(entry: Entry) -> SpikeList | None:
    """Read it."""
    report, what, far = entry.report, entry.what, float("inf")
    inner = report.mapping(entry.inner, f"spikes of {what}", KEYS, KEYS)
    slot = Slot(f"times of {what}", "step", range=(0, far), dt=entry.dt, fits=_per_spike, folder=entry.folder)
    times = entry.numbers(inner.get("times"), slot)
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
    return SpikeList(**entry.common, times=times, neurons=neurons)


def write(item: SpikeList, sink: Sink, at: str) -> dict[str, Any]:
    """Write it."""
    times, neurons = written_value(item.times, sink, f"{at}/times"), written_value(item.neurons, sink, f"{at}/neurons")
    return {"times": times, "neurons": neurons}


def elaborate(item: SpikeList, onto: Onto, maker: Maker) -> Injection:
    """The spikes sorted by step, then neuron."""
    steps = maker.free(item.times, "step", True, item.name, "times").reshape(-1)
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


def expected(item: SpikeList, network: Network, maker: Maker) -> float:
    """Step, neuron and value of every spike."""
    return 3.0 * math.prod(maker.shape(item.times))


def _per_spike(shape: Shape, rows: Rows) -> str:
    return "" if len(shape) == 1 else "(n,), one value per spike"


KIND = Kind(SpikeList, read, write, elaborate, expected)
