"""What a host says and hears in one exchange with a session: values by name and step, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics.given import TEXT, found, whole
from neuroport.numerics.steps import MOST

LATENESS_BINS = 24
"""Steps that were done late are counted by how late: bin k from 2**k us on, the last one all that is more."""

Train = tuple[NDArray[np.int64], NDArray[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Write:
    """Values for what a name stands for: a port, POPULATION.INPUT, or OBJECT.VARIABLE, in real units.

    To an input they are added; a variable has them until something else changes it. `neurons`: whose (None: one value
    for all, or one each). They act in step `at` (None: the coming one; one that has passed: late, in the coming one)
    and again in the `hold` - 1 steps after it.
    """

    name: str
    values: ArrayLike
    neurons: ArrayLike | None = None
    at: int | None = None
    hold: int = 1


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


def span(write: Write, step: int) -> tuple[int, int]:
    """The first step in which a write acts, and the one after its last. InvalidInput for what are no steps."""
    if write.at is None and type(write.hold) is int and write.hold == 1:
        return step, step + 1
    at = step if write.at is None else whole(write.at)
    if at is None or not 0 <= at <= MOST:
        raise InvalidInput.one(None, f"at must be a step from 0 to 2**62, or None; found {found(write.at)}")
    hold = whole(write.hold)
    if hold is None or not 1 <= hold <= MOST:
        raise InvalidInput.one(None, f"hold must be a number of steps from 1 to 2**62; found {found(write.hold)}")
    first = max(at, step)
    return first, first + hold
