"""`balanced` in brian2-loihi, in an environment of its own: this file imports nothing of ours.

    PYTHON brian_loihi.py NETWORK.npz SPIKES.npy STEPS

For every line that comes in it runs so many steps from the start, leaves the spikes as rows (step, neuron) and tells
what they took of the processor and by the clock. All steps are one run: spikes on their way are lost between two.
"""

import sys
import time

import brian2
import brian2_loihi
import numpy as np


class Biased(brian2.NeuronGroup):
    """What brian2-loihi makes, with a constant current besides, which it has not."""

    def __init__(self, size, model, **others):
        """`model` is the text of the equations that brian2-loihi has written."""
        super().__init__(size, model.replace("+ I/ms", "+ I/ms + bias/ms") + "\nbias : 1 (shared)\n", **others)


class Cells(brian2_loihi.LoihiNeuronGroup, Biased):
    """brian2-loihi's neurons; what they call their parent is `Biased`."""


def built(net, steps):
    """The network, and the monitor of its spikes."""
    number = {name: int(net[name]) for name in ("size", "excitatory", "decay_u", "decay_v", "threshold", "bias")}
    cells = Cells(
        number["size"], threshold_v_mant=number["threshold"], decay_v=4096 - number["decay_v"],
        decay_I=4096 - number["decay_u"],
    )  # fmt: skip
    cells.bias, cells.v = number["bias"], net["v"]
    modes = brian2_loihi.synapse_sign_mode
    parts = [cells, monitor := brian2_loihi.LoihiSpikeMonitor(cells)]
    excites = net["pre"] < number["excitatory"]
    for chosen, mode in ((excites, modes.EXCITATORY), (~excites, modes.INHIBITORY)):
        synapses = brian2_loihi.LoihiSynapses(cells, sign_mode=mode)
        synapses.connect(i=net["pre"][chosen], j=net["post"][chosen])
        synapses.w = net["weight"][chosen]
        parts.append(synapses)
    return brian2_loihi.LoihiNetwork(*parts), monitor


def main():
    """Build, and run as often as asked."""
    path, where, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    network, monitor = built(np.load(path), steps)
    network.store()
    print("READY", flush=True)
    for _ in sys.stdin:
        network.restore()
        wall, cpu = time.perf_counter(), time.process_time()
        network.run(steps)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        found = np.stack([np.asarray(monitor.t), np.asarray(monitor.i)], axis=1)
        np.save(where, found)
        print("RAN", cpu, wall, len(found), flush=True)


if __name__ == "__main__":
    main()
