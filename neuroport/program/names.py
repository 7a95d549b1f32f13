"""The names of arrays. Those that the compiler makes have a `$` or `#` in them, which nobody can write in a network.

The run's own numbers are arrays of the owner `$run`. Users know them as `run.T`, `run.t` and `run.item_step`.
"""

from __future__ import annotations

RUN = "$run"
STEP, ITEM_STEP, LENGTH = f"{RUN}.t", f"{RUN}.item_step", f"{RUN}.T"
"""The number of the step, that of the step in the protocol item, and how many steps the item has."""

ENTRIES = "$entries"
"""How a population is named, behind its projection, whose neurons are the entries of a kernel."""


def of_compiler(owner: str, stem: str, number: int) -> str:
    """The name of an array that the compiler makes for an object."""
    return f"{owner}.${stem}{number}"


def of_run(array: str) -> bool:
    """Whether an array is one of the run's own numbers."""
    return array.startswith(f"{RUN}.")


def written(array: str) -> str:
    """The name of an array as users know it."""
    return array.removeprefix("$") if of_run(array) else array
