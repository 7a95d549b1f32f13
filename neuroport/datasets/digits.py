"""Handwritten digits of 8 x 8 pixels (Alpaydin & Kaynak 1998), from scikit-learn; inputs are pixels / 16.

The 1797 images are put in an order of their own (fixed for good), so that every part has all writers: the first 1200
train, the next 297 validate, the last 300 test.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neuroport.datasets.dataset import DataSet, Made, fields, imported
from neuroport.numerics import rng


def make(part: str, options: Mapping[str, int]) -> Made:
    """Read a part."""
    with imported("digits", "scikit-learn", "sklearn", "scikit-learn"):
        from sklearn.datasets import load_digits
    pixels, labels = load_digits(return_X_y=True)
    order = np.argsort(rng.words(0, np.arange(len(labels), dtype=np.uint64)), kind="stable")
    first = {"train": 0, "validation": 1200, "test": 1497}[part]
    chosen = order[first : first + DATA.sizes[part]]
    return np.asarray(pixels[chosen], np.float64) / 16, np.asarray(labels[chosen], np.int64)


DATA = DataSet(
    title="Handwritten digits of 8 x 8 pixels: 64 inputs, 10 classes; from scikit-learn",
    sizes={"train": 1200, "validation": 297, "test": 300},
    fields=fields(64, 10),
    make=make,
    package=147 * 2.0**20,
)
