"""A window that slides over each channel of a map: `{pool: {shape: [28, 28], kernel: [2, 2], channels: 8}}`.

Maps are (height, width, channels), neurons numbered row by row, the channels of a place one after the other. Each
position of the window is a neuron of every channel, which all neurons under the window lead to. Without a `stride`
windows lie beside each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule
from neuroport.connections.windows import MOST, WINDOW_KEYS, Windows, read_windows, size_problem, written_windows
from neuroport.network.objects import Connect
from neuroport.yaml.arrays import Sink

KEYS = (*WINDOW_KEYS, "channels")
NEEDED = ("shape", "kernel", "channels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Connect):
    """From a map of `windows.shape` and `channels` to that of the window's positions, within each channel."""

    windows: Windows
    channels: int


def read(entry: Entry) -> Pool | None:
    """Read it."""
    report = entry.report
    if entry.inner is None:
        report.add(entry.node, f"{entry.this} must have the keys {', '.join(NEEDED)}")
        return None
    entries = report.mapping(entry.inner, entry.named, KEYS, NEEDED)
    windows = read_windows(entry, entries, stride=None)
    channels = report.integer(entries.get("channels"), f"channels of {entry.named}", 1, MOST)
    if windows is None or channels is None:
        return None
    unfit = [
        size_problem(entry, "source", windows.shape, channels),
        size_problem(entry, "target", windows.outputs, channels),
    ]
    return None if any(unfit) else Pool(windows=windows, channels=channels, place=entry.node.place)


def write(rule: Pool, sink: Sink, at: str) -> Any:
    """Write it."""
    return {"pool": written_windows(rule.windows, stride=None) | {"channels": rule.channels}}


def expected(rule: Pool, ends: Ends) -> float:
    """At most as many synapses as places of the window times positions and channels."""
    return float(prod(rule.windows.kernel)) * prod(rule.windows.outputs) * rule.channels


def pairs(rule: Pool, ends: Ends) -> Pairs:
    """Those of neurons under a window with the neuron of its position in their channel."""
    rows, columns = rule.windows.rows.joined(), rule.windows.columns.joined()
    places = (np.add.outer(rows[0] * rule.windows.shape[1], columns[0])).reshape(-1, 1)
    positions = (np.add.outer(rows[1] * rule.windows.outputs[1], columns[1])).reshape(-1, 1)
    channel = np.arange(rule.channels)
    pre, post = ((at * rule.channels + channel).reshape(-1) for at in (places, positions))
    order = np.lexsort((post, pre))
    return pre[order], post[order]


RULE = Rule(Pool, read, write, expected, pairs)
