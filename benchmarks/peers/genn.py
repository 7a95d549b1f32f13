"""The networks as somebody who knows PyGeNN would write them: float32, one thread, `optimize_code` (-O3)."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.networks import DECAY_U, DECAY_V, THRESHOLD, Balanced

RECORDED = 1000
"""Steps between two looks at the recorded spikes."""


def model(name: str) -> Any:
    """An empty model."""
    import pygenn

    made = pygenn.GeNNModel("float", name, backend="single_threaded_cpu", optimize_code=True)
    made.dt = 1.0
    return made


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without what the compiler prints."""
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def ready(made: Any, folder: str) -> None:
    """Build a model and load it."""
    with _silent():
        made.build(folder)
    made.load(num_recording_timesteps=RECORDED)


class Spiking:
    """`balanced`, with per-synapse delays where it has any."""

    def __init__(self, network: Balanced, folder: str) -> None:
        import pygenn

        self._model = model(f"balanced_{network.size}_{network.delay.max()}")
        cell = pygenn.create_neuron_model(
            "loihi_form",
            params=["decay_u", "decay_v", "bias", "limit"],
            vars=[("u", "scalar"), ("v", "scalar")],
            sim_code="u = u * decay_u + Isyn * 64.0f; v = v * decay_v + u + bias;",
            threshold_condition_code="v > limit",
            reset_code="v = 0.0f;",
        )
        values = {
            "decay_u": DECAY_U / 4096, "decay_v": DECAY_V / 4096, "bias": network.bias, "limit": 64.0 * THRESHOLD,
        }  # fmt: skip
        self._cells = self._model.add_neuron_population("all", network.size, cell, values, {"u": 0, "v": network.v})
        self._cells.spike_recording_enabled = True
        self._connect(network)
        ready(self._model, folder)

    def _connect(self, network: Balanced) -> None:
        import pygenn

        longest = int(network.delay.max())
        if longest == 1:
            pulse = pygenn.init_weight_update("StaticPulse", {}, {"g": network.weight})
        else:
            late = {"g": network.weight, "d": network.delay - 1}
            pulse = pygenn.init_weight_update("StaticPulseDendriticDelay", {}, late)
        synapses = self._model.add_synapse_population(
            "synapses", "SPARSE", self._cells, self._cells, pulse, pygenn.init_postsynaptic("DeltaCurr")
        )
        synapses.set_sparse_connections(network.pre.astype(np.uint32), network.post.astype(np.uint32))
        if longest > 1:
            synapses.max_dendritic_delay_timesteps = longest

    def run(self, steps: int) -> NDArray[np.int64]:
        """So many steps, at most RECORDED; the spikes as rows (step, neuron)."""
        for _ in range(steps):
            self._model.step_time()
        self._model.pull_recording_buffers_from_device()
        times, neurons = self._cells.spike_recording_data[0]
        return np.stack([np.rint(times).astype(np.int64), neurons.astype(np.int64)], axis=1)
