"""An evaluator of model texts of its own: Python's `ast`, floats and unbounded ints; nothing of neuroport's lowering.

It takes the mapping that a network file holds (populations, projections, stimuli of kind `series`) and does what
docs/time-step.md says. It knows all-to-all and one-to-one connections, axonal delays, and numbers as parameters.

With `saturate` a store beyond the declared range of its variable ends there, as on a chip; `outside` tells whether one
did. With `shake` every inexact real result is moved by that relative amount at random: what then differs from a plain
evaluation is what rounding can explain, as when a comparison is decided by the last bits. The upper end of a range with
negative numbers is shaken too, since a word in two's complement ends just before it; 0 and 1 of a switch are not.
"""

from __future__ import annotations

import ast
import math
import operator
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Number = int | float
Scope = Callable[[str, ast.expr], Any]

FINEST = 4096.0
"""A real that is a multiple of 1 / FINEST is exact on every wide chip, and is not shaken."""

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _trunc_div(a: int, b: int) -> int:
    return 0 if b == 0 else int(math.copysign(1, a) * math.copysign(1, b)) * (abs(a) // abs(b))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "clip": lambda x, low, high: min(max(x, low), high),
    "exp": math.exp,
    "exprel": lambda x: math.expm1(x) / x if x else 1.0,
    "log": math.log,
    "sqrt": math.sqrt,
    "floor": lambda x: float(math.floor(x)),
    "ceil": lambda x: float(math.ceil(x)),
    "round": lambda x: float(math.floor(x + 0.5)),
    "int": int,
    "tanh": math.tanh,
    "sigmoid": _sigmoid,
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "relu": lambda x: max(x, 0),
    "trunc_div": _trunc_div,
    "saturate": lambda x, bits: min(max(x, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1),
    "wrap": lambda x, bits: (x + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1),
}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: a // b if b else 0,
    ast.Mod: lambda a, b: a % b if b else 0,
    ast.LShift: lambda a, b: a * 2**b,
    ast.RShift: lambda a, b: a // 2**b,
}


class Part:
    """A population or a projection: its model, numbers that are fixed, and one mapping of variables per element."""

    def __init__(self, name: str, model: Mapping[str, Any], given: Mapping[str, Any], size: int, init: Any) -> None:
        self.name, self.model = name, model
        self.constants = {key: given.get("params", {}).get(key, p["default"]) for key, p in _all(model, "params")}
        self.ranges = {key: s.get("range") for key, s in _all(model, "state")}
        self.ints = {key for key, s in _all(model, "state") if s.get("type") == "int"}
        self.states: list[dict[str, Number]] = [
            {key: _at(init.get(key, s.get("init", 0)), i) for key, s in _all(model, "state")} for i in range(size)
        ]


class Evaluator:
    """A network that is evaluated step by step."""

    def __init__(self, network: Mapping[str, Any], saturate: bool = False, shake: float = 0.0, seed: int = 0) -> None:
        self.saturate, self.shake = saturate, shake
        named = {name: {**p, **_ends(p)} for name, p in network.get("projections", {}).items()}
        self.network = {**network, "projections": named}
        self.draw = random.Random(seed)
        self.t = self.item_start = self.item_steps = 0
        self.outside: set[str] = set()
        self.parts: dict[str, Part] = {}
        for name, p in network["populations"].items():
            self.parts[name] = Part(name, network["neurons"][p["neuron"]], p, p["size"], p.get("init", {}))
        self.pairs = {name: self._pairs(p) for name, p in network.get("projections", {}).items()}
        for name, p in self.network["projections"].items():
            model = network["synapses"][p["synapse"]]
            weight = next(key for key, s in _all(model, "state") if s.get("weight"))
            init = {weight: p["weight"]} if "weight" in p else {}
            self.parts[name] = Part(name, model, p, len(self.pairs[name]), init)
        self.inputs = {name: self._silent(name) for name in network["populations"]}
        self.fired: dict[str, list[set[int]]] = {name: [] for name in network["populations"]}
        self.traces = {name: self._traces(name) for name in self.pairs}
        self.before = {name: self._traces(name) for name in self.pairs}
        self.past: list[dict[str, list[dict[str, Number]]]] = []
        self.trees: dict[str, list[ast.stmt]] = {}
        for part in self.parts.values():
            self._derive(part)
            for values in part.states:
                for key, ends in part.ranges.items():
                    if ends and key not in part.ints:
                        values[key] = self._held(float(values[key]), *ends)
        self._remember()

    # ------------------------------------------------------------------------------------------------------- driving

    def run(self, steps: int) -> None:
        """One protocol item of that many steps."""
        self.item_start, self.item_steps = self.t, steps
        for _ in range(steps):
            self._step()

    def set(self, name: str, value: Number) -> None:
        """Switch a parameter, or write a variable of all elements."""
        owner, _, key = name.partition(".")
        part = self.parts[owner]
        if key in part.constants:
            part.constants[key] = value
            self._derive(part)
        else:
            for state in part.states:
                state[key] = value

    def inject(self, name: str, neuron: int, value: Number) -> None:
        """Add to an input POPULATION.INPUT in the coming step."""
        owner, _, key = name.partition(".")
        self.inputs[owner][neuron][key] += value

    def event(self, name: str) -> None:
        """Run the blocks of that name. Synapses see their neurons as the last step left them."""
        for owner, part in self.parts.items():
            for i in range(len(part.states)):
                pair = (self.network["projections"][owner], *self.pairs[owner][i]) if owner in self.pairs else None
                self._block(part, i, part.model.get("on_event", {}).get(name, ""), {}, pair)

    def get(self, name: str) -> list[Number]:
        """The values of OBJECT.VARIABLE."""
        owner, _, key = name.partition(".")
        return [state[key] for state in self.parts[owner].states]

    def spikes(self, population: str) -> int:
        """How often the neurons of a population spiked so far."""
        return sum(map(len, self.fired[population]))

    # ---------------------------------------------------------------------------------------------------------- a step

    def _step(self) -> None:
        for name, p in self.network.get("projections", {}).items():
            for s in range(len(self.pairs[name])):
                self._synapse(name, p, s, "step")
        for name, p in self.network.get("projections", {}).items():
            arrived, back = self._fired(p["source"], _delay(p)), self._fired(p["target"], 1)
            for s, (i, _) in enumerate(self.pairs[name]):
                if i in arrived:
                    self._synapse(name, p, s, "on_pre")
            for s, (_, j) in enumerate(self.pairs[name]):
                if j in back:
                    self._synapse(name, p, s, "on_post")
        for name in self.network["populations"]:
            self._neurons(name)
        for name in self.pairs:
            self._decay(name)
        self._remember()
        self.t += 1

    def _neurons(self, name: str) -> None:
        part, fired = self.parts[name], set()
        self._stimulate(name)
        for i in range(len(part.states)):
            names: dict[str, Any] = {}
            self._block(part, i, part.model.get("update", ""), names)
            if "spike" in part.model and self._truth(part, i, part.model["spike"], names):
                fired.add(i)
                self._block(part, i, part.model.get("on_spike", ""), names)
            self._block(part, i, part.model.get("after", ""), names)
        self.fired[name].append(fired)
        self.inputs[name] = self._silent(name)

    def _stimulate(self, name: str) -> None:
        for stimulus in self.network.get("stimuli", {}).values():
            series = stimulus["series"]
            row = self.t // _steps(series["every"])
            values = series["values"]
            row = row % len(values) if series.get("loop") else row
            if stimulus["population"] == name and row < len(values):
                for i, inputs in enumerate(self.inputs[name]):
                    inputs[stimulus["input"]] += _at(values[row], i)

    def _synapse(self, name: str, p: Mapping[str, Any], s: int, block: str) -> None:
        part = self.parts[name]
        text = part.model.get(block, "")
        sends = any("send(" in part.model.get(b, "") for b in ("step", "on_pre"))
        weight = next(key for key, v in _all(part.model, "state") if v.get("weight"))
        if block == "on_pre" and not sends:
            text = f"send(target, {weight})\n{text}"
        self._block(part, s, text, {}, (p, *self.pairs[name][s]))

    def _decay(self, name: str) -> None:
        part, p = self.parts[name], self.network["projections"][name]
        for key, trace in _all(part.model, "traces"):
            side = p["source"] if trace["of"] == "pre" else p["target"]
            decay, more = (self._constant(part, str(trace.get(k, "1"))) for k in ("decay", "increment"))
            for i, old in enumerate(self.traces[name][key]):
                kept = self.before[name][key][i] = self._inexact(old * decay)
                if i in self.fired[side][-1]:
                    kept = more if trace.get("mode") == "set" else kept + more
                self.traces[name][key][i] = kept

    # ----------------------------------------------------------------------------------------------------- statements

    def _block(self, part: Part, i: int, text: str, names: dict[str, Any], pair: Any = None) -> None:
        if text not in self.trees:
            self.trees[text] = ast.parse(text).body
        self._statements(part, i, self.trees[text], names, pair)

    def _statements(self, part: Part, i: int, tree: Sequence[ast.stmt], names: dict[str, Any], pair: Any) -> None:
        for node in tree:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._assign(part, i, name, self._value(value, self._scope(part, i, names, pair)), names)
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                    whole = ast.BinOp(ast.Name(id=name), op, value)
                    self._assign(part, i, name, self._value(whole, self._scope(part, i, names, pair)), names)
                case ast.If(test=test, body=body, orelse=orelse):
                    chosen = body if self._value(test, self._scope(part, i, names, pair)) else orelse
                    self._statements(part, i, chosen, names, pair)
                case ast.Expr(value=ast.Call(func=ast.Name(id=word), args=[ast.Name(id=target), value], keywords=k)):
                    scope = self._scope(part, i, names, pair)
                    if all(self._value(keyword.value, scope) for keyword in k):
                        self._send(word, target, self._value(value, scope), pair)

    def _assign(self, part: Part, i: int, name: str, value: Number, names: dict[str, Any]) -> None:
        if name not in part.ranges:
            names[name] = value
            return
        low, high = part.ranges[name] or (-math.inf, math.inf)
        if not low <= value <= high:
            self.outside.add(f"{part.name}.{name}")
            value = min(max(value, low), high) if self.saturate else value
        part.states[i][name] = value if name in part.ints else self._held(float(value), low, high)

    def _held(self, value: float, low: float, high: float) -> float:
        """A chip holds the upper end of a signed range one unit lower, if it is a power of two and no end is larger."""
        if not self.saturate or value != high or not 0 < -low <= high or math.frexp(high)[0] != 0.5:
            return value
        return value * (1 - 2.0**-40)

    def _send(self, word: str, target: str, value: Number, pair: Any) -> None:
        p, i, j = pair
        side, neuron = (p["target"], j) if word == "send" else (p["source"], i)
        key = p["input"] if target == "target" else target
        self.inputs[side][neuron][key] += value

    # ---------------------------------------------------------------------------------------------------- expressions

    def _scope(self, part: Part, i: int, names: Mapping[str, Any], pair: Any) -> Scope:
        def find(name: str, node: ast.expr) -> Any:
            if isinstance(node, ast.Attribute):
                return self._side(part.name, name, node.attr, pair)
            if isinstance(node, ast.Call):
                return self._before(part.name, node.args[0], pair)
            own = self.inputs[part.name][i] if part.name in self.inputs else {}
            for scope in (names, part.states[i], part.constants, own):
                if name in scope:
                    return scope[name]
            return {"dt": 1.0, "t": self.t, "item_step": self.t - self.item_start, "T": self.item_steps, "copies": 1}[
                name
            ]

        return find

    def _side(self, projection: str, side: str, name: str, pair: Any) -> Number:
        p, i, j = pair
        owner, neuron, lag = (p["source"], i, _delay(p)) if side == "pre" else (p["target"], j, 1)
        seen = self.past[max(len(self.past) - lag, 0)]
        if name == "spiked":
            return int(neuron in self._fired(owner, lag))
        if name in self.traces[projection]:
            return seen[f"{projection}.{name}"][neuron]["x"]
        return {**self.parts[owner].constants, **seen[owner][neuron]}[name]

    def _before(self, projection: str, of: ast.expr, pair: Any) -> Number:
        assert isinstance(of, ast.Attribute)
        assert isinstance(of.value, ast.Name)
        p, i, j = pair
        neuron, lag = (i, _delay(p)) if of.value.id == "pre" else (j, 1)
        return self.past[max(len(self.past) - lag, 0)][f"{projection}.{of.attr}"][neuron]["before"]

    def _truth(self, part: Part, i: int, text: str, names: Mapping[str, Any]) -> bool:
        return bool(self._value(ast.parse(text, mode="eval").body, self._scope(part, i, names, None)))

    def _value(self, node: ast.expr, scope: Scope) -> Any:
        match node:
            case ast.Constant(value=value):
                return self._inexact(value) if isinstance(value, float) else value
            case ast.Name(id=name):
                return scope(name, node)
            case ast.Attribute(value=ast.Name(id=side)):
                return scope(side, node)
            case ast.BinOp(left=left, op=op, right=right):
                return self._inexact(_defined(_BINARY[type(op)], self._value(left, scope), self._value(right, scope)))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._value(operand, scope)
            case ast.UnaryOp(op=op, operand=operand):
                return -self._value(operand, scope) if isinstance(op, ast.USub) else self._value(operand, scope)
            case ast.Compare(left=left, ops=ops, comparators=others):
                values = [self._value(n, scope) for n in (left, *others)]
                return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, values, values[1:], strict=False))
            case ast.BoolOp(op=op, values=parts):
                every = [bool(self._value(n, scope)) for n in parts]
                return all(every) if isinstance(op, ast.And) else any(every)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                one, other = self._value(body, scope), self._value(orelse, scope)
                return one if self._value(test, scope) else other
            case ast.Call(func=ast.Name(id="before")):
                return scope("before", node)
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._inexact(_defined(FUNCTIONS[name], *(self._value(a, scope) for a in args)))
        raise AssertionError(ast.dump(node))

    def _inexact(self, x: Any) -> Any:
        """A real result as rounding might leave it."""
        if not self.shake or not isinstance(x, float) or (x * FINEST).is_integer():
            return x
        return x * (1 + self.shake * self.draw.uniform(-1, 1)) + 0.01 * self.shake * self.draw.uniform(-1, 1)

    # ----------------------------------------------------------------------------------------------------------- parts

    def _derive(self, part: Part) -> None:
        for key, text in _all(part.model, "derived"):
            part.constants[key] = self._constant(part, text)

    def _constant(self, part: Part, text: str) -> Any:
        constants = {**part.constants, "dt": 1.0, "copies": 1}
        return self._value(ast.parse(text.strip(), mode="eval").body, lambda name, node: constants[name])

    def _pairs(self, p: Mapping[str, Any]) -> list[tuple[int, int]]:
        sources, targets = (self._end(p[side]) for side in ("source", "target"))
        if p["connect"] == "one_to_one":
            return list(zip(sources, targets, strict=True))
        return [(i, j) for i in sources for j in targets]

    def _end(self, end: str) -> range:
        """The neurons at an end of a projection: all, or every k-th of a part "a[::k]"."""
        name, _, step = end.partition("[::")
        return range(0, self.network["populations"][name]["size"], int(step.strip("]") or 1))

    def _silent(self, name: str) -> list[dict[str, Number]]:
        p = self.network["populations"][name]
        inputs = {
            key: 0 if i.get("type") == "int" else 0.0 for key, i in _all(self.network["neurons"][p["neuron"]], "inputs")
        }
        return [dict(inputs) for _ in range(p["size"])]

    def _traces(self, name: str) -> dict[str, list[float]]:
        p = self.network["projections"][name]
        side = {"pre": p["source"], "post": p["target"]}
        sizes = {
            key: self.network["populations"][side[t["of"]]]["size"] for key, t in _all(self.parts[name].model, "traces")
        }
        return {key: [0.0] * size for key, size in sizes.items()}

    def _fired(self, population: str, lag: int) -> set[int]:
        fired = self.fired[population]
        return fired[len(fired) - lag] if lag <= len(fired) else set()

    def _remember(self) -> None:
        now = {name: [dict(state) for state in self.parts[name].states] for name in self.inputs}
        for name, traces in self.traces.items():
            both = {key: zip(values, self.before[name][key], strict=True) for key, values in traces.items()}
            now |= {f"{name}.{key}": [{"x": x, "before": b} for x, b in pairs] for key, pairs in both.items()}
        self.past.append(now)


def _defined(function: Callable[..., Any], *args: Any) -> Any:
    """The function's value; not a number where it has none."""
    try:
        return function(*args)
    except (ArithmeticError, ValueError):
        return math.nan


def _all(model: Mapping[str, Any], what: str) -> list[tuple[str, Any]]:
    return list(model.get(what, {}).items())


def _at(value: Any, i: int) -> Number:
    return value[i] if isinstance(value, list) else value


def _steps(text: str | int) -> int:
    return int(re.sub(r"\s*(steps?|ms)$", "", str(text)))


def _ends(p: Mapping[str, Any]) -> dict[str, str]:
    """The populations that a projection connects, of all or of a part."""
    return {side: p[side].partition("[")[0] for side in ("source", "target")}


def _delay(p: Mapping[str, Any]) -> int:
    return _steps(p.get("delay", "1 steps"))
