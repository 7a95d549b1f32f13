"""The plan of a network: its protocol in whole steps and known names, and what there is to measure and record."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from neuroport.elaborate.samples import window
from neuroport.elaborate.values import Materialiser
from neuroport.errors import InvalidInput
from neuroport.network import described
from neuroport.network.model import Expression, Input, Parameter, State
from neuroport.network.network import Network
from neuroport.network.objects import Population, Projection
from neuroport.network.protocol import (
    Action,
    Anneal,
    Capture,
    If,
    Item,
    Measure,
    Present,
    Repeat,
    Reset,
    Run,
    Set,
    Trigger,
    dealt,
    walk,
)
from neuroport.network.stimuli import Patterns
from neuroport.network.switches import matching
from neuroport.numerics.steps import whole_steps
from neuroport.numerics.units import Quantity, UnitError
from neuroport.program import plan
from neuroport.program.condition import Applied, Condition, Term, refused
from neuroport.program.machine import Program
from neuroport.program.plan import Declared, Plan, number_of_patterns, patterns_of
from neuroport.stimuli.patterns import labels_of

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.USub: "negative",
    ast.UAdd: "positive",
    ast.Not: "not",
    ast.And: "and",
    ast.Or: "or",
}
_CALLS = ("min", "max", "abs")


def planned(network: Network, program: Program, materialiser: Materialiser | None = None) -> Plan:
    """The plan of a network whose program it is. `materialiser`: that of the program, which knows values already.

    InvalidInput with all problems of labels, and for the first protocol item that cannot be done.
    """
    known = Materialiser(network) if materialiser is None else materialiser
    labels = {s.name: labels_of(s, known) for s in network.stimuli if isinstance(s, Patterns)}
    if known.problems:
        raise InvalidInput(known.problems)
    return Plan(
        dt=network.dt,
        protocol=items(network, program),
        declared=dict(_declared(network)),
        windows={r.name: window(r, network) for r in network.samples},
        metrics=network.metrics,
        labels={name: numbers for name, numbers in labels.items() if numbers is not None},
        distributions=dict(_distributions(network, known)),
        spikes=network.record.spikes,
        parts={name: part.neurons for name, part in network.record.parts},
        weights=tuple((r.of, max(1, whole_steps(r.every, network.dt))) for r in network.record.weights),
    )


def items(network: Network, program: Program) -> tuple[plan.Item, ...]:
    """The protocol of a network whose program it is. InvalidInput for the first item that cannot be done."""
    return _Items(network, program).made(network.protocol)


def settings(network: Network, program: Program) -> list[dict[str, float | int]]:
    """What each `set` of the protocol sets, in their order: those of a repeat once, those of both ways of an `if`."""
    made, found = _Items(network, program), list[dict[str, float | int]]()
    for item in (item for item in walk(network.protocol) if isinstance(item, Set)):
        with suppress(InvalidInput):  # told where the protocol is made into a plan
            one = made.one(item)
            assert isinstance(one, plan.Set)
            found.append(dict(one.values))
            found += [found[-1] | {name: value} for name, _, value in one.some]
    return found


def _declared(network: Network) -> Iterator[tuple[str, Declared]]:
    """What models declare, and of parameters what the network gives them."""
    for population in network.populations:
        model = population.neuron
        yield from _named(population, model.parameters, (*model.states, *model.inputs))
    for projection in network.projections:
        yield from _named(projection, projection.synapse.parameters, projection.synapse.states)


def _named(
    owner: Population | Projection, parameters: Sequence[Parameter], others: Sequence[State | Input]
) -> Iterator[tuple[str, Declared]]:
    given = dict(owner.parameters)
    for parameter in parameters:
        value = given.get(parameter.name, parameter.default)
        words = "" if value is None else described.value(value)
        yield f"{owner.name}.{parameter.name}", Declared(parameter.type, parameter.unit, words)
    yield from ((f"{owner.name}.{part.name}", Declared(part.type, part.unit)) for part in others)


def _distributions(network: Network, known: Materialiser) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """What metrics compare histograms with."""
    for metric in network.metrics:
        name, _, quantity = metric.distribution.partition(".")
        if name:
            yield metric.distribution, known.target(name)[quantity]


class _Items:
    """Items of a protocol, each with all that has to be known to do it."""

    def __init__(self, network: Network, program: Program) -> None:
        self.network, self.program = network, program
        self.declared = dict(_declared(network))

    def made(self, protocol: tuple[Item, ...]) -> tuple[plan.Item, ...]:
        return tuple(self.one(item) for item in protocol)

    def one(self, item: Item) -> plan.Item:
        match item:
            case Repeat():
                return plan.Repeat(item.count, item.variable, self.made(item.do))
            case If():
                return plan.If(condition(item.condition), self.made(item.then), self.made(item.otherwise))
            case Run():
                return plan.Run(whole_steps(item.duration, self.network.dt), item.readouts)
            case Present():
                return self.present(item)
            case Trigger():
                return plan.Trigger(item.event)
            case Set():
                whole = tuple((n, self.number(n, q)) for text, q in item.values for n in self.dynamic(text))
                return plan.Set(whole, tuple((n, part, self.number(n, q)) for n, part, q in item.some))
            case Reset():
                return plan.Reset(item.populations, item.keep_learned, item.some)
            case Measure():
                return plan.Measure(item.metrics)
            case Capture():
                return plan.Capture(item.rows, item.all_shown, item.place)
            case Anneal():
                names = dict.fromkeys(name for text in item.parameters for name in self.dynamic(text))
                return plan.Anneal(tuple(names), item.by, item.when, item.patience)

    def present(self, item: Present) -> plan.Present:
        """Patterns with those beside them."""
        name = item.patterns
        shown = [s.name for s in self.network.stimuli if isinstance(s, Patterns) and name in (s.name, s.beside)]
        series = patterns_of(name, self.program)
        count = number_of_patterns(series) if item.count is None else item.count
        holds = dealt(item, count, self.program.copies)
        order = self.network.patterns(name).order
        each = tuple(self.action(action, series.hold) for action in item.each)
        return plan.Present(name, tuple(shown), order, holds, series.hold, item.readouts, each, item.goes_on)

    def action(self, action: Action, hold: int) -> plan.Action:
        """Something that is done in every pattern of `hold` steps."""
        at = hold if action.at is None else whole_steps(action.at, self.network.dt)
        made = self.one(action.do)
        assert isinstance(made, plan.Trigger | plan.Set | plan.Reset)
        return plan.Action(at, made)

    def dynamic(self, text: str) -> list[str]:
        """The dynamic parameters that a text means; of those that * stands for only what the program has."""
        if "*" not in text:
            return [text]
        owners: list[Population | Projection] = [*self.network.populations, *self.network.projections]
        names = [f"{owner.name}.{parameter.name}" for owner, parameter in matching(owners, text)]
        return [name for name in names if name in self.program.arrays or name in self.program.constants]

    def number(self, name: str, value: Quantity) -> float | int:
        """A new value for a parameter."""
        try:
            return plan.coherent(value, self.declared.get(name), self.network.dt)
        except UnitError as error:
            raise InvalidInput.one(None, f"'{name}': {error}") from None


def condition(expression: Expression) -> Condition:
    """A condition over the variables of repeats. InvalidInput for what is none."""
    tree = expression.tree or ast.parse(expression.text, mode="eval").body
    try:
        return Condition(expression.text, _term(tree), expression.place)
    except TypeError:
        raise refused(expression.text, expression.place) from None


def _term(tree: ast.expr) -> Term:
    """A term; TypeError for what conditions do not have."""
    match tree:
        case ast.Constant(value=bool() | int() | float() as value):
            return value
        case ast.Name(id=name):
            return name
        case ast.BinOp(left=left, op=op, right=right):
            return Applied(_operator(op), (_term(left), _term(right)))
        case ast.UnaryOp(op=op, operand=operand):
            return Applied(_operator(op), (_term(operand),))
        case ast.BoolOp(op=op, values=values):
            return Applied(_operator(op), tuple(_term(v) for v in values))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return Applied("if", (_term(test), _term(body), _term(orelse)))
        case ast.Compare(left=left, ops=ops, comparators=others):
            terms = [_term(t) for t in (left, *others)]
            pairs = zip(ops, terms, terms[1:], strict=False)
            return Applied("chain", tuple(Applied(_operator(op), (a, b)) for op, a, b in pairs))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS:
            return Applied(name, tuple(_term(a) for a in args))
        case _:
            raise TypeError


def _operator(op: ast.AST) -> str:
    if type(op) not in _OPERATORS:
        raise TypeError
    return _OPERATORS[type(op)]
