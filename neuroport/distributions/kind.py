"""What a kind of distribution is, and drawing until a value is accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics.draws import Elements, Floats, Source

SMALL_CALL = 512  # a call on few elements costs about as much as one on this many
MIN_DRAWS, DRAWS_PER_ELEMENT = 1_000_000, 100

Given: TypeAlias = Mapping[str, float]
"""The arguments that are given, in coherent units."""
Proposal: TypeAlias = Callable[[Elements, int], tuple[Floats, NDArray[np.bool_]]]
"""Values of elements at an attempt, and which of them are accepted."""


class Hopeless(Exception):
    """Hardly any value can be drawn; the text says why and what to do."""


def no_problem(given: Given) -> str:
    """Of a kind whose arguments are always right."""
    return ""


@dataclass(frozen=True, eq=False)
class Kind:
    """Random numbers x, of which a network takes offset + scale * x.

    `required`: the arguments that must be given, in the order in which a list gives them; `further`: those that may be,
    beside scale and offset. `pure`: x has no unit, so that the scale must bring it. `not_negative`, `above_zero`:
    arguments that must be so. `ends`: the arguments between which every x lies. `problem`: "" or what is wrong with
    arguments. `draw`: one x per element, raises Hopeless.
    """

    required: tuple[str, ...]
    draw: Callable[[Given, Source, Elements], Floats]
    further: tuple[str, ...] = ()
    pure: bool = False
    not_negative: tuple[str, ...] = ()
    above_zero: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    problem: Callable[[Given], str] = no_problem

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of all arguments."""
        return (*self.required, *self.further, "scale", "offset")


def first_accepted(propose: Proposal, elements: Elements, why: str) -> Floats:
    """Per element the value of its first attempt that `propose` accepts; Hopeless where attempts run out."""
    out = np.empty(elements.shape, dtype=np.float64)
    left = np.arange(elements.size)
    budget = MIN_DRAWS + DRAWS_PER_ELEMENT * elements.size
    attempt = 0
    while left.size:
        drawn_in_vain = attempt * elements.size if left.size == elements.size else 0
        if budget <= 0 or drawn_in_vain >= MIN_DRAWS:
            raise Hopeless(why)
        value, good = propose(elements[left], attempt)
        out[left[good]] = value[good]
        left = left[~good]
        budget -= max(value.size, SMALL_CALL)
        attempt += 1
    return out


def within_bounds(values: Callable[[Elements, int], Floats], given: Given, elements: Elements) -> Floats:
    """Per element the first of its values that is not below the argument `low` and not above `high`."""
    low, high = given.get("low"), given.get("high")

    def propose(some: Elements, attempt: int) -> tuple[Floats, NDArray[np.bool_]]:
        value = values(some, attempt)
        good = np.ones(value.shape, dtype=np.bool_)
        if low is not None:
            good &= value >= low
        if high is not None:
            good &= value <= high
        return value, good

    bounds = [f"{name} {value:g}" for name, value in (("low", low), ("high", high)) if value is not None]
    why = f"hardly any value lies within the bounds ({', '.join(bounds)}); values outside are redrawn, so at least one "
    why += "draw in a hundred must fall inside: widen the bounds or move the mean"
    return first_accepted(propose, elements, why)


def wrong_sd(given: Given) -> str:
    """ "" or what is wrong with a standard deviation."""
    sd = given.get("sd", 0.0)
    return f"sd is {sd:g}; a standard deviation is 0 or more" if sd < 0.0 else ""
