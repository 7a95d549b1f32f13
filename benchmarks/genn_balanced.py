"""What generated GeNN models cost beside hand-written ones: the balanced network, single-threaded CPU backend.

Both models have the same connections, weights and initial voltages, record all spikes, and have float32,
`optimize_code=True` and sparse connectivity; they run in the same process by turns. Printed: build and run time (of the
processor), ratio to the hand-written model, and the generated integer program for comparison. Needs PyGeNN 5.4.

    python benchmarks/genn_balanced.py [STEPS] [ROUNDS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from typing import Any

import numpy as np

import neuroport
from neuroport import backends
from neuroport.api.compile import lower_and_plan, specimen
from neuroport.program.machine import Program
from neuroport.session.session import open_session

RECORDED = 1000
"""Steps between two looks at the recorded spikes; both models record all of them."""


def hand_written(program: Program, folder: str) -> Any:
    """The network as somebody who knows PyGeNN would write it."""
    import pygenn

    model = pygenn.GeNNModel("float", "hand_written", backend="single_threaded_cpu", optimize_code=True)
    model.dt = program.dt
    cell = pygenn.create_neuron_model(
        "cell",
        params=["decay", "decay_exc", "decay_inh", "gain", "v_rest", "v_reset", "v_th", "t_ref"],
        vars=[("v", "scalar"), ("i_exc", "scalar"), ("i_inh", "scalar"), ("ref", "int")],
        additional_input_vars=[("inh", "scalar", 0.0)],
        sim_code="""
            i_exc = i_exc * decay_exc + Isyn;
            i_inh = i_inh * decay_inh + inh;
            if (ref == 0) { v = v_rest + (v - v_rest) * decay + gain * (i_exc + i_inh); }
            else { v = v_reset; ref -= 1; }
        """,
        threshold_condition_code="v >= v_th",
        reset_code="v = v_reset; ref = t_ref;",
    )
    names = ("decay", "decay_exc", "decay_inh", "gain", "v_rest", "v_reset", "v_th", "t_ref")
    for population in program.populations:
        values = {n: float(_constant(program, f"{population.name}.{n}")) for n in names}
        start = {"v": program.arrays[f"{population.name}.v"].initial, "i_exc": 0.0, "i_inh": 0.0, "ref": 0}
        group = model.add_neuron_population(population.name, population.size, cell, values, start)
        group.spike_recording_enabled = True
    for projection in program.projections:
        weight = float(program.arrays[f"{projection.name}.w"].initial[0])
        pulse = pygenn.init_weight_update("StaticPulseConstantWeight", {"g": weight})
        synapses = model.add_synapse_population(
            projection.name, "SPARSE", model.neuron_populations[projection.source],
            model.neuron_populations[projection.target], pulse, pygenn.init_postsynaptic("DeltaCurr"),
        )  # fmt: skip
        synapses.set_sparse_connections(projection.pre.astype(np.uint32), projection.post.astype(np.uint32))
        if projection.source == "inh":
            synapses.post_target_var = "inh"
    model.build(folder)
    model.load(num_recording_timesteps=RECORDED)
    return model


def _constant(program: Program, name: str) -> float:
    """A parameter of the compiled program, or derived anew where elaboration has folded it."""
    if name in program.arrays:
        return float(program.arrays[name].initial)
    return float(program.constants[name])


def timed(work: Any) -> float:
    """Seconds of processor time."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print the table."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    network = neuroport.load("balanced")
    chips = ("ideal32", "generic16")
    compiled = {f"generated, {chip}": lower_and_plan(network, *specimen(network, chip)) for chip in chips}
    runs: dict[str, list[float]] = {}
    spikes: list[Any] = []
    builds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        model = hand_written(compiled["generated, ideal32"][0], folder)
        builds["hand-written"] = time.perf_counter() - started
        sessions = {}
        for name, (program, plan) in compiled.items():
            started = time.perf_counter()
            sessions[name] = open_session(program, plan, backends.load("genn"), keep=False)
            builds[name] = time.perf_counter() - started

        def by_hand() -> None:
            for step in range(1, steps + 1):
                model.step_time()
                if step % RECORDED == 0:
                    model.pull_recording_buffers_from_device()
                    spikes.extend(group.spike_recording_data[0] for group in model.neuron_populations.values())

        for _ in range(rounds):
            runs.setdefault("hand-written", []).append(timed(by_hand))
            for name, session in sessions.items():
                runs.setdefault(name, []).append(timed(lambda session=session: session.run(steps)))
        base = statistics.median(runs["hand-written"])
        count = sum(len(neurons) for _, neurons in spikes)
        per_run = {name: sum(s.spike_counts().values()) / rounds for name, s in sessions.items()}
        print(f"spikes per round: hand-written {count / rounds:.0f}, {per_run}")
        print(f"{'balanced, GeNN CPU':24}{'build s':>9}{'ms / 1000 steps':>18}{'ratio':>8}")
        for name, times in runs.items():
            middle = statistics.median(times)
            print(f"{name:24}{builds[name]:9.2f}{middle / steps * 1e6:18.1f}{middle / base:8.2f}")


if __name__ == "__main__":
    main()
