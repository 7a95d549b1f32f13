"""Two kernels slide over a picture; spiking cells answer where they find its edges."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport

side = 28
y, x = np.mgrid[:side, :side]
picture = (np.hypot(x - 10, y - 11) < 7) | ((abs(x - 20) < 4) & (abs(y - 18) < 5))

upright = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
kernels = np.stack([upright, upright.T], axis=-1)[:, :, None, :]  # one channel in, two out

net = neuroport.Network(dt="1 ms", name="edges", chip="generic8", seed=1)
rate = {"array": 100.0 * picture.ravel(), "unit": "Hz"}
net.population("shown", side * side, "poisson", rate=rate)
net.population("edges", side * side * 2, "lif", tau_m="20 ms")
rule = {"shape": [side, side], "kernel": 3, "channels": [1, 2], "padding": "same"}
connect = {"convolution": rule}
net.project("shown", "edges", "static", input="jump", connect=connect, weight=2.0 * kernels)
with neuroport.open(net) as session:
    session.run("500 ms")
    _, neurons = session.spikes("edges")
maps = np.bincount(neurons, minlength=side * side * 2).reshape(side, side, 2)

figure, panels = plt.subplots(1, 3, figsize=(8, 3), layout="constrained")
titles = ("shown", "upright edges", "level edges")
for axes, image, title in zip(panels, (picture, *maps.transpose(2, 0, 1)), titles, strict=True):
    axes.imshow(image, cmap="viridis")
    axes.set(title=title, xticks=[], yticks=[])
plt.show()
