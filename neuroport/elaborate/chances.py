"""Chances above 1: a neuron that spikes at random does so once in a step at most, whatever its rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from neuroport.program.constants import evaluate
from neuroport.program.ir import Apply, Const, Expr, Let, Numbers, Random, Read, Spike, Temp, walk, with_children
from neuroport.program.machine import Population, ReportLine, Series
from neuroport.program.plan import Item, Set
from neuroport.program.plan import walk as items_of
from neuroport.program.whole import NoValue

ROUNDING = 1e-9
LESS, MORE = ("lt", "le"), ("gt", "ge")


def above_one(
    populations: tuple[Population, ...],
    values: Mapping[str, Numbers],
    series: tuple[Series, ...],
    protocol: tuple[Item, ...],
    dt: float,
    copies: Sequence[Mapping[str, Numbers]] = (),
) -> Iterator[ReportLine]:
    """A line for each population whose chance to spike exceeds 1, for what its parameters and series make of it.

    `populations` as they were lowered; `values`: of the parameters, which the protocol sets; `dt` in ms;
    `copies`: the values in copies that have their own.
    """
    for population in populations:
        peaks = _peaks(population, series)
        known = {**values, **peaks}
        settings = [dict(item.values) for item in items_of(protocol) if isinstance(item, Set)]
        starts = [known, *({**known, **{n: np.asarray(v) for n, v in given.items()}} for given in settings)]
        starts += [{**of_copy, **peaks} for of_copy in copies]
        most = max((_largest(population, start) for start in starts), default=0.0)
        if most > 1.0 + ROUNDING:
            text = f"would spike {most:.4g} times in a step of {dt:g} ms, and once is the most: it stays at "
            text += f"{1000 / dt:g} Hz; take a lower rate or a shorter dt"
            place = population.place
            yield ReportLine(population.name, "chance", text, {"chance": most}, notice=True, place=place)


def _chances(population: Population) -> Iterator[Expr]:
    """What random numbers are compared with to say whether a neuron spikes."""
    wanted = {part.name for stmt in population.body if isinstance(stmt, Spike) for part in _temps(stmt.condition)}
    for stmt in reversed(population.body):
        if isinstance(stmt, Let) and stmt.name in wanted:
            wanted |= {part.name for part in _temps(stmt.value)}
            yield from _compared(stmt.value)
        elif isinstance(stmt, Spike):
            yield from _compared(stmt.condition)


def _temps(expr: Expr) -> Iterator[Temp]:
    return (part for part in walk(expr) if isinstance(part, Temp))


def _compared(expr: Expr) -> Iterator[Expr]:
    for part in walk(expr):
        match part:
            case Apply(fn=fn, args=(Random(), chance)) if fn in LESS:
                yield chance
            case Apply(fn=fn, args=(chance, Random())) if fn in MORE:
                yield chance
            case _:
                pass


def _peaks(population: Population, series: tuple[Series, ...]) -> dict[str, Numbers]:
    """The largest sums of series that every neuron's inputs can get."""
    peaks: dict[str, Numbers] = {name: np.zeros(population.size) for name in population.inputs}
    for one in series:
        if one.input in peaks:
            peaks[one.input] = peaks[one.input] + one.table.max(axis=0)
    return peaks


def _largest(population: Population, values: Mapping[str, Numbers]) -> float:
    """The largest chance to spike that follows from values of arrays; 0 where it depends on more."""
    known = dict(values)
    for stmt in population.body:
        if isinstance(stmt, Let) and (number := _value(stmt.value, known)) is not None:
            known[_local(stmt.name)] = number
    found = [_value(chance, known) for chance in _chances(population)]
    return max((float(np.max(value, initial=0.0)) for value in found if value is not None), default=0.0)


def _value(expr: Expr, known: Mapping[str, Numbers]) -> Numbers | None:
    """The value of an expression over what is known; None if it has more in it, or no value."""
    read = _with_locals(expr)
    for part in walk(read):
        if not isinstance(part, Apply | Const | Read) or (isinstance(part, Read) and part.array not in known):
            return None
    try:
        return evaluate(read, known)
    except NoValue:
        return None


def _with_locals(expr: Expr) -> Expr:
    """The expression with local names as arrays."""
    return Read(_local(expr.name), "own", expr.type) if isinstance(expr, Temp) else with_children(expr, _with_locals)


def _local(name: str) -> str:
    return f"local {name}"
