"""What tests of lowering share: real programs by hand, one neuron in Python integers, random expressions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from neuroport.chips import description as chips
from neuroport.program.fixed import round_shift
from neuroport.program.ir import (
    BOOL,
    REAL,
    Apply,
    Const,
    Int,
    Let,
    Lookup,
    Random,
    Read,
    Round,
    Spike,
    Store,
    Temp,
)
from neuroport.program.machine import Array, Population, Program, Projection
from neuroport.program.whole import floor_div, round_div, trunc_div
from neuroport.program.wiring import Pairs

GENERIC8, GENERIC16, LOIHI = chips.load("generic8"), chips.load("generic16"), chips.load("loihi1")


def array(name, values=0.0, role="state", at="neuron", **more):
    owner = name.split(".")[0]
    more.setdefault("type", REAL)
    kind = {"parameter": "coefficient", "input": "accumulator", "weight": "weight"}.get(role, "state")
    more.setdefault("kind_class", kind)
    dtype = np.float64 if more["type"] == REAL else np.int64
    return Array(name, owner, at, role, initial=np.asarray(values, dtype), **more)


def _one_each(array, size):
    """One number means that number for every neuron."""
    shape = (size,) if array.at == "neuron" and array.initial.ndim == 0 else array.initial.shape
    return replace(array, initial=np.array(np.broadcast_to(array.initial, shape)))


def program(arrays, body=(), size=1, projections=(), **more):
    inputs = tuple(a.name for a in arrays if a.role == "input")
    population = Population("n", size, tuple(body), inputs, any(isinstance(s, Spike) for s in body), 1)
    fields = dict(
        name="test",
        dt=1.0,
        seed=1,
        chip="ideal",
        integer=False,
        precision="float64",
        arrays={a.name: _one_each(a, size) for a in arrays},
        populations=(population,),
        projections=tuple(projections),
        events=(),
        readouts=(),
        records=(),
        injections=(),
        series=(),
        tables={},
        derived=(),
    )
    return Program(**(fields | more))


def projection(pre, post, size, arrive=(), **more):
    pre, post = np.asarray(pre, np.int64), np.asarray(post, np.int64)
    fields = dict(
        name="p",
        source="n",
        target="n",
        source_size=size,
        target_size=size,
        delay=1,
        wiring=Pairs(pre, post, np.searchsorted(pre, np.arange(size + 1)), np.arange(len(pre), dtype=np.uint64)),
        dendritic=None,
        step=(),
        arrive=tuple(arrive),
        post_body=(),
    )
    return Projection(**(fields | more))


def read(name, at="own", type_=REAL):
    return Read(name, at, type_)


def real(value):
    return Const(float(value), REAL)


def fn(name, *args, type_=REAL):
    return Apply(name, args, type_)


class Machine:
    """One neuron of an integer program, in Python integers."""

    def __init__(self, program, draws=0):
        self.program, self.draws = program, draws
        self.values = {n: a.initial.reshape(-1)[0].item() for n, a in program.arrays.items()}
        self.spikes = []
        self.saturated = 0

    def step(self):
        temps = {}
        for stmt in self.program.populations[0].body:
            match stmt:
                case Let(name, value):
                    temps[name] = self.value(value, temps)
                case Store(name, value, guard, overflow, lo, hi):
                    raw = self.value(value, temps)
                    if guard is None or self.value(guard, temps):
                        assert overflow != "none" or lo <= raw <= hi
                        self.saturated += not lo <= raw <= hi
                        self.values[name] = min(max(raw, lo), hi)
                case Spike(condition):
                    self.spikes.append(self.value(condition, temps))

    def value(self, expr, temps=None):
        raw = self._value(expr, temps or {})
        if isinstance(expr.type, Int):
            assert expr.type.lo <= raw <= expr.type.hi, f"{raw} is outside {expr}"
            assert abs(raw) <= 2**62
        return raw

    def _value(self, expr, temps):
        match expr:
            case Const(value=value):
                return int(value)
            case Read(array=name):
                return self.values[name]
            case Temp(name=name):
                return temps[name]
            case Random():
                return self.draws
            case Round(x=x, shift=shift, mode=mode):
                return round_shift(self.value(x, temps), shift, mode, self.draws)
            case Lookup(table=table, index=index):
                return int(self.program.tables[table][self.value(index, temps)])
            case Apply(fn=name, args=args):
                a = [self.value(x, temps) for x in args]
                match name:
                    case "add":
                        return a[0] + a[1]
                    case "sub":
                        return a[0] - a[1]
                    case "mul":
                        return a[0] * a[1]
                    case "neg":
                        return -a[0]
                    case "abs":
                        return abs(a[0])
                    case "min":
                        return min(a)
                    case "max":
                        return max(a)
                    case "lt":
                        return a[0] < a[1]
                    case "ge":
                        return a[0] >= a[1]
                    case "gt":
                        return a[0] > a[1]
                    case "ne":
                        return a[0] != a[1]
                    case "eq":
                        return a[0] == a[1]
                    case "bit_length":
                        return a[0].bit_length()
                    case "and":
                        return a[0] and a[1]
                    case "not":
                        return not a[0]
                    case "select":
                        return a[1] if a[0] else a[2]
                    case "clip":
                        return min(max(a[0], a[1]), a[2])
                    case "shl":
                        return a[0] << a[1]
                    case "shr":
                        return a[0] >> a[1]
                    case "trunc_div":
                        return trunc_div(*a)
                    case "floordiv":
                        return floor_div(*a)
                    case "round_div":
                        return round_div(*a)
                    case "mod":
                        return a[0] % a[1] if a[1] else 0
        raise AssertionError(expr)


LEAVES = st.sampled_from(["x", "y", "k", 0.5, -1.25, 0.1, 3.0])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["add", "sub", "mul", "min", "max"]), inner, inner),
        st.tuples(st.sampled_from(["neg", "abs"]), inner),
        st.tuples(st.just("select"), inner, inner, inner),
        st.tuples(st.just("sigmoid"), inner),
    ),
    max_leaves=8,
)
TYPES = {"x": REAL, "y": REAL, "k": Int(-5, 5)}


def build(tree):
    if isinstance(tree, str):
        leaf = read(f"n.{tree}", type_=TYPES[tree])
        return fn("to_real", leaf) if tree == "k" else leaf
    if isinstance(tree, float):
        return real(tree)
    if tree[0] == "select":
        condition = fn("gt", build(tree[1]), real(0), type_=BOOL)
        return fn("select", condition, build(tree[2]), build(tree[3]))
    return fn(tree[0], *(build(t) for t in tree[1:]))


def true(tree, values):
    """(value, bound of its absolute error): constants off by 2**-23 relative, tables by 2e-4 ... of their step."""
    if isinstance(tree, str):
        return values[tree], 0.0
    if isinstance(tree, float):
        return tree, abs(tree) * 2.0**-22
    (a, ea), *others = [true(t, values) for t in tree[1:]]
    b, eb = others[0] if others else (0.0, 0.0)
    match tree[0]:
        case "add":
            return a + b, ea + eb
        case "sub":
            return a - b, ea + eb
        case "mul":
            return a * b, abs(a) * eb + abs(b) * ea + ea * eb + 2.0**-25 * (1 + abs(a) + abs(b))
        case "min":
            return min(a, b), ea + eb
        case "max":
            return max(a, b), ea + eb
        case "neg":
            return -a, ea
        case "abs":
            return abs(a), ea
        case "sigmoid":
            return 1 / (1 + math.exp(-max(-700.0, a))), ea / 4 + 0.005
        case _:
            c, ec = others[1]
            near = abs(a) <= ea
            return (b if a > 0 else c), max(eb, ec) + (abs(b - c) if near else 0.0)
