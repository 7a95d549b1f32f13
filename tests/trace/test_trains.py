"""Distances of spike trains against their definitions, computed neuron by neuron in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from neuroport.trace.trains import Distance, Other, Train, Trains

DT = 0.5


def distance(
    a: Train, b: Train, neurons: int, steps: int, pieces: int = 1, tau: float = 7.3, within: int = 2
) -> Distance:
    trains = Trains("cells", neurons, tau, within)
    ends = np.linspace(0, steps, pieces + 1).astype(int)
    for start, end in pairwise(ends):
        parts = []
        for at, cells in (a, b):
            inside = (at >= start) & (at < end)
            parts.append((at[inside], cells[inside]))
        trains.take(parts[0], parts[1], int(end))
    return trains.distance(steps, DT)


def drawn(seed: int, neurons: int, steps: int, rate: float) -> tuple[Train, Train]:
    """Two rasters that share most spikes; some are moved, lost or added."""
    rng = np.random.default_rng(seed)
    ours = rng.random((steps, neurons)) < rate
    theirs = ours & (rng.random(ours.shape) < 0.8) | (rng.random(ours.shape) < rate / 4)
    moved = ours & (rng.random(ours.shape) < 0.2)
    theirs |= np.roll(moved, 1, axis=0)
    return np.nonzero(ours), np.nonzero(theirs)


def rossum(a: list[int], b: list[int], tau: float) -> float:
    """1/tau * integral of the square is half the sum over pairs of what two exponentials have in common."""
    signed = [(t, 1) for t in a] + [(t, -1) for t in b]
    return sum(s * z * math.exp(-abs(t - u) / tau) for t, s in signed for u, z in signed) / 2


def factor(a: list[int], b: list[int], steps: int, within: int) -> float:
    found, rest = 0, list(b)
    for spike in a:
        near = [other for other in rest if abs(other - spike) <= within]
        if near:
            found += 1
            rest.remove(near[0])
    chance = len(b) * (2 * within + 1) / steps
    return (found - chance * len(a)) / ((len(a) + len(b)) / 2) / (1 - chance)


def several(spikes: Train, seed: int, most: int) -> Train:
    """Spikes of which some come several times in their step."""
    times = np.random.default_rng(seed).integers(1, most + 1, len(spikes[0]))
    return np.repeat(spikes[0], times), np.repeat(spikes[1], times)


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("pieces", [1, 7, 300])
@pytest.mark.parametrize("seed", range(3))
def test_they_are_what_their_definitions_say(seed: int, pieces: int, most: int) -> None:
    neurons, steps = 5, 300
    a, b = (several(spikes, seed + k, most) for k, spikes in enumerate(drawn(seed, neurons, steps, 0.05)))
    result = distance(a, b, neurons, steps, pieces)
    each = [[sorted(at[cells == n].tolist()) for n in range(neurons)] for at, cells in (a, b)]
    assert result.van_rossum == pytest.approx(np.mean([rossum(x, y, 7.3) for x, y in zip(*each, strict=True)]))
    assert result.coincidence == pytest.approx(np.mean([factor(x, y, steps, 2) for x, y in zip(*each, strict=True)]))
    assert result.spikes == (len(a[0]), len(b[0]))
    ours, theirs = (Counter(zip(*map(np.ndarray.tolist, spikes), strict=True)) for spikes in (a, b))
    assert result.equal == (ours & theirs).total()
    seconds = steps * DT / 1000
    assert result.rates == pytest.approx((len(a[0]) / neurons / seconds, len(b[0]) / neurons / seconds))
    apart = np.mean([abs(len(x) - len(y)) / seconds for x, y in zip(*each, strict=True)])
    assert result.rate_difference == pytest.approx(apart)


def train(*spikes: tuple[int, int]) -> Train:
    steps, neurons = np.array(spikes, np.int64).reshape(-1, 2).T
    return steps, neurons


def test_equal_trains_are_at_no_distance() -> None:
    spikes, _ = drawn(0, 4, 200, 0.1)
    result = distance(spikes, spikes, 4, 200, 3)
    assert (result.van_rossum, result.first, result.rate_difference) == (0, None, 0)
    assert result.coincidence == pytest.approx(1)
    assert result.equal == len(spikes[0])


def test_one_spike_more_is_half_and_one_far_away_is_whole() -> None:
    """As van Rossum normalised it."""
    assert distance(train((5, 0)), train(), 1, 1000).van_rossum == pytest.approx(0.5)
    assert distance(train((5, 0)), train((900, 0)), 1, 1000).van_rossum == pytest.approx(1)
    assert distance(train((5, 0)), train((6, 0)), 1, 1000, tau=10).van_rossum == pytest.approx(1 - math.exp(-0.1))


def test_spikes_coincide_across_the_ends_of_pieces_once() -> None:
    ours, theirs = train((9, 0), (12, 0)), train((10, 0), (11, 0))
    for pieces in (1, 2, 20):
        chance = 2 * 5 / 200
        assert distance(ours, theirs, 1, 200, pieces).coincidence == pytest.approx((2 - chance * 2) / 2 / (1 - chance))
    chance = 5 / 200
    lonely = distance(train((9, 0), (10, 0)), train((10, 0)), 1, 200)
    assert lonely.coincidence == pytest.approx((1 - chance * 2) / 1.5 / (1 - chance))


def test_the_first_other_spike_is_found_in_either_run() -> None:
    assert distance(train((3, 1), (7, 0)), train((3, 1), (5, 1), (7, 0)), 2, 10, 2).first == Other(5, 1, 1)
    assert distance(train((3, 1), (7, 0)), train((7, 0)), 2, 10, 5).first == Other(3, 1, 0)


def test_without_spikes_no_factor_has_a_meaning() -> None:
    assert distance(train(), train(), 3, 10).coincidence is None
    always = train(*((step, 0) for step in range(10)))
    assert distance(always, always, 1, 10).coincidence is None, "every step is within the window of some spike"
    nobody = distance(train(), train(), 0, 10)
    assert (nobody.rates, nobody.van_rossum, nobody.coincidence) == ((0, 0), 0, None)
