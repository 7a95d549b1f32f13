"""Which real programs have the same bits on a GPU: there, what synapses send is added up in no order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn.bounds import sends
from neuroport.backends.genn.flags import strict
from neuroport.program.ir import Real
from neuroport.program.machine import Program

ANY_ORDER = 2
"""So many numbers have the same sum in any order."""
SHOWN = 3


def unordered(program: Program) -> tuple[str, ...]:
    """The real inputs to which more values may be sent in one step, to one neuron, than have one sum in any order."""
    most: dict[str, NDArray[np.int64]] = {}
    for projection, send in sends(program):
        to_post = send.to == "post"
        ends = projection.post if to_post else projection.pre
        size = projection.target_size if to_post else projection.source_size
        if isinstance(program.arrays[send.input].type, Real):
            most[send.input] = most.get(send.input, np.zeros(size, np.int64)) + np.bincount(ends, minlength=size)
    return tuple(name for name, counts in most.items() if counts.max(initial=0) > ANY_ORDER)


def not_promised(program: Program, device: str) -> str | None:
    """A sentence saying which bits of a program a GPU does not promise, or None: of integers it promises all."""
    if program.integer:
        return None
    if not strict(program):
        return (
            f"on {device} float32 is compiled with fast mathematics: products and sums are contracted, divisions and "
            f"functions are approximate, and what synapses send is added up in no order; no bits are promised"
        )
    names = unordered(program)
    if not names:
        return None
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (
        f"on {device} what synapses send is added up in no order: the last bits of "
        f"{', '.join(names[:SHOWN])}{more}, and what follows from them, are not promised, from run to run neither"
    )
