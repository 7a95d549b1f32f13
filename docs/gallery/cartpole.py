"""A chip in the loop balances a pole on a cart, through a link that is quick or slow."""

import matplotlib.pyplot as plt
import numpy as np

import neuroport
from neuroport.hil.link import Direction, Link
from neuroport.hil.linked import Linked

FALLEN = [2.4, np.inf, np.radians(12), np.inf]  # position, speed, angle, angular speed


def pushed(state: np.ndarray, force: float) -> np.ndarray:
    """The cart and its pole 20 ms later."""
    _, speed, angle, turn = state
    sine, cosine = np.sin(angle), np.cos(angle)
    push = (force + 0.05 * turn**2 * sine) / 1.1
    torque = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
    return state + 0.02 * np.array([speed, push - 0.05 * torque * cosine / 1.1, turn, torque])


def angles(latency: int) -> list[float]:
    """Of the pole, in degrees, with so many ms on the way to the chip and back."""
    chip, specimen, way = "generic8_mismatch10_all", 3, Direction(latency=latency)
    with neuroport.open(neuroport.load("cartpole"), chip=chip, chip_seed=specimen) as session:
        linked = Linked(session, Link(to_chip=way, from_chip=way))
        state, right, found = np.full(4, 0.03), False, []
        while len(found) < 300 and (np.abs(state) < FALLEN).all():
            seen = np.clip(state / [2.4, 3.0, 0.21, 3.0], -1, 1)
            both = np.stack([np.maximum(seen, 0), np.maximum(-seen, 0)], axis=1)
            inputs = {"observation": both.ravel().repeat(16)}
            _, values = linked.exchange(inputs, 20, ["action"]).outputs["action"]
            right = bool(values[-1, 0] > 0) if len(values) else right
            state = pushed(state, 10 if right else -10)
            found.append(np.degrees(state[2]))
    return found


figure, axes = plt.subplots(layout="constrained")
for latency in (0, 20, 80):
    course = angles(latency)
    label = f"{2 * latency} ms in the loop: {len(course)} control steps"
    axes.plot(np.arange(len(course)) * 0.02, course, label=label)
axes.set(xlabel="time (s)", ylabel="angle of the pole (degrees)", ylim=(-14, 14))
axes.legend()
plt.show()
