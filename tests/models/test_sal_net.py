"""SAL aligns the feedback weights of a network that learns digits between the epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from tests.support import needs
from tests.support.planning import identical
from tests.support.shortened import SAL_NET

FIXED = ("down1.eta=0", "down2.eta=0")


def reached(*sets: str, chip: str = "ideal") -> dict[str, Any]:
    """What every metric is in the end."""
    needs.digits()
    run = neuroport.run(neuroport.load("sal_net", sets), chip=chip)
    return {name: values[-1][1] for name, values in run.metrics.items()}


def check(chip: str, *which: str) -> None:
    """Every event of the protocol, in a short run."""
    needs.digits()
    identical(neuroport.load("sal_net", SAL_NET), chip, which, steps=1500)


@pytest.mark.dear
def test_aligned_weights_have_the_same_bits() -> None:
    check("generic8", "reference", "emulator")


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["generic16", "generic8", "generic8_stochastic", "generic8_mismatch10"])
def test_aligned_weights_have_the_same_bits_on_all_executors(chip: str) -> None:
    check(chip)


@pytest.mark.dear
def test_awake_it_is_feedback_alignment() -> None:
    """Where nothing fires and nothing aligns, forward weights are those of two_routes, image by image."""
    needs.digits()
    learning = "protocol=[{present: train, count: 80, each: [{at: end, event: learn}]}]"
    fixed = ("down1.synapse=feedback_alignment", "down2.synapse=feedback_alignment")
    found = []
    for name, more in (("sal_net", ()), ("two_routes", fixed)):
        with neuroport.open(neuroport.load(name, ("copies=4", learning, *more))) as session:
            session.run_protocol()
            found.append([session.get(f"up{k}.w") for k in (1, 2, 3)])
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other, abs=1e-12)


@pytest.mark.dear
def test_two_epochs_align_and_teach() -> None:
    brief = ("protocol.0.repeat=2",)
    aligned, fixed = reached(*brief), reached(*brief, *FIXED, "protocol.0.do.1.repeat=1")
    assert aligned["test"] > 85
    assert max(aligned["angle1"], aligned["angle2"]) < 45
    assert min(fixed["angle1"], fixed["angle2"]) > 45
    assert aligned["updates"][0] + 15 < fixed["updates"][0]


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["ideal", "generic16", "generic8"])
def test_three_seeds_align_on_every_word(chip: str) -> None:
    found = [reached(f"seed={seed}", chip=chip) for seed in (1, 2, 3)]
    assert np.mean([one["test"] for one in found]) >= 94.5
    assert all(max(one["angle1"], one["angle2"]) < 25 for one in found)
    assert all(max(one["updates"]) < 30 for one in found)
