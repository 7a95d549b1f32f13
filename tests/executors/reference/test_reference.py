"""What is the reference executor's own: its text, its checks of every value, its limits and messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.backends.reference import Reference
from neuroport.errors import RunFailed
from neuroport.program.ir import Expr, Int, Store
from neuroport.program.machine import Program
from tests.support import small_programs as small
from tests.support.small_programs import apply, read, single

X = read("p.x")


def start(program: Program, seed: int = 1, checked: bool = True, record: tuple[str, ...] = ()) -> Any:
    backend = Reference(checked)
    assert backend.missing() is None
    assert backend.check(program) == ()
    return backend.open(program, seed, record)


def evaluate(value: Expr, initial: Any, checked: bool = True, **more: Any) -> list[Any]:
    machine = start(single(value, initial, **more), checked=checked)
    machine.advance(1)
    values: list[Any] = machine.read("p.y").tolist()
    return values


def test_overflow_error_is_a_sentence() -> None:
    made = single(X, [5])
    machine = start(
        replace(made, populations=(replace(made.populations[0], body=(Store("p.y", X, None, "error", 0, 3),)),))
    )
    with pytest.raises(RunFailed) as error:
        machine.advance(1)
    assert str(error.value) == (
        "step 0: a value for 'p.y' lies outside 0..3, and this chip has no rule for that; give the variable a larger "
        "range"
    )


def test_checked_machine_finds_a_wrong_bound() -> None:
    value = apply("add", X, 1, type=Int(0, 5))
    assert evaluate(value, [4, 5], checked=False) == [5, 6]
    with pytest.raises(AssertionError, match=r"\(p\.x \+ 1\) is 6, and is said to lie in 0\.\.5$"):
        evaluate(value, [4, 5])


def test_text_is_one_expression_per_line() -> None:
    text = Reference().source(single(apply("max", apply("add", X, 1), 3), [1, 2]))
    assert text == (
        "def p_update(t):\n"
        "    v0 = p_x + 1  # int64\n"
        "    v1 = np.maximum(v0, 3)  # int64\n"
        "    np.copyto(p_y, v1)\n"
        "    return None\n"
    )


def test_large_projections_find_the_same_synapses() -> None:
    """Above 4,096 synapses rows are gathered instead of searched; both give ascending synapses."""
    from neuroport.backends.reference.machine import Rows

    numbers = np.random.Generator(np.random.PCG64(2))
    pairs = np.unique(numbers.integers(0, 200, (9000, 2)), axis=0)
    pre, post = pairs.T
    order = np.argsort(post, kind="stable")
    for neuron, permutation in ((pre, None), (post, order)):
        indptr = np.concatenate([[0], np.cumsum(np.bincount(neuron, minlength=200))])
        rows = Rows(neuron, indptr, permutation)
        some = np.array([3, 77, 150])
        assert rows.of(some).tolist() == np.flatnonzero(np.isin(neuron, some)).tolist()


def test_the_text_of_the_rich_network(golden: Any) -> None:
    golden(Reference().source(small.rich()))


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the series 'drive' has a table of shape \(2, 3\); found \(2, 2\)$"):
        start(small.rich()).load_series("drive", np.zeros((2, 2), np.int64))
