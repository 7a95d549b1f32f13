"""How long a session may run: as far as its counters go, and as long as there is room for what it keeps."""

from __future__ import annotations

from neuroport.errors import InvalidInput
from neuroport.numerics.steps import MOST, steps_of
from neuroport.numerics.units import Quantity
from neuroport.program.ir import Int
from neuroport.program.machine import Program
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.room import Part
from neuroport.program.room import require as require_room

ALWAYS_THERE = 2**24
"""Bytes for which nobody asks whether there is room."""
HELD = 2
"""How many times there is room for what is kept for a while, before what is older is let go of."""


class Horizon:
    """How long a session of a program may run that keeps what is recorded for `keep` steps (None: for ever)."""

    def __init__(self, program: Program, dt: Quantity, keep: int | None) -> None:
        self._dt, self._keep = dt, keep
        counter = program.arrays.get(STEP) or program.arrays.get(ITEM_STEP)
        kind = None if counter is None or not program.integer else counter.type
        self.last = kind.hi if isinstance(kind, Int) else MOST
        kept = [r for r in program.records if not r.readout]
        self._kept = {r.array: (r.every, 8.0 * r.of(program.arrays[r.array].initial).size) for r in kept}
        self._row = sum(size for _, size in self._kept.values())

    def steps(self, duration: int | str | Quantity, now: int) -> int:
        """How many steps a number of steps or a time is; InvalidInput where it is too long for one at step `now`."""
        steps = steps_of(duration, self._dt)
        if not 0 <= steps <= MOST - now:
            many = steps if steps < 0 else "so many"
            raise InvalidInput.one(None, f"a run cannot last {many} steps; give a number of steps from 0 to 2**62")
        if now + steps > self.last:
            text = (
                f"step {now + steps} is beyond {self.last}, for which the program's step counters are made; "
                f"a longer protocol in the network file makes them longer"
            )
            raise InvalidInput.one(None, text)
        self.foresee(steps)
        return steps

    def foresee(self, steps: int) -> None:
        """Refuse to run so long that what is recorded and stays does not fit into memory."""
        rows = steps if self._keep is None else min(steps, HELD * self._keep)
        if rows * self._row <= ALWAYS_THERE:
            return
        parts = [
            Part(f"what is recorded of '{name}'", rows // every * size) for name, (every, size) in self._kept.items()
        ]
        require_room(f"a run of {steps:,} steps that keeps what is recorded", parts)
