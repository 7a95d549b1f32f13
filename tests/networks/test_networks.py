"""Every shipped network, on every chip that accepts it, is the same on all executors that are installed."""

from __future__ import annotations

import pytest

import neuroport
from neuroport import backends, networks
from neuroport.chips import description as chips
from neuroport.errors import InvalidInput
from neuroport.session.verify import verify
from tests.support.planning import shortened
from tests.support.shortened import BRIEF

pytestmark = pytest.mark.dear

INTEGER = [name for name in chips.names() if chips.load(name).integer]
PUBLISHED = [name for name in networks.names() if name.startswith("published/")]
"""Published models. What they are on each chip is in tests/models/test_published.py; here only that bits agree."""

MANY_PROJECTIONS = ("published/polychronisation", "published/potjans_diesmann")
"""Those that take the emulator long to compile."""

SHIPPED = [name for name in networks.names() if name not in PUBLISHED]
CHIPS = {name: neuroport.load(name).chip for name in networks.names()}
OWN = {name: None if chip.endswith(".yaml") else chip for name, chip in CHIPS.items()}
"""None is a chip of the network's own, beside its file."""
USUAL = ("generic8", "loihi1")
"""The chips of the default run; the others differ in word lengths, rounding and mismatch, and are tried with --slow."""

LARGE = {"sal_layers_1600": 10, "gle_mnist1d": 10}
"""Steps of a run item, at most, of networks whose steps take the reference long."""

FAMILIES = ("sal_pair", "stdp_pair", "pal_backward", "gle_lagline", "balanced", "loihi_lif")
"""One network of each kind. In the default run only these are tried in float and on another chip of the default run:
on their own chips all are, and `test_random_networks.py` has more of what chips and features do to each other."""

NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in SHIPPED]

STATIC = ("balanced", "cartpole", "izhikevich", "loihi_chip", "loihi_lif", "tssl_bp_loihi")
"""The networks that learn nothing and send spikes only: what Loihi 1 as described here can do."""


def check(name: str, chip: str | None, steps: int, which: tuple[str, ...], chip_seed: int | None = None) -> int:
    network, steps = neuroport.load(name, BRIEF.get(name, ())), min(steps, LARGE.get(name, steps))
    if network.copies > 4:
        network = neuroport.load(name, ["copies=4"])  # as many as GeNN takes
    result = verify(*shortened(network, chip, chip_seed, steps=steps), which, full=True)
    assert result.identical, result.first_difference
    assert set(result.executors) == set(which)
    return result.steps


@pytest.mark.parametrize("name", NAMES)
def test_identical_on_its_own_chip(name: str) -> None:
    assert check(name, OWN[name], 1000, backends.ready()) >= 30


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in MANY_PROJECTIONS else name for name in PUBLISHED]
)
def test_a_published_model_is_identical_on_its_own_chip(name: str) -> None:
    assert check(name, OWN[name], 20, ("reference", "emulator")) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_model_is_identical_on_all_executors(name: str) -> None:
    assert check(name, OWN[name], 200, backends.ready()) >= 100


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("chip", INTEGER)
def test_a_published_model_is_identical_on_every_chip_that_takes_it(name: str, chip: str) -> None:
    try:
        neuroport.compile(neuroport.load(name), chip)
    except InvalidInput as refused:
        pytest.skip(str(refused))
    check(name, chip, 20, ("reference", "emulator"), 1 if chips.load(chip).mismatch else None)


def in_the_usual_run(name: str, chip: str) -> bool:
    if chip == "loihi1":
        return name not in LARGE  # most are refused there, which is quick
    return chip in USUAL and name in FAMILIES


@pytest.mark.parametrize(
    ("name", "chip"),
    [
        pytest.param(name, chip, marks=() if in_the_usual_run(name, chip) else pytest.mark.slow)
        for name in SHIPPED
        for chip in INTEGER
    ],
)
def test_identical_on_every_integer_chip(name: str, chip: str) -> None:
    if chip == OWN[name]:
        pytest.skip("its own chip: with all executors above")
    if chip == "loihi1" and name not in STATIC:
        with pytest.raises(InvalidInput, match=r"static synapses only|sends spikes only"):
            neuroport.compile(neuroport.load(name), chip)
        return
    check(name, chip, 50, ("reference", "emulator"), 1 if chips.load(chip).mismatch else None)


@pytest.mark.parametrize(
    "name", [name if name in FAMILIES else pytest.param(name, marks=pytest.mark.slow) for name in SHIPPED]
)
def test_float_agrees_within_the_tolerance(name: str) -> None:
    check(name, "ideal", 1000, ("reference", "emulator"))


@pytest.mark.slow
def test_a_batch_of_100_is_identical_on_all_executors() -> None:
    program, plan = shortened(neuroport.load("gle_lagline_batch"), "generic16", steps=20)
    result = verify(program, plan, backends.ready(), full=True)
    assert program.copies == 100
    assert result.identical, result.first_difference
    assert set(result.executors) == set(backends.ready())
