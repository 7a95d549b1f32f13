"""How often a cell spikes, over its current: as designed, and in forty made circuits."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

circuits = 40
currents = np.linspace(0.15, 0.6, 31)  # nA

net = neuroport.Network(dt="1 ms", name="circuits")
net.population("cells", circuits * len(currents), "lif", tau_m="20 ms")
net.port("current", inject="cells.i", range=["0 nA", "1 nA"])


def rates(chip: str) -> np.ndarray:
    """Spikes per second of all circuits (rows) at all currents."""
    with neuroport.open(net, chip=chip, chip_seed=7 if "mismatch" in chip else None) as session:
        session.inject("cells.i", None, np.tile(currents, circuits), hold=1000)
        session.run("1 s")
        _, neurons = session.spikes("cells")
    return np.bincount(neurons, minlength=circuits * len(currents)).reshape(circuits, -1)


figure, axes = plt.subplots(layout="constrained")
axes.plot(currents, rates("generic8_mismatch10_all").T, ".", color="tab:blue", alpha=0.3)
axes.plot(
    currents, rates("generic8")[0], color="tab:orange", linewidth=2.5, label="as designed"
)
axes.set(xlabel="current (nA)", ylabel="rate (Hz)")
axes.legend()
plt.show()
