import math

import numpy as np
import pytest

from tests.oracles.sal_pairs import (
    coincidence_change,
    exponential,
    sal_change,
    sal_change_alternating,
    sal_change_events,
    triangular,
)


def train(rng: np.random.Generator, isi_min: int, n: int = 40) -> list[int]:
    return np.cumsum(isi_min + rng.geometric(0.03, n) - 1).tolist()


@pytest.mark.parametrize(
    ("pre", "post", "change"),
    [([10], [13], -47), ([13], [10], 47), ([10], [10], 0), ([10], [60], 0), ([10, 70], [13, 68], -47 + 48)],
)
def test_hand_made_trains(pre, post, change):
    assert sal_change(pre, post, triangular(50)) == change


def test_exponential_window_is_cut():
    assert sal_change([0], [3], exponential(10.0)) == -math.exp(-0.3)
    assert sal_change([0], [20], exponential(10.0, cut=20)) == 0.0


def test_directions_cancel_exactly_for_any_trains():
    rng = np.random.default_rng(3)
    for _ in range(20):
        a, b = train(rng, 1), train(rng, 1)
        assert sal_change(a, b, triangular(50)) + sal_change(b, a, triangular(50)) == 0


def test_event_form_equals_pair_form():
    rng = np.random.default_rng(4)
    for _ in range(10):
        a, b = train(rng, 1), train(rng, 1)
        assert sal_change_events(a, b, triangular(50), stored=100) == sal_change(a, b, triangular(50))


def test_last_spike_is_enough_when_the_window_is_as_short_as_the_shortest_interval():
    rng = np.random.default_rng(5)
    for _ in range(10):
        a, b = train(rng, 50), train(rng, 50)
        assert sal_change_events(a, b, triangular(50), stored=1) == sal_change(a, b, triangular(50))


def test_alternating_pairs_leave_out_the_second_of_two_spikes():
    assert sal_change([0], [5, 9], triangular(50)) == -45 - 41
    assert sal_change_alternating([0], [5, 9], triangular(50)) == -45


def test_coincidence_is_the_overlap_of_rectangles():
    rng = np.random.default_rng(6)
    a, b = train(rng, 50), train(rng, 50)
    on = np.zeros((2, max(a + b) + 51), dtype=int)
    for row, spikes in zip(on, (a, b), strict=True):
        for t in spikes:
            row[t + 1 : t + 51] = 1
    assert coincidence_change(a, b, 50, simultaneous=1.0) == (on[0] & on[1]).sum()
