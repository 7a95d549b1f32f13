"""Two programs, of integers and of reals, that use every part of a time step."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np

from neuroport.program.ir import BOOL, REAL, Apply, Const, Expr, Int, Let, Random, Read, Round, Send, Spike, Store, Temp
from neuroport.program.machine import Event, Injection, Population, Program, Record, Series
from tests.support.programs import array, c, call, pairs, program, test

WORD = Int(-(2**15), 2**15 - 1)
ACC = Int(-(2**30), 2**30)
WIDE = Int(-(2**31), 2**31 - 1)


def everything(seed: int = 2, delay: int = 3) -> Program:
    """Two populations, delays of both kinds, histories, conditional sends, a post pass, sends back, all roundings."""
    draw = random.Random(seed)
    n, m = 6, 9
    v, u = Read("a.v", "own", WORD), Read("b.u", "own", WORD)
    chosen = [pair for pair in itertools.product(range(n), range(m)) if draw.random() < 0.5] + [(2, 3), (2, 3)]
    back = [pair for pair in itertools.product(range(m), range(n)) if draw.random() < 0.4]
    noise = Round(Random(7, Int(0, 2**32 - 1)), 22, "floor", Int(0, 1023))
    modes = ("toward_zero", "floor", "nearest", "nearest_even", "stochastic", "floor_min_step")
    w, x = Read("ab.w", "own", WORD), Read("ab.x", "own", WORD)
    pre_v, post_u = Read("a.v", "pre", WORD, delay - 1), Read("b.u", "post", WORD, "synapse")
    limits: dict[str, Any] = dict(overflow="saturate", lo=WORD.lo, hi=WORD.hi)
    body_a = (
        Let("sum", call("add", call("add", v, Read("a.i", "own", ACC)), noise)),
        Let("leak", Round(Temp("sum", WIDE), 3, modes[seed % 6], WIDE, 21)),
        Let("next", call("sub", Temp("sum", WIDE), Temp("leak", WIDE))),
        Let("fire", test("gt", Temp("next", WIDE), c(2500))),
        Spike(Temp("fire", BOOL)),
        Store("a.v", Apply("select", (Temp("fire", BOOL), c(0), Temp("next", WIDE)), WIDE), **limits),
        Store("a.n", call("add", Read("a.n", "own", Int(0, 99)), c(1)), Temp("fire", BOOL), "wrap", 0, 99),
    )
    body_b = (
        Store(
            "b.u",
            call("add", Round(call("mul", u, c(7)), 3, modes[(seed + 1) % 6], WIDE, 22), Read("b.i", "own", ACC)),
            **limits,
        ),
        Let("fire", test("ge", u, Read("b.theta", "scalar", WORD))),
        Spike(Temp("fire", BOOL)),
        Store("b.u", call("sub", u, Read("b.theta", "scalar", WORD)), Temp("fire", BOOL), **limits),
    )
    return program(
        arrays=(
            array("a.v", "neuron", "state", WORD, [draw.randrange(-3000, 3000) for _ in range(n)], history=delay + 1),
            array("a.n", "neuron", "state", Int(0, 99), [98] * n),
            array("a.i", "neuron", "input", ACC, [0] * n),
            array("b.u", "neuron", "state", WORD, [draw.randrange(-90, 90) for _ in range(m)], history=6),
            array("b.theta", "scalar", "parameter", WORD, 300),
            array("b.i", "neuron", "input", ACC, [0] * m, slots=5),
            array("ab.w", "synapse", "weight", WORD, [draw.randrange(-90, 300) for _ in chosen]),
            array("ab.x", "synapse", "state", WORD, [0] * len(chosen)),
            array("ba.w", "synapse", "weight", Int(-128, 127), [draw.randrange(-128, 128) for _ in back]),
            array("$run.t", "scalar", "parameter", Int(), 0),
        ),
        populations=(
            Population("a", n, body_a, ("a.i",), True, delay),
            Population("b", m, body_b, ("b.i",), True, 2),
        ),
        projections=(
            pairs(
                "ab",
                "a",
                "b",
                (n, m),
                chosen,
                delay=delay,
                dendritic=[draw.randrange(5) for _ in chosen],
                step=(
                    Let("p", call("shr", pre_v, c(4))),
                    Store(
                        "ab.x",
                        call("add", x, call("sub", Temp("p", WIDE), Round(post_u, 2, "nearest", WORD))),
                        **limits,
                    ),
                    Send("b.i", call("shr", x, c(9)), test("gt", pre_v, c(2000)), delay="synapse"),
                ),
                arrive=(
                    Send("b.i", w, delay="synapse"),
                    Send("a.i", call("shr", w, c(2)), test("gt", post_u, c(0)), to="pre"),
                    Store(
                        "ab.w",
                        Round(call("sub", call("mul", w, c(16)), x), 4, "stochastic", WIDE, 31),
                        test("gt", x, c(-20000)),
                        **limits,
                    ),
                ),
                post_body=(
                    Store(
                        "ab.w",
                        call("add", w, call("floordiv", pre_v, call("add", c(7), x))),
                        overflow="wrap",
                        lo=-(2**15),
                        hi=2**15 - 1,
                    ),
                    Send("a.i", call("mod", w, c(8)), to="pre"),
                ),
            ),
            pairs("ba", "b", "a", (m, n), back, delay=2, arrive=(Send("a.i", Read("ba.w", "own", Int(-128, 127))),)),
        ),
        events=(
            Event(
                "blank",
                "ab",
                "synapse",
                (
                    Store(
                        "ab.x",
                        call(
                            "add",
                            Round(x, 1, "stochastic", WORD, 5),
                            call("mod", Read("$run.t", "scalar", Int()), c(3)),
                        ),
                    ),
                ),
            ),
            Event("blank", "a", "neuron", (Store("a.v", call("neg", v), test("lt", v, c(50)), **limits),)),
            Event("each_step", "b", "neuron", (Store("b.u", call("max", u, c(-2000)), **limits),), every_step=True),
        ),
        injections=(
            Injection("kick", "b.i", np.array([0, 2, 2, 40]), np.array([0, 1, 1, 8]), np.array([500, 900, 70, 5000])),
        ),
        records=(Record("a.v", 3), Record("ab.w", 10), Record("b.u", 7)),
        series=(Series("ramp", "a.i", np.arange(3 * n).reshape(3, n) * 30, 4, loop=True),),
    )


def real(name: str, at: str = "own", lag: int = 0) -> Read:
    """A read of a real array."""
    return Read(name, at, REAL, lag)  # type: ignore[arg-type]


def real_program(precision: str = "float64") -> Program:
    """A real network with every real function, and an integer counter in it."""

    def f(fn: str, *args: Expr) -> Apply:
        return Apply(fn, args, REAL)

    def k(value: float) -> Const:
        return Const(value, REAL)

    v, n = real("p.v"), 8
    count = Read("p.n", "own", Int())
    body = (
        Let("drive", f("add", f("mul", v, real("p.decay", "scalar")), real("p.i"))),
        Let("bent", f("add", f("softplus", Temp("drive", REAL)), f("log", f("add", k(1.0), f("abs", f("tanh", v)))))),
        Let("fire", test("lt", Random(5, REAL), f("sigmoid", f("sub", Temp("bent", REAL), k(1.5))))),
        Spike(Temp("fire", BOOL)),
        Store(
            "p.v", Apply("select", (Temp("fire", BOOL), k(0.0), f("clip", Temp("drive", REAL), k(-5.0), k(5.0))), REAL)
        ),
        Store("p.n", Apply("add", (count, Const(1, Int())), Int()), Temp("fire", BOOL)),
        Store("p.q", f("add", f("div", v, f("sqrt", f("exp", v))), f("floordiv", f("to_real", count), k(3.0)))),
    )
    chosen = [(i, j) for i in range(n) for j in range(n) if (i + 2 * j) % 3]
    return program(
        integer=False,
        precision=precision,
        arrays=(
            array("p.v", "neuron", "state", REAL, np.linspace(-1, 1, n)),
            array("p.q", "neuron", "state", REAL, np.zeros(n)),
            array("p.n", "neuron", "state", Int(), [0] * n),
            array("p.decay", "scalar", "parameter", REAL, 0.9),
            array("p.i", "neuron", "input", REAL, np.zeros(n)),
            array("pp.w", "synapse", "weight", REAL, np.cos(np.arange(len(chosen))) / 3),
        ),
        populations=(Population("p", n, body, ("p.i",), True, 1),),
        projections=(
            pairs(
                "pp",
                "p",
                "p",
                (n, n),
                chosen,
                arrive=(
                    Send("p.i", real("pp.w")),
                    Store("pp.w", Apply("mul", (real("pp.w"), Const(0.999, REAL)), REAL)),
                ),
            ),
        ),
    )


def delayed_sums(precision: str = "float64") -> Program:
    """Real numbers that several projections send to one input with delays: their order decides the last bits."""
    n, m = 6, 4
    chosen = [(i, j) for i in range(n) for j in range(m)]
    fire = test("lt", Random(5, REAL), Const(0.4, REAL))
    senders, arrays = [], []
    for k, name in enumerate(("near", "far", "farther")):
        delays = (np.arange(len(chosen)) * (k + 2)) % (2 * k + 3)
        arrive = (Send("q.i", real(f"{name}.w"), delay="synapse"),)
        senders.append(pairs(name, "p", "q", (n, m), chosen, delay=k + 1, dendritic=delays, arrive=arrive))
        weights = np.cos(np.arange(len(chosen)) * (k + 1)) * 10.0**k
        arrays.append(array(f"{name}.w", "synapse", "weight", REAL, weights))
    moved = Apply("add", (Apply("mul", (real("q.v"), Const(0.875, REAL)), REAL), real("q.i")), REAL)
    return program(
        integer=False,
        precision=precision,
        arrays=(
            array("q.v", "neuron", "state", REAL, np.zeros(m)),
            array("q.i", "neuron", "input", REAL, np.zeros(m), slots=7),
            *arrays,
        ),
        populations=(
            Population("p", n, (Spike(fire),), (), True, 3),
            Population("q", m, (Store("q.v", moved),), ("q.i",), False, 0),
        ),
        projections=tuple(senders),
    )
