"""Random small networks of integers, for comparing executors: every kind of delay, send, rounding and overflow."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroport.copies.axis import with_copies
from neuroport.program.intervals import repeated
from neuroport.program.ir import (
    BOOL,
    Apply,
    Axis,
    Body,
    Expr,
    Int,
    Let,
    Random,
    Read,
    Reduce,
    Round,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
    walk,
)
from neuroport.program.machine import Array, Event, Injection, Population, Program, Projection, Readout, Record, Series
from neuroport.program.reductions import most_terms
from tests.support.integer_cases import TABLE, applied
from tests.support.programs import array, c, call, kept, pairs, program, test
from tests.support.random_expressions import random_expression, wide_expression

RANGES = (
    Int(-128, 127),
    Int(0, 15),
    Int(-(2**15), 2**15 - 1),
    Int(-1000, 1000),
    Int(-(2**31), 2**31 - 1),
    Int(-(2**47), 2**47 - 1),
    Int(-(2**59), 2**59 - 1),
    Int(-(2**61), 2**61 - 1),
)
SUM = Int(-(2**24), 2**24)
TABLES = {"table": np.array(TABLE)}


class Maker:
    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.streams = iter(range(1, 1000))
        self.arrays: list[Array] = []

    def number(self, leaves: list[Expr], depth: int = 2) -> Expr:
        """An expression whose values fit 62 bits."""
        if self.draw.random() < 0.5:
            return wide_expression(self.draw, depth, leaves)
        while True:
            expr = random_expression(self.draw, depth, leaves)
            if isinstance(expr.type, Int) and -(2**61) < expr.type.lo and expr.type.hi < 2**61:
                return expr

    def noise(self) -> Expr:
        if self.draw.random() < 0.5:
            return Random(next(self.streams), Int(0, 2**16 - 1), self.draw.randrange(4))
        return Random(next(self.streams), Int(0, 2**32 - 1))

    def state(self, name: str, at: str, size: int, role: str, **more: Any) -> Read:
        range_ = self.draw.choice(RANGES)
        initial = [
            self.draw.choice([range_.lo, range_.hi, self.draw.randint(range_.lo, range_.hi)]) for _ in range(size)
        ]
        self.arrays.append(array(name, at, role, range_, initial, **more))
        return Read(name, "own", range_)

    def store(self, target: Read, leaves: list[Expr]) -> Store:
        guard = test(self.draw.choice(["lt", "ge", "ne"]), self.number(leaves, 1), self.number(leaves, 1))
        assert isinstance(target.type, Int)
        overflow = self.draw.choice(["saturate", "wrap"])
        value = self.number(leaves)
        return Store(
            target.array, value, guard if self.draw.random() < 0.5 else None, overflow, target.type.lo, target.type.hi
        )  # type: ignore[arg-type]


def networks(seeds: Sequence[int]) -> Program:
    """Several networks that have nothing to do with each other as one program: one compilation tests them all."""
    parts = [network(seed, f"n{k}_") for k, seed in enumerate(seeds)]
    tuples = ("populations", "projections", "events", "records", "readouts", "injections", "series")
    joined = {what: sum((getattr(p, what) for p in parts), ()) for what in tuples}
    return program(arrays=tuple(a for p in parts for a in p.arrays.values()), tables=TABLES, **joined)


def largest(seed: int, copies: int = 1) -> Program:
    """A random network in which populations take the largest of what arrives; no stimulus leads to them."""
    made = batched(seed, copies) if copies > 1 else network(seed)
    inputs = {name: replace(a, reduce="max") for name, a in made.arrays.items() if a.role == "input"}
    return replace(made, arrays=made.arrays | inputs, injections=(), series=())


def network(seed: int, prefix: str = "") -> Program:
    """One to three populations of 1 to 9 neurons, and one to four projections between them."""
    make = Maker(seed)
    draw = make.draw
    names = [f"{prefix}{letter}" for letter in "pqr"[: draw.randint(1, 3)]]
    sizes = {name: draw.randint(1, 9) for name in names}
    own = {
        n: [make.state(f"{n}.s{k}", "neuron", sizes[n], "state", history=9) for k in range(draw.randint(1, 3))]
        for n in names
    }
    wires = [(draw.choice(names), draw.choice(names), draw.randint(1, 4)) for _ in range(draw.randint(1, 4))]
    for name in names:
        make.arrays.append(array(f"{name}.i", "neuron", "input", SUM, [0] * sizes[name], slots=8))
        make.arrays.append(array(f"{name}.k", "scalar", "parameter", Int(0, 100), draw.randint(0, 100), dynamic=True))
    projections = tuple(_projection(make, f"{prefix}w{k}", wire, sizes, own) for k, wire in enumerate(wires))
    populations = tuple(population_of(make, name, sizes[name], own[name]) for name in names)
    first, last = names[0], names[-1]
    every = draw.randint(1, 5)
    kicks = np.array([0, 2, 2, 9]), np.zeros(4, np.int64), np.array([9, 1, 99, -5])
    some = np.arange(every % 2, sizes[first], 2) if every < 4 and sizes[first] > 1 else None
    counted = np.arange(every - 3, sizes[last], 2) if 3 <= every < 3 + sizes[last] else None
    rows = np.arange(3 * sizes[first]).reshape(3, -1) - 4
    events = [_event(make, n, own[n]) for n in names]
    events += [_learning(make, p, own, _singles(sizes, own)) for p in projections]
    events += list(_reducing(make, sizes, own, projections))
    return program(
        arrays=tuple(make.arrays),
        tables=TABLES,
        populations=populations,
        projections=projections,
        events=tuple(events),
        records=(
            Record(own[first][0].array, draw.randint(1, 4), neurons=some),
            Record(f"{prefix}w0.w", draw.randint(1, 9)),
        ),
        readouts=(
            Readout(
                f"{prefix}joint", last, test("lt", own[last][0], c(3)), every, draw.randrange(every), neurons=counted
            ),
        ),
        injections=(Injection(f"{prefix}kick", f"{last}.i", *kicks),),
        series=(Series(f"{prefix}wave", f"{first}.i", rows, draw.randint(1, 5), loop=True),),
    )


def population_of(make: Maker, name: str, size: int, own: list[Read]) -> Population:
    leaves: list[Expr] = [
        *own,
        Read(f"{name}.i", "own", SUM),
        Read(f"{name}.k", "scalar", Int(0, 100)),
        make.noise(),
        c(5),
    ]
    drive = make.number(leaves)
    body: list[Stmt] = [Let("drive", call("wrap", drive, c(16), lo=-(2**15), hi=2**15 - 1)), make.store(own[0], leaves)]
    leaves.append(Temp("drive", Int(-(2**15), 2**15 - 1)))
    noisy = test("lt", Random(next(make.streams), Int(0, 2**16 - 1), 1), c(9000))
    kicked = test("gt", Read(f"{name}.i", "own", SUM), c(40))
    body += [Let("fire", Apply("or", (noisy, kicked), BOOL)), Spike(Temp("fire", BOOL))]
    body += [make.store(variable, leaves) for variable in own]
    return Population(name, size, tuple(body), (f"{name}.i",), True, 4)


def _projection(
    make: Maker, name: str, wire: tuple[str, str, int], sizes: dict[str, int], own: dict[str, list[Read]]
) -> Projection:
    draw = make.draw
    source, target, delay = wire
    every = [(i, j) for i in range(sizes[source]) for j in range(sizes[target])]
    chosen = [pair for pair in every if draw.random() < 0.6] or every[:1]
    chosen += draw.choices(chosen, k=draw.randint(0, 3))
    late = draw.random() < 0.5
    dendritic = [draw.randrange(6) for _ in chosen] if late else None
    w = make.state(f"{name}.w", "synapse", len(chosen), "weight")
    x = make.state(f"{name}.x", "synapse", len(chosen), "state")
    pre = draw.choice(own[source])
    post = draw.choice(own[target])
    leaves: list[Expr] = [w, x, Read(pre.array, "pre", pre.type, delay - 1), Read(post.array, "post", post.type)]
    leaves += _singles(sizes, own)
    if late:
        leaves.append(Read(post.array, "post", post.type, "synapse"))

    wired = Wired(source, target, leaves, {"w": w, "x": x}, late)
    return pairs(
        name, source, target, (sizes[source], sizes[target]), chosen, delay=delay, dendritic=dendritic,
        step=wired.body(make, "fwx"), arrive=(wired.send(make, "post"), *wired.body(make, "fbwx")),
        post_body=wired.body(make, "bwx"),
    )  # fmt: skip


@dataclass(frozen=True)
class Wired:
    """What the bodies of a projection's synapses may do. stored: their variables, by letters; late: with delays."""

    source: str
    target: str
    leaves: list[Expr]
    stored: Mapping[str, Read]
    late: bool

    def send(self, make: Maker, to: Any) -> Send:
        """Something is sent to one end."""
        value = call("wrap", make.number([*self.leaves, make.noise()], 1), c(8), lo=-128, hi=127)
        guard = test("gt", make.number(self.leaves, 1), c(0)) if make.draw.random() < 0.5 else None
        delayed: Any = "synapse" if self.late and to == "post" and make.draw.random() < 0.7 else 0
        return Send(f"{self.target if to == 'post' else self.source}.i", value, guard, to, delayed)

    def body(self, make: Maker, kinds: str) -> Body:
        """Up to three statements: f and b send forward and back, other letters store."""
        made: list[Stmt] = []
        for kind in make.draw.choices(kinds, k=make.draw.randint(0, 3)):
            if kind in "fb":
                made.append(self.send(make, "post" if kind == "f" else "pre"))
            else:
                made.append(make.store(self.stored[kind], self.leaves))
        return tuple(made)


def _singles(sizes: Mapping[str, int], own: Mapping[str, Sequence[Read]]) -> list[Expr]:
    """What populations of one neuron have, as all synapses see it."""
    return [Read(own[n][0].array, "single", own[n][0].type) for n, size in sizes.items() if size == 1]


def _event(make: Maker, owner: str, own: list[Read]) -> Event:
    leaves: list[Expr] = [*own, Read(f"{owner}.k", "scalar", Int(0, 100)), make.noise()]
    every_step = make.draw.random() < 0.3
    return Event("change", owner, "neuron", (make.store(own[0], leaves),), every_step)


def _learning(make: Maker, of: Projection, own: dict[str, list[Read]], singles: list[Expr]) -> Event:
    """An event of synapses, which may read their neurons as they are or were."""
    declared = {a.name: a.type for a in make.arrays}
    w, x = (Read(f"{of.name}.{v}", "own", declared[f"{of.name}.{v}"]) for v in "wx")
    leaves: list[Expr] = [w, x, make.noise(), *singles]
    if make.draw.random() < 0.7:
        pre, post = make.draw.choice(own[of.source]), make.draw.choice(own[of.target])
        back = make.draw.randint(0, 4)
        leaves += [Read(pre.array, "pre", pre.type, of.delay - 1), Read(post.array, "post", post.type, back)]
        leaves.append(Read(f"{of.source}.k", "scalar", Int(0, 100)))
    return Event("change", of.name, "synapse", (make.store(w, leaves),), make.draw.random() < 0.5)


def _reducing(
    make: Maker, sizes: dict[str, int], own: dict[str, list[Read]], projections: Sequence[Projection]
) -> Iterator[Event]:
    """Events with sums and largest values over neurons and over synapses; they draw nothing from what others draw."""
    apart = Maker(make.draw.getstate()[1][0])
    apart.streams, apart.arrays = iter(range(3000, 4000)), make.arrays
    for name, reads in own.items():
        yield _reduced(apart, name, "neuron", reads, [("population", sizes[name])])
    declared = {a.name: a.type for a in make.arrays}
    for p in projections:
        reads = [Read(f"{p.name}.{v}", "own", declared[f"{p.name}.{v}"]) for v in "wx"]
        ends, along = (p.source_size, p.target_size), ("incoming", "outgoing", "shared")
        axes: list[tuple[Axis, int]] = [(axis, most_terms(p.wiring, ends, axis)) for axis in along]
        yield _reduced(apart, p.name, "synapse", reads, axes)


def _reduced(make: Maker, owner: str, over: Any, own: list[Read], axes: list[tuple[Axis, int]]) -> Event:
    """An event that names, stores and compares what it reduces, some of it after it has stored."""

    def some(leaves: list[Expr]) -> Expr:
        axis, terms = make.draw.choice(axes)
        x = make.draw.choice([applied("wrap", make.number(leaves, 1), c(20)), *own])
        assert isinstance(x.type, Int)
        if make.draw.random() < 0.5 or max(-x.type.lo, x.type.hi) * terms > 2**61:
            return Reduce(x, x.type, "max", axis, terms)
        return Reduce(x, Int(*repeated((x.type.lo, x.type.hi), 1, terms)), "sum", axis, terms)

    leaves: list[Expr] = [*own, make.noise()]
    small = Let("small", applied("wrap", make.number(leaves, 1), c(16)))
    leaves.append(Temp("small", small.value.type))
    top = Let("top", some(leaves))
    leaves.append(Temp("top", top.value.type))
    first = make.store(own[0], [*leaves, applied("wrap", some(leaves), c(24))])
    mine = Let("mine", test("lt", own[0], some(leaves)))
    last = replace(make.store(own[-1], [*leaves, applied("wrap", some(leaves), c(24))]), guard=Temp("mine", BOOL))
    return Event("change", owner, over, (small, top, first, mine, last), make.draw.random() < 0.5)


# ------------------------------------------------------------------------------------------- copies that share


def batched(seed: int, copies: int) -> Program:
    """A random network whose copies share variables of neurons and synapses, with sums over the copies and twins.

    Give its items a schedule of `shown` and the readouts `answer` and `joint`.
    """
    plain = network(seed)
    make = Maker(seed + 10**6)
    make.streams = iter(range(1000, 2000))
    make.arrays = list(plain.arrays.values())
    batch = _Batch(make, copies)
    populations = tuple(batch.population(p) for p in plain.populations)
    projections = tuple(batch.projection(p) for p in plain.projections)
    first, last = projections[0], projections[-1]
    if first is not last:
        projections = (*projections[:-1], batch.twins(last, first))
    wave = plain.series[0]
    size = populations[0].size
    rows = np.arange(6 * size).reshape(6, -1) - 9
    shown = Series("shown", wave.input, rows, 6, "item", frames=2)
    start = np.array([make.draw.randrange(len(wave.table)) for _ in range(copies)], np.int64)
    sampled = (Record(f"{first.name}.{v}", make.draw.randint(1, 4)) for v in "hgx")
    made = replace(
        plain,
        arrays=kept(make.arrays),
        populations=populations,
        projections=projections,
        events=(*plain.events, *batch.events),
        records=(*plain.records, *sampled, Record(f"{populations[0].name}.s0", 3, "answer", 1, np.arange(1))),
        series=(replace(wave, start=start), shown),
    )
    return _with_own(with_copies(made, copies), seed)


def _with_own(batch: Program, seed: int) -> Program:
    """The batch, in which each copy has for itself what some populations have as a parameter."""
    draw = np.random.default_rng(seed)

    def changed(one: Array) -> Array:
        if batch.copies == 1 or one.role != "parameter" or draw.random() < 0.5:
            return one
        assert isinstance(one.type, Int)
        shape = (*one.initial.shape, batch.copies)
        return replace(one, varied=True, initial=draw.integers(one.type.lo, one.type.hi, shape, endpoint=True))

    return replace(batch, arrays={name: changed(one) for name, one in batch.arrays.items()})


class _Batch:
    """Gives every object a shared variable `h`, and every synapse one, `g`, that sums over the copies in each step."""

    def __init__(self, make: Maker, copies: int) -> None:
        self.make, self.copies = make, copies
        self.events: list[Event] = []

    def read(self, name: str, at: Any = "own") -> Read:
        array_ = next(a for a in self.make.arrays if a.name == name)
        return Read(name, at, array_.type)

    def small(self, leaves: list[Expr], drawn: bool = False) -> Expr:
        """A number of 8 bits that differs from copy to copy as the last leaf does; it may depend on draws."""
        while True:
            value = self.make.number(leaves, 1)
            if drawn or not any(_draws(part) for part in walk(value)):
                return applied("wrap", applied("add", applied("wrap", value, c(8)), leaves[-1]), c(8))

    def total(self, value: Expr) -> Expr:
        """A sum over the copies of a number of 8 bits."""
        return value if self.copies == 1 else Sum(value, Int(-128 * self.copies, 127 * self.copies))

    def population(self, p: Population) -> Population:
        h = self.make.state(f"{p.name}.h", "neuron", p.size, "state", shared=True)
        s = self.read(f"{p.name}.s0")
        self.once(p.name, "neuron", h, s, [h], [s, h])
        lively = call("sub", call("mod", self.make.noise(), c(23), lo=0, hi=22), c(5), lo=-5, hi=17)
        assert isinstance(s.type, Int)
        stir = Store(s.array, lively, None, "saturate", s.type.lo, s.type.hi)
        return replace(p, body=(*p.body, self.make.store(s, [h, s]), stir))

    def projection(self, p: Projection) -> Projection:
        make, n = self.make, p.synapses
        h = make.state(f"{p.name}.h", "synapse", n, "weight", shared=True)
        range_ = Int(-128 * self.copies, 127 * self.copies)
        make.arrays.append(array(f"{p.name}.g", "synapse", "state", range_, range(n), shared=True))
        g, w, x = (self.read(f"{p.name}.{v}") for v in "gwx")
        ends: list[Expr] = [self.read(f"{p.source}.s0", "pre"), self.read(f"{p.target}.s0", "post")]
        leaves = [h, w, x, make.noise(), *ends]
        step = (
            *p.step,
            Send(f"{p.target}.i", call("wrap", make.number([h, w], 1), c(8), lo=-128, hi=127)),
            Store(f"{p.name}.g", self.total(self.small(leaves, drawn=True))),
        )
        self.once(p.name, "synapse", h, x, [h, g], [h, w, x, *ends])
        self.events.append(Event("change", p.name, "synapse", (make.store(x, [x, h, g, make.noise()]),)))
        return replace(p, step=step)

    def once(self, owner: str, over: Any, shared: Read, own: Read, of_all: list[Expr], of_copies: list[Expr]) -> None:
        """An event that stores into a shared array and one of the copies' own what is computed once."""
        make = self.make
        each, once = Temp("each", Int(-128, 127)), Temp("once", Int(-(2**15), 2**15 - 1))
        sums: list[Expr] = [self.total(self.small(leaves)) for leaves in ([*of_copies, once, each], of_copies)]
        leaves = [*of_all, once, make.noise(), *sums]
        body: list[Stmt] = [
            Let("once", call("wrap", make.number([*of_all, make.noise()]), c(16), lo=-(2**15), hi=2**15 - 1)),
            Let("each", self.small(of_copies)),
            make.store(shared, leaves),
            make.store(own, leaves),
        ]
        if over == "synapse":
            body.append(make.store(self.read(f"{owner}.g"), leaves))
        self.events.append(Event("change", owner, over, tuple(body), make.draw.random() < 0.5, once=self.copies > 1))

    def twins(self, p: Projection, of: Projection) -> Projection:
        """A projection whose synapses have any synapses of another one as twins, and an event that reads them."""
        twin = np.array([self.make.draw.randrange(of.synapses) for _ in range(p.synapses)], np.int64)
        reads: list[Expr] = [self.read(f"{of.name}.{v}", "twin") for v in "hgw"]
        x, h = self.read(f"{p.name}.x"), self.read(f"{p.name}.h")
        self.events.append(Event("change", p.name, "synapse", (self.make.store(x, [x, *reads]),), True))
        store = self.make.store(h, [h, *reads[:2], self.total(self.small([x, *reads]))])
        self.events.append(Event("change", p.name, "synapse", (store,), once=self.copies > 1))
        return replace(p, twin=twin)


def _draws(expr: Expr) -> bool:
    return isinstance(expr, Random) or (isinstance(expr, Round) and expr.mode == "stochastic")
