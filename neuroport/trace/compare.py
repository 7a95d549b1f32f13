"""Comparing two traces: the first difference in spikes, sampled states, weights and final states, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.trace.read import Samples, Trace


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two traces part: `kind` is spikes, states, weights or content; `step` is None where there is no step."""

    kind: str
    where: str
    step: int | None
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome: every part that differs, each with its first difference, the earliest step first."""

    differences: tuple[Difference, ...]
    compared: tuple[str, ...]
    note: str | None = None
    """Why equal runs may differ: another version of the integer arithmetic. None where nothing differs."""

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def compare(a: Trace, b: Trace) -> Comparison:
    """Compare what both traces recorded. Integers are compared as such, reals bit for bit (NaN equals NaN).

    Something that only one of them holds is a difference, too. Seeds, versions and times are not compared.
    When something differs and the traces are of different versions of the integer arithmetic, `note` says so.
    """
    found: list[Difference | None] = []
    compared: list[str] = []
    if a.steps != b.steps:
        found.append(Difference("content", "steps", None, f"the runs have {a.steps} and {b.steps} steps"))
    if a.dt != b.dt:
        found.append(Difference("content", "dt", None, f"the steps are {a.dt:g} and {b.dt:g} ms long"))
    for name in _both(a.recorded, b.recorded, "spikes of population", found):
        compared.append(f"spikes of {name}")
        found.append(_spikes(a, b, name) if _alike(a.neurons(name), b.neurons(name)) else _others(name))
    for name in _both(a.records, b.records, "samples of", found):
        compared.append(f"samples of {name}")
        found.append(_samples("states", f"state '{name}'", name, a.record(name), b.record(name)))
    for name in _both(a.snapshots, b.snapshots, "weight snapshots of", found):
        compared.append(f"weights of {name}")
        found.append(_connections(a, b, name.partition(".")[0]))
        found.append(_samples("weights", f"weight '{name}'", name, a.weight_samples(name), b.weight_samples(name)))
    for name in _both(a.final, b.final, "final values of", found):
        compared.append(f"final values of {name}")
        found.append(_final(a, b, name))
    real = [difference for difference in found if difference is not None]
    order = sorted(real, key=lambda d: -1 if d.step is None else d.step)
    return Comparison(tuple(order), tuple(compared), _other_version(a, b) if order else None)


def _other_version(a: Trace, b: Trace) -> str | None:
    """A sentence when two integer traces are of different versions of the arithmetic."""
    if not (a.integer and b.integer) or a.arithmetic_version == b.arithmetic_version:
        return None
    return (
        f"the first was computed with version {a.arithmetic_version} of the integer arithmetic, the second with "
        f"version {b.arithmetic_version}: equal runs have other bits in another version; run both with one neuroport"
    )


def _both(a: Sequence[str], b: Sequence[str], what: str, found: list[Difference | None]) -> list[str]:
    for name in a:
        if name not in b:
            found.append(Difference("content", name, None, f"only the first holds {what} '{name}'"))
    for name in b:
        if name not in a:
            found.append(Difference("content", name, None, f"only the second holds {what} '{name}'"))
    return [name for name in a if name in b]


def _spikes(a: Trace, b: Trace, name: str) -> Difference | None:
    ours, theirs = _ordered(a, name), _ordered(b, name)
    common = min(len(ours), len(theirs))
    unequal = np.flatnonzero(np.any(ours[:common] != theirs[:common], axis=1))
    if not len(unequal) and len(ours) == len(theirs):
        return None
    at = int(unequal[0]) if len(unequal) else common
    candidates = [(tuple(map(int, s[at])), which) for s, which in ((ours, "first"), (theirs, "second")) if at < len(s)]
    (step, neuron), which = min(candidates)
    text = f"spikes of population '{name}': at step {step} neuron {neuron} spikes only in the {which}"
    return Difference("spikes", name, step, text)


def _ordered(trace: Trace, name: str) -> NDArray[np.int64]:
    """(n, 2) step and neuron, sorted."""
    spikes = trace.spikes(name)
    order = np.lexsort((spikes.neurons, spikes.steps))
    return np.stack([spikes.steps[order], spikes.neurons[order]], axis=1)


def _alike(a: NDArray[np.int64] | None, b: NDArray[np.int64] | None) -> bool:
    """Whether these are the same neurons."""
    return a is None or b is None or np.array_equal(a, b)


def _others(name: str) -> Difference:
    return Difference("content", name, None, f"other neurons of '{name}' are recorded in the second than in the first")


def _connections(a: Trace, b: Trace, projection: str) -> Difference | None:
    if all(np.array_equal(ours, theirs) for ours, theirs in zip(a.pairs(projection), b.pairs(projection), strict=True)):
        return None
    return Difference("content", projection, None, f"projection '{projection}' connects other pairs of neurons")


def _samples(kind: str, what: str, name: str, a: Samples, b: Samples) -> Difference | None:
    if a.raw.shape[1:] != b.raw.shape[1:]:
        return Difference("content", name, None, f"{what} has {a.raw[0].size} and {b.raw[0].size} elements")
    if not _alike(a.neurons, b.neurons):
        return _others(name)
    common = _common_start(a.steps, b.steps)
    at = _first_unequal(a.raw[:common], a.frac, b.raw[:common], b.frac)
    if at is None:
        return _sample_missing(name, what, a.steps[common:], b.steps[common:])
    step = int(a.steps[at[0]])
    values = f"{_shown(a.values[at])} in the first, {_shown(b.values[at])} in the second"
    return Difference(kind, name, step, f"{what}: after step {step} {_element(_numbered(a, at[1:]))} is {values}")


def _numbered(samples: Samples, at: tuple[int, ...]) -> tuple[int, ...]:
    """An element by the number that it has in its population."""
    return at if samples.neurons is None else (int(samples.neurons[at[0]]), *at[1:])


def _common_start(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    """How many samples at the start were taken at the same steps."""
    shorter = min(len(a), len(b))
    unequal = np.flatnonzero(a[:shorter] != b[:shorter])
    return int(unequal[0]) if len(unequal) else shorter


def _sample_missing(name: str, what: str, a: NDArray[np.int64], b: NDArray[np.int64]) -> Difference | None:
    """The first sample that only one of them has; `a` and `b`: the steps after those that they share."""
    candidates = [(int(steps[0]), which) for steps, which in ((a, "first"), (b, "second")) if len(steps)]
    if not candidates:
        return None
    step, which = min(candidates)
    return Difference("content", name, step, f"{what}: only the {which} has a sample after step {step}")


def _final(a: Trace, b: Trace, name: str) -> Difference | None:
    ours, theirs = a.final_array(name), b.final_array(name)
    kind = "weights" if ours.role in ("weight", "visible") else "states"
    if ours.raw.shape != theirs.raw.shape:
        text = f"'{name}' has {ours.raw.size} and {theirs.raw.size} elements"
        return Difference("content", name, None, text)
    at = _first_unequal(ours.raw, ours.frac, theirs.raw, theirs.frac)
    if at is None:
        return None
    values = f"{_shown(ours.values[at])} in the first, {_shown(theirs.values[at])} in the second"
    element = f" {_element(at)}" if at else ""
    return Difference(kind, name, a.steps - 1, f"'{name}': at the end{element} is {values}")


def _first_unequal(a: NDArray[Any], a_frac: int | None, b: NDArray[Any], b_frac: int | None) -> tuple[int, ...] | None:
    """Index of the first element that differs; () when there is none to name (shapes differ)."""
    if a.shape != b.shape:
        return ()
    if a_frac == b_frac and a.dtype.kind == b.dtype.kind == "i":
        unequal = a != b
    else:
        from neuroport.trace.read import real

        left, right = real(a, a_frac), real(b, b_frac)
        unequal = (left != right) & ~(np.isnan(left) & np.isnan(right))
    where = np.argwhere(unequal)
    return tuple(int(i) for i in where[0]) if len(where) else None


def _element(at: tuple[int, ...]) -> str:
    """An element for people; (element, copy) where each copy has its own."""
    return f"element {at[0]}" + (f" of copy {at[1]}" if len(at) > 1 else "")


def _shown(value: Any) -> str:
    return repr(float(value))
