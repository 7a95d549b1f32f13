"""Which synapses are twins where as many neurons are at both ends of a projection."""

from __future__ import annotations

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput

UP = np.arange(1.0, 10.0).reshape(3, 3)
"""Weights from a to b."""


def copied(ends: str, twin: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The weights (source, target) of a projection that are those of their twins, which lead from a to b."""
    network = neuroport.loads(f"""
neuroport: 1
name: squares
dt: 1 ms
populations:
  a: &cells {{size: 3, neuron: ekdaa_tanh}}
  b: *cells
  c: *cells
projections:
  up: {{source: a, target: b, input: ff, synapse: graded, connect: all_to_all, weight: {UP.tolist()},
       ranges: &r {{w: [0, 16]}}}}
  tied: {{{ends}, input: err, synapse: tied_feedback, connect: all_to_all, twin: {twin}, ranges: *r}}
protocol: [{{run: 1 step}}]
""")
    with neuroport.open(network, backend="reference") as session:
        session.run_protocol()
        return np.asarray(session.get("tied.w"), np.float64).reshape(3, 3)


@pytest.mark.parametrize(
    ("ends", "twin", "expected"),
    [
        ("source: b, target: a", "up", UP.T),
        ("source: c, target: a", "up", UP.T),
        ("source: b, target: c", "up", UP.T),
        ("source: a, target: b", "up", UP),
        ("source: a, target: c", "up", UP),
        ("source: c, target: b", "up", UP),
        ("source: b, target: a", "{of: up, transposed: false}", UP),
        ("source: c, target: c", "{of: up, transposed: true}", UP.T),
    ],
)
def test_ends_tell_which_way_a_twin_leads(ends: str, twin: str, expected: object) -> None:
    np.testing.assert_array_equal(copied(ends, twin), expected)


def test_ends_that_tell_nothing_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"twin of projection 'tied' may lead either way: 'up' joins as"):
        copied("source: c, target: c", "up")
