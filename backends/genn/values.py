"""Arrays of a program in and out of GeNN, raw, as `neuroport.program.executor` has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn.emit import writable
from neuroport.backends.genn.homes import Homes
from neuroport.backends.genn.rings import Rings
from neuroport.backends.genn.split import Split
from neuroport.copies.axis import sum_over_copies
from neuroport.errors import InvalidInput
from neuroport.program.fingerprint import cut
from neuroport.program.machine import Array
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.past import back
from neuroport.program.state import Raw, raw
from neuroport.program.stated import checked

Indices = NDArray[np.int64]


@dataclass(slots=True)
class Clock:
    """The step that comes next, and the first one of the protocol item."""

    step: int = 0
    item_start: int = 0

    @property
    def item_step(self) -> int:
        """Steps since the item began."""
        return self.step - self.item_start


class Values:
    """What arrays are, and were, between two steps; also inputs, which get what the host writes besides what is sent.

    written: inputs that the host wrote to for the coming step. replaced: series whose tables it replaced.
    """

    def __init__(self, split: Split, homes: Homes, rings: Rings, clock: Clock) -> None:
        self._split, self._homes, self._rings, self._clock = split, homes, rings, clock
        program = self._program = split.program
        self._copies = program.copies
        self.changing = writable(program)
        self._scalars = {a.name: a.initial.copy() for a in program.arrays.values() if a.at == "scalar"}
        self.written: set[str] = set()
        self.replaced: set[str] = set()

    # ------------------------------------------------------------------------------------------------------- reading

    def read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """A copy of an array; of an input, what has been sent to it for the coming step."""
        return sum_over_copies(self._read(array)) if array in self._split.summed else self._read(array)

    def _read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """The same with what each copy contributes to a sum."""
        declared = self._program.arrays[array]
        dtype = declared.dtype
        if array == STEP:
            return np.array(self._clock.step, np.int64)
        if array == ITEM_STEP:
            return np.array(self._clock.item_step, np.int64)
        if declared.at == "scalar":
            return np.array(self._scalars[array], dtype)
        if declared.role == "input":
            return np.array(self._by_element(self._homes.by_hand[array].view) + self._pending(array), dtype)
        values, at = self._held(array)
        return np.array(values if at is None else values[at], dtype)

    def pieces(self, array: str) -> Iterator[Raw]:
        """What `read` gives of anything but inputs, some rows after the other."""
        declared = self._program.arrays[array]
        if declared.at == "scalar" or array in self._split.summed:
            return cut(self.read(array))
        values, at = self._held(array)
        rows = cut(values) if at is None else (values[some] for some in cut(at))
        return (row.astype(declared.dtype) for row in rows)

    def _held(self, array: str) -> tuple[NDArray[Any], Indices | None]:
        """Where the values of an array are on the host, as the device has them, and in which places of it."""
        homes = self._homes
        if array in homes.idle:
            return homes.idle[array], None
        each = self._program.arrays[array].own
        if array in homes.open:
            held, where = homes.open[array]
            held.pull_from_device()
            return (self._by_element(held.view) if each else held.view), where
        variable, at = homes.variables[array]
        variable.pull_from_device()
        flat = (variable.current_view if at is None else variable._view).ravel()
        return (self._by_element(flat) if each else flat), at

    def _by_element(self, flat: NDArray[Any]) -> NDArray[Any]:
        """What GeNN has of copies, one behind the other, as a program has it: a view (elements, copies)."""
        return flat.ravel() if self._copies == 1 else flat.reshape(self._copies, -1).T

    def _pending(self, array: str) -> NDArray[np.float64]:
        """What delayed sends will add to an input in the coming step."""
        total: NDArray[Any] = np.zeros(self._program.arrays[array].initial.shape)
        for synapses in self._homes.delayed.get(array, ()):
            total = total + self._rings.sent(synapses)[0]
        return total

    # ------------------------------------------------------------------------------------------------------- writing

    def write(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array's values (same shape); of an input, what has been sent to it for the coming step."""
        declared = self._program.arrays[array]
        if array in self._split.summed:
            whole = np.zeros(declared.initial.shape, declared.dtype)
            whole[..., 0] = values
            values = whole
        values = checked(self._program, declared, np.asarray(values))
        if declared.at == "scalar":
            if array not in self.changing:
                raise compiled(declared)
            self._scalars[array] = values.copy()
            self._homes.set("scalar", array, values if values.ndim else values.item())
        elif declared.role == "input":
            self.give(array, values - self._pending(array))
        elif array in self._homes.idle:
            self._write_idle(array, values)
        for equal in self._split.twice.get(array, ()):
            self.write(equal, values)
        self.renew(array, values)
        if array in self._homes.open:
            self._write_open(array, values)
        if array in self._homes.variables:
            self._write_variable(declared, values)

    def give(self, name: str, values: Raw) -> None:
        """Let an input get values in the coming step, besides what is sent to it."""
        held = self._homes.by_hand[name]
        self._by_element(held.view)[:] = values
        held.push_to_device()
        if values.any():
            self.written.add(name)
            self._homes.set("late", self._program.arrays[name].owner, 1)

    def forget_writing(self) -> None:
        """A step has taken what was written to inputs."""
        for array in self.written:
            self._homes.by_hand[array].view[:] = 0
            self._homes.set("late", self._program.arrays[array].owner, 0)
        self.written.clear()

    def renew(self, array: str, values: NDArray[Any]) -> None:
        """Give synapses what the entries of their kernel have."""
        for mirror, entry in self._homes.mirrors.get(array, ()):
            self.write(mirror, values[entry])

    def restart(self, array: Array) -> None:
        """Give a state or an input of neurons, and what it was, its initial values; nothing is on its way to it."""
        name, homes = array.name, self._homes
        if array.role == "input":
            self.give(name, np.zeros_like(array.initial))
            for synapses in homes.delayed.get(name, ()):
                self._rings.send(synapses, np.zeros((0, *array.initial.shape)))
        elif array.at == "scalar":
            self.write(name, array.initial)
        if name in homes.open:
            self._write_open(name, array.initial)
        if name in homes.past:
            each = self._copies > array.initial.ndim == 1
            self._ring(name)[:] = array.initial[:, None] if each else array.initial
            homes.past[name].push_to_device()
        if name in homes.variables:
            variable, _ = homes.variables[name]
            variable.view[...] = _in_view(variable, array.initial)
            variable.push_to_device()

    def _write_variable(self, declared: Array, values: NDArray[Any]) -> None:
        variable, at = self._homes.variables[declared.name]
        variable.pull_from_device()
        if at is not None:
            flat = variable._view.ravel()
            (self._by_element(flat) if declared.own else flat)[at] = values
        elif declared.role == "parameter":
            variable.view[...] = _in_view(variable, values)
        else:
            variable.current_view[...] = values.T
        variable.push_to_device()

    def _write_open(self, array: str, values: NDArray[Any]) -> None:
        """Replace an array that events of other objects need."""
        held, where = self._homes.open[array]
        (self._by_element(held.view) if self._program.arrays[array].own else held.view)[where] = values
        held.push_to_device()

    def _write_idle(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array that GeNN has as one number for all synapses, or not at all."""
        if ("uniform", array) in self._homes.settings:
            self.alike(array, values)
            self._homes.set("uniform", array, values.flat[0].item())
        self._homes.idle[array][...] = values

    def alike(self, array: str, values: NDArray[Any]) -> None:
        """InvalidInput for several values where GeNN has one number for all synapses."""
        if ("uniform", array) in self._homes.settings and not np.all(values == values.flat[0]):
            raise InvalidInput.one(
                None,
                f"{array}: all of these were equal when the network was compiled, and GeNN has one number for "
                f"them; give them one value again, or different ones in the network file",
            )

    # ---------------------------------------------------------------------------------------------------- past steps

    def before(self, name: str, rows: int) -> NDArray[Any]:
        """What an array of neurons was before the last step, (rows, neurons), the latest first."""
        if name not in self._homes.past:
            return self._rings.past(self._homes.variables[name][0], rows)
        self._homes.past[name].pull_from_device()
        ring = self._ring(name)
        kept: NDArray[Any] = ring[back(ring, self._clock.step - 2, rows)]
        return kept if self._copies == 1 or self._program.arrays[name].own else kept[..., 0]

    def remember(self, name: str, rows: Raw) -> None:
        """Let it have been that."""
        if name in self._homes.variables:
            self._rings.remember(self._homes.variables[name][0], rows)
        if name in self._homes.past:
            ring = self._ring(name)
            ring[back(ring, self._clock.step - 2, len(rows))] = rows if rows.ndim == ring.ndim else rows[..., None]
            self._homes.past[name].push_to_device()

    def _ring(self, name: str) -> NDArray[Any]:
        """What events see of earlier steps, row S modulo their number after step S."""
        history = self._program.arrays[name].history
        kept: NDArray[Any] = self._homes.past[name].view.reshape(self._copies, history, -1)
        return np.moveaxis(kept, 0, -1) if self._copies > 1 else kept[0]

    def written_by_hand(self) -> dict[str, Raw]:
        """What inputs get in the coming step besides what is sent to them, (1, neurons)."""
        return {name: raw(self._by_element(held.view)[None]) for name, held in self._homes.by_hand.items()}

    # -------------------------------------------------------------------------------------------------------- series

    def load_series(self, series: str, table: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace the table of a series (same shape, raw numbers)."""
        known = next(s.table for s in self._program.series if s.name == series)
        if np.shape(table) != known.shape:
            raise InvalidInput.one(
                None, f"{series}: the new table has shape {np.shape(table)}; the series has {known.shape}"
            )
        held = self._homes.tables[series]
        held.view[:] = table.ravel()
        held.push_to_device()
        self.replaced.add(series)


def compiled(array: Array) -> InvalidInput:
    """The refusal to write what is part of the code."""
    text = f"{array.name}: this parameter is part of the compiled code; declare it `dynamic: true`"
    return InvalidInput.one(array.place, text)


def _in_view(variable: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Values of neurons in the shape of a variable: of copies, and of steps."""
    if values.ndim == 1:
        return values
    return values.T if variable.view.ndim == 2 else values.T[:, None]
