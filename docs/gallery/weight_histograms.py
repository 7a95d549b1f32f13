"""Where the weights of pair STDP end: in floating point, on 16 bits and on 8."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

network = neuroport.load("stdp_pair")

figure, panels = plt.subplots(
    3, sharex=True, sharey=True, figsize=(6.4, 5.2), layout="constrained"
)
for axes, chip in zip(panels, ("ideal", "generic16", "generic8"), strict=True):
    with neuroport.open(network, chip=chip) as session:
        session.run("20 s")
        for projection, colour in (
            ("together_to_cell", "tab:blue"),
            ("alone_to_cell", "tab:red"),
        ):
            weights = session.get(f"{projection}.w")
            axes.hist(
                weights,
                np.linspace(0, 3, 31),
                color=colour,
                alpha=0.7,
                label=projection.partition("_")[0],
            )
    axes.set_title(chip, loc="left", fontsize="medium")
panels[0].legend(title="inputs that fire …")
panels[1].set_ylabel("synapses")
panels[2].set_xlabel("weight after 20 s (mV)")
plt.show()
