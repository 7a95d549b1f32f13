"""Published models do what their papers say, on `ideal` and on a chip, and what independent programs say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from neuroport import networks
from tests.oracles import published_adex, published_brunel, published_hodgkin_huxley
from tests.support.published import Model, Numbers, models
from tests.support.published import brunel as brunel_rows
from tests.support.published.running import ran, trains
from tests.support.tabulated import NETWORKS, of_model

CHIPS = ("ideal", "generic16")
MODELS = {model.name.removeprefix("published/"): model for model in models()}
MADE = "hodgkin_huxley adex brunel cuba coba polychronisation diehl_cook potjans_diesmann".split()

on_chips = pytest.mark.parametrize("chip", CHIPS)


@cache
def measured(name: str, chip: str, seed: int = 1) -> Numbers:
    """All rows of a model."""
    return MODELS[name].measure(chip, seed)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_an_entry_is_of_a_shipped_network(model: Model) -> None:
    assert model.name in networks.names()
    assert model.source and model.rows and model.seeds >= 1


def test_every_model_has_an_entry() -> None:
    assert set(MADE) <= set(MODELS)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_page_has_every_row_of_a_model(model: Model, root: Path) -> None:
    """`python benchmarks/published.py NAME --write` writes them."""
    text = (root / "docs" / "published.md").read_text("utf-8")
    found = [(row["quantity"], row["published"], row["why"]) for row in of_model(NETWORKS, text, model)]
    assert found == [(row.quantity, row.published, row.why) for row in model.rows]


# ---------------------------------------------------------------------------------------------------- Hodgkin-Huxley


@pytest.mark.dear
@on_chips
def test_hodgkin_huxley_figure_12(chip: str) -> None:
    """90, 15 and 7 mV make an action potential, 6 mV do not; its peak is about 105 mV above rest."""
    found = measured("hodgkin_huxley", chip)
    assert found["action potentials after 90, 15, 7 mV"] == 3
    assert found["action potentials after 6 mV"] == 0
    assert found["peak after 15 mV (mV from rest)"] == pytest.approx(105.4, abs=0.1)
    assert found["delay of the spike after 7 mV (ms)"] == pytest.approx(3.16, abs=0.02)


@pytest.mark.dear
@on_chips
def test_hodgkin_huxley_fires_repetitively_within_a_range_of_currents(chip: str) -> None:
    found = measured("hodgkin_huxley", chip)
    assert found["spikes in 500 ms at 6 uA/cm2"] == 2
    assert found["spikes in 500 ms at 160 uA/cm2"] == 1
    rates = [found[f"rate at {current} uA/cm2 (Hz)"] for current in (7, 10, 20, 50)]
    assert rates == pytest.approx([58.4, 68.3, 86.4, 117.0], abs=0.3)


@pytest.mark.dear
@on_chips
def test_hodgkin_huxley_follows_the_paper_integrated_to_fourth_order(chip: str) -> None:
    """Euler steps of 0.01 ms are late by up to 0.02 ms in the upstroke, at 400 mV/ms; elsewhere they are close."""
    session = ran("published/hodgkin_huxley", chip, sets=("protocol.0.run=20 ms",))
    found = session.records("shocked.v")[1]
    right = published_hodgkin_huxley.voltages(np.array([90.0, 15, 7, 6]), np.zeros(4), 20, 0.01)[9::10]
    off = np.abs(found - right)
    assert off.max() < 8
    assert np.median(off, axis=0).max() < 0.1


@pytest.mark.dear
def test_hodgkin_huxley_on_the_chip_is_ideal_to_a_microvolt() -> None:
    ideal, chip = (ran("published/hodgkin_huxley", c, sets=("protocol.0.run=20 ms",)) for c in CHIPS)
    assert np.abs(ideal.records("shocked.v")[1] - chip.records("shocked.v")[1]).max() < 1e-3


# -------------------------------------------------------------------------------------------------------------- AdEx


@pytest.mark.dear
@on_chips
def test_adex_patterns(chip: str) -> None:
    """The shapes of figure 4 of Naud et al. (2008), and the adapting neuron of Brette & Gerstner (2005)."""
    every = [train * 0.02 for train in trains(ran("published/adex", chip), "patterns", 9)]
    assert [len(times) for times in every[:8]] == [17, 51, 10, 10, 9, 36, 27, 1]
    regular, tonic, adapting, initial, bursting, delayed, delayed_bursting, _, irregular = map(np.diff, every)
    assert regular[-1] > 2 * regular[0]
    assert np.ptp(tonic[10:]) < 0.3
    assert adapting[-1] > 6 * adapting[0]
    assert initial[:2].max() < 8 and np.ptp(initial[3:]) < 1 and initial[3:].min() > 60
    assert bursting[2::2].min() > 130 and bursting[3::2].max() < 6
    assert every[5][0] > 30 and (np.diff(delayed) < 0.05).all() and delayed[-1] < 0.6 * delayed[0]
    assert every[6][0] > 55 and [round(x) for x in delayed_bursting[3::4][:5]] == [56, 57, 57, 57, 57]
    assert 0.4 < irregular.std() / irregular.mean() < 0.7


@pytest.mark.dear
@on_chips
def test_adex_spikes_when_an_independent_program_says(chip: str) -> None:
    """The first five spikes, with second-order steps of the same length; Euler's are late by up to 1 %."""
    found = [train * 0.02 for train in trains(ran("published/adex", chip), "patterns", 9)]
    right = published_adex.spike_times(published_adex.PATTERNS, 150, 0.02)
    for times, wanted in zip(found, right, strict=True):
        assert times[: min(len(wanted), 5)] == pytest.approx(wanted[:5], rel=0.01, abs=0.05)


# ---------------------------------------------------------------------------------------------------------- networks

SMALL = published_brunel.Size(800, 200, 200, 50, 0.5)


@pytest.mark.dear
@on_chips
def test_brunel_in_small(chip: str) -> None:
    """A thousand neurons, with the means of the paper's figure 8C and fluctuations that are larger."""
    found = brunel_rows.measure_state("AI", SMALL, 5.0, 2.0, chip, 1)
    right = brunel_rows.numbers("AI", brunel_rows.each(published_brunel.spikes(SMALL, 5.0, 2.0, 500, 1)))
    assert found["AI: rate (Hz)"] == pytest.approx(right["AI: rate (Hz)"], rel=0.1)
    assert found["AI: CV of the intervals"] == pytest.approx(right["AI: CV of the intervals"], abs=0.1)


@pytest.mark.slow
@on_chips
def test_brunel_fires_as_published(chip: str) -> None:
    """37.7 Hz in the paper's simulation, 38.0 Hz in its theory."""
    found = measured("brunel", chip)
    assert found["AI, 1000 + 250 inputs: rate (Hz)"] == pytest.approx(37.7, abs=2)
    assert found["AI: CV of the intervals"] > 0.6
    assert found["SI, slow: rate (Hz)"] < 0.3 * found["AI: rate (Hz)"]


@pytest.mark.dear
@on_chips
def test_cuba_fires_as_in_brian(chip: str) -> None:
    """Brian 2.9 gives 5.53 and 5.45 Hz, and 5.60 and 5.52 Hz, of two seeds."""
    found = measured("cuba", chip)
    assert found["excitatory rate (Hz)"] == pytest.approx(5.5, abs=0.5)
    assert found["inhibitory rate (Hz)"] == pytest.approx(5.55, abs=0.5)
    assert found["CV of the intervals"] == pytest.approx(0.51, abs=0.05)


@pytest.mark.parametrize("chip", ["ideal", pytest.param("generic16", marks=pytest.mark.slow)])
@pytest.mark.dear
def test_coba_sustains_itself_as_in_brian(chip: str) -> None:
    """Brian 2.9 gives 18.6 and 19.3 Hz, 19.0 and 19.0 Hz, and CVs of 1.60 and 1.55, of two seeds."""
    found = measured("coba", chip)
    assert found["excitatory rate (Hz)"] == pytest.approx(19, abs=3)
    assert found["inhibitory rate (Hz)"] == pytest.approx(19, abs=2)
    assert found["CV of the intervals"] == pytest.approx(1.58, abs=0.15)


@pytest.mark.slow
@on_chips
def test_polychronisation_fires_and_learns_as_the_independent_program(chip: str) -> None:
    found, right = measured("polychronisation", chip), MODELS["polychronisation"].independent(1)
    assert found["excitatory rate (Hz)"] == pytest.approx(right["excitatory rate (Hz)"], rel=0.12)
    assert found["inhibitory rate (Hz)"] == pytest.approx(right["inhibitory rate (Hz)"], rel=0.15)
    assert found["mean excitatory weight"] == pytest.approx(right["mean excitatory weight"], abs=0.1)
    assert found["sd of excitatory weights"] == pytest.approx(right["sd of excitatory weights"], rel=0.1)


@pytest.mark.slow
@on_chips
def test_potjans_diesmann_fires_as_the_independent_program(chip: str) -> None:
    """At 5 % most populations are below their published rates, in any program; their order is the published one."""
    found, right = measured("potjans_diesmann", chip), MODELS["potjans_diesmann"].independent(1)
    assert [found[row.quantity] for row in MODELS["potjans_diesmann"].rows] == pytest.approx(
        [right[row.quantity] for row in MODELS["potjans_diesmann"].rows], rel=0.25, abs=0.1
    )
    rates = {name: found[f"{name} (Hz)"] for name in ("L23e", "L6e", "L23i", "L4e", "L4i", "L5e", "L6i")}
    assert sorted(rates, key=lambda name: rates[name]) == list(rates)


# ------------------------------------------------------------------------------------------------------ Diehl & Cook

NORMALISED = (
    "each: [{at: 0 ms, set: {image.rate: 255 Hz}}, {at: 350 ms, set: {image.rate: 0 Hz}}, {at: end, event: normalise}]"
)
FEW = (f"protocol=[{{run: 500 ms}}, {{present: train, count: 5, readout: [answers], {NORMALISED}}}]",)


@pytest.mark.dear
@on_chips
def test_diehl_cook_competes_and_keeps_its_sums(chip: str) -> None:
    session = ran("published/diehl_cook", chip, sets=FEW)
    answers = session.rows("answers")[1]
    assert (answers.sum(axis=1) >= 5).all(), "an image makes at least five spikes"
    assert (answers > 0).mean() < 0.2, "one of few cells wins"
    assert session.get("input.w").reshape(64, 100).sum(axis=0) == pytest.approx(np.full(100, 8.0), rel=2e-3)
    risen = session.get("exc.theta") - 20 * np.exp(-6000 * 0.5 / 1e7)
    assert risen == pytest.approx(0.2 * answers.sum(axis=0), rel=1e-3, abs=1e-3)


@pytest.mark.slow
@on_chips
def test_diehl_cook_recognises_digits(chip: str) -> None:
    """100 neurons recognised 82.9 % of larger images after far more of them; chance is 10 %."""
    found = measured("diehl_cook", chip)
    assert found["accuracy (%)"] > 65
    assert found["mean threshold theta (mV)"] == pytest.approx(34.0, abs=0.3)
    assert found["weights below 0.05 (%)"] == pytest.approx(43.3, abs=1.5)
