"""What is legal in a program: every pass takes a legal program and makes a legal one, every executor may rely on it.

    objects       arrays, populations, projections, readouts, records, stimuli, tables, derived parameters
    bodies        statements: where what may stand, names, owners, lags, copies
    expressions   types, and bounds that a machine word holds

Under NEUROPORT_CHECK=1 every pass verifies what it makes, and every backend what it is given.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import ParamSpec

from neuroport.errors import InternalError, Problem
from neuroport.program.machine import Program
from neuroport.program.verify import bodies, objects

_Given = ParamSpec("_Given")


def verify(program: Program) -> tuple[Problem, ...]:
    """Everything that makes a program illegal, with the statement in which it stands; nothing for a legal one.

    What bodies refer to is looked at only once all objects are as they should be.
    """
    found = tuple(objects.problems(program)) or tuple(bodies.problems(program))
    return tuple(Problem(None, text) for text in dict.fromkeys(found))


def require(program: Program, what: str) -> None:
    """InternalError with everything that makes a program illegal; `what` says what it is."""
    found = verify(program)
    if found:
        raise InternalError("\n".join((f"{what} is not legal", *map(str, found))))


def switched_on() -> bool:
    """Whether passes and backends verify programs: the environment variable NEUROPORT_CHECK is 1."""
    return os.environ.get("NEUROPORT_CHECK") == "1"


def given(program: Program, backend: str) -> None:
    """What a backend does first with a program that it is to open: verify it, where that is switched on."""
    if switched_on():
        require(program, f"the program '{program.name}' given to backend '{backend}'")


def made(program: Program, by: str) -> Program:
    """The program that a pass made, verified where that is switched on."""
    if switched_on():
        require(program, f"the program '{program.name}' that {by} made")
    return program


def verified(make: Callable[_Given, Program]) -> Callable[_Given, Program]:
    """A pass: the program that it makes is verified where that is switched on."""

    @functools.wraps(make)
    def verifying(*args: _Given.args, **kwargs: _Given.kwargs) -> Program:
        return made(make(*args, **kwargs), make.__name__)

    return verifying
