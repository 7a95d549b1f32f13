"""Metrics of what happens in the items that their readouts see, with variables as they are when an item begins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from neuroport.metrics.metric import Metric, Observed, Real


@dataclass(frozen=True, eq=False)
class Followed:
    """What a metric has of the items since it was last measured, by names of its own.

    `first`, `began`: what it took when the first of them began, and the last one. `gained`: sums over those that ended.
    """

    first: Mapping[str, Real] = field(default_factory=dict)
    began: Mapping[str, Real] = field(default_factory=dict)
    gained: Mapping[str, Real] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Following(Metric):
    """A metric that takes something when an item with its readouts begins, and gains something when it ends."""

    @abstractmethod
    def taken(self, run: Observed) -> dict[str, Real]:
        """What is to be known of the beginning of an item."""

    @abstractmethod
    def gained(self, run: Observed, began: Mapping[str, Real]) -> dict[str, Real]:
        """What an item that has just ended adds, which began so; Observed.latest gives its rows."""

    @abstractmethod
    def fits(self, followed: Followed, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether that can be what it has of items of a program whose arrays have these shapes."""
