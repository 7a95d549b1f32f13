"""MNIST-1D (Greydanus & Kobak 2020): digits as signals in time, 360 values each; made by the package mnist1d.

The package's default arguments, except that a signal has 360 values instead of 40.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

import numpy as np

from neuroport.datasets.dataset import DataSet, Made, fields, imported

LENGTH = 360


def make(part: str, options: Mapping[str, int]) -> Made:
    """Generate a part."""
    return _generated()[part]


@cache
def _generated() -> dict[str, Made]:
    """All parts, made together; the generators that the package seeds are left as they were."""
    with imported("mnist1d", "the package mnist1d", "mnist1d", "mnist1d"):
        from mnist1d.data import get_dataset_args, make_dataset
    arguments = get_dataset_args()
    arguments.final_seq_length = LENGTH
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        data = make_dataset(arguments)
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
    names = {"train": ("x", "y"), "test": ("x_test", "y_test")}
    return {part: (np.array(data[x], np.float64), np.array(data[y], np.int64)) for part, (x, y) in names.items()}


DATA = DataSet(
    title="Digits as signals in time: 360 values, 10 classes; from the package mnist1d",
    sizes={"train": 4000, "test": 1000},
    fields=fields(LENGTH, 10),
    make=make,
    package=123 * 2.0**20,
)
