"""Parameters of which each copy has its own: a program for one copy, and a batch with an axis of copies for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuroport.errors import InvalidInput, RunFailed
from neuroport.program.machine import Array, Designed, Program
from neuroport.program.switchboard import Change, Switchboard, stacked
from neuroport.program.verify import verified


@verified
def of_copy(program: Program, k: int) -> Program:
    """What copy k of independent ones computes: the same program, but for the values of its own parameters.

    A batch is what all of its copies compute. InvalidInput where what follows from them is no number.
    """
    if not program.per_copy or program.copies > 1:
        return program
    own = {name: values[k : k + 1] for name, values in program.per_copy.items()}
    return replace(_given(program, _change(program, k)), per_copy=own)


@verified
def with_own_parameters(program: Program) -> Program:
    """A batch in which each copy has its own parameters, and all that follows from them; any other as it is."""
    if not program.per_copy or program.copies == 1:
        return program
    return _given(program, stacked(program, [_change(program, k) for k in range(program.copies)]))


def _change(program: Program, k: int) -> Change:
    """What copy k's parameters come to."""
    try:
        return Switchboard(program).checked({name: values[k] for name, values in program.per_copy.items()})
    except RunFailed as error:
        raise InvalidInput.one(None, f"copy {k}: {error}") from None


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
