"""Spikes of a balanced network of 4,000 neurons on a chip of 16 bits."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

with neuroport.open(neuroport.load("balanced"), chip="generic16") as session:
    session.run("300 ms")
    exc, inh = session.spikes("exc"), session.spikes("inh")
    dt = session.dt

figure, (above, below) = plt.subplots(
    2, sharex=True, height_ratios=[3, 1], layout="constrained"
)
for (steps, neurons), first, colour in ((exc, 0, "tab:blue"), (inh, 400, "tab:red")):
    shown = neurons < 400 if first == 0 else neurons < 100
    above.plot(
        steps[shown] * dt,
        first + neurons[shown],
        ".",
        color=colour,
        markersize=2,
        rasterized=True,
    )
above.set_ylabel("neuron (an eighth of all)")

counts = (
    np.bincount(np.concatenate([exc[0], inh[0]]), minlength=600).reshape(-1, 10).sum(axis=1)
)
below.stairs(counts / 4000 / 0.005, np.arange(0, 305, 5), color="tab:green")
below.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(0, 300))
plt.show()
