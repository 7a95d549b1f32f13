"""Accuracy against exact decimal arithmetic, special values, and bits that must never change."""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from neuroport.numerics import detmath

INF, NAN = math.inf, math.nan
RNG = np.random.default_rng(1)


def d_tanh(x: Decimal) -> Decimal:
    if abs(x) < Decimal("1e-20"):
        return x
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def d_softplus(x: Decimal) -> Decimal:
    e = x.exp()
    return e - e * e / 2 if e < Decimal("1e-40") else (1 + e).ln()


EXACT = {
    "exp": (
        Decimal.exp,
        [RNG.uniform(-1, 1, 300), RNG.uniform(-745, 709.7, 300), RNG.uniform(-745, -705, 100), [1e-300, -1e-17]],
    ),
    "exprel": (
        lambda x: (x.exp() - 1) / x,
        [
            RNG.normal(0, 1, 300),
            RNG.uniform(-60, 716, 300),
            10.0 ** RNG.uniform(-12, 1, 200),
            -(10.0 ** RNG.uniform(-12, 300, 200)),
        ],
    ),
    "log": (
        Decimal.ln,
        [RNG.uniform(0.4, 2.1, 300), 10.0 ** RNG.uniform(-323, 308, 300), 1 + RNG.normal(0, 1e-7, 100), [5e-324]],
    ),
    "log1p": (
        lambda x: (1 + x).ln() if abs(x) > Decimal("1e-25") else x - x * x / 2,
        [RNG.uniform(-1, 3, 300), 10.0 ** RNG.uniform(-320, 300, 300), -(10.0 ** RNG.uniform(-300, 0, 300))],
    ),
    "tanh": (d_tanh, [RNG.normal(0, 1, 300), RNG.uniform(-23, 23, 200), 10.0 ** RNG.uniform(-20, 1, 200)]),
    "sigmoid": (lambda x: 1 / (1 + (-x).exp()), [RNG.normal(0, 3, 300), RNG.uniform(-740, 60, 300)]),
    "softplus": (
        d_softplus,
        [RNG.normal(0, 1, 300), RNG.uniform(-60, 60, 200), RNG.uniform(-740, -10, 100), RNG.uniform(-14, -13.5, 50)],
    ),
    "sqrt": (Decimal.sqrt, [10.0 ** RNG.uniform(-300, 300, 200)]),
}


@pytest.mark.parametrize("name", EXACT)
def test_error_is_below_one_unit_in_the_last_place(name):
    exact, pieces = EXACT[name]
    x = np.concatenate([np.asarray(p, dtype=float) for p in pieces])
    worst = Decimal(0)
    with localcontext() as context:
        context.prec = 60
        for argument, value in zip(x, getattr(detmath, name)(x), strict=True):
            true = exact(Decimal(float(argument)))
            worst = max(worst, abs(Decimal(float(value)) - true) / Decimal(float(np.spacing(abs(float(true))))))
    assert worst < (Decimal("1.01") if name == "exp" else Decimal("0.7"))  # exp is rounded twice when subnormal


def test_normal_quantile_is_accurate_and_odd():
    from scipy.special import log_ndtr, ndtri

    p = np.concatenate([RNG.uniform(0, 1, 5000), 10.0 ** RNG.uniform(-300, -1, 500), [0.075, 0.925, 1 - 2**-53]])
    assert detmath.normal_quantile(p) == pytest.approx(ndtri(p), rel=2e-15, abs=1e-300)
    assert np.allclose(log_ndtr(detmath.normal_quantile(p)), np.log(p), rtol=1e-13, atol=1e-15)
    p = np.arange(1, 512) / 1024
    assert np.array_equal(detmath.normal_quantile(1 - p), -detmath.normal_quantile(p))


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("exp", [INF, -INF, NAN, 0.0, -0.0, 709.8, -745.2, 1e308, -1e308], [INF, 0, NAN, 1, 1, INF, 0, INF, 0]),
        ("log", [INF, -INF, NAN, 0.0, -0.0, 1.0, -1.0], [INF, NAN, NAN, -INF, -INF, 0, NAN]),
        ("log1p", [INF, -INF, NAN, 0.0, -0.0, -1.0, -1.5], [INF, NAN, NAN, 0.0, -0.0, -INF, NAN]),
        ("exprel", [INF, -INF, NAN, 0.0, -0.0, 5e-324, 717.0, 1e308, -1e308], [INF, 0, NAN, 1, 1, 1, INF, INF, 1e-308]),
        ("sqrt", [INF, NAN, 0.0, 4.0, -1.0], [INF, NAN, 0, 2, NAN]),
        ("tanh", [INF, -INF, NAN, 0.0, -0.0, 5e-324, -30.0], [1, -1, NAN, 0.0, -0.0, 5e-324, -1]),
        ("sigmoid", [INF, -INF, NAN, 0.0, 1e308, -1e308], [1, 0, NAN, 0.5, 1, 0]),
        ("softplus", [INF, -INF, NAN, 1e308, -1e308, 50.0], [INF, 0, NAN, 1e308, 0, 50.0]),
        ("normal_quantile", [0.0, 1.0, 0.5, -0.1, 1.1, NAN], [-INF, INF, 0, NAN, NAN, NAN]),
    ],
)
def test_special_values(name, given, expected):
    found = getattr(detmath, name)(np.array(given))
    assert np.array_equal(found, np.array(expected), equal_nan=True)
    assert np.array_equal(np.signbit(found[~np.isnan(found)]), np.signbit(np.array(expected)[~np.isnan(found)]))


@pytest.mark.parametrize("name", [*EXACT, "normal_quantile"])
def test_scalars_views_and_long_arrays_take_the_same_path(name):
    function = getattr(detmath, name)
    x = RNG.uniform(0.001, 0.999, 20_000)
    whole = function(x)
    assert [float(function(float(v))) for v in x[::2000]] == whole[::2000].tolist()
    assert np.array_equal(function(x[::-3]), whole[::-3])
    assert np.array_equal(function(x.reshape(100, 200)), whole.reshape(100, 200))
    assert function(np.empty((0, 3))).shape == (0, 3)
    assert function(1) == function(1.0)


def test_functions_are_monotonic_on_a_fine_grid():
    x = np.linspace(-3, 3, 200_001)
    for name in ("exp", "tanh", "sigmoid", "softplus"):
        assert (np.diff(getattr(detmath, name)(x)) >= 0).all()
    assert (np.diff(detmath.log(x[x > 0])) >= 0).all()


def test_bits_never_change():
    x = np.arange(-2000, 2000) / 97.0
    p = (np.arange(4000) + 0.5) / 4000
    names = ("exp", "tanh", "sigmoid", "softplus", "log", "sqrt", "normal_quantile")
    text = b"".join(getattr(detmath, n)(p if n in names[4:] else x).astype("<f8").tobytes() for n in names)
    assert hashlib.sha256(text).hexdigest()[:16] == "6e09788b5c526da4"
    assert hashlib.sha256(detmath.exprel(x).astype("<f8").tobytes()).hexdigest()[:16] == "f840aa52c9124cd0"
    text = detmath.log1p(np.concatenate([-p, p * 1e-6, p * 1e-300])).astype("<f8").tobytes()
    assert hashlib.sha256(text).hexdigest()[:16] == "4c55a0a8948b61fa"
