"""Runs of one neuron model, its inputs driven by numbers that are given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport.network.model import NeuronModel
from neuroport.numerics.units import Quantity
from tests.oracles.standard_cells import Course
from tests.support.mutated import mutated
from tests.support.published.model import Model, Numbers, Row

Array = NDArray[np.float64]
GRID = "a spike waits for the end of its step"
"""Why an independent program, whose spikes come at any time, fires somewhat more."""


@dataclass(frozen=True)
class Case:
    """A neuron: its parameters, what it starts from, and what arrives, in the units that the model has; t_ref in ms.

    `constant`: input -> what it gets in every step. `pulses`: input -> step -> what arrives in that step.
    """

    params: Mapping[str, float] = field(default_factory=dict)
    init: Mapping[str, float] = field(default_factory=dict)
    constant: Mapping[str, float] = field(default_factory=dict)
    pulses: Mapping[str, Mapping[int, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Driven:
    """The times (ms) of the spikes of a case, at the ends of their steps, and its states (steps,) after each step."""

    spikes: Array
    states: Mapping[str, Array]


def driven(
    name: str,
    cases: Mapping[str, Case],
    chip: str,
    dt: float,
    until: float,
    shown: tuple[str, ...] = ("v",),
    instead: Mapping[str, str] | None = None,
) -> dict[str, Driven]:
    """What a chip makes of each case; dt and until in ms. `instead`: what stands in the model in place of texts."""
    network = written(name, list(cases.values()), dt, instead)
    network.record(spikes="all", states={f"cells.{state}": f"{dt} ms" for state in shown})
    network.protocol({"run": f"{until} ms"})
    with neuroport.open(network, "reference", chip) as session:
        session.run_protocol()
        assert session.overflows() == {}, "the ranges hold all that these cases reach"
        steps, cells = session.spikes("cells")
        states = {state: session.records(f"cells.{state}")[1] for state in shown}
    return {
        case: Driven((steps[cells == k] + 1) * dt, {state: values[:, k] for state, values in states.items()})
        for k, case in enumerate(cases)
    }


def written(name: str, cases: Sequence[Case], dt: float, instead: Mapping[str, str] | None = None) -> neuroport.Network:
    """A population with a neuron for each case, and what arrives."""
    model = neuroport.models[name]
    assert isinstance(model, NeuronModel)
    usual = {one.name: one.default for one in model.parameters} | {one.name: one.init for one in model.states}
    units = {one.name: one.unit for one in (*model.parameters, *model.states, *model.inputs)} | {"t_ref": "ms"}

    def array(given: Sequence[Mapping[str, float]], key: str) -> dict[str, object]:
        value = usual[key]
        assert isinstance(value, Quantity)
        values = [one.get(key, float(value.number)) for one in given]
        return {"array": np.array(values), "unit": units[key]}

    def arrays(given: Sequence[Mapping[str, float]]) -> dict[str, dict[str, object]]:
        return {key: array(given, key) for key in sorted({key for one in given for key in one})}

    network = neuroport.Network(dt=f"{dt} ms", name=name)
    inits = arrays([case.init for case in cases])
    if instead:
        name = network.neuron("mutant", mutated(model, "neurons", instead))
    network.population("cells", len(cases), name, params=arrays([case.params for case in cases]), init=inits)
    for one in model.inputs:
        constant = np.array([[case.constant.get(one.name, 0.0) for case in cases]])
        for stimulus, values, loop in (("constant", constant, True), ("pulses", pulses(one.name, cases), False)):
            if values.any():
                series = {"values": {"array": values, "unit": one.unit}, "every": f"{dt} ms", "loop": loop}
                network.stimulus(f"{stimulus}_{one.name}", "cells", series=series, input=one.name)
    return network


def pulses(target: str, cases: Sequence[Case]) -> Array:
    """What arrives at an input in each step (steps, cases)."""
    given = [case.pulses.get(target, {}) for case in cases]
    found = np.zeros((1 + max((step for one in given for step in one), default=0), len(cases)))
    for k, one in enumerate(given):
        for step, value in one.items():
            found[step, k] = value
    return found


Found = Mapping[str, Driven]


@dataclass(frozen=True)
class Look:
    """A row of the table: what it is, how it is found in what the cases did, and why there are differences."""

    quantity: str
    value: Callable[[Found], float]
    why: str = ""


def at(case: str, name: str, step: int, less: float = 0.0) -> Callable[[Found], float]:
    """A state after that many steps, less a number."""
    return lambda found: float(found[case].states[name][step - 1]) - less


def highest(case: str, name: str, less: float = 0.0) -> Callable[[Found], float]:
    """The largest value of a state, less a number."""
    return lambda found: float(found[case].states[name].max()) - less


def lowest(case: str, name: str, less: float = 0.0) -> Callable[[Found], float]:
    """The smallest value of a state, less a number."""
    return lambda found: float(found[case].states[name].min()) - less


def first(case: str) -> Callable[[Found], float]:
    """The time of the first spike (ms); this and what follows of spikes is NaN where there are too few."""
    return lambda found: _nth(found[case].spikes, 0)


def at_first(case: str, name: str, dt: float) -> Callable[[Found], float]:
    """A state at the end of the step in which the first spike is."""

    def of(found: Found) -> float:
        time = _nth(found[case].spikes, 0)
        return math.nan if math.isnan(time) else float(found[case].states[name][math.ceil(time / dt - 1e-6) - 1])

    return of


def last(case: str) -> Callable[[Found], float]:
    """The time of the last spike (ms)."""
    return lambda found: _nth(found[case].spikes, -1)


def many(case: str) -> Callable[[Found], float]:
    """How many spikes there are."""
    return lambda found: float(len(found[case].spikes))


def rate(case: str) -> Callable[[Found], float]:
    """Hz of the second half of the intervals."""

    def of(found: Found) -> float:
        late = found[case].spikes[len(found[case].spikes) // 2 :]
        return 1000 * (len(late) - 1) / float(late[-1] - late[0]) if len(late) > 1 else math.nan

    return of


def interval(case: str) -> Callable[[Found], float]:
    """The first interval between spikes (ms)."""
    return lambda found: _nth(np.diff(found[case].spikes), 0)


def slowing(case: str) -> Callable[[Found], float]:
    """The last interval between spikes in relation to the first one."""
    return lambda found: _nth(np.diff(found[case].spikes), -1) / _nth(np.diff(found[case].spikes), 0)


def _nth(values: Array, n: int) -> float:
    return float(values[n]) if len(values) else math.nan


def courses(runs: Mapping[str, Course], **states: Callable[[Array], Array]) -> Found:
    """What an independent program finds; a state is made of those of its course (samples, variables)."""
    return {
        name: Driven(run.spikes, {state: made(run.states) for state, made in states.items()})
        for name, run in runs.items()
    }


@dataclass(frozen=True)
class Neuron:
    """A neuron model that draws nothing: the cases that are run, what is looked at, and what a program says of them.

    `dt` and `until` in ms; `shown`: the states that are looked at.
    """

    name: str
    dt: float
    until: float
    shown: tuple[str, ...]
    cases: Mapping[str, Case]
    looks: Sequence[Look]
    independent: Callable[[], Found]

    def numbers(self, chip: str, instead: Mapping[str, str] | None = None) -> Numbers:
        """What the cases do on a chip; of a mutant if something stands instead of texts of the model."""
        return self._looked(driven(self.name, self.cases, chip, self.dt, self.until, self.shown, instead))

    def expected(self) -> Numbers:
        """The same of the independent program."""
        return self._looked(self.independent())

    @property
    def model(self) -> Model:
        """The entry of the table; its source is the one that the model names."""
        return Model(
            name=self.name,
            source=" ".join(neuroport.models[self.name].source.split()),
            rows=tuple(Row(look.quantity, why=look.why) for look in self.looks),
            measure=lambda chip, _: self.numbers(chip),
            independent=lambda _: self.expected(),
        )

    def _looked(self, found: Found) -> Numbers:
        return {look.quantity: look.value(found) for look in self.looks}
