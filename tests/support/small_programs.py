"""Small programs made by hand, for tests that must not depend on how programs are made from network files."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroport.copies.axis import with_copies
from neuroport.network.network import Network
from neuroport.network.protocol import Repeat, Run
from neuroport.numerics.units import Quantity
from neuroport.program.ir import (
    BOOL,
    INT,
    REAL,
    Apply,
    Body,
    Const,
    Expr,
    Int,
    Let,
    Random,
    Read,
    Send,
    Spike,
    Store,
    Sum,
    Temp,
    Type,
)
from neuroport.program.machine import Array, Event, Injection, Population, Program, Projection, Readout, Record, Series
from tests.support.programs import kept
from tests.support.wiring import joined


def const(value: float | int | bool) -> Const:
    return Const(value, BOOL if isinstance(value, bool) else INT if isinstance(value, int) else REAL)


def read(array: str, at: Any = "own", type: Type = INT, lag: Any = 0) -> Read:
    return Read(array, at, type, lag)


def apply(fn: str, *args: Expr | float, type: Type = INT) -> Apply:
    return Apply(fn, tuple(const(a) if isinstance(a, (int, float)) else a for a in args), type)


def test(fn: str, *args: Expr | float) -> Apply:
    return apply(fn, *args, type=BOOL)


test.__test__ = False  # type: ignore[attr-defined]


def array(name: str, at: Any, role: Any, initial: Any, type: Type = INT, **more: Any) -> Array:
    dtype = np.float64 if type == REAL else np.int64
    return Array(name, name.split(".")[0], at, role, type, np.asarray(initial, dtype), **more)


def program(
    arrays: list[Array], populations: list[Population], projections: tuple[Projection, ...] = (), **more: Any
) -> Program:
    integer = all(a.type != REAL for a in arrays)
    fields: dict[str, Any] = {
        "name": "small",
        "dt": 1.0,
        "seed": 1,
        "chip": "test",
        "integer": integer,
        "precision": "float64",
        "events": (),
        "readouts": (),
        "records": (),
        "injections": (),
        "series": (),
        "tables": {},
        "derived": (),
    }
    return Program(
        arrays=kept(arrays, integer),
        populations=tuple(populations),
        projections=tuple(projections),
        **(fields | more),
    )


def projection(
    name: str, source: Population, target: Population, pairs: list[tuple[int, int]], delay: int = 1, **more: Any
) -> Projection:
    pre, post = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    fields: dict[str, Any] = {"step": (), "arrive": (), "post_body": (), "dendritic": None}
    return Projection(
        name=name,
        source=source.name,
        target=target.name,
        source_size=source.size,
        target_size=target.size,
        delay=delay,
        wiring=joined(pre, post, source.size, target.size),
        **(fields | more),
    )


def single(value: Expr, initial: Any, stored: Type = INT, **more: Any) -> Program:
    """One population `p` that in every step stores an expression into `p.y`; `p.x` holds `initial`."""
    x = np.asarray(initial)
    given: Type = REAL if x.dtype.kind == "f" else INT
    arrays = [
        array("p.x", "neuron", "state", x, given),
        array("p.y", "neuron", "state", np.zeros(x.shape, x.dtype), given if stored == INT else stored),
    ]
    body: Body = (Store("p.y", value),)
    return program(arrays, [Population("p", x.size, body, (), False, 0)], **more)


# ------------------------------------------------------------------------------------------------- the rich network

RICH_PAIRS = [(0, 0), (0, 2), (0, 3), (1, 1), (1, 2), (2, 0), (2, 1), (2, 3)]
RICH_DENDRITIC = [0, 5, 2, 1, 0, 3, 5, 4]
RICH_BACK = [(0, 0), (1, 2), (2, 1), (3, 0), (3, 2)]
RICH_WEIGHTS = [9, -3, 8, 7, 5, 8, 6, 9]
RICH_STREAM = 77


def rich() -> Program:
    """Two populations, plastic and static synapses, every kind of delay, noise, stimuli, events; all integers.

    `in` (3 neurons): v := v + drive; spikes at v >= 10, then v := v - 10. s counts steps since the spike, up to 15.
    `out` (4 neurons): u := trunc(3 u / 4) + i + noise, noise in 0..7; spikes at u > 20, then u := 0; y likewise.
    `forward` in -> out, axonal delay 2, dendritic 0..5: in every step sends 1 while pre.s < 3; on arrival sends w
    (late), then w := w + post.y[d] saturated to -20..20; on a spike of out w := wrap(w - pre.s, -20..20), and 1 goes
    back to the drive.
    `back` out -> in, delay 1: sends -2 to the drive if w > 0.
    """
    arrays = [
        array("in.drive", "neuron", "input", [0, 0, 0]),
        array("in.v", "neuron", "state", [0, 3, 6], Int(-1000, 1000)),
        array("in.s", "neuron", "state", [15, 15, 15], Int(0, 15), history=2),
        array("out.i", "neuron", "input", [0, 0, 0, 0], slots=6),
        array("out.u", "neuron", "state", [0, 0, 0, 0], Int(-1000, 1000)),
        array("out.y", "neuron", "state", [1, 2, 3, 4], Int(0, 4), history=6),
        array("out.count", "neuron", "state", [0, 0, 0, 0], Int(0, 10**6)),
        array("forward.w", "synapse", "weight", RICH_WEIGHTS, Int(-20, 20)),
        array("back.w", "synapse", "weight", [1, -1, 1, 1, 0]),
    ]
    v, u = Temp("v", INT), Temp("u", INT)
    into = Population(
        "in",
        3,
        (
            Let("v", apply("add", read("in.v"), read("in.drive"))),
            Let("fire", test("ge", v, 10)),
            Spike(Temp("fire", BOOL)),
            Store("in.v", v, None, "saturate", -1000, 1000),
            Store("in.v", apply("sub", read("in.v"), 10), Temp("fire", BOOL)),
            Store("in.s", apply("min", apply("add", read("in.s"), 1), 15)),
            Store("in.s", const(0), Temp("fire", BOOL)),
        ),
        ("in.drive",),
        True,
        2,
    )
    noise = apply("shr", Random(RICH_STREAM, Int(0, 2**32 - 1, 32)), 29)
    out = Population(
        "out",
        4,
        (
            Let(
                "u",
                apply("add", apply("trunc_div", apply("mul", read("out.u"), 3), 4), apply("add", read("out.i"), noise)),
            ),
            Let("fire", test("gt", u, 20)),
            Spike(Temp("fire", BOOL)),
            Store("out.u", apply("select", Temp("fire", BOOL), 0, u), None, "saturate", -1000, 1000),
            Store("out.y", apply("select", Temp("fire", BOOL), 0, apply("min", apply("add", read("out.y"), 1), 4))),
        ),
        ("out.i",),
        True,
        1,
    )
    recent = test("lt", read("in.s", "pre", lag=1), 3)
    w = read("forward.w")
    forward = projection(
        "forward",
        into,
        out,
        RICH_PAIRS,
        delay=2,
        dendritic=np.array(RICH_DENDRITIC, np.int64),
        step=(Send("out.i", const(1), recent),),
        row_condition=recent,
        arrive=(
            Send("out.i", w, delay="synapse"),
            Store("forward.w", apply("add", w, read("out.y", "post", lag="synapse")), None, "saturate", -20, 20),
        ),
        post_body=(
            Store("forward.w", apply("sub", w, read("in.s", "pre", lag=1)), None, "wrap", -20, 20),
            Send("in.drive", const(1), to="pre"),
        ),
    )
    back = projection(
        "back", out, into, RICH_BACK, arrive=(Send("in.drive", const(-2), test("gt", read("back.w"), 0)),)
    )
    events = (
        Event(
            "each_step",
            "out",
            "neuron",
            (Store("out.count", apply("add", read("out.count"), 1), test("gt", read("out.u"), 10)),),
            True,
        ),
        Event("flip", "forward", "synapse", (Store("forward.w", apply("neg", w), None, "saturate", -20, 20),)),
    )
    return program(
        arrays,
        [into, out],
        (forward, back),
        events=events,
        readouts=(Readout("busy", "out", test("lt", read("out.y"), 3), 2, 1),),
        records=(Record("out.u", 3),),
        injections=(Injection("kick", "in.drive", np.array([4, 4, 30]), np.array([0, 2, 1]), np.array([10, 7, 25])),),
        series=(Series("drive", "in.drive", np.array([[2, 1, 3], [0, 4, 1]]), 5, "time", True),),
    )


# ----------------------------------------------------------------------------------------------- the sampling network


def sampling(n: int = 7) -> Program:
    """Stochastic units with refractory counters and a conditional rectangular PSP; pair counts on spikes; real."""
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    numbers = np.random.Generator(np.random.PCG64(1))
    x = Int(0, 127)
    arrays = [
        array("units.x", "neuron", "state", np.full(n, 127), x),
        array("units.b", "neuron", "state", numbers.normal(0, 0.2, n), REAL),
        array("units.u_in", "neuron", "input", np.zeros(n), REAL),
        array("rec.w", "synapse", "weight", numbers.normal(0, 0.5, len(pairs)), REAL),
        array("rec.c", "synapse", "state", np.zeros(len(pairs)), REAL),
        array("rec.s", "synapse", "state", np.zeros(len(pairs)), REAL),
    ]
    own, fire = read("units.x", type=x), Temp("fire", BOOL)
    u = apply("add", read("units.b", type=REAL), read("units.u_in", type=REAL), type=REAL)
    units = Population(
        "units",
        n,
        (
            Let("p", apply("sigmoid", apply("sub", u, 3.912, type=REAL), type=REAL)),
            Let("fire", test("and", test("lt", Random(5, REAL), Temp("p", REAL)), test("ge", own, 50))),
            Spike(fire),
            Store("units.x", apply("select", fire, 0, apply("add", own, 1)), None, "saturate", 0, 127),
        ),
        ("units.u_in",),
        True,
        1,
    )
    pre, post = read("units.x", "pre", x), read("units.x", "post", x)
    active = test("lt", pre, 49)

    def near(side: Read) -> Expr:
        lag = apply("to_real", apply("add", side, 1), type=REAL)
        return apply("max", 0.0, apply("sub", 1.0, apply("div", lag, 50.0, type=REAL), type=REAL), type=REAL)

    def change(side: Read, fn: str) -> Body:
        k = Temp("k", REAL)
        return (
            Let("k", near(side)),
            Store("rec.c", apply("add", read("rec.c", type=REAL), k, type=REAL)),
            Store("rec.s", apply(fn, read("rec.s", type=REAL), k, type=REAL)),
        )

    recurrent = projection(
        "rec",
        units,
        units,
        pairs,
        step=(Send("units.u_in", read("rec.w", type=REAL), active),),
        row_condition=active,
        arrive=change(post, "add"),
        post_body=change(pre, "sub"),
    )
    readouts = (Readout("states", "units", test("lt", own, 50), 25, 24),)
    return program(arrays, [units], (recurrent,), readouts=readouts)


# ------------------------------------------------------------------------------------------ copies that learn together

LEARNING_TABLE = np.array([[1.0, 0.5, -0.25], [0.0, -1.0, 0.75], [0.5, 0.25, 1.0], [-0.5, 1.0, 0.0]])
LEARNING_STREAM = 31


def learning(copies: int, real: bool) -> Program:
    """A rate network whose copies share the weights of `up` and learn them from the mean over the copies.

    Per step: `up` sends w * a.x; g := sum over the copies of b.e * a.x; a.x := a.x / 2 + input + noise;
    b.e := 1 - input; then m := m / 2 + g / copies / 32; w := w + m; and `down`, b -> a, takes the weights of `up`.
    With integers 1.0 is 64 and quotients are rounded down.
    """
    unit, number = (1.0, REAL) if real else (64, Int(-(2**20), 2**20))
    wide: Type = REAL if real else Int(-(2**40), 2**40)

    def f(fn: str, *args: Expr | float, type: Type = wide) -> Apply:
        return apply(fn, *args, type=type)

    def half(x: Expr, times: int = 1) -> Expr:
        return f("mul", x, 0.5**times) if real else f("shr", x, times)

    def product(x: Expr, y: Expr) -> Expr:
        return f("mul", x, y) if real else f("shr", f("mul", x, y), 6)

    def own(name: str, at: Any = "own") -> Read:
        return read(name, at, number)

    def store(name: str, value: Expr) -> Store:
        if real:
            return Store(name, value)
        return Store(name, value, None, "saturate", -(2**20), 2**20)

    arrays = [
        array("a.i", "neuron", "input", [0 * unit] * 3, number),
        array("a.x", "neuron", "state", [0 * unit] * 3, number),
        array("b.i", "neuron", "input", [0 * unit] * 2, number),
        array("b.e", "neuron", "state", [0 * unit] * 2, number),
        array(
            "up.w",
            "synapse",
            "weight",
            [unit * k / 8 if real else unit * k // 8 for k in range(1, 7)],
            number,
            shared=True,
        ),
        array("up.m", "synapse", "state", [0 * unit] * 6, number, shared=True),
        array("up.g", "synapse", "state", [0 * unit] * 6, wide, shared=True),
        array("down.w", "synapse", "weight", [0 * unit] * 6, number, shared=True),
    ]
    noise: Expr = Random(LEARNING_STREAM, REAL if real else Int(0, 2**32 - 1))
    noise = noise if real else f("shr", noise, 26)
    a = Population("a", 3, (store("a.x", f("add", half(own("a.x")), f("add", own("a.i"), noise))),), ("a.i",), False, 0)
    b = Population("b", 2, (store("b.e", f("sub", unit, own("b.i"))),), ("b.i",), False, 0)
    term = product(own("b.e", "post"), own("a.x", "pre"))
    if not real:
        term = f("clip", term, -(2**20), 2**20, type=number)
    total: Expr = Sum(term, wide) if copies > 1 else term
    every = [(i, j) for i in range(3) for j in range(2)]
    step = (Send("b.i", product(own("up.w"), own("a.x", "pre"))), Store("up.g", total))
    up = projection("up", a, b, every, step=step)
    down = projection(
        "down",
        b,
        a,
        [(j, i) for i, j in every],
        twin=np.array([every.index((i, j)) for j in range(2) for i in range(3)]),
    )
    g = read("up.g", type=wide)
    mean = f("div", g, float(copies)) if real else f("floordiv", g, copies)
    step_size = f("mul", mean, 0.03125) if real else f("shr", mean, 5)
    many = copies > 1
    learn = (
        store("up.m", f("add", half(own("up.m")), step_size)),
        store("up.w", f("add", own("up.w"), own("up.m"))),
    )
    spread: Expr = Sum(own("b.e", "post"), wide) if many else own("b.e", "post")
    events = (
        Event("each_step", "up", "synapse", learn, True, once=many),
        Event("each_step", "down", "synapse", (Store("down.w", own("up.w", "twin")),), True, once=many),
        Event("forget", "up", "synapse", (store("up.w", half(f("add", own("up.w"), half(spread, 6)))),), once=many),
    )
    table = LEARNING_TABLE if real else (64 * LEARNING_TABLE).astype(np.int64)
    starts = np.arange(copies, dtype=np.int64)
    made = program(
        arrays,
        [a, b],
        (up, down),
        events=events,
        records=(Record("up.w", 7), Record("up.g", 5), Record("b.e", 10, "answer", 9)),
        series=(Series("drive", "a.i", table, 1, "time", True, start=starts),),
    )
    return with_copies(made, copies)


def network(*protocol: Any, **more: Any) -> Network:
    """A network without objects: what a session needs besides a program."""
    return Network(name="small", dt=Quantity(1, "ms"), populations=(), protocol=protocol, **more)


def runs(*steps: int) -> Network:
    return network(*(Run(duration=Quantity(s, "steps")) for s in steps))


def repeat(count: int, variable: str, *items: Any) -> Repeat:
    return Repeat(count=count, variable=variable, do=items)
