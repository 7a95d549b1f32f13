"""A pole on a cart is balanced by spiking cells on an emulated chip, which is reached through a link.

    python examples/cartpole.py                                     ten chips through a link of 40 ms that loses 5 %
    python examples/cartpole.py --latency 0 --loss 0 --chips 3
    python examples/cartpole.py --connect tcp://127.0.0.1:5555      the chip that `neuroport hil serve cartpole` serves
    python examples/cartpole.py learn                               chips that learn it from a teacher
    python examples/cartpole.py figure -o cartpole.svg              steps balanced over latency and loss

The cart is that of A. G. Barto, R. S. Sutton & C. W. Anderson, IEEE Trans. Syst. Man Cybern. 13 (1983) 834, with the
limits of Gymnasium's CartPole-v1: 500 control steps of 20 ms, 2.4 m, 12 degrees.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport.hil.link import Direction, Link
from neuroport.hil.linked import Linked

CONTROL_STEP = 20
"""Steps of the network in a control step."""
LONGEST = 500
"""Control steps of an episode."""
SCALE = np.array([2.4, 3.0, 0.21, 3.0])
"""What counts as 1 of position (m), speed (m/s), angle and angular speed (rad, rad/s)."""
TEACHER = np.array([0.1, 0.25, 1.0, 0.45])
"""The linear controller that chips imitate: it pushes to the side of TEACHER @ state."""
LESSON = 100
"""Control steps of an episode in which chips learn."""
CHIP = "generic8_mismatch10_all"


class Cart:
    """The cart and its pole: `state` is position, speed, angle and angular speed."""

    def __init__(self, state: NDArray[np.float64]) -> None:
        self.state = state

    def push(self, right: bool) -> None:
        """Push with 10 N for 20 ms, to the right or to the left."""
        x, speed, angle, turn = self.state
        total, lever, half, dt = 1.1, 0.05, 0.5, 0.02
        sine, cosine = np.sin(angle), np.cos(angle)
        push = ((10.0 if right else -10.0) + lever * turn**2 * sine) / total
        torque = (9.8 * sine - cosine * push) / (half * (4 / 3 - 0.1 * cosine**2 / total))
        force = push - lever * torque * cosine / total
        self.state = np.array([x + dt * speed, speed + dt * force, angle + dt * turn, turn + dt * torque])

    @property
    def fell(self) -> bool:
        """Whether it is beyond the track, or the pole beyond 12 degrees."""
        return bool(abs(self.state[0]) > 2.4 or abs(self.state[2]) > np.radians(12))


def drive(state: NDArray[np.float64]) -> NDArray[np.float64]:
    """What `encoders` are told: of each observation the positive part for 16 cells, the negative for 16 others."""
    seen = np.clip(state / SCALE, -1, 1)
    return np.repeat(np.stack([np.maximum(seen, 0), np.maximum(-seen, 0)], axis=1).ravel(), 16)


def link(latency: int, loss: float, seed: int) -> Link:
    """A link of so many control steps both ways together, that loses this part of observations and of actions."""
    there = CONTROL_STEP * ((latency + 1) // 2)
    back = CONTROL_STEP * (latency // 2)
    return Link(seed=seed, to_chip=Direction(latency=there, drop=loss), from_chip=Direction(latency=back, drop=loss))


def episode(session: Any, rng: np.random.Generator) -> int:
    """How many control steps the pole stays up. What is lost does not arrive: the last observation or push goes on."""
    cart, right = Cart(rng.uniform(-0.05, 0.05, 4)), False
    for step in range(LONGEST):
        answer = session.exchange({"observation": drive(cart.state)}, CONTROL_STEP, ["action"])
        steps, values = answer.outputs["action"]
        if len(steps):
            right = bool(values[-1, 0] > 0)
        cart.push(right)
        if cart.fell:
            return step + 1
    return LONGEST


def balanced(session: Any, episodes: int, seed: int) -> list[int]:
    """The control steps of episodes one after another."""
    rng = np.random.default_rng(seed)
    return [episode(session, rng) for _ in range(episodes)]


def on_chip(seed: int, latency: int, loss: float, episodes: int) -> list[int]:
    """The same on one specimen of the chip, through a link in this process."""
    network = neuroport.load("cartpole")
    with neuroport.open(network, chip=CHIP, chip_seed=seed, keep=0) as session:
        return balanced(Linked(session, link(latency, loss, seed)), episodes, seed)


def lesson(session: Any, rng: np.random.Generator) -> None:
    """One episode in which the teacher says what it would do, and every second push or so is its own."""
    cart, right = Cart(rng.uniform(-1, 1, 4) * [1, 0.5, 0.1, 0.5]), False
    for _ in range(LESSON):
        wish = float(TEACHER @ cart.state)
        teacher = np.repeat(np.clip([-wish, wish], 0, 1), 8)
        answer = session.exchange({"observation": drive(cart.state), "teacher": teacher}, CONTROL_STEP, ["action"])
        right = bool(answer.outputs["action"][1][-1, 0] > 0)
        cart.push(right if rng.random() > 0.5 else wish > 0)
        if cart.fell:
            return


def learned(seed: int, lessons: int, episodes: int) -> tuple[list[int], list[int]]:
    """The control steps of episodes on one specimen before and after lessons, in which its synapses learn."""
    with neuroport.open(neuroport.load("cartpole_learning"), chip=CHIP, chip_seed=seed, keep=0) as session:
        before = balanced(session, episodes, seed)
        session.set("motors.learn", 1)
        rng = np.random.default_rng([seed, 1])
        for _ in range(lessons):
            lesson(session, rng)
        session.set("motors.learn", 0)
        return before, balanced(session, episodes, seed)


def figure(path: str, chips: int, episodes: int) -> None:
    """Steps balanced over latency and loss, mean over chips."""
    from matplotlib.figure import Figure

    latencies, losses = range(7), (0.0, 0.05, 0.1, 0.2, 0.4)
    mean = np.array(
        [[np.mean([on_chip(c, d, p, episodes) for c in range(1, chips + 1)]) for d in latencies] for p in losses]
    )
    page = Figure((6.4, 3.4), layout="constrained")
    axes = page.add_subplot()
    image = axes.imshow(mean, origin="lower", vmin=0, vmax=LONGEST, aspect="auto", cmap="viridis")
    for (row, column), value in np.ndenumerate(mean):
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", color="black" if value > 250 else "white")
    axes.set_xticks(range(len(latencies)), [f"{d}" for d in latencies])
    axes.set_yticks(range(len(losses)), [f"{100 * p:g}" for p in losses])
    axes.set_xlabel("latency of the loop (control steps of 20 ms)")
    axes.set_ylabel("lost each way (%)")
    page.colorbar(image, label="control steps balanced, of 500")
    page.savefig(path)
    print(f"wrote {path}")


def main() -> None:
    """Balance, and say for how long."""
    parser = argparse.ArgumentParser(description="A pole on a cart, balanced by an emulated chip.")
    parser.add_argument("what", nargs="?", choices=("balance", "learn", "figure"), default="balance")
    parser.add_argument("--chips", type=int, default=10, help="specimens of the chip [10]")
    parser.add_argument("--episodes", type=int, default=20, help="episodes on each [20]")
    parser.add_argument("--latency", type=int, default=2, help="control steps of 20 ms in the loop [2]")
    parser.add_argument("--loss", type=float, default=0.0253, help="part lost each way [0.0253: 5 %% of all cycles]")
    parser.add_argument("--lessons", type=int, default=30, help="episodes with a teacher [30]")
    parser.add_argument("--connect", metavar="ADDRESS", help="a server's address: balance on the chip that it serves")
    parser.add_argument("-o", "--output", default="cartpole.svg", help="where the figure goes")
    given = parser.parse_args()
    if given.what == "figure":
        figure(given.output, given.chips, given.episodes)
        return
    if given.connect:
        from neuroport import hil

        with hil.connect(given.connect) as session:
            steps = balanced(session, given.episodes, 1)
        print(f"{given.connect}: {np.mean(steps):.1f} of {LONGEST} control steps (least {min(steps)})")
        return
    for chip in range(1, given.chips + 1):
        if given.what == "learn":
            before, after = learned(chip, given.lessons, given.episodes)
            print(
                f"chip {chip}: {np.mean(before):.1f} -> {np.mean(after):.1f} of {LONGEST} (least {min(after)})",
                flush=True,
            )
            continue
        steps = on_chip(chip, given.latency, given.loss, given.episodes)
        print(f"chip {chip}: {np.mean(steps):.1f} of {LONGEST} control steps (least {min(steps)})", flush=True)


if __name__ == "__main__":
    main()
