"""What a machine holds once some neurons of a population are back in their initial state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neuroport.program.machine import Program
from neuroport.program.state import State


def put_back(
    program: Program, state: State, population: str, neurons: NDArray[np.int64], kept: Collection[str]
) -> State:
    """What `Executor.reset` makes of a population, for some neurons: of a state that nobody else holds.

    Their variables but those `kept`, with their history, get initial values; their inputs and their spikes in flight
    are dropped. What a population has once for all neurons stays. Sums that an executor keeps apart are put together.
    """
    own = [a for a in program.arrays.values() if a.owner == population and a.at == "neuron"]
    for array in (a for a in own if a.role == "state"):
        initial = array.initial[neurons]
        if array.name not in kept:
            state.arrays[array.name][neurons] = initial
        if array.name in state.histories:
            state.histories[array.name][:, neurons] = initial
    for array in (a for a in own if a.role == "input"):
        state.inputs[array.name][:, neurons] = array.nothing
    spikes = dict(state.spikes)
    if population in spikes:
        lags, numbers = spikes[population]
        there = ~np.isin(numbers // program.copies, neurons)
        spikes[population] = lags[there], numbers[there]
    return replace(state, spikes=spikes, apart={})
