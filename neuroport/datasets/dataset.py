"""What a data set is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Unsupported

Made = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Inputs (samples, cells) and labels (samples,)."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """How many samples its parts have, the shape of a sample in each field, and what makes a part.

    `options`: name -> least and largest value of a whole number that a network file may give.
    """

    title: str
    sizes: Mapping[str, int]
    fields: Mapping[str, tuple[int, ...]]
    make: Callable[[str, Mapping[str, int]], Made]
    options: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def absent(name: str, package: str, installed: str) -> Unsupported:
    """The error for a data set whose package cannot be imported."""
    text = f"the data set '{name}' comes with {package}, which is not installed; install it with: pip install"
    return Unsupported(f"{text} {installed}")


def fields(cells: int, classes: int) -> dict[str, Any]:
    """The fields of a data set of so many inputs and classes."""
    return {"inputs": (cells,), "labels": (), "one_hot": (classes,)}
