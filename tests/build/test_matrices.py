"""Matrices say which neurons are connected, and are the same network as pairs and values that are listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput

sparse = pytest.importorskip("scipy.sparse", reason="sparse matrices need SciPy")

DENSE = np.array([[0, 0.5, 0, 1], [0, 0, 0, 0], [2, 0, 0.25, 0]])
PAIRS, VALUES = [[0, 1], [0, 3], [2, 0], [2, 2]], [0.5, 1.0, 2.0, 0.25]
FORMS = ("coo", "csr", "csc", "lil", "dok", "bsr")


def begun() -> neuroport.Network:
    net = neuroport.Network("1 ms")
    net.population("a", 3, "lif")
    net.population("b", 4, "lif")
    return net


def projected(**arguments: Any) -> neuroport.Network:
    net = begun()
    net.project("a", "b", "static", input="jump", **arguments)
    return net


LISTED = projected(connect={"pairs": PAIRS}, weight=VALUES).build()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_a_sparse_matrix_is_its_pairs_and_values(form: str, kind: str) -> None:
    given = getattr(sparse, f"{form}_{kind}")(DENSE)
    assert projected(weight=given).build() == LISTED
    assert projected(weight=given, connect=given).build() == LISTED
    assert projected(weight={"array": given}).build() == LISTED
    assert projected(weight=VALUES, connect=given).build() == LISTED


def test_pairs_are_listed_in_several_ways() -> None:
    assert projected(connect=PAIRS, weight=VALUES).build() == LISTED
    assert projected(connect=np.array(PAIRS, np.int32), weight=np.array(VALUES)).build() == LISTED
    assert projected(connect=DENSE != 0, weight=VALUES).build() == LISTED
    assert neuroport.loads(projected(connect=DENSE != 0, weight=VALUES).to_yaml()) == LISTED


def test_stored_zeros_are_synapses() -> None:
    given = sparse.coo_array(([1.0, 0.0], ([0, 1], [0, 1])), shape=(3, 4))
    made = projected(weight=given).build().projections[0]
    assert made.weight.values.array.tolist() == [1.0, 0.0]  # type: ignore[union-attr]


def test_a_matrix_without_values_is_a_projection_without_synapses() -> None:
    net = projected(weight=sparse.csr_array((3, 4)))
    assert neuroport.loads(net.to_yaml()) == net.build()
    assert neuroport.compile(net).projections[0].synapses == 0


def test_all_values_of_a_projection_may_be_sparse() -> None:
    given = sparse.csr_array(DENSE)
    delays = given.astype(bool).astype(np.int64) * 3
    made = projected(weight=given, dendritic_delay={"array": delays, "unit": "steps"}).build().projections[0]
    assert made.dendritic.values.array.tolist() == [3, 3, 3, 3]  # type: ignore[union-attr]


def test_a_matrix_of_all_values_needs_a_rule() -> None:
    made = projected(connect=sparse.csr_array(DENSE), weight=DENSE)
    assert neuroport.run(made, "reference", duration=1).digest == (
        neuroport.run(LISTED, "reference", duration=1).digest
    )


WEIGHT, CONNECT = "project('a', 'b', weight=…)", "project('a', 'b', connect=…)"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"weight": sparse.csr_array(DENSE), "connect": "all_to_all"},
            f"{CONNECT}: the matrix of {WEIGHT} says which neurons are connected; leave connect out, or give the "
            "matrix with all of its values, by its toarray()",
        ),
        (
            {"weight": sparse.csr_array(DENSE.T)},
            f"{WEIGHT}: the matrix has the shape (4, 3); it must be (3, 4), one row per source neuron",
        ),
        (
            {"connect": DENSE.T != 0},
            f"{CONNECT}: the matrix has the shape (4, 3); it must be (3, 4), one row per source neuron",
        ),
        (
            {"weight": sparse.csr_array(DENSE), "connect": sparse.eye_array(3, 4)},
            f"{CONNECT}: the matrix has values at other places than that of {WEIGHT}; both say which neurons are "
            "connected, and must say the same; store zeros for the rest",
        ),
        (
            {"weight": sparse.coo_array(([1.0, 2.0], ([2, 2], [1, 1])), shape=(3, 4))},
            f"{WEIGHT}: the matrix has several values at [2, 1]; add them up by its sum_duplicates(), or give the "
            "pairs one by one",
        ),
        (
            {"weight": sparse.csr_array(DENSE * 1j)},
            f"{WEIGHT}: an array of complex128 is not allowed here; give float64 or int64",
        ),
        (
            {"weight": sparse.csr_array(DENSE * np.nan)},
            f"{WEIGHT}: weight of projection 'a_b' has values that are not finite; every value must be a number",
        ),
        (
            {"connect": DENSE},
            f"{CONNECT}: pairs of projection 'a_b' has the shape (3, 4); it must be (n, 2), rows of source and target",
        ),
        (
            {"connect": [[0, 1], [1, 9]]},
            f"{CONNECT}: pairs of projection 'a_b': [1, 9] at 1 is outside of population 'b', whose neurons are 0 to 3",
        ),
        (
            {"weight": DENSE},
            "project('a', 'b', …): projection 'a_b' lacks 'connect'; add it",
        ),
    ],
)
def test_a_matrix_that_does_not_fit_says_why(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        projected(**arguments).build()
    assert str(error.value) == text


def test_a_matrix_is_of_neurons_that_are_there() -> None:
    given = sparse.csr_array(DENSE)
    with pytest.raises(InvalidInput) as error:
        begun().project("a", "c", "static", weight=given)
    said = "a matrix needs populations that are there already, with their sizes; add them before"
    assert str(error.value) == f"project('a', 'c', weight=…): {said}"
    with pytest.raises(InvalidInput) as error:
        begun().population("c", 3, "lif", init={"v": given})
    said = "a sparse matrix says which neurons are connected, and can be given to project() only"
    assert str(error.value) == f"population('c', init['v']=…): {said}"
