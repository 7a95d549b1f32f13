"""Seven neurons with 8-bit weights learn to sample from a distribution."""

import matplotlib.pyplot as plt

import neuroport

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for name, sets in (("with SAL", []), ("without", ["recurrent.eta_s=0"])):
    run = neuroport.run(neuroport.load("sal_sampling", sets), chip="generic8")
    for axes, metric in ((left, "dkl"), (right, "asymmetry")):
        steps, values = zip(*run.metrics[metric], strict=True)
        axes.plot([step * run.dt / 3.6e6 for step in steps], values, "o-", label=name)
left.set(
    yscale="log", xlabel="time of the network (h)", ylabel="distance from the target (DKL)"
)
right.set(yscale="log", xlabel="time of the network (h)", ylabel="asymmetry of the weights")
right.legend()
plt.show()
