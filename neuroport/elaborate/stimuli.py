"""Stimuli and the lengths of protocol items, in steps and coherent numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neuroport.elaborate.values import Elements, Materialiser
from neuroport.errors import InvalidInput, Problem
from neuroport.network import units
from neuroport.network.model import Input
from neuroport.network.network import Network, shares
from neuroport.network.protocol import Capture, Present, Run, dealt, walk
from neuroport.network.stimuli import Patterns, SpikeList, Stimulus, TimeSeries
from neuroport.network.values import Value
from neuroport.program.ir import Numbers
from neuroport.program.machine import Injection, Series


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
            every_steps = materialiser.steps(every, stimulus.name)
            series = Series(stimulus.name, target, table, every_steps, "time", loop)
            return _started(stimulus, series, batch_size(network), materialiser)
        case Patterns():
            return _patterns(stimulus, network, target, population.size, declared, materialiser)


def batch_size(network: Network) -> int:
    """How many copies of the network run as one program, sharing what they learn; 1 when copies are independent."""
    return network.copies if shares(network) else 1


def main_patterns(patterns: Patterns, network: Network) -> Patterns:
    """The patterns that give hold and order: those that these are shown beside, or themselves."""
    return network.patterns(patterns.beside) if patterns.beside else patterns


def labels_of(patterns: Patterns, materialiser: Materialiser) -> NDArray[np.int64] | None:
    """The label of every pattern."""
    if patterns.labels is None:
        return None
    return np.atleast_1d(materialiser.free(patterns.labels, "", True, patterns.name, "labels")).astype(np.int64)


def _patterns(
    stimulus: Patterns, network: Network, target: str, size: int, declared: Input, materialiser: Materialiser
) -> Series:
    """One row per frame of each pattern."""
    main = main_patterns(stimulus, network)
    assert main.hold is not None
    name, frames = stimulus.name, stimulus.frames
    hold = materialiser.steps(main.hold, main.name)
    table = materialiser.free(stimulus.values, declared.unit, declared.type == "int", name, "values")
    if table.ndim == 0:
        table = np.full((pattern_count(main, network, materialiser), frames * size), table)
    if table.size == 0 or table.size % (frames * size):
        text = f"stimulus '{name}' has {table.size} values; give {frames * size} per pattern, {frames} x {size} neurons"
        materialiser.problems.append(Problem(stimulus.values.place, text))
        table = np.zeros((frames, size), table.dtype)
    table = np.ascontiguousarray(table.reshape(-1, size))
    count = len(table) // frames
    if hold % frames:
        text = f"stimulus '{name}' shows {frames} frames in {hold} steps; a hold must be a multiple of the frames, "
        text += f"such as {-(-hold // frames) * frames} steps"
        materialiser.problems.append(Problem((stimulus if stimulus is main else main).place, text))
        hold = frames
    labels = labels_of(stimulus, materialiser)
    if labels is not None and len(labels) != count:
        text = f"stimulus '{name}' has {len(labels)} labels and {count} patterns; give one label per pattern"
        materialiser.problems.append(Problem(stimulus.labels.place if stimulus.labels else None, text))
    if stimulus is not main:
        others = pattern_count(main, network, materialiser)
        if others != count:
            text = f"stimulus '{name}' has {count} patterns and '{main.name}', beside which they are shown, {others}; "
            materialiser.problems.append(Problem(stimulus.values.place, f"{text}the numbers must be equal"))
    captured = any(isinstance(i, Capture) and name in dict(i.rows) for i in walk(network.protocol))
    return Series(name, target, table, hold, "item", frames=frames, captured=captured)


def pattern_count(patterns: Patterns, network: Network, materialiser: Materialiser) -> int:
    """The number of patterns, from the shape of their values."""
    numbers = int(np.prod(materialiser.shape(patterns.values), dtype=np.int64))
    return max(1, numbers // (patterns.frames * network.population(patterns.population).size))


def _started(stimulus: TimeSeries, series: Series, copies: int, materialiser: Materialiser) -> Series:
    """The series with the row at which each copy begins."""
    if stimulus.start is None:
        return series
    given = materialiser.shape(stimulus.start)
    rows = given[0] if given else copies
    if rows < copies:
        text = f"start of stimulus '{stimulus.name}' has {rows} rows, and the network has {copies} copies that share "
        text += f"what they learn; give at least {copies} rows"
        materialiser.problems.append(Problem(stimulus.start.place, text))
        return series
    elements = Elements(rows, np.arange(rows, dtype=np.uint64))
    numbers = materialiser.array(stimulus.start, "", True, stimulus.name, "start", elements)
    start = np.broadcast_to(numbers, (rows,))[:copies]
    if np.any((start < 0) | (start >= len(series.table))):
        text = f"start of stimulus '{stimulus.name}' has rows outside 0 .. {len(series.table) - 1}; choose rows of it"
        materialiser.problems.append(Problem(stimulus.start.place, text))
        start = np.zeros(copies, np.int64)
    if copies == 1:
        return replace(series, table=np.roll(series.table, -int(start[0]), axis=0))
    return replace(series, start=np.array(start, np.int64))


def run_lengths(network: Network, materialiser: Materialiser) -> Iterable[int]:
    """The steps of every run and present item that the protocol may come to."""
    for item in walk(network.protocol):
        match item:
            case Run(duration=duration):
                yield int(units.steps(duration, network.dt))
            case Present(patterns=name, count=count):
                shown = network.patterns(name)
                assert shown.hold is not None
                if count is None:
                    count = pattern_count(shown, network, materialiser)
                try:
                    holds = dealt(item, count, batch_size(network))
                except InvalidInput as error:
                    materialiser.problems += error.problems
                    holds = 1
                yield int(units.steps(shown.hold, network.dt)) * holds
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
