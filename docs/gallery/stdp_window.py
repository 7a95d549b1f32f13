"""How far a synapse of pair STDP moves, over the time between the two spikes."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

gaps = np.arange(-60, 61)  # ms, from the spike before the synapse to the one behind it

net = neuroport.Network(dt="1 ms", name="window")
net.population("pre", len(gaps), "spike_source")
net.population("post", len(gaps), "lif")
net.project(
    "pre", "post", "stdp_pair", input="jump", connect="one_to_one", weight=0.5, name="pair"
)
net.port("before", inject="pre.spike_in", range=[0, 1])
net.port("behind", inject="post.jump", range=["0 mV", "30 mV"])

figure, axes = plt.subplots(layout="constrained")
for chip, style in (("ideal", "-"), ("generic8", ".")):
    with neuroport.open(net, chip=chip) as session:
        for neuron, gap in enumerate(gaps.tolist()):
            session.exchange([neuroport.Write("before", [1], neurons=[neuron], at=100)], 0)
            session.exchange(
                [neuroport.Write("behind", [25], neurons=[neuron], at=100 + gap)], 0
            )
        session.run("300 ms")
        axes.plot(gaps, session.get("pair.w") - 0.5, style, label=chip)
axes.set(
    xlabel="spike behind the synapse after the one before it (ms)",
    ylabel="change of the weight",
)
axes.legend()
plt.show()
