"""What a data set is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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

    `options`: name -> least and largest value of a whole number that a network file may give. `package`: bytes that the
    package takes which it comes with, and all that it makes of the data set.
    """

    title: str
    sizes: Mapping[str, int]
    fields: Mapping[str, tuple[int, ...]]
    make: Callable[[str, Mapping[str, int]], Made]
    options: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    package: float = 0.0


@contextmanager
def imported(name: str, package: str, module: str, installed: str) -> Iterator[None]:
    """Within it a data set imports the module that has it: Unsupported where that is absent or broken."""
    comes = f"the data set '{name}' comes with {package}, which"
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == module:
            raise Unsupported(f"{comes} is not installed; install it with: pip install {installed}") from None
        raise _broken(comes, error, installed) from error
    except Exception as error:  # a package that does not fit this machine or its neighbours may fail in any way
        raise _broken(comes, error, installed) from error


def _broken(comes: str, error: Exception, installed: str) -> Unsupported:
    again = f"install it again with: pip install --force-reinstall {installed}"
    return Unsupported(f"{comes} cannot be imported: {' '.join(str(error).split())}; {again}")


def fields(cells: int, classes: int) -> dict[str, Any]:
    """The fields of a data set of so many inputs and classes."""
    return {"inputs": (cells,), "labels": (), "one_hot": (classes,)}
