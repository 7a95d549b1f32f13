"""How much memory writing a trace takes, told before there is one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from neuroport.program.machine import Program
from neuroport.program.plan import Plan, total_steps
from neuroport.program.room import MIB, Part
from neuroport.trace.write import SEGMENT_BYTES, compact

FILES = 13.0 * MIB
"""HDF5, and pieces of large arrays on their way, for all traces together."""
COPIED = 2.0
"""How many times a segment, which has whole samples of weights, is there while it is written,"""
READ = 8.0
"""and bytes of a number of a weight that is read for it."""
SPIKE = 16.0
"""Bytes of a spike."""


def room(program: Program, plan: Plan, synapses: Mapping[str, float]) -> Iterator[Part]:
    """What the trace of a plan takes. `synapses`: how many projections will have that have few here."""
    steps, recorded, least = total_steps(plan.protocol), 0.0, 0.0
    for name in plan.spikes:
        recorded += SPIKE * program.population(name).size * program.copies * steps
    for record in (one for one in program.records if not one.readout):
        array = program.arrays[record.array]
        recorded += record.of(array.initial).size * array.dtype.itemsize * (steps // record.every)
    for name, every in plan.weights:
        array = program.arrays[name]
        row = synapses.get(array.owner, float(array.initial.size)) if array.at == "synapse" else array.initial.size
        each = compact(np.zeros(0, np.int64 if program.integer else np.float64), array).itemsize
        recorded += each * row * (steps // every)
        least = max(least, each * row)
        yield Part(f"a sample of '{name}'", READ * row)
    yield Part("HDF5", FILES, once=True)
    segment = least * math.ceil(SEGMENT_BYTES / least) if least else SEGMENT_BYTES
    yield Part("the trace", COPIED * max(least, min(segment, recorded)))
