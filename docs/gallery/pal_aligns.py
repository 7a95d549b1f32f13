"""Feedback weights of a dendritic microcircuit find those of the forward weights (PAL)."""

import matplotlib.pyplot as plt

import neuroport

network = neuroport.load("pal_backward")

figure, panels = plt.subplots(1, 3, sharey=True, figsize=(8, 3.4), layout="constrained")
for chip, style in (("ideal", "o-"), ("generic16", "s--")):
    run = neuroport.run(network, chip=chip)
    for layer, axes in enumerate(panels, start=1):
        steps, angles = zip(*run.metrics[f"angle{layer}"], strict=True)
        axes.plot([step / 10_000 for step in steps], angles, style, label=chip, markersize=4)
        axes.set(title=f"into layer {layer}", xlabel="epochs")
panels[0].set(ylabel="angle to the transposed weights (°)", ylim=(0, 95))
panels[0].legend()
plt.show()
