"""Windows that slide over maps of neurons (height, width, channels), as those of convolutions and of pools do.

Neurons of a map are numbered row by row, the channels of a place one after the other: (row * width + column) * channels
+ channel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.rule import Entry
from neuroport.yaml.fields import found
from neuroport.yaml.nodes import ListNode, Node, ScalarNode

Integers = NDArray[np.int64]
Pair = tuple[int, int]
"""For rows and for columns."""
Padding = Literal["same", "valid"] | Pair
MOST = 2**31
WINDOW_KEYS = ("shape", "kernel", "stride", "padding", "dilation")


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over the places of one direction.

    It covers `kernel` places, `dilation` apart, of `size`, with `before` and `after` places without neurons at the
    ends, and moves by `stride`.
    """

    size: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def span(self) -> int:
        """The places from its first to its last."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def outputs(self) -> int:
        """How many positions it has; 0 where it does not fit."""
        room = self.size + self.before + self.after - self.span
        return room // self.stride + 1 if room >= 0 else 0

    def joined(self) -> tuple[Integers, Integers, Integers]:
        """What it covers: place, position of the window and place within the window, by ascending place, position."""
        position, within = (part.reshape(-1) for part in np.indices((self.outputs, self.kernel)))
        place = position * self.stride - self.before + within * self.dilation
        there = (place >= 0) & (place < self.size)
        place, position, within = place[there], position[there], within[there]
        order = np.lexsort((position, place))
        return place[order], position[order], within[order]


@dataclass(frozen=True, slots=True)
class Windows:
    """A window that slides over the rows and columns of a map; pairs are for rows and for columns.

    `padding`: so many places without neurons at either end, none (valid), or as many as make as many positions as there
    are places, divided by the stride and rounded up (same).
    """

    shape: Pair
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Padding = "valid"
    dilation: Pair = (1, 1)

    @property
    def rows(self) -> Window:
        """The direction of rows."""
        return self._window(0)

    @property
    def columns(self) -> Window:
        """The direction of columns."""
        return self._window(1)

    @property
    def outputs(self) -> Pair:
        """The rows and columns of the map of its positions."""
        return self.rows.outputs, self.columns.outputs

    def _window(self, k: int) -> Window:
        size, stride, dilation = self.shape[k], self.stride[k], self.dilation[k]
        bare = Window(size, self.kernel[k], stride, dilation=dilation)
        if self.padding == "valid":
            return bare
        if self.padding == "same":
            missing = max(0, (-(-size // stride) - 1) * stride + bare.span - size)
            return replace(bare, before=missing // 2, after=missing - missing // 2)
        return replace(bare, before=self.padding[k], after=self.padding[k])


def read_pair(entry: Entry, node: Node | None, key: str, least: int = 1, default: Pair | None = None) -> Pair | None:
    """A number for rows and columns, or a pair of them; None with the reason in the report."""
    report, what = entry.report, f"{key} of {entry.named}"
    if node is None:
        return default
    if not isinstance(node, ListNode):
        number = report.integer(node, what, least, MOST)
        return None if number is None else (number, number)
    if len(node.items) != 2:
        report.add(node, f"{what} must be a number or two, for rows and columns; found {found(node)}")
        return None
    one, other = (report.integer(item, f"a number in {what}", least, MOST) for item in node.items)
    return None if one is None or other is None else (one, other)


def read_padding(entry: Entry, node: Node | None, default: Padding) -> Padding | None:
    """`same`, `valid`, a number or a pair; None with the reason in the report."""
    if node is None:
        return default
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        if node.value in ("same", "valid"):
            return "same" if node.value == "same" else "valid"
        text = (
            f"padding of {entry.named} must be same, valid, a number or two, for rows and columns; found {found(node)}"
        )
        entry.report.add(node, text)
        return None
    return read_pair(entry, node, "padding", 0)


def read_windows(
    entry: Entry, entries: dict[str, Node], padding: Padding = "valid", stride: Pair | None = (1, 1)
) -> Windows | None:
    """The keys `shape`, `kernel`, `stride`, `padding` and `dilation`; `stride` None: that of the kernel's size.

    None with the reason in the report, also where a window does not fit into its map.
    """
    shape, kernel = (read_pair(entry, entries.get(key), key) for key in ("shape", "kernel"))
    steps = read_pair(entry, entries.get("stride"), "stride", 1, stride or kernel)
    dilation = read_pair(entry, entries.get("dilation"), "dilation", 1, (1, 1))
    around = read_padding(entry, entries.get("padding"), padding)
    if shape is None or kernel is None or steps is None or dilation is None or around is None:
        return None
    made = Windows(shape, kernel, steps, around, dilation)
    fits = [_fits(entry, made.rows, "rows", entries), _fits(entry, made.columns, "columns", entries)]
    return made if all(fits) else None


def _fits(entry: Entry, window: Window, direction: str, entries: dict[str, Node]) -> bool:
    """Whether a window has a position; if not, that is told."""
    if window.outputs:
        return True
    room = window.size + window.before + window.after
    text = f"kernel of {entry.named} covers {window.span} {direction} and there are {room} with the padding; take a "
    entry.report.add(entries["kernel"], text + "smaller kernel or dilation, or more padding")
    return False


def written_pair(pair: Pair) -> int | list[int]:
    """What `read_pair` reads."""
    return pair[0] if pair[0] == pair[1] else list(pair)


def written_windows(windows: Windows, padding: Padding = "valid", stride: Pair | None = (1, 1)) -> dict[str, Any]:
    """What `read_windows` reads with these defaults."""
    entries: dict[str, Any] = {"shape": list(windows.shape), "kernel": list(windows.kernel)}
    if windows.stride != (stride or windows.kernel):
        entries["stride"] = written_pair(windows.stride)
    if windows.padding != padding:
        entries["padding"] = windows.padding if isinstance(windows.padding, str) else written_pair(windows.padding)
    if windows.dilation != (1, 1):
        entries["dilation"] = written_pair(windows.dilation)
    return entries


def size_problem(entry: Entry, end: Literal["source", "target"], shape: Pair, channels: int) -> bool:
    """Whether a population has another size than a map; that is told."""
    population = entry.source if end == "source" else entry.target
    if population is None:
        return False
    rows, columns = shape
    needed = rows * columns * channels
    if needed == population.size:
        return False
    text = f"{entry.named} needs a {end} of {rows} x {columns} x {channels} = {needed:,} neurons, and {population} "
    instead = f"give it 'size: {needed}'" if population.part is None else f"name {needed:,} neurons"
    text += f"has {population.size:,}; {instead}, or correct shape and channels"
    entry.report.add(entry.inner or entry.node, text)
    return True
