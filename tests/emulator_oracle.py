"""A slow, literal machine for programs: plain Python numbers, one element at a time, written from program.py alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuroport import rng
from neuroport.program import (
    Apply,
    Body,
    Const,
    Expr,
    Let,
    Lookup,
    Population,
    Program,
    Projection,
    Random,
    Read,
    Real,
    Round,
    Send,
    Spike,
    Store,
    Temp,
)


def _trunc(a: int, b: int) -> int:
    return 0 if b == 0 else (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


def _nearest(a: int, b: int) -> int:
    return 0 if b == 0 else ((2 * abs(a) + abs(b)) // (2 * abs(b))) * (1 if (a < 0) == (b < 0) else -1)


FUNCTIONS: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "abs": abs,
    "min": min,
    "max": max,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
    "not": lambda a: not a,
    "select": lambda c, a, b: a if c else b,
    "clip": lambda x, lo, hi: min(max(x, lo), hi),
    "floordiv": lambda a, b: a // b if b else 0,
    "mod": lambda a, b: a % b if b else 0,
    "trunc_div": _trunc,
    "round_div": _nearest,
    "shl": lambda x, k: x * 2**k,
    "shr": lambda x, k: x // 2**k,
    "bit_length": lambda x: x.bit_length(),
    "wrap": lambda x, bits: (x + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1),
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(-abs(x))) + max(x, 0),
    "to_real": float,
}


def rounded(x: int, shift: int, mode: str, draw: int) -> int:
    """x * 2**-shift to an integer."""
    unit, sign = 2**shift, -1 if x < 0 else 1
    match mode:
        case "toward_zero":
            return sign * (abs(x) // unit)
        case "floor":
            return x // unit
        case "nearest":
            return sign * ((abs(x) + unit // 2) // unit)
        case "nearest_even":
            down, rest = divmod(x, unit)
            return down + (2 * rest > unit or (2 * rest == unit and down % 2 == 1))
        case "stochastic":
            return sign * ((abs(x) + draw % unit) // unit)
        case "floor_min_step":
            return x // unit or (x > 0) - (x < 0)
    raise AssertionError(mode)


class Oracle:
    """Executes a program, one number at a time."""

    def __init__(self, program: Program, seed: int) -> None:
        self.program, self.seed, self.step = program, seed, 0
        self.a: dict[str, list[Any]] = {}
        self.past: dict[str, dict[int, list[Any]]] = {}
        self.inputs: dict[str, dict[int, list[Any]]] = {}
        self.fired: dict[str, dict[int, list[int]]] = {p.name: {} for p in program.populations}
        self.over: dict[str, int] = {}
        self.item_start = 0
        for name, array in program.arrays.items():
            self.a[name] = np.atleast_1d(array.initial).tolist()
            self.past[name] = {}
            self.inputs[name] = {}

    # ----------------------------------------------------------------------------------------------- expressions

    def value(self, e: Expr, env: dict[str, Any]) -> Any:
        match e:
            case Const(value=value):
                return value
            case Temp(name=name):
                return env["temps"][name]
            case Read():
                return self.read(e, env)
            case Apply(fn=fn, args=args):
                return FUNCTIONS[fn](*(self.value(a, env) for a in args))
            case Lookup(table=table, index=index):
                return int(self.program.tables[table][self.value(index, env)])
            case Round(x=x, shift=shift, mode=mode, stream=stream):
                draw = self.draw(stream, None, env) if mode == "stochastic" else 0
                return rounded(self.value(x, env), shift, mode, draw)
            case Random(stream=stream, part=part, type=type_):
                raw = self.draw(stream, part, env)
                return raw * 2.0 ** -(32 if part is None else 16) if isinstance(type_, Real) else raw

    def draw(self, stream: int, part: int | None, env: dict[str, Any]) -> int:
        key = rng.step_key(rng.stream_key(self.seed, stream), env["t"])
        word = rng.mix(key + rng.GAMMA * (env["element"] + 1))
        return word >> 32 if part is None else (word >> 16 * part) & 0xFFFF

    def read(self, e: Read, env: dict[str, Any]) -> Any:
        if e.array == "run.t":
            return env["t"]
        if e.array == "run.item_step":
            return env["t"] - self.item_start
        index = {"scalar": 0, "own": env["own"], "pre": env.get("pre"), "post": env.get("post")}[e.at]
        array = self.program.arrays[e.array]
        if array.role == "input":
            return self.inputs[e.array].get(env["t"], self.zeros(e.array))[index]
        if e.lag == 0:
            return self.a[e.array][index]
        back = env["d"] if e.lag == "synapse" else e.lag
        initial = np.atleast_1d(array.initial).tolist()
        return self.past[e.array].get(env["t"] - 1 - back, initial)[index]

    def zeros(self, name: str) -> list[Any]:
        return [0] * len(self.a[name])

    def own(self, name: str, t: int) -> list[Any]:
        """The values that a store into an array changes: of an input, what has arrived for this step."""
        if self.program.arrays[name].role == "input":
            return self.inputs[name].setdefault(t, self.zeros(name))
        return self.a[name]

    # ------------------------------------------------------------------------------------------------------ bodies

    def body(self, body: Body, env: dict[str, Any]) -> bool:
        env["temps"] = {}
        fired = False
        for s in body:
            match s:
                case Let(name=name, value=value):
                    env["temps"][name] = self.value(value, env)
                case Spike(condition=condition):
                    fired = bool(self.value(condition, env))
                case Store():
                    x = self.value(s.value, env)
                    if s.guard is not None and not self.value(s.guard, env):
                        continue
                    if s.overflow != "none" and not s.lo <= x <= s.hi:
                        assert s.overflow != "error"
                        self.over[s.array] = self.over.get(s.array, 0) + 1
                        span = s.hi - s.lo + 1
                        x = min(max(x, s.lo), s.hi) if s.overflow == "saturate" else (x - s.lo) % span + s.lo
                    self.own(s.array, env["t"])[env["own"]] = x
                case Send():
                    if s.guard is not None and not self.value(s.guard, env):
                        continue
                    when = env["t"] + (env["d"] if s.delay == "synapse" else 0)
                    row = self.inputs[s.input].setdefault(when, self.zeros(s.input))
                    row[env["post"] if s.to == "post" else env["pre"]] += self.value(s.value, env)
        return fired

    def synapses(self, p: Projection, body: Body, chosen: Any, t: int) -> None:
        for s in range(p.synapses):
            if chosen(int(p.pre[s]), int(p.post[s])):
                d = int(p.dendritic[s]) if p.dendritic is not None else 0
                self.body(
                    body, dict(t=t, own=s, pre=int(p.pre[s]), post=int(p.post[s]), d=d, element=int(p.element[s]))
                )

    def neurons(self, p: Population, body: Body, t: int) -> list[int]:
        return [i for i in range(p.size) if self.body(body, dict(t=t, own=i, element=i))]

    # -------------------------------------------------------------------------------------------------------- step

    def advance(self, steps: int) -> None:
        for _ in range(steps):
            self.one()

    def one(self) -> None:
        program, t = self.program, self.step
        for name in program.arrays:
            self.past[name][t - 1] = list(self.a[name])
        for p in program.projections:
            self.synapses(p, p.step, lambda i, j: True, t)
        for p in program.projections:
            arrived = self.fired[p.source].get(t - p.delay, [])
            self.synapses(p, p.arrive, lambda i, j, a=arrived: i in a, t)
        for p in program.projections:
            back = self.fired[p.target].get(t - 1, [])
            self.synapses(p, p.post_body, lambda i, j, b=back: j in b, t)
        for n in program.injections:
            for when, i, v in zip(n.steps.tolist(), n.neurons.tolist(), n.values.tolist(), strict=True):
                if when == t:
                    self.inputs[n.input].setdefault(t, self.zeros(n.input))[i] += v
        for s in program.series:
            row = t // s.hold
            row = row % len(s.table) if s.loop else row
            if s.order == "time" and row < len(s.table):
                target = self.inputs[s.input].setdefault(t, self.zeros(s.input))
                for i, v in enumerate(s.table[row].tolist()):
                    target[i] += v
        for q in program.populations:
            self.fired[q.name][t] = self.neurons(q, q.body, t)
            for name in q.inputs:
                self.inputs[name].pop(t, None)
        for event in program.events:
            if event.every_step:
                self.event(event.name, t, only_every_step=True)
        self.step += 1

    def event(self, name: str, t: int, only_every_step: bool = False) -> None:
        for e in self.program.events:
            if e.name == name and (e.every_step or not only_every_step):
                if e.over == "neuron":
                    self.neurons(self.program.population(e.owner), e.body, t)
                else:
                    self.synapses(self.program.projection(e.owner), e.body, lambda i, j: True, t)

    def trigger(self, name: str) -> None:
        self.event(name, self.step)

    def reset(self, population: str) -> None:
        for name, array in self.program.arrays.items():
            if array.owner == population and array.role in ("state", "input"):
                self.a[name] = np.atleast_1d(array.initial).tolist()
                self.past[name] = {}
                self.inputs[name] = {}
        self.fired[population] = {t: [] for t in self.fired[population]}

    def spikes(self, population: str) -> list[tuple[int, int]]:
        return [(t, i) for t, neurons in sorted(self.fired[population].items()) for i in neurons]
