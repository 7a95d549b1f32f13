"""The exact pair chain against the digits of the model notes (E2 and the slopes of section 1.2)."""

import numpy as np
import pytest

from tests.oracles.sal_chain import solve
from tests.oracles.ssn import PUBLISHED, Convention, asymmetry, enumerate_target, initial, simulate, target, train


def test_published_convention():
    s = solve(0.9, 0.3, (-0.5, 0.2), isi_min=51, psp=49)
    assert s.rate * 50 == pytest.approx([0.506490, 0.576621], abs=5.1e-7)
    assert s.sal_12 == pytest.approx(-0.056143, abs=5.1e-7)
    assert s.sal_21 == -s.sal_12
    assert s.c == pytest.approx(0.320770, abs=5.1e-7)
    assert s.both_on == pytest.approx(0.324215, abs=5.1e-7)


def test_unbiased_convention():
    s = solve(0.8, 0.4, (-0.5, -0.5), isi_min=50)
    assert s.rate * 50 == pytest.approx([0.46280, 0.41975], abs=5.1e-6)
    assert s.sal_12 == pytest.approx(-0.029259, abs=5.1e-7)
    assert s.c == pytest.approx(0.228693, abs=5.1e-7)


def test_inhibition_turns_the_sign():
    s = solve(-0.8, -0.4, (-0.5, -0.5), isi_min=50)
    assert s.sal_12 == pytest.approx(0.013612, abs=5.1e-7)
    assert s.c == pytest.approx(0.082771, abs=5.1e-7)


@pytest.mark.parametrize(("w", "b", "density"), [(0.6, (-0.5, -0.5), 0.2330), (1.0, (-1.0, 1.0), 0.4015)])
def test_symmetric_weights_make_no_change_and_a_flat_density(w, b, density):
    s = solve(w, w, b, isi_min=50)
    assert abs(s.sal_12) < 1e-12
    for lags in (s.density_12[1:49], s.density_21[1:49]):
        assert lags * 2500 == pytest.approx(np.full(48, density), abs=5.1e-5)


def test_published_convention_is_biased_for_unequal_rates():
    assert solve(1.0, 1.0, (-1.0, 1.0)).sal_12 == pytest.approx(-0.003991, abs=5.1e-7)


@pytest.mark.parametrize(
    ("b", "slopes"),
    [(0.0, [0.0437, 0.0812, 0.1162, 0.1291]), (-0.5, [0.0247, 0.0519, 0.0874, 0.1143])],
)
def test_slopes(b, slopes):
    found = [-solve(w + 0.05, w - 0.05, (b, b)).sal_12 / 0.1 for w in (-1, 0, 1, 2)]
    assert found == pytest.approx(slopes, abs=5.5e-5)


def test_window_plus_simultaneous_pairs_is_exactly_the_joint_activity():
    s = solve(0.6, 0.6, (-0.5, 0.1), isi_min=50)
    assert s.c + 50 * s.coincidence == pytest.approx(s.both_on, abs=1e-12)


@pytest.mark.dear
@pytest.mark.parametrize("isi_min", [50, 51])
def test_simulation_agrees_with_the_chain(isi_min):
    s = solve(0.9, 0.3, (-0.5, 0.2), isi_min=isi_min)
    w = np.array([[0.0, 0.9], [0.3, 0.0]])
    found = simulate(w, np.array([-0.5, 0.2]), 5_000_000, 11, Convention(isi_min=isi_min))
    assert found.r == pytest.approx(s.rate * 50, abs=0.005)  # four standard deviations
    assert found.c[0, 1] == pytest.approx(s.c, abs=0.004)
    assert found.s[0, 1] == pytest.approx(s.sal_12, abs=0.005)
    assert found.counts[3] / found.counts.sum() == pytest.approx(s.both_on, abs=0.005)


@pytest.mark.dear
def test_training_without_sal_keeps_the_asymmetry_once_clipped():
    assert asymmetry(initial()[0]) == pytest.approx(0.9592, abs=5e-5)
    runs = train(1, PUBLISHED, eta_sal=0.0, epochs=3, steps=5000, every=1, validation_steps=5000)
    assert [a for _, _, a in runs] == pytest.approx([0.9209] * 3, abs=3e-3)
    p, m, _ = enumerate_target(*target())
    assert p[:2] == pytest.approx([0.004870, 0.001937], abs=6e-7)
    assert m[0] == pytest.approx(0.72856, abs=6e-6)
