"""Stimuli and targets out of YAML nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroport.files import values as read_values
from neuroport.files.context import Context, input_of
from neuroport.files.values import Fits, Rows, Shape, Slot
from neuroport.network.objects import Population
from neuroport.network.stimuli import Boltzmann, Patterns, SpikeList, Stimulus, TimeSeries
from neuroport.network.values import ArrayValue, Frozen, Value
from neuroport.yaml.fields import found
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode

KINDS = {
    "spikes": ("times", "neurons"),
    "series": ("values", "every", "loop", "start"),
    "patterns": ("values", "hold", "order", "frames", "labels", "beside"),
}
MAX_UNITS = 20
To = dict[str, Any]
"""Name, population and input of a stimulus."""
MAX_FRAMES = 10**9


def stimulus(context: Context, name: str, at: Node, node: Node) -> Stimulus | None:
    """One stimulus, or None with its problems in the report."""
    report = context.report
    before = len(report.problems)
    what = f"stimulus '{name}'"
    entries = report.mapping(node, what, (*KINDS, "population", "input"), ("population",))
    kinds = [kind for kind in KINDS if kind in entries]
    if len(kinds) != 1:
        if isinstance(node, MapNode):
            report.add(at, f"{what} must have one of the keys {', '.join(KINDS)}; found {', '.join(kinds) or 'none'}")
        return None
    kind = kinds[0]
    population_name = report.reference(entries.get("population"), "population", context.populations)
    population = context.populations.get(population_name or "")
    input_name = input_of(context, entries.get("input"), at, what, population) if population else None
    unit = ""
    if population and input_name:
        unit = next(item.unit for item in population.neuron.inputs if item.name == input_name)
    to: To = {"name": name, "population": population_name or "", "input": input_name or ""}
    made: Stimulus | None
    if kind == "spikes":
        made = _spikes(context, entries[kind], what, population, to, at)
    elif kind == "series":
        made = _series(context, entries[kind], what, population if input_name else None, unit, to, at)
    else:
        made = _patterns(context, entries[kind], what, population if input_name else None, unit, to, at)
    return made if population and input_name and len(report.problems) == before else None


def check_beside(context: Context, node: Node | None) -> None:
    """Whether patterns that are shown beside others name others that can be presented."""
    if not isinstance(node, MapNode):
        return
    shown = [name for name, item in context.stimuli.items() if item is None or _presentable(item)]
    for name, item in list(context.stimuli.items()):
        if isinstance(item, Patterns) and item.beside and item.beside not in shown:
            entry = node.entries[name][1]
            inner = entry.entries["patterns"][1] if isinstance(entry, MapNode) else None
            at = inner.get("beside") if isinstance(inner, MapNode) else entry
            other = context.stimuli.get(item.beside)
            if isinstance(other, Patterns):
                text = f"stimulus '{name}' is shown beside '{item.beside}', which is itself shown beside "
                context.report.add(at, f"{text}'{other.beside}'; write beside: {other.beside}")
            else:
                context.report.unknown(at, "patterns", item.beside, shown)
            context.stimuli[name] = None


def _presentable(item: Stimulus) -> bool:
    return isinstance(item, Patterns) and not item.beside


def _patterns(
    context: Context, node: Node, what: str, population: Population | None, unit: str, to: To, at: Node
) -> Patterns | None:
    report = context.report
    beside = isinstance(node, MapNode) and "beside" in node.entries
    inner = report.mapping(
        node, f"patterns of {what}", KINDS["patterns"], ("values",) if beside else ("values", "hold")
    )
    other = report.name(inner.get("beside"), f"beside of {what}")
    for key in ("hold", "order"):
        if beside and key in inner:
            report.add(inner[key], f"{key} of {what} is that of the patterns that it is shown beside; leave it out")
    frames = report.integer(inner.get("frames"), f"frames of {what}", 1, MAX_FRAMES)
    frames = 1 if frames is None else frames
    hold = None if beside else read_values.duration(report, inner.get("hold"), f"hold of {what}", context.dt, 1)
    order: Any = report.choice(inner.get("order"), f"order of {what}", ("sequential", "shuffle", "choice"))
    values: Value | None
    fits = _pattern_rows(population, frames)
    slot = Slot(f"values of {what}", unit, fits=fits, folder=context.folder)
    number = inner.get("values")
    if beside and isinstance(number, ScalarNode):
        values = read_values.fitting(report, number, slot)
    else:
        values = _arrays_only(context, number, slot) if population else None
    slot = Slot(f"labels of {what}", type="int", range=(0, 2**31), fits=_one_list("pattern"), folder=context.folder)
    labels = _arrays_only(context, inner.get("labels"), slot)
    if values is None or (hold is None and not other):
        return None
    shown: dict[str, Any] = {"hold": hold, "order": order or "sequential", "frames": frames, "beside": other or ""}
    return Patterns(values=values, labels=labels, place=at.place, **to, **shown)


def _series(
    context: Context, node: Node, what: str, population: Population | None, unit: str, to: To, at: Node
) -> TimeSeries | None:
    report = context.report
    inner = report.mapping(node, f"series of {what}", KINDS["series"], ("values", "every"))
    slot = Slot(f"values of {what}", unit, fits=_series_rows(population), folder=context.folder)
    values = _arrays_only(context, inner.get("values"), slot) if population else None
    every = read_values.duration(report, inner.get("every"), f"every of {what}", context.dt, 1)
    loop = report.boolean(inner.get("loop"), f"loop of {what}") or False
    slot = Slot(f"start of {what}", type="int", range=(0, 2**62), fits=_one_list("copy"), folder=context.folder)
    start = read_values.value(report, inner.get("start"), slot)
    if start is not None and not loop:
        report.add(inner["start"], f"start of {what} needs a series that begins again; add loop: true")
    if values is None or every is None:
        return None
    return TimeSeries(**to, values=values, every=every, loop=loop, start=start, place=at.place)


def boltzmann(context: Context, name: str, at: Node, node: Node) -> Boltzmann | None:
    """One target, or None with its problems in the report."""
    report = context.report
    what = f"target '{name}'"
    entries = report.mapping(node, what, ("boltzmann",), ("boltzmann",))
    if "boltzmann" not in entries:
        return None
    inner = report.mapping(entries["boltzmann"], f"boltzmann of {what}", ("weights", "biases"), ("weights", "biases"))
    biases = read_values.numbers(report, inner.get("biases"), f"biases of {what}", None, context.folder)
    if biases is not None and (biases.ndim != 1 or not 1 <= len(biases) <= MAX_UNITS):
        report.add(
            inner["biases"],
            f"biases of {what} must be a list of 1 to {MAX_UNITS} numbers; found the shape {biases.shape}",
        )
        return None
    shape = None if biases is None else (len(biases), len(biases))
    weights = read_values.numbers(report, inner.get("weights"), f"weights of {what}", shape, context.folder)
    if weights is None or biases is None:
        return None
    if not np.array_equal(weights, weights.T):
        row, column = (int(i) for i in np.argwhere(weights != weights.T)[0])
        text = f"weights of {what} must be symmetric; the values at [{row}, {column}] and [{column}, {row}] differ"
        report.add(inner["weights"], text)
        return None
    return Boltzmann(name=name, weights=Frozen(weights), biases=Frozen(biases), place=at.place)


def _series_rows(population: Population | None) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        if population is None or (len(shape) == 2 and shape[1] == population.size and shape[0] > 0):
            return ""
        if len(shape) == 1 and shape[0] > 0:
            return ""
        return f"(n, {population.size}), one row per time, or (n,)"

    return fits


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


def _one_list(each: str) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        return "" if len(shape) == 1 and shape[0] > 0 else f"(n,), one value per {each}"

    return fits


def _arrays_only(context: Context, node: Node | None, slot: Slot) -> Value | None:
    if node is None:
        return None
    if isinstance(node, ListNode) or (isinstance(node, MapNode) and set(node.entries) & {"array", "file", "data"}):
        return read_values.value(context.report, node, slot)
    context.report.add(node, f"{slot.what} must be a list, an array, a file or a data set; found {found(node)}")
    return None


def _spikes(
    context: Context, node: Node, what: str, population: Population | None, to: To, at: Node
) -> SpikeList | None:
    def one_list(shape: Shape, rows: Rows) -> str:
        return "" if len(shape) == 1 else "(n,), one value per spike"

    inner = context.report.mapping(node, f"spikes of {what}", KINDS["spikes"], KINDS["spikes"])
    far = float("inf")
    folder = context.folder
    slot = Slot(f"times of {what}", "step", range=(0, far), dt=context.dt, fits=one_list, folder=folder)
    times = _arrays_only(context, inner.get("times"), slot)
    last = population.size - 1 if population else far
    slot = Slot(f"neurons of {what}", type="int", range=(0, last), fits=one_list, folder=folder)
    neurons = _arrays_only(context, inner.get("neurons"), slot)
    if isinstance(times, ArrayValue) and isinstance(neurons, ArrayValue):
        counts = len(times.values.array), len(neurons.values.array)
        if counts[0] != counts[1]:
            text = f"{what} has {counts[0]} times but {counts[1]} neurons; give one neuron per time"
            context.report.add(inner["neurons"], text)
    if times is None or neurons is None:
        return None
    return SpikeList(**to, times=times, neurons=neurons, place=at.place)
