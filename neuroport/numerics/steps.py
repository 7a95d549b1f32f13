"""How many steps a time is."""

from __future__ import annotations

import math
from dataclasses import replace

from neuroport.errors import InvalidInput
from neuroport.numerics import units
from neuroport.numerics.given import found, whole
from neuroport.numerics.units import Quantity

MOST = 2**62
"""No run, delay or interval is longer."""
_TIMES = "give a number of steps or a time such as '100 ms'"


def whole_steps(duration: Quantity, dt: Quantity) -> int:
    """The number of steps that a time is. InvalidInput when it is no time or no whole number of steps."""
    try:
        steps = units.steps(duration, dt)
    except units.UnitError as error:
        raise InvalidInput.one(None, f"{error}; {_TIMES}") from None
    if abs(steps) > MOST:
        raise InvalidInput.one(duration.place, f"{units.show(duration)} is more than 2**62 steps; give a shorter time")
    if steps.denominator == 1:
        return int(steps)
    above = math.ceil(steps)
    if units.is_step(duration.unit):
        raise InvalidInput.one(
            None, f"{units.show(duration)} cannot be computed; give a whole number, such as {above} steps"
        )
    fitting = f"{float(units.exact(dt) * above):.12g} ms"
    text = (
        f"{units.show(duration)} is {float(steps):.12g} steps of {units.show(dt)}; "
        f"give a whole number of steps, such as {fitting}"
    )
    raise InvalidInput.one(None, text)


def no_steps(duration: object) -> InvalidInput:
    """What is said of something that is no number of steps and no time."""
    text = f"{found(duration)} is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'"
    return InvalidInput.one(None, text)


def steps_of(duration: int | str | Quantity, dt: Quantity) -> int:
    """The number of steps of a number of steps, a time, or the text of one: 500, "500", "500 steps", "100 ms".

    InvalidInput when it is no whole number of steps.
    """
    steps = whole(duration)
    if steps is not None:
        return steps
    if not isinstance(duration, str | Quantity):
        raise no_steps(duration)
    if isinstance(duration, str):
        try:
            duration = units.parse(duration)
        except units.UnitError as error:
            raise InvalidInput.one(None, str(error)) from None
        if not duration.unit:
            duration = replace(duration, unit="steps")
    return whole_steps(duration, dt)


def milliseconds(text: str, dt: float, name: str) -> float:
    """Milliseconds of a time such as "1 s"; `dt` in ms. InvalidInput, about what has that name, for what is none."""
    try:
        return float(units.steps(units.parse(text), Quantity(dt, "ms"))) * dt
    except units.UnitError as error:
        text = f"{name} '{text}': {error}; give a time such as '10 ms' or '20 steps'"
        raise InvalidInput.one(None, text) from None
