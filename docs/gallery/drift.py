"""When and how far a chip of 16 bits, and one of 8, leave floating point."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

net = neuroport.Network(dt="1 ms", name="drifting", seed=2)
net.population("noise", 60, "poisson", rate="80 Hz")
net.population("cells", 40, "lif", tau_m="15 ms", ranges={"v": ["-90 mV", "-40 mV"]})
net.project(
    "noise", "cells", "stdp_pair", input="jump", connect={"fixed_in_degree": 30}, weight=0.7
)
net.project(
    "cells", "cells", "static", input="jump", connect={"fixed_probability": 0.2}, weight=-0.5
)
net.record(states={"cells.v": "1 ms"})

voltage = {}
for chip in ("ideal", "generic16", "generic8"):
    with neuroport.open(net, chip=chip) as session:
        session.run("1 s")
        _, voltage[chip] = session.records("cells.v")

figure, axes = plt.subplots(layout="constrained")
for chip, colour in (("generic16", "tab:blue"), ("generic8", "tab:orange")):
    apart = np.sqrt(np.mean((voltage[chip] - voltage["ideal"]) ** 2, axis=1))
    far = np.flatnonzero(apart > 1)
    axes.semilogy(
        apart,
        color=colour,
        label=f"{chip}, above 1 mV {f'from {far[0]} ms on' if len(far) else 'never'}",
    )
axes.set(xlabel="time (ms)", ylabel="rms distance of the voltages (mV)")
axes.legend()
plt.show()
