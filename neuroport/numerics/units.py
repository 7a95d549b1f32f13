"""Physical units: reading "20 ms", and converting exactly.

Inside models everything is in one coherent system: ms, mV, nA, and what follows from them (MOhm, uS, nF, kHz).
Steps are counted, not measured; a step becomes a time only with a `dt`. Conversions go through exact fractions of the
decimal number as written, so 0.3 ms at dt 0.1 ms is exactly 3 steps.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, field
from fractions import Fraction

from neuroport.errors import Place

Powers = tuple[int, int, int]
"""What a unit is made of: the powers of voltage, current and time."""

_PREFIX = {"p": -12, "n": -9, "u": -6, "µ": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9}
_BASE: dict[str, tuple[Powers, int]] = {  # unit -> dimension, power of ten that leads to the coherent unit
    "s": ((0, 0, 1), 3),
    "Hz": ((0, 0, -1), -3),
    "V": ((1, 0, 0), 3),
    "A": ((0, 1, 0), 9),
    "Ohm": ((1, -1, 0), -6),
    "ohm": ((1, -1, 0), -6),
    "S": ((-1, 1, 0), 6),
    "F": ((-1, 1, 1), 9),
    "C": ((0, 1, 1), 12),
}
_SYMBOLS = {
    prefix + base: (vector, power + e) for base, (vector, power) in _BASE.items() for prefix, e in _PREFIX.items()
}
_DIMENSIONS: dict[Powers, tuple[str, str]] = {
    (0, 0, 0): ("number", ""),
    (0, 0, 1): ("time", "ms"),
    (0, 0, -1): ("rate", "kHz"),
    (1, 0, 0): ("voltage", "mV"),
    (0, 1, 0): ("current", "nA"),
    (1, -1, 0): ("resistance", "MOhm"),
    (-1, 1, 0): ("conductance", "uS"),
    (-1, 1, 1): ("capacitance", "nF"),
    (0, 1, 1): ("charge", "pC"),
}
_COMMON = [
    "ms",
    "s",
    "us",
    "mV",
    "V",
    "nA",
    "pA",
    "uA",
    "MOhm",
    "GOhm",
    "uS",
    "nS",
    "pS",
    "nF",
    "pF",
    "pC",
    "Hz",
    "kHz",
]
_COMMON += ["step", "steps"]
_STEPS = ("step", "steps")
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_QUANTITY = re.compile(rf"({_NUMBER})(?:\s*([A-Za-zµ]\S*)|\s+(1/\S+))?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FACTOR = re.compile(r"([A-Za-zµ]+)(?:\^([0-9]))?")
LONGEST_INTEGER = 40


class UnitError(ValueError):
    """A unit or quantity cannot be used; the text says why, as part of a sentence."""


def number(text: str) -> int | float:
    """The number that a decimal text stands for; integers of more than 40 digits become floats.

    UnitError where it is so small that it would become 0.
    """
    if _INTEGER.fullmatch(text) and len(text) <= LONGEST_INTEGER:
        return int(text)
    value = float(text)
    if value == 0 and vanishes(text):
        raise UnitError("the number is too small; write 0, or at least 5e-324")
    return value


def vanishes(text: str) -> bool:
    """Whether a decimal text that is read as 0 stands for another number."""
    return any(digit in "123456789" for digit in text.lower().partition("e")[0])


def parse(text: str) -> Quantity:
    """A quantity from its text, e.g. "20 ms" or "1e-5".

    Raises UnitError when the text is not a number with an optional unit or the unit is unknown.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if not match:
        raise UnitError(f"{quoted(text)} is not a number with a unit such as '20 ms'")
    unit = match[2] or match[3] or ""
    _resolve(unit)
    return Quantity(number(match[1]), unit)


def is_step(unit: str) -> bool:
    """Whether the unit counts time steps."""
    return unit in _STEPS


def check(unit: str) -> None:
    """Raise UnitError if nobody knows this unit."""
    _resolve(unit)


def dimension(unit: str) -> str:
    """The name of what a unit measures: time, voltage, …, steps, number; for others the coherent unit itself."""
    if is_step(unit):
        return "steps"
    vector, _ = _resolve(unit)
    known = _DIMENSIONS.get(vector)
    return known[0] if known else coherent_unit(unit)


def coherent_unit(unit: str) -> str:
    """The unit of the coherent system for the same dimension."""
    return "step" if is_step(unit) else unit_of(powers(unit))


def of_values(unit: str) -> str:
    """What values of something with this unit are written in: without one where it is a number by declaration, 1."""
    return unit if is_step(unit) or any(powers(unit)) else ""


def powers(unit: str) -> Powers:
    """What a unit is made of; steps and numbers of nothing. UnitError for a unit that nobody knows."""
    return _resolve(unit)[0]


def unit_of(made: Powers) -> str:
    """The unit of the coherent system that is made of these powers, "" for that of a number."""
    if made in _DIMENSIONS:
        return _DIMENSIONS[made][1]
    parts = list(zip(("mV", "nA", "ms"), made, strict=True))
    above = "*".join(_power(symbol, power) for symbol, power in parts if power > 0) or "1"
    below = "".join("/" + _power(symbol, -power) for symbol, power in parts if power < 0)
    return above + below


def coherent(value: float | int, unit: str) -> tuple[float, str]:
    """(number in the coherent system, name of its dimension); steps stay steps."""
    return _float(_exact(value, unit)), dimension(unit)


def exact(quantity: Quantity) -> Fraction:
    """The number in the coherent system as the exact decimal that was written; steps stay steps."""
    return _exact(quantity.number, quantity.unit)


def steps(quantity: Quantity, dt: Quantity) -> Fraction:
    """A time or a number of steps as an exact number of steps of `dt`. Raises UnitError for other dimensions."""
    if is_step(quantity.unit):
        return _fraction(quantity.number)
    if dimension(quantity.unit) != "time":
        raise UnitError(f"{show(quantity)} is not a time")
    return exact(quantity) / exact(dt)


def convert(quantity: Quantity, unit: str, dt: Quantity | None = None) -> float:
    """The number of a quantity in another unit of the same dimension; a time becomes steps with `dt`.

    Raises UnitError when the dimensions differ.
    """
    if is_step(unit) and dt is not None:
        return _float(steps(quantity, dt))
    if dimension(quantity.unit) != dimension(unit):
        raise UnitError(f"{show(quantity)} is not in {unit}")
    return _float(exact(quantity) / _exact(1, unit))


def show(quantity: Quantity) -> str:
    """The quantity as text that `parse` reads back to the same number."""
    return f"{quantity.number!r} {quantity.unit}".rstrip()


def quoted(text: str) -> str:
    """A piece of the user's text for a message: in quotes, escaped, cut to 60 characters."""
    return repr(str(text) if len(text) <= 60 else f"{text[:57]}...")


def suggestion(word: str, allowed: list[str]) -> str:
    """ "did you mean 'x'? " for a name close to an allowed one, else ""."""
    lower = {name.lower(): name for name in allowed}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f"did you mean '{lower[close[0]]}'? " if close else ""


def _exact(value: float | int, unit: str) -> Fraction:
    _, power = _resolve(unit)
    return _fraction(value) * Fraction(10) ** power


def _fraction(value: float | int) -> Fraction:
    """The decimal number as it is written."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UnitError("the number is too large" if math.isinf(value) else "this is no number")
    return Fraction(str(value))


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        raise UnitError("the number is too large") from None


def _power(symbol: str, power: int) -> str:
    return symbol if power == 1 else f"{symbol}^{power}"


def _resolve(unit: str) -> tuple[Powers, int]:
    """Dimension and power of ten of a unit such as mV, 1/ms or nS/mV^2."""
    if unit == "" or is_step(unit):
        return (0, 0, 0), 0
    total = [0, 0, 0]
    exponent = 0
    sign = 1
    for token in re.split(r"([*/])", unit):
        if token in "*/" and token:
            sign = 1 if token == "*" else -1
            continue
        if token == "1":
            continue
        factor = _FACTOR.fullmatch(token)
        if not factor or factor[1] not in _SYMBOLS:
            hint = suggestion(unit, _COMMON)
            raise UnitError(
                f"unknown unit {quoted(unit)}; {hint}known are {', '.join(_COMMON)} and products such as mV/ms"
            )
        vector, power = _SYMBOLS[factor[1]]
        times = sign * int(factor[2] or 1)
        total = [a + times * b for a, b in zip(total, vector, strict=True)]
        exponent += times * power
    return (total[0], total[1], total[2]), exponent


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit as written; unit "" is a pure number. Integers stay Python ints."""

    number: float | int
    unit: str = ""
    place: Place | None = field(default=None, compare=False, repr=False)
