"""`balanced` in Brian2's C++ standalone mode, float32, in an environment of its own: this file imports nothing of ours.

    PYTHON brian.py NETWORK.npz FOLDER STEPS

Builds a program that runs so many steps and tells what they took of the processor and by the clock, and how many
spikes there were; every line that comes in lets it run once more, from the start.
"""

import subprocess
import sys

import numpy as np


def build(path, folder, steps):
    """The program."""
    import brian2

    brian2.prefs.core.default_float_dtype = np.float32
    brian2.prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O3", "-ffast-math", "-march=native", "-std=c++11"]
    brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    brian2.defaultclock.dt = 1 * brian2.ms
    net = np.load(path)
    size, delays = int(net["size"]), net["delay"]
    limit = {"limit": 64.0 * net["threshold"]}
    cells = brian2.NeuronGroup(size, "u : 1\nv : 1\na : 1\n", threshold="v > limit", reset="v = 0", namespace=limit)
    decay_u, decay_v, bias = float(net["decay_u"] / 4096), float(net["decay_v"] / 4096), float(net["bias"])
    cells.run_regularly(f"u = u * {decay_u} + a * 64\na = 0\nv = v * {decay_v} + u + {bias}", when="groups")
    cells.v = net["v"]
    synapses = brian2.Synapses(cells, cells, "w : 1", on_pre="a_post += w")
    synapses.connect(i=net["pre"], j=net["post"])
    synapses.w = net["weight"]
    synapses.delay = (delays - 1) * brian2.ms if delays.max() > 1 else 0 * brian2.ms
    spikes = brian2.SpikeMonitor(cells)
    device = brian2.device
    device.insert_code(
        "before_network_run", "clock_t took_cpu = clock(); struct timespec t0, t1; clock_gettime(CLOCK_MONOTONIC, &t0);"
    )
    device.insert_code(
        "after_network_run",
        "took_cpu = clock() - took_cpu; clock_gettime(CLOCK_MONOTONIC, &t1); "
        'printf("TOOK %.6f %.6f\\n", double(took_cpu) / CLOCKS_PER_SEC, '
        "double(t1.tv_sec - t0.tv_sec) + 1e-9 * double(t1.tv_nsec - t0.tv_nsec));"
        f'printf("SPIKES %d\\n", int({device.get_array_name(spikes.variables["N"])}[0]));',
    )
    network = brian2.Network(cells, synapses, spikes)
    network.run(steps * brian2.ms)
    device.build(directory=folder, compile=True, run=False)


def main():
    """Build, and run as often as asked."""
    path, folder, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    build(path, folder, steps)
    print("READY", flush=True)
    for _ in sys.stdin:
        done = subprocess.run(["./main"], cwd=folder, capture_output=True, text=True, check=True)
        lines = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("TOOK", "SPIKES")))
        print("RAN", lines["TOOK"], lines["SPIKES"], flush=True)


if __name__ == "__main__":
    main()
