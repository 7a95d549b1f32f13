"""What can come from outside: one module per kind, with its fields, its form in a file and what a program has of it."""

from __future__ import annotations

from typing import Any

from neuroport.network.stimuli import Stimulus
from neuroport.shelf import shelve
from neuroport.stimuli import patterns, series, spikes
from neuroport.stimuli.kind import Entry, Kind, Maker, Onto

__all__ = ["ALL", "Entry", "Kind", "Maker", "Onto", "key"]

ALL: dict[str, Kind[Any]] = {"spikes": spikes.KIND, "series": series.KIND, "patterns": patterns.KIND}


def key(stimulus: Stimulus) -> str:
    """The name of the kind of a stimulus."""
    return next(key for key, kind in ALL.items() if kind.value is type(stimulus))


shelve(__name__)
