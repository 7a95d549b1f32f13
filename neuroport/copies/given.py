"""Parameters of which each copy has its own: a program for one copy, and a batch with an axis of copies for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuroport.errors import InvalidInput, Problem, RunFailed
from neuroport.program.machine import Array, Designed, Program
from neuroport.program.switchboard import Change, Switchboard, stacked
from neuroport.program.verify import verified


@verified
def of_copy(program: Program, k: int) -> Program:
    """What copy k of independent ones computes: the same program, but for the values of its own parameters.

    A batch is what all of its copies compute.
    """
    if not program.per_copy or program.copies > 1:
        return program
    own = {name: values[k : k + 1] for name, values in program.per_copy.items()}
    return replace(_given(program, Switchboard(program).checked(_values(program, k))), per_copy=own)


@verified
def with_own_parameters(program: Program) -> Program:
    """A batch in which each copy has its own parameters, and all that follows from them; any other as it is.

    InvalidInput with all copies for which no number follows.
    """
    if not program.per_copy:
        return program
    changes, problems = [], []
    board = Switchboard(program)
    for k in range(min(map(len, program.per_copy.values()))):
        try:
            changes.append(board.checked(_values(program, k)))
        except RunFailed as error:
            problems.append(Problem(None, f"copy {k}: {error}"))
    if problems:
        raise InvalidInput(problems)
    return program if program.copies == 1 else _given(program, stacked(program, changes))


def outermost(program: Program) -> dict[int, dict[str, float | int]]:
    """What those copies have for themselves, by number, that have the smallest and the largest value of a parameter."""
    sizes = [np.abs(values) for values in program.per_copy.values()]
    numbers = sorted({int(k) for values in sizes for k in (values.argmin(), values.argmax())})
    return {k: _values(program, k) for k in numbers}


def _values(program: Program, k: int) -> dict[str, float | int]:
    """What copy k has for itself."""
    return {name: values[k].item() for name, values in program.per_copy.items()}


def _given(program: Program, change: Change) -> Program:
    """The program with other values of parameters."""

    def array(one: Array) -> Array:
        if one.name not in change.raws:
            return one
        return replace(one, initial=np.asarray(change.raws[one.name][0], one.initial.dtype))

    def designed(name: str, one: Designed) -> Designed:
        return replace(one, value=change.designed.get(name, one.value))

    return replace(
        program,
        arrays={name: array(one) for name, one in program.arrays.items()},
        constants={name: change.values.get(name, value) for name, value in program.constants.items()},
        designed={name: designed(name, one) for name, one in program.designed.items()},
    )
