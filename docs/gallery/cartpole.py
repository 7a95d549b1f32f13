"""A chip in the loop balances a pole on a cart; the link is quick, slow, or loses what it carries."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport
from neuroport.hil.link import Direction, Link
from neuroport.hil.linked import Linked


def pushed(state: np.ndarray, force: float) -> np.ndarray:
    """The cart and its pole 20 ms later."""
    _, speed, angle, turn = state
    push = (force + 0.05 * turn**2 * np.sin(angle)) / 1.1
    torque = (9.8 * np.sin(angle) - np.cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1))
    return state + 0.02 * np.array([speed, push - 0.05 * torque * np.cos(angle) / 1.1, turn, torque])


figure, axes = plt.subplots(layout="constrained")
for name, way in (("0 ms", Direction()), ("40 ms", Direction(latency=20)), ("160 ms", Direction(latency=80))):
    with neuroport.open(neuroport.load("cartpole"), chip="generic8_mismatch10_all", chip_seed=3, keep=0) as chip:
        session, state, right, angles = Linked(chip, Link(to_chip=way, from_chip=way)), np.full(4, 0.03), False, []
        while len(angles) < 300 and abs(state[2]) < np.radians(12) and abs(state[0]) < 2.4:
            seen = np.clip(state / [2.4, 3.0, 0.21, 3.0], -1, 1)
            drive = np.repeat(np.stack([np.maximum(seen, 0), np.maximum(-seen, 0)], axis=1).ravel(), 16)
            _, values = session.exchange({"observation": drive}, 20, ["action"]).outputs["action"]
            right = bool(values[-1, 0] > 0) if len(values) else right
            state = pushed(state, 10 if right else -10)
            angles.append(np.degrees(state[2]))
    axes.plot(np.arange(len(angles)) * 0.02, angles, label=f"{name} in the loop: {len(angles)} control steps")
axes.set(xlabel="time (s)", ylabel="angle of the pole (degrees)", ylim=(-14, 14))
axes.legend()
plt.show()
