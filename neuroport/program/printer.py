"""The readable text of a program: arrays with formats, bodies statement by statement, everything else a line each.

Operators stand for the functions of the same meaning; every operation has its own parentheses, so that nothing depends
on precedence. In an integer program a value's format follows it where an operation sets it: `Q(bits,frac)`. Statements
stand under the line of the model's text that they came from, arrays beside the place where they were declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.functions import FUNCTIONS
from neuroport.program.ir import (
    Apply,
    Body,
    Bool,
    Const,
    Expr,
    Int,
    Let,
    Lookup,
    Random,
    Read,
    Real,
    Reduce,
    Round,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
    Type,
)
from neuroport.program.machine import Array, Port, Program, Projection, Record
from neuroport.program.names import written
from neuroport.program.places import by_line


def text(program: Program) -> str:
    """The whole program as text, ending in a newline."""
    return "\n".join(_lines(program)) + "\n"


def bare(program: Program) -> str:
    """The whole program as text, without the places in models and files where its parts stand."""
    lines = (line.partition("  # ")[0] for line in _lines(program) if not line.lstrip().startswith("# "))
    return "\n".join(lines) + "\n"


def _lines(program: Program) -> Iterator[str]:
    arithmetic = "integers" if program.integer else program.precision
    head = f"program {program.name}: {arithmetic}, chip {program.chip}, dt {program.dt:g} ms, seed {program.seed}"
    yield head + (f", {program.copies} copies" if program.copies > 1 else "")
    yield from _section("arrays", map(_array, program.arrays.values()))
    yield from _section("tables", (f"{n}: int64 ({len(t)},), {_span(t)}" for n, t in program.tables.items()))
    for population in program.populations:
        spiking = f", spikes kept for {population.spike_slots} steps" if population.spiking else ""
        spiking += f", each as {population.count}" if population.count else ""
        yield ""
        yield f"population {population.name}: {population.size} neurons{spiking}"
        yield from _block("update", population.body)
        if population.inputs:
            yield f"  clear {', '.join(population.inputs)}"
    for projection in program.projections:
        yield ""
        yield _projection(projection)
        if projection.row_condition is not None:
            yield f"  rows where {expression(projection.row_condition)}"
        yield from _block("step", projection.step)
        yield from _block("on_pre", projection.arrive)
        yield from _block("on_post", projection.post_body)
    for event in program.events:
        yield ""
        every = ", every step" if event.every_step else ""
        once = ", once for all copies" if event.once else ""
        each = "entry of its kernel" if event.over == "kernel" else event.over
        yield f"event {event.name} of {event.owner}, each {each}{every}{once}"
        yield from _block("", event.body)
    yield from _section(
        "stimuli",
        [f"{i.name}: {len(i.steps)} values added to {i.input}" for i in program.injections]
        + [
            f"{s.name}: {len(s.table)} rows added to {s.input}{_some(s.neurons)}, each for {s.hold} steps, by {s.order}"
            f"{', again and again' if s.loop else ''}"
            for s in program.series
        ],
    )
    yield from _section("ports", map(_port, program.ports))
    yield from _section(
        "readouts",
        (
            f"{r.name}: joint states of {r.population}{_some(r.neurons)}, bit {expression(r.bit)}, "
            f"every {r.every} steps from {r.phase}"
            for r in program.readouts
        ),
    )
    yield from _section("records", map(_record, program.records))
    yield from _section(
        "derived",
        (f"{d.array} = {expression(d.value)}" + (f" -> {d.type}" if d.type else "") for d in program.derived),
    )


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _port(port: Port) -> str:
    limits = "" if port.range is None else f" in {port.range[0]:g}..{port.range[1]:g}"
    unit = f" {port.unit}" if port.unit else ""
    return f"{port.name}: {port.use} {port.of}, {port.size} x {port.type}{limits}{unit}"


def _array(array: Array) -> str:
    parts = [f"{written(array.name)}: {kind(array.type)} {array.initial.shape or 'scalar'}", array.role]
    if array.role == "state" and array.kind_class != "state":
        parts.append(f"class {array.kind_class}")
    if array.reduce != "sum":
        parts.append(array.reduce)
    if array.shared:
        parts.append("shared")
    if array.dynamic:
        parts.append("dynamic")
    if array.varied:
        parts.append("each copy its own")
    if array.history:
        parts.append(f"history {array.history}")
    if array.slots > 1:
        parts.append(f"slots {array.slots}")
    if isinstance(array.type, Int):
        parts.append(f"{array.type.lo}..{array.type.hi}")
        if array.role in ("state", "weight", "visible") and array.overflow != "none":
            parts.append(f"{array.rounding}, {array.overflow}")
    parts.append(_span(array.initial))
    return ", ".join(parts) + (f"  # {array.place.short}" if array.place is not None else "")


def _span(values: NDArray[Any]) -> str:
    if not values.size:
        return "empty"
    low, high = values.min(), values.max()
    return f"= {low}" if low == high else f"{low} … {high}"


def _projection(projection: Projection) -> str:
    dendritic = ""
    if projection.dendritic is not None:
        dendritic = f", dendritic delay {_span(projection.dendritic).removeprefix('= ')} steps"
    shared = f" of {projection.wiring.entries} entries" if projection.shares else ""
    return (
        f"projection {projection.name}: {projection.source} -> {projection.target}, {projection.synapses} synapses"
        f"{shared}, delay {projection.delay} steps{dendritic}"
    )


def _block(title: str, body: Body) -> Iterator[str]:
    if not body:
        return
    if title:
        yield f"  {title}"
    indent = "    " if title else "  "
    for line, group in by_line(body):
        if line:
            yield f"{indent}# {line}"
        yield from (indent + statement(stmt) for stmt in group)


def statement(stmt: Stmt) -> str:
    """One statement as text."""
    match stmt:
        case Let():
            return f"let {stmt.name}: {kind(stmt.value.type)} = {expression(stmt.value)}"
        case Store():
            limits = f"  [{stmt.overflow} {stmt.lo}..{stmt.hi}]" if stmt.overflow != "none" else ""
            return f"{stmt.array} := {expression(stmt.value)}{_guard(stmt.guard)}{limits}"
        case Send():
            delay = ", after the synapse's dendritic delay" if stmt.delay == "synapse" else ""
            return f"send {expression(stmt.value)} to {stmt.to} {stmt.input}{delay}{_guard(stmt.guard)}"
        case Spike():
            return f"spike where {expression(stmt.condition)}"


def _guard(guard: Expr | None) -> str:
    return "" if guard is None else f"  where {expression(guard)}"


def expression(expr: Expr) -> str:
    """One expression as text."""
    match expr:
        case Const():
            places = f"q{expr.type.frac}" if isinstance(expr.type, Int) and expr.type.frac else ""
            return f"{expr.value!r}{places}"
        case Read():
            lag = "" if expr.lag == 0 else f"[{'d' if expr.lag == 'synapse' else expr.lag}]"
            at = f"{expr.at}:" if expr.at in ("pre", "post", "twin", "single") else ""
            return f"{at}{written(expr.array)}{lag}"
        case Temp():
            return expr.name
        case Apply():
            return _apply(expr)
        case Round():
            stream = f", stream {expr.stream:016x}" if expr.mode == "stochastic" else ""
            return f"round({expression(expr.x)}, {expr.shift}, {expr.mode}{stream}){_format(expr.type)}"
        case Lookup():
            return f"{expr.table}[{expression(expr.index)}]{_format(expr.type)}"
        case Sum():
            return f"sum_copies({expression(expr.x)}){_format(expr.type)}"
        case Reduce():
            return f"{expr.name}({expression(expr.x)}){_format(expr.type)}"
        case Random():
            part = "" if expr.part is None else f".{expr.part}"
            return f"random({expr.stream:016x}{part})"


def _apply(expr: Apply) -> str:
    arguments = [expression(arg) for arg in expr.args]
    function = FUNCTIONS.get(expr.fn)
    if function is None or len(arguments) != function.arity:  # in no legal program, but in messages about others
        return f"{expr.fn}({', '.join(arguments)})"
    return function.printed(arguments)


def _format(kind_of: Type) -> str:
    return f":{kind_of}" if isinstance(kind_of, Int) else ""


def kind(of: Type) -> str:
    """A type as text: real, bool, int8, Q(16,4)."""
    match of:
        case Real() | Bool() | Int():
            return str(of)


def _record(record: Record) -> str:
    return f"{record.array} every {record.every} steps{_some(record.neurons)}"


def _some(neurons: NDArray[np.int64] | None) -> str:
    return "" if neurons is None else f", {len(neurons)} of its elements"
