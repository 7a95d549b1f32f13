"""The counter generator: words that must never change, uniformity, and independence of its keys."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from neuroport.numerics import rng

N = 1 << 17
WORDS = [0xA8C37508DD50D2A4, 0x224BC1B5975A0085, 0x717807B7DFAEDBFF]  # seed 1, stream 2, step 3, elements 0..2
ELEMENTS = np.arange(N, dtype=np.uint64)


def fair(counts: np.ndarray) -> bool:
    """Chi-square within the central 99.98 % (the inputs are fixed, so this never fails by chance)."""
    expected = counts.sum() / counts.size
    p = chi2.sf(((counts - expected) ** 2 / expected).sum(), counts.size - 1)
    return 1e-4 < p < 1 - 1e-4


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return abs(float(np.corrcoef(a.astype(float), b.astype(float))[0, 1]))


def key(seed: int = 1, stream: int = 2, step: int = 3) -> int:
    return rng.step_key(rng.stream_key(seed, stream), step)


def test_words_never_change():
    assert rng.mix(1) == 0x5692161D100B05E5
    assert rng.stream_number("units", "update", "0") == 0x3B8997813548D21F
    assert key() == 0xAA643056788E4261
    assert rng.words(key(), ELEMENTS[:3]).tolist() == WORDS
    assert rng.draw(key(), ELEMENTS[:2]).tolist() == [w >> 32 for w in WORDS[:2]]


def test_array_and_integer_finalisers_agree():
    z = np.array([0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF], dtype=np.uint64)
    assert rng.mix_array(z).tolist() == [rng.mix(int(v)) for v in z]


def test_finaliser_has_no_collisions_on_a_block():
    assert np.unique(rng.mix_array(ELEMENTS)).size == N


@pytest.mark.parametrize("shift", [0, 8, 16, 24, 32, 40, 48, 56])
def test_every_byte_is_uniform_over_elements_and_over_steps(shift):
    over_elements = rng.words(key(), ELEMENTS)
    base = rng.stream_key(1, 2)
    over_steps = np.array([rng.mix(rng.step_key(base, t) + rng.GAMMA) for t in range(20_000)], dtype=np.uint64)
    for words in (over_elements, over_steps):
        assert fair(np.bincount(((words >> np.uint64(shift)) & np.uint64(255)).astype(int), minlength=256))


def test_sequences_of_two_and_three_draws_are_uniform():
    d = (rng.draw(key(), ELEMENTS) >> np.uint64(28)).astype(int)
    assert fair(np.bincount(d[:-1:2] * 16 + d[1::2], minlength=256))
    m = d.size // 3 * 3
    assert fair(np.bincount(d[:m:3] * 256 + d[1:m:3] * 16 + d[2:m:3], minlength=4096))


@pytest.mark.parametrize(
    "other",
    [dict(seed=2), dict(seed=0), dict(stream=3), dict(stream=2**62), dict(step=4), dict(step=2**40), dict(seed=2**32)],
)
def test_neighbouring_seeds_streams_and_steps_are_independent(other):
    a, b = rng.draw(key(), ELEMENTS), rng.draw(key(**other), ELEMENTS)
    assert correlation(a, b) < 4 / np.sqrt(N)
    assert fair(np.bincount(((a ^ b) >> np.uint64(24)).astype(int), minlength=256))
    assert np.intersect1d(rng.words(key(), ELEMENTS), rng.words(key(**other), ELEMENTS)).size == 0


@pytest.mark.parametrize("lag", [1, 2, 7, 50, 4096])
def test_neighbouring_elements_are_independent(lag):
    d = rng.draw(key(), ELEMENTS)
    assert correlation(d[:-lag], d[lag:]) < 4 / np.sqrt(N - lag)


def test_seed_and_stream_do_not_merely_add():
    assert rng.stream_key(1, 2) != rng.stream_key(2, 1)
    assert rng.stream_key(1, 2) != rng.stream_key(0, 3)


def test_the_four_quarters_are_the_word_and_independent():
    word = rng.words(key(), ELEMENTS)
    parts = [rng.draw(key(), ELEMENTS, part) for part in range(4)]
    assert np.array_equal(sum(p << np.uint64(16 * i) for i, p in enumerate(parts)), word)
    for i, p in enumerate(parts):
        assert fair(np.bincount((p >> np.uint64(8)).astype(int), minlength=256))
        for other in parts[:i]:
            assert correlation(p, other) < 4 / np.sqrt(N)


def test_one_flipped_bit_of_any_key_flips_half_of_the_word():
    def distance(**flipped: int) -> float:
        base = dict(seed=12345, stream=678, step=9)
        a, b = rng.words(key(**base), ELEMENTS[:4000]), rng.words(key(**{**base, **flipped}), ELEMENTS[:4000])
        return float(np.bitwise_count(a ^ b).mean())

    for bit in range(0, 40, 3):
        for name, value in (("seed", 12345), ("stream", 678), ("step", 9)):
            assert distance(**{name: value ^ (1 << bit)}) == pytest.approx(32, abs=0.3)
        flipped = rng.words(key(), ELEMENTS[:4000] ^ np.uint64(1 << bit))
        mean = np.bitwise_count(rng.words(key(), ELEMENTS[:4000]) ^ flipped).mean()
        assert mean == pytest.approx(32, abs=0.3)


def test_stream_numbers_tell_names_and_their_boundaries_apart():
    names = [("a", "b"), ("ab",), ("a", "b", ""), ("b", "a"), ("a\0b",)]
    assert len({rng.stream_number(*n) for n in names[:4]}) == 4
    assert all(0 <= rng.stream_number(*n) < 2**63 for n in names)


def test_words_of_the_largest_elements_wrap_silently():
    last = np.array([2**64 - 1, 2**64 - 2], dtype=np.uint64)
    with np.errstate(all="raise"):
        assert rng.words(key(), last).tolist() == [rng.mix(key()), rng.mix(key() - rng.GAMMA)]
