"""The functions of real programs: right to two units in the last place, and the same bits on every executor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport import backends
from neuroport.backends import functions
from neuroport.backends.reference import arithmetic
from neuroport.copies.axis import with_copies
from neuroport.numerics import detmath
from neuroport.program.ir import REAL, Body, Store
from neuroport.program.machine import Population, Program
from tests.support.small_programs import apply, array, program, read

INF, NAN = np.inf, np.nan
RNG = np.random.default_rng(1)
X = np.concatenate([RNG.normal(0, 1, 3000), RNG.uniform(-40, 40, 3000), RNG.uniform(-710, 710, 2000), [0.0, -0.0]])
POSITIVE = np.concatenate([10.0 ** RNG.uniform(-320, 308, 3000), 1 + RNG.normal(0, 1e-4, 3000), [1.0]])
SPECIAL = np.array([NAN, INF, -INF, 0.0, -0.0, 5e-324, -1.0, 1.0, 709.8, -709.0, 1e300, -1e300])


def all_functions(x: np.ndarray[Any, Any], precision: str = "float64") -> Program:
    """A population that stores every function of its x."""
    body: Body = tuple(Store(f"p.{fn}", apply(fn, read("p.x", type=REAL), type=REAL)) for fn in functions.NAMES)
    arrays = [array(f"p.{name}", "neuron", "state", np.zeros(len(x)), REAL) for name in functions.NAMES]
    arrays.append(array("p.x", "neuron", "state", x, REAL))
    return replace(program(arrays, [Population("p", len(x), body, (), False, 0)]), precision=precision)  # type: ignore[arg-type]


def computed(backend: str, made: Program) -> dict[str, np.ndarray[Any, Any]]:
    machine = backends.load(backend).open(made, 1, ())
    machine.advance(1)
    return {fn: machine.read(f"p.{fn}") for fn in functions.NAMES}


@pytest.mark.parametrize("fn", functions.NAMES)
def test_errors_are_at_most_two_units_in_the_last_place(fn: str) -> None:
    x = POSITIVE if fn == "log" else X[X > -707]
    exact = getattr(detmath, fn)(x)
    with np.errstate(all="ignore"):
        found = arithmetic.real_functions(np.float64)[f"real_{fn}"](x)
    finite = np.isfinite(exact)
    assert np.array_equal(found[~finite], exact[~finite])
    assert (np.abs(found - exact)[finite] <= 2 * np.spacing(np.abs(exact[finite]))).all()


def test_what_is_not_finite_and_what_is_beyond() -> None:
    wanted = {
        "exp": [NAN, INF, 0, 1, 1, 1, np.exp(-1), np.exp(1), INF, 0, INF, 0],
        "exprel": [NAN, INF, 0, 1, 1, 1, 1 - np.exp(-1), np.expm1(1), detmath.exprel(709.8), 1 / 709, INF, 1e-300],
        "log": [NAN, INF, NAN, -INF, -INF, np.log(5e-324), NAN, 0, np.log(709.8), NAN, np.log(1e300), NAN],
        "tanh": [NAN, 1, -1, 0, 0, 5e-324, np.tanh(-1), np.tanh(1), 1, -1, 1, -1],
        "sigmoid": [NAN, 1, 0, 0.5, 0.5, 0.5, 1 / (1 + np.e), 1 / (1 + np.exp(-1)), 1, 0, 1, 0],
        "softplus": [NAN, INF, 0, np.log(2), np.log(2), np.log(2), *np.logaddexp(0, [-1, 1]), 709.8, 0, 1e300, 0],
    }
    for fn, values in computed("reference", all_functions(SPECIAL)).items():
        np.testing.assert_allclose(values, wanted[fn], rtol=1e-15, atol=1e-300)


@pytest.mark.parametrize("backend", ["emulator", "genn"])
def test_every_executor_has_the_same_bits(backend: str) -> None:
    if reason := backends.load(backend).missing():
        pytest.skip(reason)
    made = all_functions(np.concatenate([X, POSITIVE, SPECIAL]))
    ours, theirs = computed("reference", made), computed(backend, made)
    for fn in functions.NAMES:
        np.testing.assert_array_equal(ours[fn], theirs[fn], err_msg=fn)


@pytest.mark.dear
@pytest.mark.parametrize("copies", [1, 11])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_copies_and_single_precision_have_the_same_bits(precision: str, copies: int) -> None:
    x = np.concatenate([X, POSITIVE, SPECIAL])[:: 1 if copies == 1 else 20]
    if precision == "float32":
        x = np.clip(x, -80, 80)
    made = with_copies(all_functions(x, precision), copies)
    ours, theirs = computed("reference", made), computed("emulator", made)
    for fn in functions.NAMES:
        np.testing.assert_array_equal(ours[fn], theirs[fn], err_msg=fn)
