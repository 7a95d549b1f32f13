"""Patterns that a protocol presents: `{patterns: {values: [[0, 1], [1, 0]], hold: 10 ms, labels: [0, 1]}}`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Problem
from neuroport.network.network import Network
from neuroport.network.objects import Population
from neuroport.network.protocol import Capture, walk
from neuroport.network.stimuli import Patterns, Stimulus
from neuroport.network.values import Value
from neuroport.program.machine import Series
from neuroport.stimuli.kind import Entry, Kind, Maker, Onto, one_list
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import MapNode, Node, ScalarNode
from neuroport.yaml.quantities import duration, fitting, written_quantity
from neuroport.yaml.slots import Fits, Rows, Shape, Slot
from neuroport.yaml.values import written_value

KEYS = ("values", "hold", "order", "frames", "labels", "beside")
MAX_FRAMES = 10**9


def read(entry: Entry) -> Patterns | None:
    """Read them."""
    report, what = entry.report, entry.what
    beside = isinstance(entry.inner, MapNode) and "beside" in entry.inner.entries
    required = ("values",) if beside else ("values", "hold")
    inner = report.mapping(entry.inner, f"patterns of {what}", KEYS, required)
    other = report.name(inner.get("beside"), f"beside of {what}")
    for key in ("hold", "order"):
        if beside and key in inner:
            report.add(inner[key], f"{key} of {what} is that of the patterns that it is shown beside; leave it out")
    frames = report.integer(inner.get("frames"), f"frames of {what}", 1, MAX_FRAMES)
    frames = 1 if frames is None else frames
    hold = None if beside else duration(report, inner.get("hold"), f"hold of {what}", entry.dt, 1)
    order: Any = report.choice(inner.get("order"), f"order of {what}", ("sequential", "shuffle", "choice"))
    values: Value | None
    slot = Slot(f"values of {what}", entry.unit, fits=_pattern_rows(entry.cells, frames), folder=entry.folder)
    number = inner.get("values")
    if entry.cells is None:
        values = None
    elif beside and isinstance(number, ScalarNode):
        values = fitting(report, number, slot)
    else:
        values = entry.numbers(number, slot)
    slot = Slot(f"labels of {what}", type="int", range=(0, 2**31), fits=one_list("pattern"), folder=entry.folder)
    labels = entry.numbers(inner.get("labels"), slot)
    if values is None or (hold is None and not other):
        return None
    shown: dict[str, Any] = {"hold": hold, "order": order or "sequential", "frames": frames, "beside": other or ""}
    return Patterns(**entry.common, values=values, labels=labels, **shown)


def write(item: Patterns, sink: Sink, at: str) -> dict[str, Any]:
    """Write them."""
    result: dict[str, Any] = {"values": written_value(item.values, sink, f"{at}/values")}
    if item.frames != 1:
        result["frames"] = item.frames
    if item.hold is None:
        result["beside"] = item.beside
    else:
        result |= {"hold": written_quantity(item.hold), "order": item.order}
    if item.labels is not None:
        result["labels"] = written_value(item.labels, sink, f"{at}/labels")
    return result


def elaborate(item: Patterns, onto: Onto, maker: Maker) -> Series:
    """One row per frame of each pattern."""
    network, size, name, frames = maker.network, onto.size, item.name, item.frames
    main = main_patterns(item, network)
    assert main.hold is not None
    hold = maker.steps(main.hold, main.name)
    table = maker.free(item.values, onto.declared.unit, onto.integer, name, "values")
    if table.ndim == 0:
        table = np.full((pattern_count(main, network, maker), frames * size), table)
    if table.size == 0 or table.size % (frames * size):
        text = f"stimulus '{name}' has {table.size} values; give {frames * size} per pattern, {frames} x {size} neurons"
        maker.problems.append(Problem(item.values.place, text))
        table = np.zeros((frames, size), table.dtype)
    table = np.ascontiguousarray(table.reshape(-1, size))
    count = len(table) // frames
    if hold % frames:
        text = f"stimulus '{name}' shows {frames} frames in {hold} steps; a hold must be a multiple of the frames, "
        text += f"such as {-(-hold // frames) * frames} steps"
        maker.problems.append(Problem((item if item is main else main).place, text))
        hold = frames
    labels = labels_of(item, maker)
    if labels is not None and len(labels) != count:
        text = f"stimulus '{name}' has {len(labels)} labels and {count} patterns; give one label per pattern"
        maker.problems.append(Problem(item.labels.place if item.labels else None, text))
    if item is not main:
        others = pattern_count(main, network, maker)
        if others != count:
            text = f"stimulus '{name}' has {count} patterns and '{main.name}', beside which they are shown, {others}; "
            maker.problems.append(Problem(item.values.place, f"{text}the numbers must be equal"))
    captured = any(isinstance(i, Capture) and name in dict(i.rows) for i in walk(network.protocol))
    return Series(name, onto.array, table, hold, "item", frames=frames, captured=captured)


def expected(item: Patterns, network: Network, maker: Maker) -> float:
    """As many frames as the patterns that are shown have, for every neuron."""
    patterns = pattern_count(main_patterns(item, network), network, maker)
    return float(patterns) * item.frames * network.population(item.population).size


def check_beside(report: Report, stimuli: dict[str, Stimulus | None], node: Node | None) -> None:
    """Whether patterns that are shown beside others name others that can be presented; those that do not become None.

    `node`: the section of the file with all stimuli.
    """
    if not isinstance(node, MapNode):
        return
    shown = [name for name, item in stimuli.items() if item is None or _presentable(item)]
    for name, item in list(stimuli.items()):
        if isinstance(item, Patterns) and item.beside and item.beside not in shown:
            entry = node.entries[name][1]
            inner = entry.entries["patterns"][1] if isinstance(entry, MapNode) else None
            at = inner.get("beside") if isinstance(inner, MapNode) else entry
            other = stimuli.get(item.beside)
            if isinstance(other, Patterns):
                text = f"stimulus '{name}' is shown beside '{item.beside}', which is itself shown beside "
                report.add(at, f"{text}'{other.beside}'; write beside: {other.beside}")
            else:
                report.unknown(at, "patterns", item.beside, shown)
            stimuli[name] = None


def _presentable(item: Stimulus) -> bool:
    return isinstance(item, Patterns) and not item.beside


def _pattern_rows(population: Population | None, frames: int) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        if population is None:
            return ""
        size = population.size
        if frames == 1:
            ok = len(shape) == 2 and shape[1] == size and shape[0] > 0
            return "" if ok else f"(n, {size}), one row per pattern"
        ok = shape[1:] in ((frames * size,), (frames, size)) and shape[0] > 0
        return "" if ok else f"(n, {frames * size}) or (n, {frames}, {size}), {frames} frames per pattern"

    return fits


def main_patterns(patterns: Patterns, network: Network) -> Patterns:
    """The patterns that give hold and order: those that these are shown beside, or themselves."""
    return network.patterns(patterns.beside) if patterns.beside else patterns


def labels_of(patterns: Patterns, maker: Maker) -> NDArray[np.int64] | None:
    """The label of every pattern; None where there are none, or where they cannot be had."""
    if patterns.labels is None:
        return None
    if patterns.name not in maker.labels:
        labels = np.atleast_1d(maker.free(patterns.labels, "", True, patterns.name, "labels"))
        if f"{patterns.name}.labels" in maker.failed:
            return None
        maker.labels[patterns.name] = labels.astype(np.int64)
    return maker.labels[patterns.name]


def pattern_count(patterns: Patterns, network: Network, maker: Maker) -> int:
    """The number of patterns, from the shape of their values."""
    numbers = math.prod(maker.shape(patterns.values))
    return max(1, numbers // (patterns.frames * patterns.cells(network.population(patterns.population).size)))


KIND = Kind(Patterns, read, write, elaborate, expected)
