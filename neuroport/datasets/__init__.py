"""Data sets for stimuli: generated, or taken from a package that is imported when the data are needed.

Every data set has parts (`train`, `test`, …) of samples, and fields: `inputs` (samples, cells), `labels` (samples,) and
`one_hot` (samples, classes).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.datasets import digits, mnist1d, yin_yang
from neuroport.datasets.dataset import DataSet
from neuroport.shelf import shelve

__all__ = ["ALL", "DataSet", "load", "shape"]

ALL: dict[str, DataSet] = {"yin_yang": yin_yang.DATA, "digits": digits.DATA, "mnist1d": mnist1d.DATA}


def shape(name: str, part: str, field: str, options: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of a field, without making the data."""
    data = ALL[name]
    return (options.get("size", data.sizes[part]), *data.fields[field])


def load(name: str, part: str, field: str, options: Mapping[str, int]) -> NDArray[Any]:
    """A field of a part of a data set; Unsupported when the package that has it is not installed."""
    return _made(name, part, tuple(sorted(options.items())))[field]


@lru_cache(maxsize=8)
def _made(name: str, part: str, options: tuple[tuple[str, int], ...]) -> dict[str, NDArray[Any]]:
    inputs, labels = ALL[name].make(part, dict(options))
    classes = ALL[name].fields["one_hot"][0]
    made = {"inputs": inputs, "labels": labels, "one_hot": np.eye(classes)[labels]}
    for array in made.values():
        array.setflags(write=False)
    return made


shelve(__name__)
