"""Which range an array gets on a chip, from what it held in a run in real numbers and what its model says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from neuroport.program.intervals import RealInterval, hull
from neuroport.program.ir import Int
from neuroport.program.machine import Array, Port, Program
from neuroport.quantise.limits import clip_limits, not_negative

MARGIN = 1.25
"""A range holds at least so many times the largest magnitude that was seen."""

Why = Literal["fitted", "kept", "never moved", "whole numbers", "no range", "not finite", "a host writes it"]


@dataclass(frozen=True, slots=True)
class Held:
    """What a run in real numbers showed of an array: its ends in coherent units, and whether any element changed.

    `start`: the ends of what its initial values are drawn from, where they are.
    """

    lowest: float
    highest: float
    moved: bool
    start: RealInterval | None = None

    @property
    def largest(self) -> float:
        """The largest magnitude."""
        return max(abs(self.lowest), abs(self.highest))


@dataclass(frozen=True, slots=True)
class Choice:
    """The range of an array, None where it has none, and why.

    fitted: from what was seen. kept: the declared range holds what was seen and fits it as well as another would.
    never moved: it keeps what it had. whole numbers: they cost nothing where they are held. no range: it has none and
    never was anything but 0. not finite: it became infinite, or no number. a host writes it: it has none, and no run
    shows what a host will write through a port.
    """

    range: RealInterval | None
    why: Why


def choose(program: Program, held: Mapping[str, Held]) -> dict[str, Choice]:
    """The range of each array of a real program of which it is known what it held, while no host gave it anything."""
    limits, positive = clip_limits(program), not_negative(program)
    ports = {port.target: port for port in program.ports if port.writable or port.direction == "inject"}
    chosen = {}
    for name, seen in held.items():
        array, limit = program.arrays[name], limits.get(name, (-math.inf, math.inf))
        seen = _hosted(seen, array, ports[name]) if name in ports else seen
        choice = _choice(array, seen, limit, name in positive)
        chosen[name] = _for_host(choice, array) if name in ports else choice
    return chosen


def _hosted(held: Held, array: Array, port: Port) -> Held:
    """What an input can hold where a host adds to it what its port says."""
    if array.role != "input" or port.range is None or port.range == array.range:
        return held
    return replace(held, lowest=held.lowest + port.range[0], highest=held.highest + port.range[1])


def _for_host(choice: Choice, array: Array) -> Choice:
    """The choice for what a port leads to: no less than what the network file lets a host give it."""
    if array.range is None:
        return choice if array.role == "input" else Choice(None, "a host writes it")
    assert choice.range is not None
    wide = hull(choice.range, array.range)
    return Choice(wide, "kept") if wide == array.range != choice.range else replace(choice, range=wide)


def _choice(array: Array, held: Held, limits: RealInterval, positive: bool) -> Choice:
    declared = array.range
    if not (math.isfinite(held.lowest) and math.isfinite(held.highest)):
        return Choice(declared, "not finite")
    whole = isinstance(array.type, Int)
    if declared is not None and _within((held.lowest, held.highest), declared) and (whole or not held.moved):
        return Choice(declared, "whole numbers" if whole else "never moved")
    if array.role == "input" and not held.moved:
        return Choice(declared, "never moved")
    if held.largest == 0 and (limits == (0, 0) or not all(map(math.isfinite, limits))):
        return Choice(declared, "no range" if declared is None else "never moved")
    fitted = _fitted(held, declared, limits, positive or (declared is not None and declared[0] >= 0), whole)
    return Choice(fitted, "kept" if fitted == declared else "fitted")


def _fitted(
    held: Held, declared: RealInterval | None, limits: RealInterval, positive: bool, whole: bool
) -> RealInterval:
    """Powers of two around what was seen, and limits of the text where it has some.

    Nothing beyond a declared range, if that holds all that was seen.
    """
    top = power_above(MARGIN * held.largest)
    top = max(top, 1.0) if whole else top
    low = limits[0] if math.isfinite(limits[0]) else 0.0 if positive and held.lowest >= 0 else -top
    found = low, limits[1] if math.isfinite(limits[1]) else top
    found = hull(found, held.start or found)
    if declared is None or not _within((held.lowest, held.highest), declared):
        return found
    return max(found[0], declared[0]), min(found[1], declared[1])


def power_above(value: float) -> float:
    """The smallest power of two that is not below a value above 0."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)


def _within(inner: RealInterval, outer: RealInterval) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
