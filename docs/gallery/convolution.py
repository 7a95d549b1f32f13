"""Two kernels slide over a picture; spiking cells answer where they find its edges."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

side = 28
y, x = np.mgrid[:side, :side]
picture = ((np.hypot(x - 10, y - 11) < 7) | ((abs(x - 20) < 4) & (abs(y - 18) < 5))).astype(float)

upright = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
kernels = 0.1 * np.stack([upright, upright.T], axis=-1)[:, :, None, :]  # (height, width, channels in, channels out)

net = neuroport.Network(dt="1 ms", name="edges", chip="generic8", seed=1)
net.population("shown", side * side, "poisson")
net.population("edges", side * side * 2, "lif", tau_m="20 ms", t_ref="2 ms")
rule = {"convolution": {"shape": [side, side], "kernel": 3, "channels": [1, 2], "padding": "same"}}
net.project("shown", "edges", "static", input="jump", connect=rule, weight=20 * kernels, ranges={"w": [-4, 4]})
net = net.with_({"shown.rate": {"array": 100 * picture.ravel(), "unit": "Hz"}})
with neuroport.open(net) as session:
    session.run("500 ms")
    _, neurons = session.spikes("edges")
maps = np.bincount(neurons, minlength=side * side * 2).reshape(side, side, 2) / 0.5

figure, axes = plt.subplots(1, 3, figsize=(8, 3), layout="constrained")
for ax, image, title in zip(
    axes, (picture, *maps.transpose(2, 0, 1)), ("shown", "upright edges", "level edges"), strict=True
):
    ax.imshow(image, cmap="viridis")
    ax.set(title=title, xticks=[], yticks=[])
plt.show()
