import numpy as np
import pytest

from neuroport.elaborate.targets import boltzmann
from neuroport.errors import InvalidInput, Place


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(seed))
    w = np.triu(2 * rng.beta(1, 1, (7, 7)) - 1, 1)
    return w + w.T, 2 * rng.beta(1, 1, 7) - 1


def entropy(p: np.ndarray) -> float:
    return float(-(p * np.log(p)).sum())


def test_digits_of_the_model_notes():
    w, b = drawn(4321)
    t = boltzmann(w, b)
    p = t["p"]
    assert w[0] == pytest.approx([0, 0.624252, -0.809739, -0.885724, 0.316248, 0.036252, 0.793130], abs=6e-7)
    assert b == pytest.approx([0.502507, -0.556789, -0.146051, 0.114763, 0.999052, -0.901179, -0.922274], abs=6e-7)
    assert p[:4] == pytest.approx([0.004870, 0.001937, 0.001978, 0.001589], abs=6e-7)
    assert entropy(p) == pytest.approx(3.983940, abs=6e-7)
    assert (p**2).sum() == pytest.approx(0.035838, abs=6e-7)
    assert p.min() == pytest.approx(9.101e-5, abs=6e-9)
    assert t["m"] == pytest.approx([0.72856, 0.56401, 0.16732, 0.33239, 0.83894, 0.48907, 0.54042], abs=6e-6)
    assert np.log(128) - entropy(p) == pytest.approx(0.868090, abs=6e-7)


def test_a_second_target():
    p = boltzmann(*drawn(4242))["p"]
    assert entropy(p) == pytest.approx(3.835584, abs=6e-7)
    assert np.log(128) - entropy(p) == pytest.approx(1.016446, abs=6e-7)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_against_the_definition(n):
    rng = np.random.default_rng(n)
    w = rng.normal(0, 1, (n, n))
    w, b = w + w.T, rng.normal(0, 1, n)
    z = (np.arange(2**n)[:, None] >> np.arange(n)[::-1]) & 1
    p = np.exp(0.5 * np.einsum("si,ij,sj->s", z, w, z) + z @ b)
    p /= p.sum()
    t = boltzmann(w, b)
    assert t["p"] == pytest.approx(p, rel=1e-12)
    assert t["m"] == pytest.approx(p @ z, rel=1e-12)
    assert t["c"] == pytest.approx(np.einsum("s,si,sj->ij", p, z, z), rel=1e-12)


def test_neuron_0_is_the_most_significant_bit():
    p = boltzmann(np.zeros((3, 3)), [5.0, 0.0, 0.0])["p"]
    assert p[4:].sum() > 0.99


def test_large_energies_do_not_overflow():
    t = boltzmann([[0, 600], [600, 0]], [500, 500])
    assert t["p"].tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("weights", "biases", "text"),
    [
        (
            np.zeros((21, 21)),
            np.zeros(21),
            "there are 21 neurons; all states are enumerated, so at most 20 are allowed",
        ),
        (np.zeros((2, 3)), [0, 0], "weights have shape (2, 3); 2 biases need weights of shape (2, 2)"),
        ([[0]], 1.0, "biases have shape (); give one bias per neuron, as a list"),
        ([[np.nan]], [0], "a weight or bias is not a finite number; give finite numbers"),
        ([[0, 1], [2, 0]], [0, 0], "weights are not symmetric: [0][1] is 1 and [1][0] is 2; make them equal"),
    ],
)
def test_refusals(weights, biases, text):
    with pytest.raises(InvalidInput) as error:
        boltzmann(weights, biases, Place("net.yaml", 3, 5))
    assert str(error.value) == f"net.yaml:3:5: boltzmann: {text}"
