"""What a host says and hears in one exchange with a session: values by name and step, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics.given import TEXT, found, whole
from neuroport.numerics.steps import MOST, steps_of
from neuroport.numerics.units import Quantity

LATENESS_BINS = 24
"""Steps that were done late are counted by how late: bin k from 2**k us on, the last one all that is more."""

AT, HOLD = "at must be a step from 0 to 2**62, a time", "hold must be a number of steps from 1 to 2**62, or a time"
"""What is said of a write whose steps are none."""

Train = tuple[NDArray[np.int64], NDArray[Any]]
Steps = int | str | Quantity
"""A number of steps, or a time."""


@dataclass(frozen=True, eq=False, slots=True)
class Write:
    """Values for what a name stands for: a port, POPULATION.INPUT, or OBJECT.VARIABLE, in real units.

    To an input they are added; a variable has them until something else changes it. `neurons`: whose (None: one value
    for all, or one each). They act in step `at` (None: the coming one; one that has passed: late, in the coming one)
    and again in the `hold` - 1 steps after it. Both may be times: `at` from the start, such as "2 ms".
    """

    name: str
    values: ArrayLike
    neurons: ArrayLike | None = None
    at: Steps | None = None
    hold: Steps = 1


@dataclass(frozen=True, eq=False, slots=True)
class Exchange:
    """What came out of an exchange, before step `step`.

    `outputs`: by name, since they were last taken: of a population its spikes as (steps, neurons), of a recorded
    variable (steps, values (k, size)), of another variable the same with its values after the last step alone. Counts
    are of single numbers and spikes: `late` were to act in a step that had passed, `dropped` are no longer kept,
    `clipped` were put to an end of their range.
    """

    step: int
    outputs: dict[str, Train]
    late: int = 0
    dropped: int = 0
    clipped: int = 0


def writes_of(inputs: Sequence[Write] | Mapping[str, ArrayLike]) -> Sequence[Write]:
    """The inputs of an exchange as a list; InvalidInput for what is none."""
    if type(inputs) in (tuple, list) and not inputs:
        return ()
    if isinstance(inputs, Mapping):
        inputs = [Write(name, values) for name, values in inputs.items()]
    elif not isinstance(inputs, list | tuple) or not all(isinstance(one, Write) for one in inputs):
        text = f"inputs must be a list of Write, or values by name; found {found(inputs)}"
        raise InvalidInput.one(None, text)
    for write in inputs:
        TEXT.checked("the name of a write", write.name)
    return inputs


class Span(NamedTuple):
    """The step that a write names, if it does, the first in which it acts, and the one after its last."""

    at: int | None
    first: int
    end: int


def span(write: Write, step: int, dt: Quantity) -> Span:
    """When a write acts that is given before a step. InvalidInput for what are no steps."""
    if write.at is None and type(write.hold) is int and write.hold == 1:
        return Span(None, step, step + 1)
    at = None if write.at is None else _steps(write.at, dt, "at", 0, f"{AT}, or None")
    hold = _steps(write.hold, dt, "hold", 1, HOLD)
    first = step if at is None else max(at, step)
    return Span(at, first, first + hold)


def _steps(value: Any, dt: Quantity, name: str, least: int, what: str) -> int:
    """A number of steps, or a time, as steps."""
    steps = whole(value)
    if isinstance(value, str | Quantity):
        try:
            steps = steps_of(value, dt)
        except InvalidInput as error:
            raise InvalidInput.one(None, f"{name}: {error}") from None
    if steps is None or not least <= steps <= MOST:
        raise InvalidInput.one(None, f"{what}; found {found(value)}")
    return steps
