"""A seed is refused before anything is built or written, whatever it is given to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput

SAID = "must be a whole number from 0 to 2**63 - 1; found"
SHORT = {"backend": "reference", "duration": 3}


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64, 0.5, True, "3"])
def test_runs_refuse_what_is_no_seed_and_leave_no_file(seed, tmp_path):
    network = neuroport.load("sal_pair")
    calls = {
        "a seed": [
            lambda: neuroport.run(network, seed=seed, trace=tmp_path / "a.h5", **SHORT),
            lambda: neuroport.run_copies(network, [1, seed], trace=tmp_path / "a.h5", **SHORT),
            lambda: neuroport.open(network, "reference", seed=seed, trace=tmp_path / "a.h5"),
        ],
        "a chip seed": [
            lambda: neuroport.run(network, chip="generic8_mismatch10", chip_seed=seed, **SHORT),
            lambda: neuroport.run_copies(network, [1, 2], chip_seeds=[1, seed], **SHORT),
            lambda: neuroport.compile(network, "generic8_mismatch10", seed),
        ],
    }
    for what, several in calls.items():
        for call in several:
            with pytest.raises(InvalidInput) as told:
                call()
            assert str(told.value) == f"{what} {SAID} {seed!r}"
    assert not list(tmp_path.iterdir())


def test_a_network_that_was_changed_by_hand_has_a_seed_too():
    network = neuroport.load("sal_pair")
    with pytest.raises(InvalidInput) as told:
        neuroport.compile(replace(network, seed=2**64))
    assert str(told.value) == f"{network.place}: the network's seed {SAID} {2**64}"


def test_seeds_of_numpy_are_seeds():
    network, chip = neuroport.load("sal_pair"), "generic8_mismatch10"
    ours, theirs = (neuroport.run(network, chip=chip, chip_seed=n(2), seed=n(3), **SHORT) for n in (int, np.int64))
    assert (ours.digest, type(theirs.seed), type(theirs.chip_seed)) == (theirs.digest, int, int)
