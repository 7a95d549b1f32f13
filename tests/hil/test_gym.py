"""A chip as the policy of a Gymnasium environment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.hil.gym import ChipPolicy, episode
from neuroport.hil.link import Direction, Link
from neuroport.hil.linked import Linked
from tests.support.examples import example

pytestmark = pytest.mark.dear
CARTPOLE = example("cartpole")


class Cart:
    """The shape of a Gymnasium environment around the cart of the example; its observations are one array, reused."""

    def __init__(self) -> None:
        self.seen = np.zeros(4)

    def reset(self, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        self.cart, self.steps = CARTPOLE.Cart(np.random.default_rng(seed).uniform(-0.05, 0.05, 4)), 0
        self.seen[:] = self.cart.state
        return self.seen, {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.cart.push(action == 1)
        self.steps += 1
        self.seen[:] = self.cart.state
        return self.seen, 1.0, self.cart.fell, self.steps == 100, {}


def environment() -> Any:
    try:
        import gymnasium
    except ImportError:
        return Cart()
    return gymnasium.make("CartPole-v1", max_episode_steps=100)


def policy(session: Any) -> ChipPolicy:
    decode = lambda values: int(values[-1, 0] > 0)  # noqa: E731
    return ChipPolicy(session, "observation", "action", CARTPOLE.CONTROL_STEP, CARTPOLE.drive, decode, 0)


def test_a_chip_balances_a_pole() -> None:
    with neuroport.open(neuroport.load("cartpole"), chip=CARTPOLE.CHIP, chip_seed=1, keep=0) as session:
        assert episode(environment(), policy(session), seed=1) == (100, 100.0)


def test_what_is_lost_leaves_the_last_action() -> None:
    nothing = Link(from_chip=Direction(drop=1.0))
    with neuroport.open(neuroport.load("cartpole"), chip=CARTPOLE.CHIP, chip_seed=1, keep=0) as session:
        lost = policy(Linked(session, nothing))
        assert [lost(np.full(4, 0.1)) for _ in range(3)] == [0, 0, 0]


def test_observations_are_copied() -> None:
    seen = np.full(4, 0.1)

    def encode(observation: Any) -> Any:
        observation[:] = 0
        return CARTPOLE.drive(observation)

    with neuroport.open(neuroport.load("cartpole"), chip=CARTPOLE.CHIP, chip_seed=1, keep=0) as session:
        one = policy(session)
        one.encode = encode
        one(seen)
    assert seen.tolist() == [0.1] * 4
