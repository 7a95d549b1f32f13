"""Every shipped network, on every chip that accepts it, is the same on all executors that are installed."""

from __future__ import annotations

import pytest

import neuroport
from neuroport import backends, chips, networks, protocol
from neuroport.errors import InvalidInput
from neuroport.verification import verify

INTEGER = [name for name in chips.names() if chips.load(name).integer]
OWN = {name: neuroport.load(name).chip for name in networks.names()}
STATIC_ONLY = {"sal_pair", "sal_sampling", "sal_sampling_published", "stdp_pair"}


def check(name: str, chip: str, steps: int, which: tuple[str, ...], chip_seed: int | None = None) -> int:
    network = neuroport.load(name)
    program = neuroport.compile(network, chip, chip_seed)
    network = protocol.shorten(network, program, steps=steps)
    result = verify(network, neuroport.compile(network, chip, chip_seed), which, full=True)
    assert result.identical, result.first_difference
    assert set(result.executors) == set(which)
    return result.steps


@pytest.mark.parametrize("name", networks.names())
def test_identical_on_its_own_chip(name: str) -> None:
    assert check(name, OWN[name], 1000, backends.ready()) >= 30


@pytest.mark.parametrize("chip", INTEGER)
@pytest.mark.parametrize("name", networks.names())
def test_identical_on_every_integer_chip(name: str, chip: str) -> None:
    if chip == "loihi1" and name in STATIC_ONLY:
        with pytest.raises(InvalidInput, match="static"):
            neuroport.compile(neuroport.load(name), chip)
        return
    seed = 1 if chips.load(chip).mismatch else None
    check(name, chip, 50, ("reference", "emulator"), seed)


@pytest.mark.parametrize("name", networks.names())
def test_float_agrees_within_the_tolerance(name: str) -> None:
    check(name, "ideal", 1000, ("reference", "emulator"))
