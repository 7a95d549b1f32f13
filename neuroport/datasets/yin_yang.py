"""The yin-yang data set (Kriener, Göltz & Petrovici 2022): points of a disc that belong to yin, yang or a dot.

The disc has radius R = 1/2 around (1/2, 1/2), the dots radius 1/10 around (1/4, 1/2) and (3/4, 1/2). For each sample a
class is drawn first, then points until one has it; the inputs are (x, y, 1 - x, 1 - y).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from neuroport.datasets.dataset import DataSet, Made, fields

R, DOT = 0.5, 0.1
SEEDS = {"train": 9876543, "validation": 9876544, "test": 9876545}


def class_of(x: float, y: float) -> int:
    """0 yin, 1 yang, 2 dot."""
    right, left = math.hypot(x - 1.5 * R, y - R), math.hypot(x - 0.5 * R, y - R)
    if right < DOT or left < DOT:
        return 2
    return int(right <= DOT or DOT < left <= 0.5 * R or (y > R and right > 0.5 * R))


def make(part: str, options: Mapping[str, int]) -> Made:
    """Draw a part."""
    seed, size = options.get("seed", SEEDS[part]), options.get("size", DATA.sizes[part])
    random = np.random.RandomState(seed)  # the published samples are drawn with this generator
    inputs, labels = np.empty((size, 4)), np.empty(size, np.int64)
    for k in range(size):
        wanted = random.randint(3)
        while True:
            x, y = random.rand(2) * 2 * R
            if math.hypot(x - R, y - R) <= R and class_of(x, y) == wanted:
                break
        inputs[k] = x, y, 1 - x, 1 - y
        labels[k] = wanted
    return inputs, labels


DATA = DataSet(
    title="Points of a yin-yang figure: 4 inputs, 3 classes",
    sizes={"train": 6000, "validation": 900, "test": 900},
    fields=fields(4, 3),
    make=make,
    options={"size": (1, 10**5), "seed": (0, 2**32 - 1)},
)
