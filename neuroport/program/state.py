"""All that an executor holds between two steps, in one form that no executor's layout shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Raw = NDArray[np.float64] | NDArray[np.int64]
Whole = NDArray[np.int64]


def raw(values: NDArray[Any]) -> Raw:
    """A copy of numbers as they go in and out: int64, or float64 of real ones."""
    return values.astype(np.float64) if values.dtype.kind == "f" else values.astype(np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """What a program being executed holds before step `step`.

    Numbers are raw: int64 of integer types, float64 of real ones. What follows from the program and its seed (random
    numbers, places in lists of stimuli) is not there, nor what no coming step can see: how far back the past goes says
    `neuroport.program.past`.

    arrays: every array but inputs, by name, in the shape of its `initial`.
    inputs: name -> (slots, *shape); row k has arrived for step `step + k`.
    histories: name -> (rows, *shape); row k is what the array held after step `step - 2 - k`.
    spikes: population -> (lags, numbers), sorted: `numbers` (neuron * copies + copy) spiked in step `step - 1 - lag`.
    item_step, readouts, schedules: the step count of the protocol item, and what `Executor.begin_item` was given;
        schedules of several copies are (holds, copies).
    tables: the tables of series, by name, that `Executor.load_series` replaced.
    histograms: readout -> counts since `Executor.clear_histogram`.
    counts, overflows: as `Executor.spike_counts` and `Executor.overflows` give them.
    apart: of real numbers, the parts of `inputs` that this executor adds up in the step itself, by names of its own and
        in the form of `inputs`. It takes them instead of `inputs` to go on with the same bits; others need them not.
    """

    step: int
    item_step: int
    readouts: tuple[str, ...]
    schedules: Mapping[str, Whole]
    arrays: Mapping[str, Raw]
    inputs: Mapping[str, Raw]
    histories: Mapping[str, Raw]
    spikes: Mapping[str, tuple[Whole, Whole]]
    tables: Mapping[str, Raw]
    histograms: Mapping[str, Whole]
    counts: Mapping[str, int]
    overflows: Mapping[str, int]
    apart: Mapping[str, Raw] = field(default_factory=dict)
