"""Chances above 1: a neuron that spikes at random does so once in a step at most, whatever its rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from neuroport.program.constants import evaluate
from neuroport.program.ir import Apply, Const, Expr, Let, Numbers, Random, Read, Spike, Temp, walk, with_children
from neuroport.program.machine import Population, ReportLine, Series
from neuroport.program.plan import Item, Set
from neuroport.program.plan import walk as items_of

ROUNDING = 1e-9
LESS, MORE = ("lt", "le"), ("gt", "ge")


def above_one(
    populations: tuple[Population, ...],
    values: Mapping[str, Numbers],
    series: tuple[Series, ...],
    protocol: tuple[Item, ...],
    dt: float,
) -> Iterator[ReportLine]:
    """A line for each population whose chance to spike exceeds 1, for what its parameters and series make of it.

    `populations` as they were lowered; `values`: of the parameters, which the protocol sets; `dt` in ms.
    """
    for population in populations:
        known = {**values, **_peaks(population, series)}
        most = max((_largest(chance, known, protocol) for chance in _chances(population)), default=0.0)
        if most > 1.0 + ROUNDING:
            text = f"would spike {most:.4g} times in a step of {dt:g} ms, and once is the most: it stays at "
            text += f"{1000 / dt:g} Hz; take a lower rate or a shorter dt"
            place = population.place
            yield ReportLine(population.name, "chance", text, {"chance": most}, notice=True, place=place)


def _chances(population: Population) -> Iterator[Expr]:
    """What random numbers are compared with to say whether a neuron spikes."""
    lets = {stmt.name: stmt.value for stmt in population.body if isinstance(stmt, Let)}
    for stmt in population.body:
        for part in walk(_inlined(stmt.condition, lets)) if isinstance(stmt, Spike) else ():
            match part:
                case Apply(fn=fn, args=(Random(), chance)) if fn in LESS:
                    yield chance
                case Apply(fn=fn, args=(chance, Random())) if fn in MORE:
                    yield chance
                case _:
                    pass


def _inlined(expr: Expr, lets: Mapping[str, Expr]) -> Expr:
    """An expression with the values of local names in their place."""
    value = lets.get(expr.name) if isinstance(expr, Temp) else None
    return with_children(expr if value is None else value, lambda child: _inlined(child, lets))


def _peaks(population: Population, series: tuple[Series, ...]) -> dict[str, Numbers]:
    """The largest sums of series that every neuron's inputs can get."""
    peaks: dict[str, Numbers] = {name: np.zeros(population.size) for name in population.inputs}
    for one in series:
        if one.input in peaks:
            peaks[one.input] = peaks[one.input] + one.table.max(axis=0)
    return peaks


def _largest(chance: Expr, values: Mapping[str, Numbers], protocol: tuple[Item, ...]) -> float:
    """The largest value of an expression at the start or after a `set`; 0 where it depends on more than parameters."""
    read = {part.array for part in walk(chance) if isinstance(part, Read)}
    if not all(isinstance(part, Apply | Const | Read) for part in walk(chance)) or not read <= values.keys():
        return 0.0
    later = [dict(item.values) for item in items_of(protocol) if isinstance(item, Set)]
    settings = [{n: np.asarray(v) for n, v in values_set.items() if n in read} for values_set in later]
    found = [np.max(evaluate(chance, {**values, **given}), initial=0.0) for given in ({}, *filter(None, settings))]
    return float(max(found))
