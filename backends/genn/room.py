"""How much memory of the host a program takes with GeNN, told before it is there. What a GPU takes is not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from neuroport.backends.expand import expanded
from neuroport.backends.genn.build import NUMPY
from neuroport.backends.genn.emit import emit
from neuroport.backends.genn.model import Variable
from neuroport.backends.genn.split import split
from neuroport.backends.unfold import unfolded
from neuroport.copies.states import own_name
from neuroport.copies.unbatch import unbatch
from neuroport.program.machine import Program
from neuroport.program.room import MIB, Part

GENN = 30.0 * MIB
"""PyGeNN; code is compiled by processes of its own."""
PAIRS = 38.0
"""Of a synapse: its neurons while they are handed over, and its place."""
TARGET = 4.0
"""Of a place for a synapse: its neuron."""
HELD = 3.0
"""How many times the values of synapses are there: as they are given, as PyGeNN has them, and as GeNN has them."""
BACK = 4.0
"""Of a synapse whose model does something at spikes of its target: where the columns are."""
SPREAD = 4.5
"""By so many standard deviations the longest row is longer than the mean one."""
RECORDED = 4.0 * MIB
"""Spikes that GeNN keeps of a population, at most."""


def room(program: Program, synapses: Mapping[str, float]) -> Iterator[Part]:
    """What an executor takes, by object. `synapses`: how many projections will have that have few here."""
    made = program if program.copies == 1 else unbatch(program)
    made = split(unfolded(expanded(made))).program
    model = emit(made)
    yield Part("PyGeNN", GENN, once=True)

    def own(name: str) -> str:
        return name if program.copies == 1 else own_name(name)

    for group in model.neurons:
        each = HELD * _bytes(group.variables)
        yield Part(f"population '{own(group.name)}'", group.size * each + min(RECORDED, 128.0 * group.size))
    for synapse_group in model.synapses:
        p = made.projection(synapse_group.owner)
        many, sources = synapses.get(own(p.name), float(p.synapses)), max(p.source_size, 1)
        mean = many / sources
        places = sources * (mean + SPREAD * mean**0.5)
        values = _bytes(synapse_group.variables)
        size = many * (PAIRS + (HELD - 1) * values) + places * (TARGET + values)
        size += BACK * many if synapse_group.post_code else 0.0
        yield Part(f"the synapses of '{own(p.name)}'", size)


def _bytes(variables: list[Variable]) -> float:
    return float(sum(np.dtype(NUMPY[variable.type]).itemsize for variable in variables))
