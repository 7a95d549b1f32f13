"""Which sums of what arrives need no more than 16 bits: half the memory where they leave the first cache.

Those to which a port adds are left as they are, or the first exchange would have the module compiled anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.emulator.layout import ring_of_sums
from neuroport.program.ir import Int, Send
from neuroport.program.machine import Array, OwnedBody, Program
from neuroport.program.stated import bounds

CACHE = 32 * 1024
"""Bytes of the first cache of a processor: sums that lie in it with 32 bits stay as they are."""


def narrow(program: Program) -> frozenset[str]:
    """The inputs whose sums fit 16 bits whatever synapses send, and are too many for the first cache with 32."""
    return frozenset(a.name for a in _many(program) if _fits(program, a))


def _many(program: Program) -> Iterator[Array]:
    sizes = {p.name: p.size for p in program.populations}
    given = {s.input for s in program.series} | {i.input for i in program.injections}
    given |= {port.target for port in program.ports if port.direction == "inject"}
    for array in program.arrays.values():
        whole = program.integer and program.copies == 1 and isinstance(array.type, Int) and array.reduce == "sum"
        if not (whole and array.role == "input") or array.name in given:
            continue
        if 4 * ring_of_sums(array, sizes[array.owner]) > CACHE:
            yield array


def _fits(program: Program, array: Array) -> bool:
    """Whether all that can reach a neuron in one step, each synapse once for every time it sends, fits 16 bits."""
    low, high = np.minimum(array.initial, 0), np.maximum(array.initial, 0)
    for owned in program.bodies():
        for send in (stmt for stmt in owned.body if isinstance(stmt, Send) and stmt.input == array.name):
            if owned.over == "neuron" or owned.event is not None:
                return False
            least, most = bounds(send.value)
            arriving = _arriving(program, owned, send)
            low, high = low + arriving * min(least, 0), high + arriving * max(most, 0)
    limits = np.iinfo(np.int16)
    return bool(low.min(initial=0) >= limits.min and high.max(initial=0) <= limits.max)


def _arriving(program: Program, owned: OwnedBody, send: Send) -> NDArray[np.int64]:
    """How many synapses add to each neuron."""
    projection = program.projection(owned.owner)
    if send.to == "pre":
        return projection.wiring.outgoing(projection.source_size)
    return projection.wiring.incoming(projection.target_size)
