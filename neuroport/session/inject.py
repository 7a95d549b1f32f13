"""What a host adds to inputs for the coming step: added up, checked as a whole, and rounded once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.program.executor import Executor
from neuroport.program.held import shown
from neuroport.program.ir import Int, Numbers
from neuroport.program.machine import Array
from neuroport.session.host import Checker, numbers


@dataclass(frozen=True, eq=False)
class _Sum:
    """What was injected into an input for one step, in real units and as the input holds it."""

    step: int
    values: Numbers
    raw: Numbers


class Injections:
    """Adds to the inputs of a machine, and knows what was added for the coming step."""

    def __init__(self, checker: Checker, executor: Executor) -> None:
        self._checker, self._executor = checker, executor
        self._sums: dict[str, _Sum] = {}

    def add(self, array: Array, neurons: Any, values: Any) -> None:
        """Add values to an input of some neurons. InvalidInput, and nothing has changed, for what cannot be added."""
        cells = _cells(array, neurons)
        added = self._checker.typed(array, _spread(array, cells, numbers(array.name, values)))
        before = self._so_far(array, added.dtype)
        total = before.values.astype(object if added.dtype.kind == "i" else np.float64)
        np.add.at(total, cells, added)
        injected = numbers(array.name, total)
        raw = self._checker.raw(array, injected, f"'{array.name}', all that was injected for this step")
        held = self._executor.read(array.name)
        if isinstance(array.type, Int):
            held = held + (raw - before.raw)
        else:
            np.add.at(held, cells, added)
        self._sums[array.name] = _Sum(self._executor.step, injected, raw)
        self._executor.write(array.name, held)

    def replaced(self, array: Array, values: Numbers, raw: Numbers) -> None:
        """Note that an input was set to values, whatever had been added to it."""
        self._sums[array.name] = _Sum(self._executor.step, np.array(values), raw)

    def forget(self, names: set[str]) -> None:
        """Note that these inputs were cleared."""
        self._sums = {name: sum_ for name, sum_ in self._sums.items() if name not in names}

    def _so_far(self, array: Array, dtype: Any) -> _Sum:
        known = self._sums.get(array.name)
        if known is not None and known.step == self._executor.step:
            return known
        return _Sum(self._executor.step, np.zeros(array.initial.shape, dtype), np.zeros_like(array.initial))


def _cells(array: Array, neurons: Any) -> NDArray[np.int64]:
    """The numbers of neurons that there are."""
    size = len(array.initial)
    cells = np.atleast_1d(numbers(array.name, neurons))
    if np.asarray(neurons).dtype.kind == "b":
        found = "truth values"
    elif cells.ndim > 1:
        found = f"an array of the shape {cells.shape}"
    else:
        odd = (cells != np.floor(cells)) | (cells < 0) | (cells >= size) if cells.size else np.zeros(0, bool)
        if not odd.any():
            return cells.astype(np.int64)
        found = shown(cells[odd][0])
    text = f"'{array.owner}' has the neurons 0 to {size - 1}; found {found}; give their numbers"
    raise InvalidInput.one(None, text)


def _spread(array: Array, cells: NDArray[np.int64], values: Numbers) -> Numbers:
    """One value for each neuron (and copy)."""
    shape = (*cells.shape, *array.initial.shape[1:])
    spread = values[..., None] if len(shape) == 2 and values.ndim == 1 else values
    try:
        if values.shape == (1,) != cells.shape:
            raise ValueError
        return np.broadcast_to(spread, shape)
    except ValueError:
        text = f"'{array.name}': {len(cells)} neurons were given values of the shape {values.shape}; give as many"
        raise InvalidInput.one(None, text) from None
