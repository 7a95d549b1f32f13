"""How much memory of the host a program takes with GeNN, told before it is there. What a GPU takes is not in it.

Most is taken when the last of it is built: GeNN has everything, PyGeNN still has what it was given, and the places of
synapses are looked up, of one projection after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuroport.backends.expand import expanded
from neuroport.backends.genn.build import NUMPY
from neuroport.backends.genn.emit import emit
from neuroport.backends.genn.model import GlobalArray, Model, Synapses, Variable
from neuroport.backends.genn.split import split
from neuroport.backends.unfold import unfolded
from neuroport.copies.states import own_name
from neuroport.copies.unbatch import unbatch
from neuroport.program.machine import Program, Projection
from neuroport.program.room import MIB, Part

GENN = 30.0 * MIB
"""PyGeNN; code is compiled by processes of its own."""
ORDERED = 16.0
"""Of a synapse, for as long as the network is there: its place in PyGeNN's order, and its target there."""
PLACE = 8.0
"""Of a synapse: its place among those of GeNN,"""
LOOKED_UP = 16.0
"""and besides while the places of its projection are looked up."""
TARGET = 4.0
"""Of a place for a synapse: its neuron."""
BACK = 4.0
"""Of a place in columns, where its model does something at spikes of its target: which place of the rows it is."""
ENTRY = 8.0
"""Of a synapse that shares what an entry of a kernel has: which."""
HELD = 2.0
"""How many times values are there: as PyGeNN was given them, and as GeNN has them."""
SPREAD = 4.5
"""By so many standard deviations the longest row is longer than the mean one."""
RECORDED = 4.0 * MIB
"""Spikes that GeNN keeps of a population, at most."""


@dataclass(frozen=True, slots=True)
class _Joined:
    """The synapses of a group: what they are, how many, and how many places GeNN has for them in rows and columns."""

    what: str
    many: float
    rows: float
    columns: float


def room(program: Program, synapses: Mapping[str, float]) -> Iterator[Part]:
    """What an executor takes, by object. `synapses`: how many projections will have that have few here."""
    made = program if program.copies == 1 else unbatch(program)
    made = split(unfolded(expanded(made))).program
    model = emit(made)
    yield Part("PyGeNN", GENN, once=True)

    def own(name: str) -> str:
        return name if program.copies == 1 else own_name(name)

    def joined(p: Projection) -> _Joined:
        owner = own(p.name.partition("~")[0])
        many = synapses.get(owner, float(p.synapses))
        rows, columns = _places(many, p.source_size, p.target_size), _places(many, p.target_size, p.source_size)
        return _Joined(f"the synapses of '{owner}'", many, rows, columns)

    of = {p.name: joined(p) for p in made.projections}
    for group in model.neurons:
        size = HELD * group.size * (_bytes(group.variables) + _bytes(_each(group.arrays)))
        yield Part(f"population '{own(group.name)}'", size + min(RECORDED, 128.0 * group.size))
    for synapse_group in model.synapses:
        yield _synapses(synapse_group, of[synapse_group.owner])
    for update in model.updates:
        if update.over == "synapse":
            here = of[update.owner]
            yield Part(here.what, HELD * here.rows * _bytes(_each(update.arrays)))
    idle = [Part(here.what, here.many * each) for here, each in _idle(made, model, of)]
    yield from idle
    yield from _looked_up([of[group.owner] for group in model.synapses], sum(part.size for part in idle))


def _places(many: float, rows: int, most: int) -> float:
    """How many places there are in rows, each as long as the longest, which cannot be longer than `most`."""
    mean = many / max(rows, 1)
    variance = mean * max(1.0 - mean / max(most, 1), 0.0)
    return rows * (mean + SPREAD * math.sqrt(variance))


def _synapses(group: Synapses, of: _Joined) -> Part:
    """What there is of synapses for as long as the network is there."""
    values, arrays = _bytes(group.variables), _bytes(_each(group.arrays))
    size = of.many * (ORDERED + values + PLACE) + of.rows * (TARGET + values + HELD * arrays)
    return Part(of.what, size + (BACK * of.columns if group.post_code else 0.0))


def _idle(program: Program, model: Model, of: Mapping[str, _Joined]) -> Iterator[tuple[_Joined, float]]:
    """The arrays of synapses that the host alone has, and entries of those that repeat a kernel's: bytes of each."""
    known = {v.name for group in model.synapses for v in group.variables if v.holds == "array"}
    known |= {array.name for group in model.synapses for array in group.arrays if array.kind == "array"}
    for array in (array for array in program.arrays.values() if array.at == "synapse"):
        each = 0.0 if array.name in known else float(array.dtype.itemsize)
        yield of[array.owner], each + (ENTRY if array.mirror else 0.0)


def _looked_up(groups: Sequence[_Joined], after: float) -> Iterator[Part]:
    """What is taken while places are looked up, beyond what comes after it: places of later groups, and idle arrays."""
    most, here = 0.0, None
    for group in reversed(groups):
        if LOOKED_UP * group.many - after > most:
            most, here = LOOKED_UP * group.many - after, group
        after += PLACE * group.many
    if here is not None:
        yield Part(here.what, most)


def _each(arrays: Sequence[GlobalArray]) -> list[GlobalArray]:
    """The arrays of a group that have a number for each of its elements."""
    return [array for array in arrays if array.kind in ("overflow", "late", "array")]


def _bytes(given: Sequence[Variable] | Sequence[GlobalArray]) -> float:
    return float(sum(np.dtype(NUMPY[one.type]).itemsize for one in given))
