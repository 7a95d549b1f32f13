"""Published plasticity and learning: what the papers report, on `ideal` and on a chip, beside independent programs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

import neuroport
from neuroport.session.session import Session
from tests.oracles import published_vogels as balanced
from tests.support.published import clopath, model, triplet, tsodyks_markram, vogels

CHIPS = ("ideal", "generic16")
ENTRIES = (triplet.MODEL, tsodyks_markram.MODEL, clopath.MODEL, vogels.MODEL)

pytestmark = pytest.mark.dear


def off(
    found: Mapping[str, float], right: Mapping[str, float], relative: float, absolute: float = 0.0
) -> dict[str, str]:
    """The rows that are further from the right numbers than that."""
    assert list(found) == list(right)
    return {
        name: f"{found[name]:.8g}, not {right[name]:.8g}"
        for name in right
        if not abs(found[name] - right[name]) <= relative * abs(right[name]) + absolute
    }


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.network)
def test_rows_are_those_that_are_measured(entry: model.Model) -> None:
    assert {row.quantity for row in entry.rows} <= set(entry.independent(1))


# ------------------------------------------------------------------------------------------------------ triplet STDP

SJOSTROM = np.array([[-0.04, 0.14, 0.29, 0.53, 0.56], [-0.29, -0.41, -0.34, 0.56, 0.75]])
"""Change of the weight at 0.1, 10, 20, 40 and 50 Hz, the presynaptic spike 10 ms before, and after (Sjöström 2001)."""
SPREAD = np.array([[0.05, 0.10, 0.14, 0.11, 0.26], [0.08, 0.11, 0.10, 0.32, 0.19]])
TRIPLET = [0, 0.13205, 0.24696, 0.53372, 0.74091, -0.31216, -0.33362, -0.35162, 0.15479, 0.72725]


@pytest.mark.parametrize("chip", CHIPS)
def test_triplets_explain_how_plasticity_depends_on_the_rate(chip: str) -> None:
    found = triplet.MODEL.measure(chip, 1)
    assert list(found.values()) == pytest.approx(TRIPLET, abs=1e-5)
    distance = (np.array(list(found.values())).reshape(2, 5) - SJOSTROM) / SPREAD
    assert np.mean(distance**2) < 0.5
    assert np.abs(distance).max() < 1.3
    exact = 1e-12 if chip == "ideal" else 5e-6
    assert off(found, triplet.MODEL.independent(1), 0, exact) == {}


# --------------------------------------------------------------------------------------------- short-term plasticity


@pytest.mark.parametrize("chip", CHIPS)
def test_synapses_depress_and_facilitate(chip: str) -> None:
    found = tsodyks_markram.MODEL.measure(chip, 1)
    assert off(found, tsodyks_markram.MODEL.independent(1), 1e-3 if chip == "ideal" else 2e-3) == {}
    assert found["depressing, 20 Hz: resources of spike 20"] == pytest.approx(0.0569, abs=1e-4)
    assert found["depressing, 20 Hz: half a second later"] == pytest.approx(0.2628, abs=1e-4)
    assert found["depressing: rate of the largest stationary response (Hz)"] == 5
    assert found["depressing: stationary at 100 Hz / at 50 Hz"] == pytest.approx(0.5, abs=0.03)  # falls as 1 / rate
    assert found["facilitating, 20 Hz: resources of spike 20"] == pytest.approx(0.1574, abs=1e-4)
    assert (
        found["facilitating: rate of the largest stationary response (Hz)"] == 20
    )  # 1 / sqrt(U tau_facil tau_rec): 22


# -------------------------------------------------------------------------------------------------- voltage-based STDP

CLOPATH = [0, 0.0290, 0.1571, 0.4627, 0.6500, -0.2669, -0.4093, -0.4095, 0.0376, 0.4709]


@pytest.mark.parametrize("chip", CHIPS)
def test_voltages_explain_how_plasticity_depends_on_the_rate(chip: str) -> None:
    found = clopath.MODEL.measure(chip, 1)
    assert list(found.values()) == pytest.approx(CLOPATH, abs=1e-4)
    distance = (np.array(list(found.values())).reshape(2, 5) - SJOSTROM) / SPREAD
    assert np.mean(distance**2) < 0.9
    assert np.abs(distance).max() < 1.7
    exact = 2e-7 if chip == "ideal" else 1e-6  # bursts do not begin quite from rest
    assert off(found, clopath.MODEL.independent(1), 0, exact) == {}


# ---------------------------------------------------------------------------------------------- inhibitory plasticity


def matrix(session: Session, projection: str, shape: tuple[int, int]) -> np.ndarray:
    """The weights of a projection, (from, to); 1 where they are all 0."""
    pre, post, weights = session.weights(projection)
    found = np.zeros(shape)
    found[pre, post] = weights if weights.any() else 1
    return found


def test_inhibitory_plasticity_is_that_of_matrices() -> None:
    with neuroport.open(neuroport.load("published/vogels"), "emulator", "ideal") as session:
        network = balanced.Network(
            1600,
            matrix(session, "exc_to_exc", (1600, 1600)),
            matrix(session, "exc_to_inh", (1600, 400)),
            matrix(session, "inh_to_exc", (400, 1600)),
            matrix(session, "inh_to_inh", (400, 400)),
            np.concatenate([session.get("exc.v"), session.get("inh.v")]),
        )
        right = balanced.Run(network)
        right.run(300, 1e-4)
        session.set("inh_to_exc.eta", 1e-4)
        session.run(300)
        spikes = [*zip(*session.spikes("exc"), strict=True)]
        spikes += [(step, cell + 1600) for step, cell in zip(*session.spikes("inh"), strict=True)]
        assert len(spikes) > 5000
        assert sorted(spikes) == [(step, cell) for step, cells in right.spikes for cell in cells]
        pre, post, weights = session.weights("inh_to_exc")
    assert np.abs(right.w[pre, post] - weights).max() < 1e-15


@pytest.mark.parametrize("chip", CHIPS)
def test_inhibition_grows_until_excitation_is_balanced(chip: str) -> None:
    """From what the refractory time lets (165 Hz) to near 3 Hz: 5.9 after one second, 3.9 after twenty."""
    network = neuroport.load("published/vogels", ["protocol.4.repeat=2", "protocol.6.repeat=1"])
    result = neuroport.run(network, chip=chip)
    rates = [rate for _, rate in result.metrics["rate_exc"]]
    assert rates[0] == pytest.approx(164.8, abs=0.5)
    assert 10 < rates[1] < 20
    assert 4 < rates[2] < 8
    weights = [weight for _, weight in result.metrics["weight"]]
    assert weights[0] == 0
    assert weights[2] == pytest.approx(0.0017, rel=0.06)
