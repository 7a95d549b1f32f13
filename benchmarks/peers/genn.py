"""The networks as somebody who knows PyGeNN would write them: float32, `optimize_code` (-O3), one thread or a GPU."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.networks import DECAY_U, DECAY_V, THRESHOLD, Balanced
from neuroport.program.machine import Program, Projection

RECORDED = 1000
"""Steps between two looks at the recorded spikes."""


CPU = "single_threaded_cpu"


def model(name: str, backend: str = CPU) -> Any:
    """An empty model for one of GeNN's backends."""
    import pygenn

    made = pygenn.GeNNModel("float", name, backend=backend, optimize_code=True)
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

    def __init__(self, network: Balanced, folder: str, backend: str = CPU) -> None:
        import pygenn

        self._model = model(f"balanced_{network.size}_{network.delay.max()}", backend)
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


class Learning:
    """`networks.plastic`: pair STDP with traces of neurons, weights and numbers as the program in real numbers has."""

    def __init__(self, program: Program, size: int, folder: str, backend: str = CPU) -> None:
        import pygenn

        self._model = model(f"plastic_{size}", backend)
        cell = pygenn.create_neuron_model(
            "leaky",
            params=["decay", "v_rest", "v_reset", "v_th", "t_ref"],
            vars=[("v", "scalar"), ("ref", "int")],
            sim_code="""
                v = (ref == 0) ? v_rest + (v - v_rest) * decay + Isyn : v_reset;
                ref = (ref > 0) ? ref - 1 : 0;
            """,
            threshold_condition_code="v >= v_th",
            reset_code="v = v_reset; ref = t_ref;",
        )
        decay = float(np.exp(-1 / 20))
        for p in program.populations:
            values = {n: float(program.arrays[f"{p.name}.{n}"].initial) for n in ("v_rest", "v_reset", "v_th", "t_ref")}
            v = program.arrays[f"{p.name}.v"].initial / 2.0**24
            group = self._model.add_neuron_population(
                p.name, p.size, cell, {"decay": decay, **values}, {"v": v, "ref": 0}
            )
            group.spike_recording_enabled = True
        for projection in program.projections:
            self._connect(program, projection, decay)
        ready(self._model, folder)

    def _connect(self, program: Program, projection: Projection, decay: float) -> None:
        import pygenn

        def real(name: str) -> Any:
            array = program.arrays[f"{projection.name}.{name}"]
            return array.initial / 2.0 ** getattr(array.type, "frac", 0)

        if projection.source == "inh":
            pulse = pygenn.init_weight_update("StaticPulseConstantWeight", {"g": float(real("w")[0])})
        else:
            rule = pygenn.create_weight_update_model(
                "pair",
                params=["decay", "plus", "minus", "most"],
                vars=[("g", "scalar")],
                pre_vars=[("x", "scalar")],
                post_vars=[("y", "scalar")],
                pre_spike_syn_code="addToPost(g); g = fmax(g - minus * y, 0.0f);",
                post_spike_syn_code="g = fmin(g + plus * x, most);",
                pre_spike_code="x += 1.0f;",
                post_spike_code="y += 1.0f;",
                pre_dynamics_code="x *= decay;",
                post_dynamics_code="y *= decay;",
            )
            params = {
                "decay": decay,
                **{k: float(real(n)) for k, n in (("plus", "a_plus"), ("minus", "a_minus"), ("most", "w_max"))},
            }
            pulse = pygenn.init_weight_update(rule, params, {"g": real("w")}, {"x": 0.0}, {"y": 0.0})
        groups = self._model.neuron_populations
        synapses = self._model.add_synapse_population(
            projection.name, "SPARSE", groups[projection.source], groups[projection.target], pulse,
            pygenn.init_postsynaptic("DeltaCurr"),
        )  # fmt: skip
        synapses.set_sparse_connections(projection.pre.astype(np.uint32), projection.post.astype(np.uint32))

    def run(self, steps: int) -> int:
        """So many steps, at most RECORDED; how many spikes there were."""
        for _ in range(steps):
            self._model.step_time()
        self._model.pull_recording_buffers_from_device()
        return sum(len(group.spike_recording_data[0][0]) for group in self._model.neuron_populations.values())


class Dense:
    """`dense.yaml` in floating point: every weight changes in every step."""

    def __init__(self, values: dict[str, NDArray[np.int64]], folder: str) -> None:
        import pygenn

        self._model = model("dense")
        made = pygenn.create_neuron_model
        kept = made("pixel", vars=[("r", "scalar"), ("e", "scalar")], sim_code="r = r;")
        middle = made(
            "middle",
            vars=[("r", "scalar"), ("e", "scalar")],
            additional_input_vars=[("b", "scalar", 0.0)],
            sim_code="r = fmax(-127.0f, fmin(127.0f, Isyn / 8192.0f)); e = fmax(-127.0f, fmin(127.0f, b / 128.0f));",
        )
        top = made(
            "top",
            vars=[("r", "scalar"), ("e", "scalar"), ("goal", "scalar")],
            sim_code="r = fmax(-127.0f, fmin(127.0f, Isyn / 8192.0f)); e = fmax(-127.0f, fmin(127.0f, goal - r));",
        )
        add = self._model.add_neuron_population
        pixels = add("pixels", 784, kept, {}, {"r": values["pixels.r"], "e": 0})
        hidden = add("middle", 500, middle, {}, {"r": 0, "e": 0})
        last = add("top", 10, top, {}, {"r": 0, "e": 0, "goal": values["top.goal"]})
        delta = self._rule("delta", "g = g + e * r / 512.0f; addToPost(g * r);")
        back = self._rule("back", "addToPost(g * r);")
        self._project("up", pixels, hidden, delta, values["up.w"], "r")
        self._project("out", hidden, last, delta, values["out.w"], "r")
        self._project("down", last, hidden, back, values["down.w"], "e").post_target_var = "b"
        with _silent():
            self._model.build(folder)
        self._model.load()

    def _rule(self, name: str, code: str) -> Any:
        import pygenn

        return pygenn.create_weight_update_model(
            name,
            vars=[("g", "scalar")],
            pre_neuron_var_refs=[("r", "scalar")],
            post_neuron_var_refs=[("e", "scalar")],
            synapse_dynamics_code=code,
        )

    def _project(self, name: str, source: Any, target: Any, rule: Any, weight: NDArray[np.int64], sent: str) -> Any:
        import pygenn

        references = {"pre_var_refs": {"r": pygenn.create_var_ref(source, sent)}}
        references["post_var_refs"] = {"e": pygenn.create_var_ref(target, "e")}
        return self._model.add_synapse_population(
            name, "DENSE", source, target, pygenn.init_weight_update(rule, {}, {"g": weight.ravel()}, **references),
            pygenn.init_postsynaptic("DeltaCurr"),
        )  # fmt: skip

    def run(self, steps: int) -> None:
        """So many steps."""
        for _ in range(steps):
            self._model.step_time()
