"""What a protocol sets parameters to, told before a run as their first values are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from neuroport.chips.chip import Chip
from neuroport.program.constants import evaluate, real
from neuroport.program.held import held
from neuroport.program.ir import Int, Numbers, Read, walk
from neuroport.program.machine import Array, Derived, Program, ReportLine
from neuroport.program.names import written
from neuroport.program.reach import RangeOf
from neuroport.program.whole import NoValue
from neuroport.quantise.formats import TOLD, Notes, percent
from neuroport.quantise.held import Held
from neuroport.quantise.movement import notice_moves

Setting = Mapping[str, float | int]
MOST = 64
"""So many settings of a protocol are looked at."""
SHOWN = 3
"""So many names of what is set together are told."""


@dataclass(frozen=True, eq=False, slots=True)
class Settings:
    """The settings of a protocol in their order, and what they change.

    copies: what some copies, by their numbers, have for themselves.
    program: in real numbers. first: what the chip makes of the first values. derived, constants: how the chip's
    parameters follow from each other, and their real values.
    """

    program: Program
    first: Held
    derived: Sequence[Derived]
    constants: Mapping[str, Numbers]
    settings: Sequence[Setting]
    copies: Mapping[int, Setting] = field(default_factory=dict)

    def notice(self, chip: Chip, range_of: RangeOf, notes: Notes) -> None:
        """Add what is to be told of any of them and not of the first values; of copies what none before told."""
        known = {(line.subject, line.topic, line.text) for line in notes.lines}
        for _, names, lines in self._told(self.settings, chip, range_of):
            for line in lines:
                key = line.subject, line.topic, line.text
                if key not in known:
                    known.add(key)
                    text = f"{line.text}, once the protocol has set {_listed(names)}"
                    notes.lines.append(replace(line, text=text))
        about = {(line.subject, line.topic) for line in notes.lines if line.notice}
        for number, _, lines in self._told([*self.copies.values()], chip, range_of):
            k = [*self.copies][number]
            notes.lines += [
                replace(line, text=f"{line.text}, in copy {k}")
                for line in lines
                if (line.subject, line.topic) not in about
            ]
            about |= {(line.subject, line.topic) for line in lines}
        if len(self.settings) > MOST:
            text = f"of {len(self.settings)} settings of the protocol the first {MOST} were looked at"
            notes.line(self.program.name, "settings", text)

    def _told(
        self, settings: Sequence[Setting], chip: Chip, range_of: RangeOf
    ) -> Iterator[tuple[int, list[str], list[ReportLine]]]:
        """After each setting: its number, what was set, and what is to be told then."""
        for k, names, program, held_ in self._states(settings):
            found = Notes()
            self._lost(names, program, held_, found)
            notice_moves(held_, program, chip, range_of, found)
            yield k, names, [line for line in found.lines if line.notice]

    def _states(self, settings: Sequence[Setting]) -> Iterator[tuple[int, list[str], Program, Held]]:
        """After each setting: its number, what was set, and the arrays then."""
        values = {name: one.initial for name, one in self.program.arrays.items()} | dict(self.constants)
        for k, setting in enumerate(settings[:MOST]):
            changed = {n: self._given(n, v, values[n]) for n, v in setting.items() if n in values}
            with suppress(NoValue):  # the run refuses it
                values = self._following(values | changed, changed)
                if all(np.isfinite(v).all() for v in values.values()):
                    program = replace(self.program, arrays=self._arrays(self.program.arrays, values))
                    on_chip = replace(self.first, real=program.arrays, arrays=self._arrays(self.first.arrays, values))
                    yield k, list(changed), program, on_chip

    def _given(self, name: str, value: float, now: Numbers) -> Numbers:
        designed = self.program.designed.get(name)
        numbers = np.array(np.broadcast_to(value, now.shape), now.dtype)
        return numbers if designed is None else designed.made(numbers)

    def _following(self, values: dict[str, Numbers], changed: Mapping[str, Numbers]) -> dict[str, Numbers]:
        moved = set(changed)
        for derived in (*self.program.derived, *self.derived):
            if moved & {part.array for part in walk(derived.value) if isinstance(part, Read)}:
                values[derived.array] = evaluate(derived.value, values)
                moved.add(derived.array)
        return values

    def _arrays(self, arrays: Mapping[str, Array], values: Mapping[str, Numbers]) -> dict[str, Array]:
        first = {name: one.initial for name, one in self.program.arrays.items()}
        same = {name for name, numbers in first.items() if values.get(name) is numbers}
        return {name: array if name in same else _with(array, values.get(name)) for name, array in arrays.items()}

    def _lost(self, names: Sequence[str], program: Program, on_chip: Held, notes: Notes) -> None:
        """What the format of a parameter leaves of what it is set to."""
        places = {one.name: one.place for one in program.populations}
        places |= {one.name: one.place for one in program.projections}
        for name in names:
            if name not in program.arrays:
                continue
            wanted, array = program.arrays[name].initial, on_chip.arrays[name]
            largest = float(np.abs(wanted).max(initial=0.0))
            error = float(np.abs(real(array.initial, array) - wanted).max(initial=0.0))
            if error > TOLD * largest and isinstance(array.type, Int):
                step = math.ldexp(1, -array.type.frac)
                text = (
                    f"is {largest:g}, held in steps of {step:.3g} and {percent(error / largest)} off; narrow its range"
                )
                place = places.get(program.arrays[name].owner)
                notes.line(name, "lost", text, notice=True, place=place, largest=largest, error=error)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(map(written, names[:SHOWN])) + (f" and {more} more" if more > 0 else "")


def _with(array: Array, values: Numbers | None) -> Array:
    """A parameter with other values; anything else as it is."""
    if values is None or array.role not in ("parameter", "weight") or not isinstance(array.initial, np.ndarray):
        return array
    numbers = np.broadcast_to(values, array.initial.shape)
    made = held(numbers, array)[0].astype(array.initial.dtype) if isinstance(array.type, Int) else numbers
    return replace(array, initial=made)
