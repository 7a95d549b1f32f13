"""Stimuli and targets out of YAML nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroport import read_values
from neuroport.fields import found
from neuroport.network import Boltzmann, Patterns, Population, SpikeList, Stimulus, TimeSeries
from neuroport.read_values import Fits, Rows, Shape, Slot
from neuroport.reading import Context, input_of
from neuroport.values import ArrayValue, Frozen, Value
from neuroport.yamlfile import Mapping, Node, Sequence

KINDS = {
    "spikes": ("times", "neurons"),
    "series": ("values", "every", "loop"),
    "patterns": ("values", "hold", "order"),
}
MAX_UNITS = 20


def stimulus(context: Context, name: str, at: Node, node: Node) -> Stimulus | None:
    """One stimulus, or None with its problems in the report."""
    report = context.report
    before = len(report.problems)
    what = f"stimulus '{name}'"
    entries = report.mapping(node, what, (*KINDS, "population", "input"), ("population",))
    kinds = [kind for kind in KINDS if kind in entries]
    if len(kinds) != 1:
        if isinstance(node, Mapping):
            report.add(at, f"{what} must have one of the keys {', '.join(KINDS)}; found {', '.join(kinds) or 'none'}")
        return None
    kind = kinds[0]
    population_name = report.reference(entries.get("population"), "population", context.populations)
    population = context.populations.get(population_name or "")
    input_name = input_of(context, entries.get("input"), at, what, population) if population else None
    required = (
        ("values", "every") if kind == "series" else ("values", "hold") if kind == "patterns" else KINDS["spikes"]
    )
    inner = report.mapping(entries[kind], f"{kind} of {what}", KINDS[kind], required)
    unit = ""
    if population and input_name:
        unit = next(item.unit for item in population.neuron.inputs if item.name == input_name)
    order: Any = "sequential"
    loop = False
    times = neurons = values = time = None
    if kind == "spikes":
        times, neurons = _spikes(context, inner, what, population)
    else:
        if input_name:
            fits = _rows(population, kind == "patterns")
            values = _arrays_only(
                context, inner.get("values"), Slot(f"values of {what}", unit, fits=fits, folder=context.folder)
            )
        span = "hold" if kind == "patterns" else "every"
        time = read_values.duration(report, inner.get(span), f"{span} of {what}", context.dt, 1)
        order = report.choice(inner.get("order"), f"order of {what}", ("sequential", "shuffle", "choice")) or order
        loop = report.boolean(inner.get("loop"), f"loop of {what}") or False
    if population is None or input_name is None or len(report.problems) > before:
        return None
    to = {"name": name, "population": population.name, "input": input_name}
    if times is not None and neurons is not None:
        return SpikeList(**to, times=times, neurons=neurons, place=at.place)
    if values is None or time is None:
        return None
    if kind == "patterns":
        return Patterns(**to, values=values, hold=time, order=order, place=at.place)
    return TimeSeries(**to, values=values, every=time, loop=loop, place=at.place)


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


def _rows(population: Population | None, rows_only: bool) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        if population is None:
            return ""
        if len(shape) == 2 and shape[1] == population.size and shape[0] > 0:
            return ""
        if not rows_only and len(shape) == 1 and shape[0] > 0:
            return ""
        return f"(n, {population.size}), one row per {'pattern' if rows_only else 'time'}" + (
            "" if rows_only else ", or (n,)"
        )

    return fits


def _arrays_only(context: Context, node: Node | None, slot: Slot) -> Value | None:
    if node is None:
        return None
    if isinstance(node, Sequence) or (isinstance(node, Mapping) and set(node.entries) & {"array", "file"}):
        return read_values.value(context.report, node, slot)
    context.report.add(node, f"{slot.what} must be a list, an array or a file; found {found(node)}")
    return None


def _spikes(
    context: Context, inner: dict[str, Node], what: str, population: Population | None
) -> tuple[Value | None, Value | None]:
    def one_list(shape: Shape, rows: Rows) -> str:
        return "" if len(shape) == 1 else "(n,), one value per spike"

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
    return times, neurons
