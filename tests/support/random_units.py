"""Random expressions of a wanted unit, made of names whose units are known."""

from __future__ import annotations

import random
import re

from neuroport.numerics import units
from neuroport.numerics.units import Powers

NAMES = {
    "e": "mV",
    "u": "mV",
    "i": "nA",
    "tau": "ms",
    "dt": "ms",
    "r": "MOhm",
    "g": "uS",
    "c": "nF",
    "f": "kHz",
    "a": "1",
}
"""The unit of each name; dt is that of the language."""
OF = {name: units.powers(unit) for name, unit in NAMES.items()}
NUMBER: Powers = (0, 0, 0)
BASES = ("e", "i", "tau")


def expression(draw: random.Random, wanted: Powers, depth: int) -> str:
    """A text in the unit of these powers."""
    if depth == 0:
        names = [name for name, made in OF.items() if made == wanted]
        return draw.choice(names) if names and draw.random() < 0.8 else _product(wanted)
    match draw.randrange(8):
        case 0 | 1:
            return f"({_inner(draw, wanted, depth)} {draw.choice('+-')} {_inner(draw, wanted, depth)})"
        case 2 | 3:
            return _scaled(draw, wanted, depth)
        case 4:
            arguments = ", ".join(_inner(draw, wanted, depth) for _ in range(3))
            return f"{draw.choice(('min', 'max', 'clip'))}({arguments})"
        case 5:
            one, other = _inner(draw, wanted, depth), _inner(draw, wanted, depth)
            return f"({one} if {compared(draw, draw.randrange(depth))} else {other})"
        case 6 if wanted == NUMBER:
            return f"{draw.choice(('exp', 'log', 'tanh', 'sigmoid'))}({_inner(draw, NUMBER, depth)})"
        case _:
            return f"abs(-{_inner(draw, wanted, depth)})"


def compared(draw: random.Random, depth: int) -> str:
    """A condition."""
    made = draw.choice(list(OF.values()))
    return f"{expression(draw, made, depth)} < {expression(draw, made, depth)}"


def with_wrong_name(draw: random.Random, text: str) -> str:
    """The text with another name, of another unit, in one place."""
    found = draw.choice([match for match in re.finditer(r"\w+", text) if match[0] in OF])
    others = [name for name, made in OF.items() if made != OF[found[0]]]
    return f"{text[: found.start()]}{draw.choice(others)}{text[found.end() :]}"


def _inner(draw: random.Random, wanted: Powers, depth: int) -> str:
    return expression(draw, wanted, draw.randrange(depth))


def _scaled(draw: random.Random, wanted: Powers, depth: int) -> str:
    name = draw.choice(list(OF))
    if draw.random() < 0.5:
        return f"{name} * ({_inner(draw, _sum(wanted, OF[name], -1), depth)})"
    return f"({_inner(draw, _sum(wanted, OF[name], 1), depth)}) / {name}"


def _product(wanted: Powers) -> str:
    """Powers of base units, written out."""
    above = [name for name, power in zip(BASES, wanted, strict=True) for _ in range(power)]
    below = [name for name, power in zip(BASES, wanted, strict=True) for _ in range(-power)]
    return "(" + "".join([" * ".join(above) or "a", *(f" / {name}" for name in below)]) + ")"


def _sum(one: Powers, other: Powers, sign: int) -> Powers:
    return one[0] + sign * other[0], one[1] + sign * other[1], one[2] + sign * other[2]
