"""One neuron as a real Loihi chip computed it: networks/loihi_chip.csv, recorded by others."""

from __future__ import annotations

import numpy as np
import pytest

import neuroport
from neuroport import networks
from neuroport.program.executor import Backend
from neuroport.session.session import open_session
from tests.support.planning import shortened

RECORDED = np.loadtxt(networks.path("loihi_chip").with_suffix(".csv"), delimiter=",", skiprows=4, dtype=np.int64)
STEPS, INPUT, V, SPIKED = RECORDED.T
MARKED = 128
"""What was read as v in the step of a spike, in which the neuron's own v is 0."""


def computed(backend: Backend) -> tuple[np.ndarray, np.ndarray]:
    """v after each step, and the steps of the spikes."""
    program, plan = shortened(neuroport.load("loihi_chip"), steps=1000)
    with open_session(program, plan, backend) as session:
        session.run_protocol()
        assert session.spikes("in")[0].tolist() == np.flatnonzero(INPUT).tolist()
        return session.records("cell.v")[1][:, 0], session.spikes("cell")[0]


def test_spikes_and_all_other_samples_are_those_of_the_chip(backend: Backend) -> None:
    v, spikes = computed(backend)
    assert spikes.tolist() == np.flatnonzero(SPIKED).tolist() == [461, 511, 711, 761]
    different = np.flatnonzero(v != V)
    assert (len(V), different.tolist()) == (1000, spikes.tolist())
    assert v[different].tolist() == [0] * 4 and V[different].tolist() == [MARKED] * 4


@pytest.mark.parametrize(("set_", "equal"), [("cell.dv=164", 340), ("synapse.weight=9", 193), ("cell.vth=26", 624)])
def test_another_neuron_is_not_that_of_the_chip(set_: str, equal: int) -> None:
    """The 996 are no matter of course."""
    with neuroport.open(neuroport.load("loihi_chip", [set_]), "reference") as session:
        session.run_protocol()
        assert int((session.records("cell.v")[1][:, 0] == V).sum()) == equal
