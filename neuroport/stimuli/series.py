"""Values in time: `{series: {values: [0, 1, 2], every: 1 ms, loop: true}}`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroport.errors import Problem
from neuroport.network.network import Network
from neuroport.network.objects import Population
from neuroport.network.stimuli import Stimulus
from neuroport.network.values import Value
from neuroport.numerics.units import Quantity
from neuroport.program.ir import Numbers
from neuroport.program.machine import Series
from neuroport.stimuli.kind import Entry, Kind, Maker, Onto, one_list
from neuroport.yaml.arrays import Sink
from neuroport.yaml.quantities import duration, written_quantity
from neuroport.yaml.slots import Fits, Rows, Shape, Slot
from neuroport.yaml.values import value, written_value


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries(Stimulus):
    """Values added to an input: row k of `values` (rows, size) or (rows,) during the k-th `every`.

    `start`: the row at which each copy of a network with copies begins; only with `loop`.
    """

    values: Value
    every: Quantity
    loop: bool = False
    start: Value | None = None


def read(entry: Entry) -> TimeSeries | None:
    """Read it."""
    report, what = entry.report, entry.what
    keys = ("values", "every", "loop", "start")
    inner = report.mapping(entry.inner, f"series of {what}", keys, ("values", "every"))
    slot = Slot(f"values of {what}", entry.unit, fits=_rows_in_time(entry.cells), folder=entry.folder)
    values = entry.numbers(inner.get("values"), slot) if entry.cells else None
    every = duration(report, inner.get("every"), f"every of {what}", entry.dt, 1)
    loop = report.boolean(inner.get("loop"), f"loop of {what}") or False
    slot = Slot(f"start of {what}", type="int", range=(0, 2**62), fits=one_list("copy"), folder=entry.folder)
    start = value(report, inner.get("start"), slot)
    if start is not None and not loop:
        report.add(inner["start"], f"start of {what} needs a series that begins again; add loop: true")
    if values is None or every is None:
        return None
    return TimeSeries(**entry.common, values=values, every=every, loop=loop, start=start)


def write(item: TimeSeries, sink: Sink, at: str) -> dict[str, Any]:
    """Write it."""
    values = written_value(item.values, sink, f"{at}/values")
    result: dict[str, Any] = {"values": values, "every": written_quantity(item.every), "loop": item.loop}
    if item.start is not None:
        result["start"] = written_value(item.start, sink, f"{at}/start")
    return result


def elaborate(item: TimeSeries, onto: Onto, maker: Maker) -> Series:
    """The rows, from that on at which each copy begins."""
    table = _table(item, onto, maker)
    series = Series(item.name, onto.array, table, maker.steps(item.every, item.name), "time", item.loop)
    return _started(item, series, onto.copies, maker)


def expected(item: TimeSeries, network: Network, maker: Maker) -> float:
    """One per row and neuron."""
    rows = maker.shape(item.values)[:1]
    return float(math.prod(rows)) * network.population(item.population).size


def _rows_in_time(population: Population | None) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        if population is None or (len(shape) == 2 and shape[1] == population.size and shape[0] > 0):
            return ""
        if len(shape) == 1 and shape[0] > 0:
            return ""
        return f"(n, {population.size}), one row per time, or (n,)"

    return fits


def _table(item: TimeSeries, onto: Onto, maker: Maker) -> Numbers:
    """Rows of one number per neuron; a list of numbers gives each row one number for all."""
    table = np.atleast_1d(maker.free(item.values, onto.declared.unit, onto.integer, item.name, "values"))
    if table.ndim == 1:
        table = np.repeat(table[:, None], onto.size, axis=1)
    if table.shape[1] != onto.size:
        text = f"stimulus '{item.name}' has rows of {table.shape[1]} values, population has {onto.size} neurons"
        maker.problems.append(Problem(item.values.place, text))
        table = np.zeros((1, onto.size), table.dtype)
    return np.ascontiguousarray(table)


def _started(item: TimeSeries, series: Series, copies: int, maker: Maker) -> Series:
    """The series with the row at which each copy begins."""
    if item.start is None:
        return series
    given = maker.shape(item.start)
    rows = given[0] if given else copies
    if rows < copies:
        text = f"start of stimulus '{item.name}' has {rows} rows, and the network has {copies} copies that share "
        text += f"what they learn; give at least {copies} rows"
        maker.problems.append(Problem(item.start.place, text))
        return series
    numbers = maker.counted(item.start, True, item.name, "start", rows)
    start = np.broadcast_to(numbers, (rows,))[:copies]
    if np.any((start < 0) | (start >= len(series.table))):
        text = f"start of stimulus '{item.name}' has rows outside 0 .. {len(series.table) - 1}; choose rows of it"
        maker.problems.append(Problem(item.start.place, text))
        start = np.zeros(copies, np.int64)
    if copies == 1:
        return replace(series, table=np.roll(series.table, -int(start[0]), axis=0))
    return replace(series, start=np.array(start, np.int64))


KIND = Kind(TimeSeries, read, write, elaborate, expected)
