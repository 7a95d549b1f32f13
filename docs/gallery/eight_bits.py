"""Two weights that SAL brings together: in float, on 8 bits, and rounded at random."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

network = neuroport.load(
    "sal_pair", ["protocol.1.repeat=300", "protocol.1.do.3.if=epoch % 5 == 4"]
)

figure, (above, below) = plt.subplots(2, sharex=True, figsize=(6.4, 5), layout="constrained")
colours = {"ideal": "tab:gray", "generic8": "tab:blue", "generic8_stochastic": "tab:orange"}
for chip, colour in colours.items():
    run = neuroport.run(network, chip=chip)
    seconds = np.array([step for step, _ in run.metrics["weights"]]) * run.dt / 1000
    weights = np.array([values for _, values in run.metrics["weights"]])
    above.plot(seconds, weights, color=colour, label=[chip, "_"])
    if chip == "ideal":
        real = weights
    else:
        below.plot(seconds, weights[:, 0] - real[:, 0], color=colour, label=chip)
above.set_ylabel("the two weights")
below.set(xlabel="time of the network (s)", ylabel="first one, from floating point")
above.legend()
plt.show()
