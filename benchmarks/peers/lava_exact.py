"""`balanced` in Lava's bit-accurate processes, in an environment of its own: this file imports nothing of ours.

    PYTHON lava_exact.py NETWORK.npz SPIKES.npy STEPS

For every line that comes in it runs so many steps from the start, leaves the spikes as rows (step, neuron) and tells
what they took of the processor, in all of Lava's processes, and by the clock.
"""

import multiprocessing
import sys
import time
from pathlib import Path

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi1SimCfg
from lava.proc.io.sink import RingBuffer
from lava.proc.lif.process import LIF
from lava.proc.sparse.process import Sparse
from lava.utils.weightutils import SignMode
from scipy.sparse import csr_matrix


def built(net, steps):
    """The neurons, and the buffer of their spikes."""
    number = {name: int(net[name]) for name in ("size", "excitatory", "decay_u", "decay_v", "threshold", "bias")}
    exponent = next(e for e in range(8) if number["bias"] >> e < 4096)
    if number["bias"] % (1 << exponent):
        raise ValueError(f"a bias of {number['bias']} has more than 13 bits")
    shape = (number["size"],)
    cells = LIF(
        shape=shape, v=net["v"].astype(np.int32), du=4095 - number["decay_u"], dv=4096 - number["decay_v"],
        bias_mant=number["bias"] >> exponent, bias_exp=exponent, vth=number["threshold"],
    )  # fmt: skip
    excites = net["pre"] < number["excitatory"]
    for chosen, mode in ((excites, SignMode.EXCITATORY), (~excites, SignMode.INHIBITORY)):
        places = (net["post"][chosen], net["pre"][chosen])
        matrix = csr_matrix((net["weight"][chosen], places), shape=2 * shape)
        synapses = Sparse(weights=matrix, sign_mode=mode)
        cells.s_out.connect(synapses.s_in)
        synapses.a_out.connect(cells.a_in)
    buffer = RingBuffer(shape=shape, buffer=steps)
    cells.s_out.connect(buffer.a_in)
    return cells, buffer


def spent():
    """Seconds of the processor so far, in this process and those that it has started."""
    total = time.process_time()
    for process in multiprocessing.active_children():
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0]) * 1e-9
    return total


def run(net, steps):
    """Spikes, and what they took of the processor and by the clock."""
    cells, buffer = built(net, steps)
    cells.create_runtime(Loihi1SimCfg(select_tag="fixed_pt"))
    wall, cpu = time.perf_counter(), spent()
    cells.run(RunSteps(steps))
    cpu, wall = spent() - cpu, time.perf_counter() - wall
    found = np.argwhere(buffer.data.get().T)
    cells.stop()
    return found, cpu, wall


def main():
    """Run as often as asked."""
    path, where, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    net = np.load(path)
    print("READY", flush=True)
    for _ in sys.stdin:
        found, cpu, wall = run(net, steps)
        np.save(where, found)
        print("RAN", cpu, wall, len(found), flush=True)


if __name__ == "__main__":
    main()
