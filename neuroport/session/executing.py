"""What executes the program of a session."""

from __future__ import annotations

from neuroport.errors import InvalidInput, Unsupported
from neuroport.numerics.given import checked_seed
from neuroport.program.executor import Backend, Executor
from neuroport.program.machine import Program
from neuroport.program.verify import require
from neuroport.session import counted
from neuroport.session.record import spiking

MOST_FORKS = 1000
"""As many sessions are made at once of one."""


def forkable(n: int) -> None:
    """InvalidInput for a number of sessions that are not made of one."""
    if not 1 <= n <= MOST_FORKS:
        many = n if n < 1 else "so many"
        raise InvalidInput.one(None, f"a session cannot be forked into {many} others; give 1 to {MOST_FORKS:,}")


def opened(program: Program, backend: Backend, seed: int | None = None) -> Executor:
    """An executor for a session. Unsupported when the backend lacks something or cannot execute the program."""
    seed = checked_seed(program.seed if seed is None else seed)
    return counted.opened(usable(backend, program), program, seed, spiking(program))


def usable(backend: Backend, program: Program) -> Backend:
    """The backend, if it can execute the program on this machine; else Unsupported with all reasons.

    InternalError for a program that is not legal: a backend looks at nothing that every pass must keep.
    """
    require(program, f"the program '{program.name}' given to backend '{backend.name}'")
    missing = backend.missing()
    reasons = (missing,) if missing else backend.check(program)
    if reasons:
        raise Unsupported("\n".join(f"backend '{backend.name}': {reason}" for reason in reasons))
    return backend
