"""The form of an entry of the tables of published models and of the models of the library."""

from __future__ import annotations

import importlib
import pkgutil
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
    """A network or a model of the library, and how what it does is measured.

    `measure(chip, seed)` runs it on a chip; `independent(seed)` is a program that shares nothing with neuroport. Both
    give a number for every row. `seeds`: how many are run, 1 for what draws nothing.
    """

    name: str
    source: str
    rows: tuple[Row, ...]
    measure: Callable[[str, int], Numbers]
    independent: Callable[[int], Numbers]
    seeds: int = 1


def entries(package: str) -> list[Model]:
    """The `MODEL` of every module of a package that has one, sorted by name."""
    paths = importlib.import_module(package).__path__
    modules = [importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(paths)]
    return sorted((module.MODEL for module in modules if hasattr(module, "MODEL")), key=lambda model: model.name)
