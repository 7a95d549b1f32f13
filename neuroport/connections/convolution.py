"""A kernel that slides over maps: `{convolution: {shape: [28, 28], kernel: [3, 3], channels: [8, 16]}}`.

Maps are (height, width, channels), neurons numbered row by row, the channels of a place one after the other. Synapses
of the same place within the kernel and of the same channels share their weight: values are a list or array of the
kernel's entries, (kernel height, kernel width, channels in / groups, channels out). `transposed: true` leads back the
way of such a convolution: from its map of positions and channels out to the map `shape` of channels in, with the same
entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.rule import Ends, Entry, Pairs, Rule
from neuroport.connections.windows import (
    MOST,
    WINDOW_KEYS,
    Pair,
    Window,
    Windows,
    read_pair,
    read_windows,
    size_problem,
    written_windows,
)
from neuroport.network.objects import Connect
from neuroport.program.wiring import Kernel
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import found
from neuroport.yaml.nodes import ListNode, Node

KEYS = (*WINDOW_KEYS, "channels", "groups", "transposed")
NEEDED = ("shape", "kernel", "channels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution(Connect):
    """From a map of `windows.shape` and `channels`[0] to the map of the kernel's positions and `channels`[1], or back.

    `groups`: channels are divided into so many parts, one after the other, each connected with its own.
    """

    windows: Windows
    channels: Pair
    groups: int = 1
    transposed: bool = False

    @property
    def joints(self) -> tuple[Window, Window, Pair, int]:
        """What says which places and channels are joined by which entries, whatever the way."""
        return self.windows.rows, self.windows.columns, self.channels, self.groups

    @property
    def axes(self) -> tuple[int, int, int, int]:
        """The shape of the kernel: height, width, channels in of a group, channels out."""
        return (*self.windows.kernel, self.channels[0] // self.groups, self.channels[1])


def read(entry: Entry) -> Convolution | None:
    """Read it."""
    report = entry.report
    if entry.inner is None:
        report.add(entry.node, f"{entry.this} must have the keys {', '.join(NEEDED)}")
        return None
    entries = report.mapping(entry.inner, entry.named, KEYS, NEEDED)
    windows = read_windows(entry, entries)
    channels, groups = _channels(entry, entries.get("channels")), _groups(entry, entries)
    transposed = report.boolean(entries.get("transposed"), f"transposed of {entry.named}") is True
    if windows is None or channels is None or groups is None or not _divided(entry, entries, channels, groups):
        return None
    if _unfit(entry, windows, channels, transposed):
        return None
    place = entry.node.place
    return Convolution(windows=windows, channels=channels, groups=groups, transposed=transposed, place=place)


def _channels(entry: Entry, node: Node | None) -> Pair | None:
    """The channels in and out, which are always two numbers."""
    if node is None:
        return None
    if not isinstance(node, ListNode):
        text = f"channels of {entry.named} must be two numbers, [channels in, channels out]; found {found(node)}"
        entry.report.add(node, text)
        return None
    return read_pair(entry, node, "channels")


def _groups(entry: Entry, entries: dict[str, Node]) -> int | None:
    if "groups" not in entries:
        return 1
    return entry.report.integer(entries["groups"], f"groups of {entry.named}", 1, MOST)


def _divided(entry: Entry, entries: dict[str, Node], channels: Pair, groups: int) -> bool:
    """Whether channels can be divided into so many groups; if not, that is told."""
    if not any(number % groups for number in channels):
        return True
    text = f"groups of {entry.named} must divide {channels[0]} and {channels[1]}, its channels; found {groups}"
    entry.report.add(entries["groups"], text)
    return False


def _unfit(entry: Entry, windows: Windows, channels: Pair, transposed: bool) -> bool:
    """Whether a population has another size than its map; that is told."""
    lower = size_problem(entry, "target" if transposed else "source", windows.shape, channels[0])
    upper = size_problem(entry, "source" if transposed else "target", windows.outputs, channels[1])
    return lower or upper


def write(rule: Convolution, sink: Sink, at: str) -> Any:
    """Write it."""
    entries = written_windows(rule.windows) | {"channels": list(rule.channels)}
    if rule.groups != 1:
        entries["groups"] = rule.groups
    if rule.transposed:
        entries["transposed"] = True
    return {"convolution": entries}


def expected(rule: Convolution, ends: Ends) -> float:
    """At most as many synapses as kernel entries times positions."""
    return float(prod(rule.axes)) * prod(rule.windows.outputs)


def pairs(rule: Convolution, ends: Ends) -> Pairs:
    """Those of its synapses."""
    made = wiring(rule)
    return made.pre, made.post


def axes(rule: Convolution) -> tuple[int, ...]:
    """Those of the kernel."""
    return rule.axes


def wiring(rule: Convolution) -> Kernel:
    """The synapses by rows of the kernel."""
    return _transposed(rule) if rule.transposed else _forward(rule)


def _forward(rule: Convolution) -> Kernel:
    """A row goes to the channels out of each position of the kernel that covers its place."""
    (kernel, upper), (ins, outs) = (rule.windows.kernel[1], rule.windows.outputs[1]), rule.channels
    places = _places(rule, back=False)
    part_in, part_out = ins // rule.groups, outs // rule.groups
    target = (places.row_to * upper + places.column_to) * outs
    entry = (places.row_within * kernel + places.column_within) * part_in * outs
    channel = np.arange(ins)
    shift = channel // part_in * part_out
    return _kernel(rule, places, ins, part_out, 1, target, entry, shift, channel % part_in * outs + shift)


def _transposed(rule: Convolution) -> Kernel:
    """A row goes to the channels in of each place that the kernel covers at its position."""
    (kernel, lower), (ins, outs) = (rule.windows.kernel[1], rule.windows.shape[1]), rule.channels
    places = _places(rule, back=True)
    part_in, part_out = ins // rule.groups, outs // rule.groups
    target = (places.row_to * lower + places.column_to) * ins
    entry = (places.row_within * kernel + places.column_within) * part_in * outs
    channel = np.arange(outs)
    return _kernel(rule, places, outs, part_in, outs, target, entry, channel // part_out * part_in, channel)


@dataclass(frozen=True, eq=False)
class _Places:
    """Which places of one map are joined with which of the other, sorted by both; and where they are in the kernel.

    `first`: (places + 1,), where the joints of each place begin.
    """

    first: NDArray[np.int64]
    row_to: NDArray[np.int64]
    column_to: NDArray[np.int64]
    row_within: NDArray[np.int64]
    column_within: NDArray[np.int64]


def _places(rule: Convolution, back: bool) -> _Places:
    """The joints of all places of the lower map, or `back` of the upper one."""
    windows = rule.windows
    rows, columns = (_joints(direction, back) for direction in (windows.rows.joined(), windows.columns.joined()))
    sizes = windows.outputs if back else windows.shape
    row_count, column_count = (np.bincount(j[0], minlength=n) for j, n in zip((rows, columns), sizes, strict=True))
    count = (row_count[:, None] * column_count).reshape(-1)
    place = np.repeat(np.arange(len(count)), count)
    nth = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
    row, column = np.divmod(place, sizes[1])
    down, across = np.divmod(nth, column_count[column])
    at_row = (np.cumsum(row_count) - row_count)[row] + down
    at_column = (np.cumsum(column_count) - column_count)[column] + across
    first = np.concatenate([[0], np.cumsum(count)])
    return _Places(first, rows[1][at_row], columns[1][at_column], rows[2][at_row], columns[2][at_column])


def _joints(
    joined: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], back: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """From, to and within, sorted by from, then to."""
    place, position, within = joined
    if not back:
        return joined
    order = np.lexsort((place, position))
    return position[order], place[order], within[order]


def _kernel(
    rule: Convolution,
    places: _Places,
    channels: int,
    width: int,
    step: int,
    target: NDArray[np.int64],
    entry: NDArray[np.int64],
    target_shift: NDArray[np.int64],
    entry_shift: NDArray[np.int64],
) -> Kernel:
    """Rows of all `channels` of every place: where its runs begin for channel 0, and by how much others are shifted.

    Places whose runs lie alike, seen from their first ones, have one template.
    """
    begins, counts = places.first[:-1], np.diff(places.first)
    there = counts > 0
    base = np.zeros((2, len(counts)), np.int64)
    base[:, there] = target[begins[there]], entry[begins[there]]
    ahead = np.stack([target, entry]) - np.repeat(base, counts, axis=1)
    known: dict[bytes, int] = {}
    runs: list[NDArray[np.int64]] = []
    template = np.zeros(len(counts), np.int64)
    for place, (begin, count) in enumerate(zip(begins.tolist(), counts.tolist(), strict=True)):
        own = ahead[:, begin : begin + count]
        key = own.tobytes()
        if key not in known:
            known[key] = len(runs)
            runs.append(own)
        template[place] = known[key]
    upper, lower = prod(rule.windows.outputs) * rule.channels[1], prod(rule.windows.shape) * rule.channels[0]
    all_runs = np.concatenate(runs, axis=1)
    return Kernel(
        entries=prod(rule.axes),
        sources=upper if rule.transposed else lower,
        targets=lower if rule.transposed else upper,
        width=width,
        step=step,
        template=np.repeat(template, channels).astype(np.int32),
        target=(base[0][:, None] + target_shift).reshape(-1).astype(np.int32),
        entry_base=(base[1][:, None] + entry_shift).reshape(-1).astype(np.int32),
        first=np.cumsum([0, *(own.shape[1] for own in runs)]).astype(np.int64),
        target_ahead=all_runs[0].astype(np.int32),
        entry_ahead=all_runs[1].astype(np.int32),
    )


RULE = Rule(Convolution, read, write, expected, pairs, axes=axes, wiring=wiring)
