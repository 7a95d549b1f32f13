"""States of copies: that of a batch and of the program that `unbatch` makes of it, and those of unrolled copies.

Copy k of an object is named NAME#k. What a batch has once for all copies, such as counts, copy 0 gets whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroport.copies.axis import is_own, sum_over_copies
from neuroport.copies.unroll import copy_name
from neuroport.errors import InvalidInput
from neuroport.program.machine import Program
from neuroport.program.names import of_run
from neuroport.program.state import State, Whole

V = TypeVar("V")


def joined(program: Program, array: str, of: Callable[[int], NDArray[Any]]) -> NDArray[Any]:
    """What a batch has in an array; `of` gives what copy k has."""
    summed = array in program.summed()
    if not summed and not is_own(program.arrays[array]):
        return of(0)
    stacked = np.stack([of(k) for k in range(program.copies)], axis=-1)
    return sum_over_copies(stacked) if summed else stacked


def parted(program: Program, array: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """What the copies have of an array. Of what they contribute to, copy 0 gets the whole."""
    if is_own(program.arrays[array]):
        return {copy_name(array, k): values[..., k] for k in range(program.copies)}
    rest = np.zeros_like(values) if array in program.summed() else values
    return {copy_name(array, k): rest if k else values for k in range(program.copies)}


# ---------------------------------------------------------------------------------- a batch, and what unbatch makes


def of_batch(program: Program, state: State) -> State:
    """The state of a batch from that of `unbatch(program)`."""
    copies = range(program.copies)

    def arrays(held: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        names = [name for name in program.arrays if copy_name(name, 0) in held]
        return {name: joined(program, name, of(held, name)) for name in names}

    def of(held: Mapping[str, V], name: str) -> Callable[[int], V]:
        return lambda k: held[copy_name(name, k)]

    def total(counts: Mapping[str, V], names: Iterable[str], sum_: Callable[[list[V]], V]) -> dict[str, V]:
        return {n: sum_([counts[copy_name(n, k)] for k in copies]) for n in names if copy_name(n, 0) in counts}

    populations = [p.name for p in program.populations]
    return replace(
        state,
        readouts=tuple(own_name(name) for name in state.readouts if belongs(name, 0)),
        schedules=total(state.schedules, [s.name for s in program.series], lambda each: np.stack(each, axis=-1)),
        arrays=arrays(state.arrays),
        inputs=arrays(state.inputs),
        histories=arrays(state.histories),
        spikes=total(state.spikes, populations, _spikes_of_all),
        tables=total(state.tables, [s.name for s in program.series], lambda each: each[0]),
        histograms=total(state.histograms, [r.name for r in program.readouts], lambda each: np.sum(each, axis=0)),
        counts=total(state.counts, populations, sum),
        overflows=overflows_of_batch(program, state.overflows),
    )


def overflows_of_batch(program: Program, found: Mapping[str, int]) -> dict[str, int]:
    """The overflows of a batch from those of its copies. What is shared overflows in every copy."""
    counts = {}
    for name, array in program.arrays.items():
        copies = range(program.copies if is_own(array) else 1)
        counts[name] = sum(found.get(copy_name(name, k), 0) for k in copies)
    return {name: count for name, count in counts.items() if count}


def _spikes_of_all(of: Sequence[tuple[Whole, Whole]]) -> tuple[Whole, Whole]:
    lags = np.concatenate([lags for lags, _ in of])
    numbers = np.concatenate([numbers * len(of) + k for k, (_, numbers) in enumerate(of)])
    order = np.lexsort((numbers, lags))
    return lags[order], numbers[order]


def of_unbatched(program: Program, state: State) -> State:
    """The state of `unbatch(program)` from that of a batch."""
    copies = range(program.copies)

    def arrays(held: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {name: part for array, values in held.items() for name, part in parted(program, array, values).items()}

    def each(held: Mapping[str, V], of: Callable[[V, int], V]) -> dict[str, V]:
        return {copy_name(name, k): of(values, k) for name, values in held.items() for k in copies}

    return replace(
        state,
        readouts=tuple(copy_name(name, k) for name in state.readouts for k in copies),
        schedules=each(state.schedules, lambda patterns, k: patterns[:, k]),
        arrays=arrays(state.arrays),
        inputs=arrays(state.inputs),
        histories=arrays(state.histories),
        spikes=each(state.spikes, lambda both, k: _spikes_of_one(both, len(copies), k)),
        tables=each(state.tables, lambda table, _: table),
        histograms=each(state.histograms, lambda counts, k: np.zeros_like(counts) if k else counts),
        counts=each(state.counts, lambda count, k: 0 if k else count),
        overflows={copy_name(name, 0): count for name, count in state.overflows.items()},
    )


def _spikes_of_one(both: tuple[Whole, Whole], copies: int, k: int) -> tuple[Whole, Whole]:
    lags, numbers = both
    mine = numbers % copies == k
    return lags[mine], numbers[mine] // copies


# -------------------------------------------------------------------------------------- copies that share nothing


def belongs(name: str, k: int) -> bool:
    """Whether a name is one of copy k."""
    return name.partition(".")[0].endswith(f"#{k}")


def number(name: str) -> int:
    """The number of the copy of which something is."""
    return int(name.partition(".")[0].rpartition("#")[2])


def own_name(name: str) -> str:
    """What a copy calls its object or array."""
    owner, dot, variable = name.partition(".")
    return owner.rpartition("#")[0] + dot + variable


NAMED = "schedules arrays inputs histories spikes tables histograms counts overflows apart".split()
"""What in a state has a name."""


def by_copy(held: Mapping[str, V], copies: int) -> list[dict[str, V]]:
    """What each copy has, in its own names. The run's own scalars are every copy's."""
    found: list[dict[str, V]] = [{} for _ in range(copies)]
    for name, values in held.items():
        if of_run(name):
            for mine in found:
                mine[name] = values
        else:
            found[number(name)][own_name(name)] = values
    return found


def of_copies(state: State, copies: int) -> list[State]:
    """The state of each copy from that of all, in its own names."""
    named = {part: by_copy(getattr(state, part), copies) for part in NAMED}
    readouts = by_copy(dict.fromkeys(state.readouts), copies)
    numbered: list[dict[str, Any]] = [{part: of[k] for part, of in named.items()} for k in range(copies)]
    return [replace(state, readouts=tuple(readouts[k]), **mine) for k, mine in enumerate(numbered)]


def of_all(states: Sequence[State]) -> State:
    """The state of all copies from those of each; InvalidInput unless they are of one step."""
    if len({(state.step, state.item_step) for state in states}) > 1:
        steps = ", ".join(str(state.step) for state in states)
        text = f"copies run together from one step, and these states are of the steps {steps}; load those of one step"
        raise InvalidInput.one(None, text)

    def all_(part: str) -> dict[str, Any]:
        numbered = enumerate(states)
        return {copy_name(name, k): held for k, state in numbered for name, held in getattr(state, part).items()}

    readouts = tuple(copy_name(name, k) for k, state in enumerate(states) for name in state.readouts)
    named: dict[str, Any] = {part: all_(part) for part in NAMED}
    return replace(states[0], readouts=readouts, **named)
