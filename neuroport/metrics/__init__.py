"""Metrics: numbers that say how a network does. Each is one class with its fields, how a file has it, and its formula.

A new one is a class in a file of this folder and its name below. It may be of a variable, of a readout, of rates, and
compare with patterns, labels or a target; see `metric`.
"""

from __future__ import annotations

from neuroport.metrics.divergence import Divergence
from neuroport.metrics.elements import Max, Mean, Min, Sd, Values
from neuroport.metrics.metric import Metric
from neuroport.metrics.rate import Rate
from neuroport.metrics.rows import Accuracy, CrossEntropy, SquaredError
from neuroport.metrics.updates import UpdateAngle
from neuroport.metrics.weights import Angle, Asymmetry, Distance
from neuroport.shelf import shelve

__all__ = ["ALL", "Metric"]

_KINDS: tuple[type[Metric], ...] = (
    *(Divergence, Asymmetry, Angle, UpdateAngle, Distance, Rate),
    *(Accuracy, CrossEntropy, SquaredError),
    *(Mean, Sd, Min, Max, Values),
)
ALL: dict[str, type[Metric]] = {metric.kind: metric for metric in _KINDS}

shelve(__name__)
