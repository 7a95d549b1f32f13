"""What a rule needs of a chip, counted in its lowered program: bits per synapse, operations per pattern.

Operations are those of the program in real numbers: multiplications (and divisions), additions (and subtractions),
functions (exp, tanh, ...), of synapses and neurons, for one pattern that is learned from. What is computed once for a
batch is shared by its patterns. Comparisons, choices and limits are not counted. A send to an input is an addition.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import neuroport
from benchmarks.rivals import hosts
from benchmarks.rivals.entries import Rule
from neuroport.api.compile import lower_and_plan
from neuroport.chips import description as chips
from neuroport.program.functions import FUNCTIONS
from neuroport.program.ir import Apply, Body, Expr, Int, Reduce, Send, Store, Sum, children, expressions
from neuroport.program.machine import Event, Program
from neuroport.program.plan import Plan, Present, Trigger, walk

MULTIPLICATIONS, ADDITIONS = {"mul", "div", "floordiv", "mod"}, {"add", "sub"}
CHIPS = ("generic16", "generic8")
Counts = dict[str, float]


def counted(rule: Rule, task: str, chosen: float) -> dict[str, Any]:
    """Bits and operations of a rule on a task."""
    setup = rule.setups[task]
    sets = setup.with_rate(chosen)
    if setup.host:
        made, steps = hosts.network(setup.host, hosts.options(sets))
        counts = operations(neuroport.compile(made, chip="ideal"), steps, Counter())
        events = set[str]()
    else:
        made = neuroport.load(setup.path, sets)
        program, plan = lower_and_plan(made, chips.load("ideal"), None)
        counts = operations(program, *pattern(plan, setup.train))
        events = {item.event for item in walk(plan.protocol) if isinstance(item, Trigger)}
    return {
        "operations": counts,
        "bits": {name: memory(neuroport.compile(made, chip=setup.chip(name)), events) for name in CHIPS},
    }


def pattern(plan: Plan, train: str) -> tuple[int, Counter[str]]:
    """How many steps a pattern lasts that is learned from, and how often which block is triggered in it."""
    shown = next(item for item in walk(plan.protocol) if isinstance(item, Present) and item.patterns == train)
    return shown.hold, Counter(action.do.event for action in shown.each if isinstance(action.do, Trigger))


def memory(program: Program, events: Collection[str]) -> dict[str, float]:
    """Bits for each forward synapse: of its own words by their use, and of all words of feedback synapses.

    Forward projections are those whose name begins with `up`; a kernel's entry is one synapse. What no body and none of
    the triggered blocks `events` learns needs no hidden word.
    """
    learned = {stmt.array for body in _executed(program, events) for stmt in body if isinstance(stmt, Store)}
    found: Counts = defaultdict(float)
    forward = sum(p.values for p in program.projections if p.name.startswith("up"))
    owners = {p.name for p in program.projections}
    words = {line.subject: int(line.values["bits"]) for line in program.report if line.topic == "format"}
    for array in program.arrays.values():
        if array.owner not in owners or array.at not in ("synapse", "kernel") or array.scratch:
            continue
        if array.role not in ("state", "weight", "visible"):
            continue
        if array.visible and array.name not in learned:
            continue
        assert isinstance(array.type, Int)
        bits = words.get(array.name, array.type.bits)
        size = array.initial.size / (program.copies if array.own else 1)
        what = {"weight": "hidden" if array.visible else "visible"}.get(array.role, array.role)
        found[what if array.owner.startswith("up") else "feedback"] += bits * size
    return {name: count / forward for name, count in found.items()}


def _executed(program: Program, events: Collection[str]) -> Iterator[Body]:
    for projection in program.projections:
        yield from (projection.step, projection.arrive, projection.post_body)
    yield from (event.body for event in program.events if event.every_step or event.name in events)


def operations(program: Program, steps: int, events: Counter[str]) -> dict[str, Any]:
    """Operations of a pattern that lasts so many steps; those of each spike's arrival are apart."""
    total: Counts = defaultdict(float)
    for population in program.populations:
        _add(total, _body(population.body, 1, 0), steps * population.size)
    for projection in program.projections:
        _add(total, _body(projection.step, 1, 0), steps * projection.synapses)
    for event in program.events:
        often = steps if event.every_step else events[event.name]
        _add(total, _event(program, event), often)
    return {"steps": steps, **total, "spiked": dict(_spiked(program))}


def _spiked(program: Program) -> Iterator[tuple[str, dict[str, float]]]:
    """By population: what a spike of it costs on the average, in the synapses that it reaches and that it left."""
    for population in program.populations:
        total: Counts = defaultdict(float)
        for projection in program.projections:
            fan = projection.synapses / population.size
            if projection.source == population.name:
                _add(total, _body(projection.arrive, 1, 0), fan)
            if projection.target == population.name:
                _add(total, _body(projection.post_body, 1, 0), fan)
        if total:
            yield population.name, dict(total)


def _event(program: Program, event: Event) -> Counts:
    """Operations of a triggered block for one pattern."""
    if event.over == "neuron":
        size, group = program.population(event.owner).size, program.population(event.owner).size
    else:
        projection = program.projection(event.owner)
        size, group = (projection.values if event.over == "kernel" else projection.synapses), projection.synapses
    total: Counts = defaultdict(float)
    share = 1 / program.copies if event.once else 1.0
    _add(total, _body(event.body, program.copies if event.once else 1, group / size), size * share)
    return total


def _body(body: Body, copies: int, group: float) -> Counts:
    """Operations of one element for a pattern. `group`: how many elements a Reduce has for each.

    `copies`: of how many a Sum is in a block for all copies; in other bodies it is made once, and 1 is a copy's share.
    """
    total: Counts = defaultdict(float)
    for expr in expressions(body):
        _add(total, _expression(expr, copies, group), 1)
    _add(total, {"additions": sum(isinstance(stmt, Send) for stmt in body)}, 1)
    return total


def _expression(expr: Expr, copies: int, group: float) -> Counts:
    total: Counts = defaultdict(float)
    often = 1.0
    match expr:
        case Apply(fn=fn) if fn in MULTIPLICATIONS:
            total["multiplications"] += 1
        case Apply(fn=fn) if fn in ADDITIONS:
            total["additions"] += 1
        case Apply(fn=fn) if FUNCTIONS[fn].curve is not None:
            total["functions"] += 1
        case Sum():
            often = copies
            total["additions"] += copies
        case Reduce():
            often = group
            total["additions"] += group if expr.op == "sum" else 0
    for child in children(expr):
        _add(total, _expression(child, copies, group), often)
    return total


def _add(total: Counts, some: Counts, often: float) -> None:
    for name, count in some.items():
        if count * often:
            total[name] += count * often
