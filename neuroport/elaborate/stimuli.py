"""Stimuli and the lengths of protocol items, in steps and coherent numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

import neuroport.stimuli as stimuli
from neuroport.elaborate.values import Materialiser
from neuroport.errors import InvalidInput, Problem
from neuroport.network.network import Network, shares
from neuroport.network.protocol import Present, Run, dealt, walk
from neuroport.network.stimuli import Stimulus
from neuroport.numerics import units
from neuroport.numerics.steps import MOST
from neuroport.program.machine import Injection, Series
from neuroport.stimuli.patterns import pattern_count


def elaborate_stimulus(stimulus: Stimulus, network: Network, materialiser: Materialiser) -> Injection | Series:
    """A stimulus as values added to an input; problems are noted at the materialiser."""
    population = network.population(stimulus.population)
    declared = next(i for i in population.neuron.inputs if i.name == stimulus.input)
    cells = stimulus.cells(population.size)
    onto = stimuli.Onto(f"{population.name}.{stimulus.input}", cells, declared, batch_size(network))
    made: Injection | Series = stimuli.ALL[stimuli.key(stimulus)].elaborate(stimulus, onto, materialiser)
    return made if stimulus.part is None else _onto_part(made, stimulus.part.neurons, population.size)


def _onto_part(made: Injection | Series, neurons: NDArray[np.int64], size: int) -> Injection | Series:
    """What leads to the neurons of a part, from 0, as it leads to those of their population; others get nothing."""
    if isinstance(made, Injection):
        return replace(made, neurons=neurons[made.neurons])
    table = np.zeros((len(made.table), size), made.table.dtype)
    table[:, neurons] = made.table
    return replace(made, table=table, neurons=neurons)


def batch_size(network: Network) -> int:
    """How many copies of the network run as one program, sharing what they learn; 1 when copies are independent."""
    return network.copies if shares(network) else 1


def run_lengths(network: Network, materialiser: Materialiser) -> Iterable[int]:
    """The steps of every run and present item that the protocol may come to."""
    for item in walk(network.protocol):
        match item:
            case Run(duration=duration):
                yield _numbered(int(units.steps(duration, network.dt)), item, materialiser)
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
                yield _numbered(int(units.steps(shown.hold, network.dt)) * holds, item, materialiser)
            case _:
                pass


def _numbered(steps: int, item: Run | Present, materialiser: Materialiser) -> int:
    """The steps of an item, if there are so many numbers; a problem is noted if there are not."""
    if steps <= MOST:
        return steps
    text = f"this item takes {Decimal(steps):.3g} steps, and steps are numbered to 2^62; make it shorter"
    materialiser.problems.append(Problem(item.place, text))
    return 1
