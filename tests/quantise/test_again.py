"""Another specimen in the integers of one that was quantised has what quantising it whole gives."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.api import compile as compiling
from neuroport.api.compile import Further, lower, lower_and_plan, specimen
from neuroport.elaborate import again
from neuroport.elaborate.network import elaborate
from neuroport.network.network import Network
from neuroport.program.machine import Array, Program
from neuroport.program.plan import total_steps
from neuroport.quantise.again import requantised


def same(one: Program, other: Program) -> None:
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        for field in fields(Array):
            expected, found = getattr(array, field.name), getattr(other.arrays[name], field.name)
            if field.name == "initial":
                assert expected.dtype == found.dtype
                np.testing.assert_array_equal(found, expected, name)
            else:
                assert found == expected, (name, field.name)
    for bodies in zip(one.bodies(), other.bodies(), strict=True):
        assert bodies[0].body == bodies[1].body
    for what in ("constants", "tables"):
        for name, values in getattr(one, what).items():
            np.testing.assert_array_equal(getattr(other, what)[name], values, name)
    for name, designed in one.designed.items():
        np.testing.assert_array_equal(other.designed[name].circuit, designed.circuit, name)
        np.testing.assert_array_equal(other.designed[name].value, designed.value, name)


def whole_and_again(name: str, chip: str) -> tuple[Program, Program]:
    network = neuroport.load(name)
    like, plan = lower_and_plan(network, *specimen(network, chip, 1))
    other = specimen(network, chip, 2)
    further = Further(network, other[0], like, plan.protocol, total_steps(plan.protocol))
    return lower(network, *other), further.lower(other[1])


@pytest.mark.parametrize("chip", ["generic8_mismatch10", "generic8_mismatch10_steps"])
@pytest.mark.parametrize("name", ["sal_pair", "sal_sampling", "stdp_pair", "gle_lagline", "pal_backward"])
def test_shipped_networks(name: str, chip: str) -> None:
    same(*whole_and_again(name, chip))


def test_nothing_is_elaborated_for_a_specimen(monkeypatch: pytest.MonkeyPatch) -> None:
    network = neuroport.load("sal_sampling")
    like, plan = lower_and_plan(network, *specimen(network, "generic8_mismatch10", 1))
    further = Further(network, specimen(network, "generic8_mismatch10")[0], like, plan.protocol, 1)
    elaborated: list[Network] = []
    whole = again.with_arrays

    def counted(network: Network, *given: Any) -> Any:
        elaborated.append(network)
        return whole(network, *given)

    monkeypatch.setattr(again, "with_arrays", counted)
    monkeypatch.setattr(compiling, "elaborate", counted)
    for seed in range(2, 6):
        further.lower(specimen(network, "generic8_mismatch10", seed)[1])
    assert len(elaborated) == 1


def test_numbers_that_follow_from_circuits_in_bodies_are_quantised_whole() -> None:
    network = neuroport.load("sal_pair")
    chip, one = specimen(network, "generic8_mismatch10", 1)
    like = lower(network, chip, one)
    brought = next(a for a in like.arrays.values() if a.role == "parameter")
    deviating = replace(brought, name="units.$more0", designed=(0.0, 1.0))
    wider = replace(like, arrays=like.arrays | {deviating.name: deviating})
    assert requantised(elaborate(network, chip, one), like) is not None
    assert requantised(elaborate(network, chip, one), wider) is None
