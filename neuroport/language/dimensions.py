"""What the values in the texts of a model are made of: powers of mV, nA and ms.

A declared unit is known, and so is what follows from it. Numbers without a unit may stand for anything: a literal or a
name that declares none can be a quantity whose unit was left out, as in `exp((v + 40) / 10)`. So it goes with every
unit in a sum, and what it is multiplied with is unknown. What functions such as `exp` make of unknown values, and
`1 if … else 0`, are such numbers in sums, but as factors they change no unit.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from neuroport.errors import Place, Problem
from neuroport.language.syntax import REDUCTIONS, place_of
from neuroport.network.model import Block, Expression, Input, Modulator, NeuronModel, Parameter, State, SynapseModel
from neuroport.numerics import units
from neuroport.numerics.units import Powers

LONGEST = 60
"""How much of an expression a message shows."""

NUMBER: Powers = (0, 0, 0)


class Loose(Enum):
    """What has no powers: unknown, a number that goes with all units, or the value of a text that is refused."""

    UNKNOWN = 0
    PURE = 1
    REFUSED = 2


Dimension = Powers | Loose
Names = Mapping[str, Dimension]

_BUILT_IN: Names = {"dt": (0, 0, 1), "t": NUMBER, "T": NUMBER, "item_step": NUMBER, "copies": NUMBER}
_SPIKED: Names = {"spiked": NUMBER}
RULES: Mapping[str, Literal["alike", "as it is", "number", "drawn", "counted", "root", "quotient"]] = {
    **dict.fromkeys(("min", "max", "clip"), "alike"),
    **dict.fromkeys(("abs", "relu", "floor", "ceil", "round", "int", "saturate", "wrap"), "as it is"),
    **dict.fromkeys(("sum_copies", "mean_copies", "before", *REDUCTIONS), "as it is"),
    **dict.fromkeys(("exp", "exprel", "log", "tanh", "sigmoid", "softplus"), "number"),
    **dict.fromkeys(("uniform", "normal"), "drawn"),
    "poisson": "counted",
    "sqrt": "root",
    "trunc_div": "quotient",
}
"""What each function takes and gives; of one that is not here nothing is known."""
_SUMS: dict[type[ast.operator], str] = {ast.Add: "added", ast.Sub: "subtracted", ast.Mod: "divided with a remainder"}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a synapse sends: the name of the input, `target` for the one that the projection names."""

    input: str
    back: bool
    value: str
    dimension: Dimension
    place: Place | None


def declared(model: NeuronModel | SynapseModel) -> dict[str, Dimension]:
    """What each name of a model is made of that is no local name: parameters, derived constants, variables, inputs."""
    return _declared(model, [])


def of_neuron(model: NeuronModel) -> tuple[Problem, ...]:
    """What does not fit together in the texts of a neuron model."""
    problems: list[Problem] = []
    names = _declared(model, problems)
    main = _Reading(names, _units(model.states), {})
    main.block(model.update)
    if model.spike is not None:
        main.value(model.spike)
    main.block(model.on_spike)
    main.block(model.after)
    problems += main.problems
    for _, block in model.on_event:
        problems += _read(block, names, model, {}).problems
    return tuple(problems)


def of_synapse(model: SynapseModel) -> tuple[Problem, ...]:
    """The same of a synapse model, whatever the neurons at its ends."""
    problems: list[Problem] = []
    names = _declared(model, problems)
    traces = _traces(model, names, problems)
    for reading in _blocks(model, names, traces, {}):
        problems += reading.problems
    return tuple(problems)


def of_projection(
    model: SynapseModel, source: NeuronModel, target: NeuronModel, twin: SynapseModel | None
) -> tuple[tuple[Problem, ...], tuple[Sent, ...]]:
    """What does not fit together in a synapse model between these neurons, and what it sends to them."""
    names = declared(model)
    ends = {"pre": {**_SPIKED, **_seen(source)}, "post": {**_SPIKED, **_seen(target)}}
    traces = _traces(model, names, [])
    sides = {side: {**ends[side], **traces[side]} for side in ends}
    readings = tuple(_blocks(model, names, sides, {"twin": declared(twin)} if twin else {}))
    sent = tuple(item for reading in readings for item in reading.sent)
    problems = tuple(problem for reading in readings for problem in reading.problems)
    weight = model.weight.name
    return problems, sent or (Sent("target", False, weight, names[weight], model.place),)


def sends_in_unit_of_weight(model: SynapseModel, unit: str) -> bool:
    """Whether all that a synapse sends to its target is in the unit of its weight, if the weight is in this one."""
    names = declared(model) | {model.weight.name: units.powers(unit)}
    readings = _blocks(model, names, _traces(model, names, []), {})
    sent = [item.dimension for reading in readings for item in reading.sent if item.input == "target" and not item.back]
    return bool(sent) and all(dimension == units.powers(unit) for dimension in sent)


def mismatch(one: Dimension, other: Dimension) -> bool:
    """Whether two values cannot be the same kind of thing."""
    return not isinstance(one, Loose) and not isinstance(other, Loose) and one != other


def told(dimension: Dimension, be: str = "is ") -> str:
    """ "is in mV", or "is a pure number"."""
    unit = "" if isinstance(dimension, Loose) else units.unit_of(dimension)
    return f"{be}in {unit}" if unit else f"{be}a pure number"


def _seen(neuron: NeuronModel) -> dict[str, Dimension]:
    """What a synapse can read of a neuron."""
    inputs = {item.name for item in neuron.inputs}
    return {name: of for name, of in declared(neuron).items() if name not in inputs}


def _declared(model: NeuronModel | SynapseModel, problems: list[Problem]) -> dict[str, Dimension]:
    names = {**_BUILT_IN, **_units(model.parameters)}
    for name, expression in model.derived:
        names[name] = _value(expression, names, problems)
    names |= _units(model.states)
    return names | _units(model.inputs if isinstance(model, NeuronModel) else model.modulators)


def _units(items: Iterable[Parameter | State | Input | Modulator]) -> dict[str, Dimension]:
    return {item.name: units.powers(item.unit) if item.unit else Loose.UNKNOWN for item in items}


def _traces(model: SynapseModel, names: Names, problems: list[Problem]) -> dict[str, dict[str, Dimension]]:
    """The traces of each side: made of what a spike adds."""
    sides: dict[str, dict[str, Dimension]] = {"pre": {}, "post": {}}
    for trace in model.traces:
        sides[trace.side][trace.name] = _value(trace.increment, names, problems)
        decay = _value(trace.decay, names, problems)
        if mismatch(decay, NUMBER):
            text = f"decay of trace '{trace.name}' is a factor, and {shown(trace.decay.tree)} {told(decay)}"
            problems.append(Problem(trace.decay.place, f"{text}; write what is a number, such as exp(-dt / tau)"))
    return sides


def _value(expression: Expression, names: Names, problems: list[Problem]) -> Dimension:
    reading = _Reading(names, {}, {})
    found = reading.value(expression)
    problems += reading.problems
    return found


def _blocks(
    model: SynapseModel, names: Names, sides: Mapping[str, Names], twin: Mapping[str, Names]
) -> Iterator[_Reading]:
    for block in (model.step, model.on_pre, model.on_post):
        yield _read(block, names, model, sides)
    for _, block in model.on_event:
        yield _read(block, names, model, {**sides, **twin})


def _read(block: Block, names: Names, model: NeuronModel | SynapseModel, sides: Mapping[str, Names]) -> _Reading:
    reading = _Reading(names, _units(model.states), sides)
    reading.block(block)
    return reading


def shown(node: ast.expr | None) -> str:
    """An expression for a message, cut where it is long."""
    text = ast.unparse(node) if node is not None else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


@dataclass(slots=True)
class _Reading:
    """Reads the blocks of one body in turn; local names live on from block to block.

    `names`: what is declared. `states`: those of them that blocks assign. `sides`: of pre, post and twin.
    """

    names: Names
    states: Names
    sides: Mapping[str, Names]
    problems: list[Problem] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    _locals: dict[str, Dimension] = field(default_factory=dict)
    _place: Place = field(default_factory=lambda: Place("<text>", 1, 1))

    def block(self, block: Block) -> None:
        """Read all statements of a block."""
        self._place = block.place
        self._statements(block.tree)

    def value(self, expression: Expression) -> Dimension:
        """Read one expression."""
        self._place = expression.place
        return Loose.UNKNOWN if expression.tree is None else self._of(expression.tree)

    # ------------------------------------------------------------------------------------------------ statements

    def _statements(self, tree: Iterable[ast.stmt]) -> None:
        for node in tree:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(name, value)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                old = ast.copy_location(ast.Name(id=name, ctx=ast.Load()), target)
                self._assign(name, ast.copy_location(ast.BinOp(old, op, value), node))
            case ast.If(test=test, body=body, orelse=orelse):
                self._of(test)
                self._branches(body, orelse)
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[ast.Name(id=to), value]) as call):
                of = self._of(value)
                self.sent.append(Sent(to, name == "send_back", shown(value), of, place_of(value, self._place)))
                for keyword in call.keywords:
                    self._of(keyword.value)
            case _:
                pass

    def _assign(self, name: str, value: ast.expr) -> None:
        of = self._of(value)
        if name not in self.states:
            self._locals[name] = of
        elif mismatch(self.states[name], of):
            has, given = self.states[name], f"{shown(value)}, which {told(of)}"
            self._refuse(value, f"{name} {told(has)} and cannot be given {given}; {_remedy(value, of, has)}")

    def _branches(self, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        before = dict(self._locals)
        self._statements(body)
        after, self._locals = self._locals, before
        self._statements(orelse)
        for name, of in after.items():
            self._locals[name] = _either(of, self._locals.get(name, of))

    # ----------------------------------------------------------------------------------------------- expressions

    def _of(self, node: ast.expr) -> Dimension:
        match node:
            case ast.Name(id=name):
                return self._locals.get(name, self.names.get(name, Loose.UNKNOWN))
            case ast.Attribute(value=ast.Name(id=side), attr=name):
                return self.sides.get(side, {}).get(name, Loose.UNKNOWN)
            case ast.Subscript(value=value):
                return self._of(value)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, left, op, right)
            case ast.UnaryOp(op=op, operand=operand):
                of = self._of(operand)
                return Loose.UNKNOWN if isinstance(op, ast.Not) else of
            case ast.Compare(left=left, comparators=others):
                self._compare(node, [left, *others])
            case ast.BoolOp(values=values):
                for part in values:
                    self._of(part)
            case ast.IfExp(test=test, body=ast.Constant(value=0 | 1), orelse=ast.Constant(value=0 | 1)):
                self._of(test)
                return Loose.PURE
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self._of(test)
                return self._same(node, (body, orelse), "be the two values of one choice")
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(node, name, args)
            case _:
                pass
        return Loose.UNKNOWN

    def _binary(self, node: ast.expr, left: ast.expr, op: ast.operator, right: ast.expr) -> Dimension:
        if type(op) in _SUMS:
            return self._same(node, (left, right), f"be {_SUMS[type(op)]}")
        one, other = self._of(left), self._of(right)
        match op:
            case ast.Pow():
                return _power(one, right)
            case ast.Mult():
                return _product(one, other, 1)
            case ast.Div() | ast.FloorDiv():
                return _product(one, other, -1)
            case _:
                return one

    def _compare(self, node: ast.expr, parts: list[ast.expr]) -> None:
        found = [self._of(part) for part in parts]
        for one, other, left, right in zip(found, found[1:], parts, parts[1:], strict=False):
            if mismatch(one, other):
                self._differ(node, (left, one), (right, other), "be compared")

    def _call(self, node: ast.expr, name: str, args: list[ast.expr]) -> Dimension:
        rule = RULES.get(name)
        if rule == "alike":
            return self._same(node, args, "be compared")
        found = [self._of(part) for part in args]
        match rule:
            case "number":
                return self._function(name, args[0], found[0])
            case "drawn":
                return NUMBER
            case "counted":
                self._function(name, args[0], found[0])
                return NUMBER
            case "root":
                return _root(found[0])
            case "quotient":
                return _product(found[0], found[1], -1)
            case "as it is":
                return found[0]
            case _:
                return Loose.UNKNOWN

    def _function(self, name: str, value: ast.expr, of: Dimension) -> Dimension:
        if mismatch(of, NUMBER):
            self._refuse(
                value, f"{name} takes a pure number, and {shown(value)} {told(of)}; {_remedy(value, of, NUMBER)}"
            )
            return Loose.REFUSED
        return Loose.PURE if of is Loose.UNKNOWN else of

    def _same(self, node: ast.expr, parts: Iterable[ast.expr], what: str) -> Dimension:
        """What values are made of that must be alike."""
        result: tuple[ast.expr, Dimension] | None = None
        for part in parts:
            of = self._of(part)
            if result is not None and mismatch(result[1], of):
                self._differ(node, result, (part, of), what)
                of = Loose.REFUSED
            result = (part, of) if result is None or _either(result[1], of) != result[1] else result
        return Loose.UNKNOWN if result is None else result[1]

    def _differ(
        self, node: ast.expr, one: tuple[ast.expr, Dimension], other: tuple[ast.expr, Dimension], what: str
    ) -> None:
        left, right = f"{shown(one[0])} {told(one[1])}", f"{shown(other[0])} {told(other[1], '')}"
        remedy = _remedy(other[0], other[1], one[1])
        self._refuse(node, f"{left} and {right}, which cannot {what}; {remedy}")

    def _refuse(self, node: ast.AST, text: str) -> None:
        self.problems.append(Problem(place_of(node, self._place), text))


def _either(one: Dimension, other: Dimension) -> Dimension:
    """What a value is made of that is one or the other, or their sum."""
    if Loose.REFUSED in (one, other):
        return Loose.REFUSED
    if not isinstance(one, Loose):
        return Loose.UNKNOWN if mismatch(one, other) else one
    if not isinstance(other, Loose):
        return other
    return one if one == other else Loose.UNKNOWN


def _product(one: Dimension, other: Dimension, sign: int) -> Dimension:
    """What a product (`sign` 1) or a quotient (-1) is made of."""
    for loose in (Loose.REFUSED, Loose.UNKNOWN):
        if loose in (one, other):
            return loose
    a, b = (NUMBER if isinstance(of, Loose) else of for of in (one, other))
    made = _times(a, b, sign)
    return Loose.PURE if Loose.PURE in (one, other) and made == NUMBER else made


def _times(a: Powers, b: Powers, sign: int) -> Powers:
    return a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2]


def _power(of: Dimension, exponent: ast.expr) -> Dimension:
    """What a product of equal factors is made of."""
    factors = exponent.value if isinstance(exponent, ast.Constant) and isinstance(exponent.value, int) else 1
    return functools.reduce(lambda made, _: _product(made, of, 1), range(1, factors), of)


def _root(of: Dimension) -> Dimension:
    """What a square root is made of; no unit can be declared for that of mV."""
    if isinstance(of, Loose):
        return of
    return Loose.UNKNOWN if any(power % 2 for power in of) else (of[0] // 2, of[1] // 2, of[2] // 2)


def _remedy(value: ast.expr, of: Dimension, wanted: Dimension) -> str:
    """What makes a value fit."""
    if isinstance(of, Loose) or isinstance(wanted, Loose):
        return "correct a unit"
    factor = _times(wanted, of, -1)
    verb, by = ("divide", _times(NUMBER, factor, -1)) if sum(factor) < 0 else ("multiply", factor)
    such = ", such as dt" if by == (0, 0, 1) else ""
    return f"{verb} {shown(value)} by what is in {units.unit_of(by)}{such}, or correct a unit"
