"""The demonstrations of docs/demonstrations.md, in short; whole with --slow."""

from __future__ import annotations

import numpy as np
import pytest

import neuroport
from neuroport.hil.linked import Linked
from tests.support.examples import example

pytestmark = pytest.mark.dear
CARTPOLE, TRAINING = example("cartpole"), example("training")
LOSS = 1 - 0.95**0.5
"""Of each of two messages, where one of 20 cycles loses one."""


def test_the_cart_is_that_of_gymnasium() -> None:
    gymnasium = pytest.importorskip("gymnasium", reason="environments need gymnasium")
    world = gymnasium.make("CartPole-v1").unwrapped
    state, _ = world.reset(seed=3)
    cart, rng = CARTPOLE.Cart(np.array(state, np.float64)), np.random.default_rng(4)
    while not cart.fell:
        right = bool(rng.integers(2))
        state, _, fell, _, _ = world.step(int(right))
        cart.push(right)
        assert cart.state == pytest.approx(state, abs=1e-4)
        assert cart.fell == fell


def test_without_pushes_that_follow_it_the_pole_falls() -> None:
    cart = CARTPOLE.Cart(np.zeros(4))
    for step in range(CARTPOLE.LONGEST):
        cart.push(step % 2 == 0)
        if cart.fell:
            return
    pytest.fail("it stays up whatever is done")


def test_a_chip_balances_through_a_link_that_delays_and_loses() -> None:
    assert np.mean(CARTPOLE.on_chip(1, 2, LOSS, 2)) >= 475


def test_a_loop_that_is_too_slow_fails() -> None:
    assert np.mean(CARTPOLE.on_chip(1, 6, 0.0, 2)) < 100


def test_what_is_lost_and_when_is_the_same_in_every_run_and_on_every_executor() -> None:
    def told(backend: str) -> list[object]:
        network = neuroport.load("cartpole")
        with neuroport.open(network, backend, chip=CARTPOLE.CHIP, chip_seed=2, keep=0) as session:
            linked = Linked(session, CARTPOLE.link(1, 0.3, 5))
            state = np.array([0.3, -0.2, 0.05, 0.4])
            answers = [linked.exchange({"observation": CARTPOLE.drive(state)}, 20, ["action"]) for _ in range(12)]
            seen = [(*a.outputs["action"][0].tolist(), *a.outputs["action"][1].ravel().tolist()) for a in answers]
            return [seen, linked.stats()["dropped"], linked.digest()]

    first = told("emulator")
    assert first[1]
    assert told("emulator") == told("reference") == first


def test_a_chip_learns_to_balance_from_a_teacher() -> None:
    before, after = CARTPOLE.learned(1, 20, 2)
    assert max(before) < 20 and np.mean(after) >= 475


def test_training_with_the_chip_in_the_loop_wins_back_what_deviations_cost() -> None:
    weights = TRAINING.trained(np.random.default_rng(1), 40, 0.01)
    points, labels = TRAINING.data("test")
    ideal = TRAINING.percent(TRAINING.host(weights, points)[1], labels)
    before, after = TRAINING.in_the_loop(weights, 2, 2)
    assert before < ideal - 5
    assert after > before + 0.8 * (ideal - before)


@pytest.mark.slow
def test_ten_of_ten_chips_balance_through_the_link() -> None:
    assert all(np.mean(CARTPOLE.on_chip(chip, 2, LOSS, 20)) >= 475 for chip in range(1, 11))


@pytest.mark.slow
def test_ten_of_ten_chips_learn() -> None:
    assert all(np.mean(CARTPOLE.learned(chip, 30, 20)[1]) >= 475 for chip in range(1, 11))


@pytest.mark.slow
def test_ten_chips_win_back_four_fifths_of_what_deviations_cost() -> None:
    weights = TRAINING.trained(np.random.default_rng(1), 150, 0.01)
    points, labels = TRAINING.data("test")
    ideal = TRAINING.percent(TRAINING.host(weights, points)[1], labels)
    before, after = np.mean([TRAINING.in_the_loop(weights, chip, 10) for chip in range(1, 11)], axis=0)
    assert before < ideal - 5
    assert after > before + 0.8 * (ideal - before)
