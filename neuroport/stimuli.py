"""Stimuli and the lengths of protocol items, in steps and coherent numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from neuroport import units
from neuroport.errors import Problem
from neuroport.materialise import Materialiser
from neuroport.model import Input
from neuroport.network import (
    If,
    Item,
    Network,
    Patterns,
    Present,
    Repeat,
    Run,
    SpikeList,
    Stimulus,
    TimeSeries,
)
from neuroport.program import Injection, Numbers, Series
from neuroport.values import Value


def elaborate_stimulus(stimulus: Stimulus, network: Network, materialiser: Materialiser) -> Injection | Series:
    """A stimulus as values added to an input; problems are noted at the materialiser."""
    population = network.population(stimulus.population)
    target = f"{population.name}.{stimulus.input}"
    declared = next(i for i in population.neuron.inputs if i.name == stimulus.input)
    match stimulus:
        case SpikeList():
            return _injection(stimulus, target, population.size, declared, materialiser)
        case TimeSeries(values=values, every=every, loop=loop):
            table = _table(values, declared, stimulus.name, population.size, materialiser)
            return Series(stimulus.name, target, table, materialiser.steps(every, stimulus.name), "time", loop)
        case Patterns(values=values, hold=hold):
            table = _table(values, declared, stimulus.name, population.size, materialiser)
            return Series(stimulus.name, target, table, materialiser.steps(hold, stimulus.name), "item")


def run_lengths(network: Network, items: Sequence[Item], materialiser: Materialiser) -> Iterable[int]:
    """The steps of every run and present item that a protocol may come to."""
    for item in items:
        match item:
            case Repeat(do=do):
                yield from run_lengths(network, do, materialiser)
            case If(then=then, otherwise=otherwise):
                yield from run_lengths(network, (*then, *otherwise), materialiser)
            case Run(duration=duration):
                yield int(units.steps(duration, network.dt))
            case Present(patterns=name, count=count):
                shown = next(s for s in network.stimuli if isinstance(s, Patterns) and s.name == name)
                if count is None:
                    count = (*materialiser.shape(shown.values), 1)[0]
                yield int(units.steps(shown.hold, network.dt)) * count
            case _:
                pass


def _injection(stimulus: SpikeList, target: str, size: int, declared: Input, materialiser: Materialiser) -> Injection:
    steps = materialiser.free(stimulus.times, "step", True, stimulus.name, "times").reshape(-1)
    neurons = materialiser.free(stimulus.neurons, "", True, stimulus.name, "neurons").reshape(-1)
    if len(steps) != len(neurons):
        text = f"stimulus '{stimulus.name}' has {len(steps)} times and {len(neurons)} neurons; give as many"
        materialiser.problems.append(Problem(stimulus.place, text))
        steps = neurons = np.zeros(0, np.int64)
    if len(neurons) and not (neurons.min() >= 0 and neurons.max() < size and steps.min() >= 0):
        text = f"stimulus '{stimulus.name}' has neurons outside 0 .. {size - 1} or negative times"
        materialiser.problems.append(Problem(stimulus.place, text))
    order = np.lexsort((neurons, steps))
    values = np.ones(len(steps), np.int64 if declared.type == "int" else np.float64)
    return Injection(stimulus.name, target, steps[order], neurons[order], values)


def _table(value: Value, declared: Input, owner: str, size: int, materialiser: Materialiser) -> Numbers:
    """Rows of one number per neuron; a list of numbers gives each row one number for all."""
    table = np.atleast_1d(materialiser.free(value, declared.unit, declared.type == "int", owner, "values"))
    if table.ndim == 1:
        table = np.repeat(table[:, None], size, axis=1)
    if table.shape[1] != size:
        text = f"stimulus '{owner}' has rows of {table.shape[1]} values, population has {size} neurons"
        materialiser.problems.append(Problem(value.place, text))
        table = np.zeros((1, size), table.dtype)
    return np.ascontiguousarray(table)
