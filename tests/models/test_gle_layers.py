"""GLE on patterns that stay, in a batch: the same as momentum of 0, and as back-propagation; digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from tests.support import needs
from tests.support.planning import identical
from tests.support.shortened import GLE_LAYERS

FORWARD = ("up1", "up2", "up3")


def load(*sets: str) -> Any:
    needs.digits()
    return neuroport.load("gle_layers", sets)


def check(chip: str, *which: str) -> None:
    """Learning and testing, in a short run."""
    identical(load(*GLE_LAYERS), chip, which, steps=1500)


@pytest.mark.dear
def test_a_batch_has_the_same_bits() -> None:
    check("generic8", "reference", "emulator")


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["generic16", "generic8", "generic8_stochastic", "generic8_mismatch10"])
def test_a_batch_has_the_same_bits_on_all_executors(chip: str) -> None:
    check(chip)


@pytest.mark.dear
def test_plain_descent_is_momentum_of_zero() -> None:
    """gle_momentum is compared with an independent program in test_gle_batch.py."""
    old = [f"{name}.synapse=gle_momentum{'_first' if name == 'up1' else ''}" for name in FORWARD]
    found = []
    for sets in ((), (*old, *(f"{name}.momentum=0" for name in FORWARD))):
        with neuroport.open(load(*GLE_LAYERS, *sets)) as session:
            session.run_protocol()
            found.append([session.get(f"{name}.w") for name in FORWARD])
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other, abs=1e-12)


@pytest.mark.dear
def test_three_epochs_of_digits_follow_back_propagation() -> None:
    run = neuroport.run(load("protocol.0.repeat=3"))
    assert run.metrics["test"][-1][1] > 90
    assert max(run.metrics["updates"][-1][1]) < 35


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["ideal", "generic16", "generic8"])
def test_three_seeds_learn_digits(chip: str) -> None:
    runs = [neuroport.run(load(f"seed={seed}"), chip=chip).metrics for seed in (1, 2, 3)]
    assert np.mean([run["test"][-1][1] for run in runs]) >= 94
    assert all(max(run["updates"][-1][1]) < 40 for run in runs)
