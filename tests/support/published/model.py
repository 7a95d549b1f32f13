"""The form of an entry of the table of published models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

CHANCE = "chance, see below"
"""Why a chip differs from `ideal` where one spike that comes a step later makes another network of it."""

Numbers = Mapping[str, float]
"""What was measured, by the names of the rows."""


@dataclass(frozen=True)
class Row:
    """A quantity: its name with its unit, what the paper says of it, and why a chip differs from `ideal`."""

    quantity: str
    published: str = ""
    why: str = ""


@dataclass(frozen=True)
class Model:
    """A network, and how what it does is measured.

    `measure(chip, seed)` runs the shipped network on a chip; `independent(seed)` is a program that shares nothing with
    neuroport. Both give a number for every row. `seeds`: how many are run, 1 for what draws nothing.
    """

    network: str
    source: str
    rows: tuple[Row, ...]
    measure: Callable[[str, int], Numbers]
    independent: Callable[[int], Numbers]
    seeds: int = 1
