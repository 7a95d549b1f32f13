"""Values of the synapses of a projection that several threads have a part of each, in the order of the synapses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from neuroport.backends.emulator.blocks import inside
from neuroport.program.fingerprint import cut
from neuroport.program.machine import Projection
from neuroport.program.rows import Rows
from neuroport.program.state import Raw


def in_order(
    projection: Projection, dtype: np.dtype[Any], parts: Sequence[tuple[Iterator[Raw], slice]]
) -> Iterator[Raw]:
    """All values, some at a time. `parts`: those of the synapses onto some neurons, likewise, and which neurons."""
    wiring = projection.wiring
    posts = (kept for _, _, kept in wiring.pieces()) if isinstance(wiring, Rows) else cut(wiring.kept)
    taken = [(_Taken(values, dtype), neurons) for values, neurons in parts]
    for some in posts:
        own = [inside(some, neurons) for _, neurons in taken]
        values = [part.take(int(np.count_nonzero(here))) for (part, _), here in zip(taken, own, strict=True)]
        joined = np.empty(len(some), dtype)
        for here, given in zip(own, values, strict=True):
            joined[here] = given
        yield from cut(joined)


class _Taken:
    """Values that come some at a time, taken as many at a time as are wanted."""

    def __init__(self, pieces: Iterator[Raw], dtype: np.dtype[Any]) -> None:
        self._pieces = pieces
        self._left: Raw = np.zeros(0, dtype)

    def take(self, many: int) -> Raw:
        """The next ones."""
        while len(self._left) < many:
            self._left = np.concatenate([self._left, next(self._pieces)])
        taken, self._left = self._left[:many], self._left[many:]
        return taken
