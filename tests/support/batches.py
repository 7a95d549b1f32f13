"""Programs of several copies built by hand, for tests of executors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroport.copies.axis import with_copies
from neuroport.program.ir import REAL, Apply, Const, Expr, Int, Let, Random, Read, Round, Send, Stmt, Store, Sum, Temp
from neuroport.program.machine import Event, Population, Program, Projection, Record, Series
from tests.support.programs import array, c, call, pairs, program, test

ACC, WORD = Int(-(2**30), 2**30), Int(-(2**15), 2**15 - 1)


def f(fn: str, *args: Expr) -> Apply:
    """A real function."""
    return Apply(fn, args, REAL)


def k(value: float) -> Const:
    """A real constant."""
    return Const(float(value), REAL)


def r(name: str, at: str = "own", lag: int = 0) -> Read:
    """A read of a real array."""
    return Read(name, at, REAL, lag)  # type: ignore[arg-type]


def mixed(a: Expr, b: Expr, share: Expr) -> Apply:
    """(1 - share) a + share b."""
    return f("add", f("mul", f("sub", k(1), share), a), f("mul", share, b))


def layers(sizes: Sequence[int], copies: int, precision: str = "float64", seed: int = 0) -> Program:
    """A layered network with errors, gradients summed over the copies, and Adam in every step, in the manner of GLE."""
    draws = np.random.default_rng(seed)
    arrays, populations, projections, events = [], [], [], []
    for variable, role in (("r", "state"), ("r_last", "state"), ("i", "input")):
        arrays.append(array(f"p0.{variable}", "neuron", role, REAL, np.zeros(sizes[0])))
    body: tuple[Stmt, ...] = (Store("p0.r_last", r("p0.r")), Store("p0.r", r("p0.i")))
    populations.append(Population("p0", sizes[0], body, ("p0.i",), False, 0))
    for layer, n in enumerate(sizes[1:], 1):
        p, q, below, m = f"p{layer}", f"w{layer}", f"p{layer - 1}", sizes[layer - 1]
        last = layer == len(sizes) - 1
        arrays += [array(f"{p}.{v}", "neuron", "state", REAL, np.zeros(n)) for v in "u v e r r_last d".split()]
        arrays += [array(f"{p}.{v}", "neuron", "input", REAL, np.zeros(n)) for v in ("x", "err", "goal")]
        arrays += [
            array(f"{p}.{v}", "neuron", "parameter", REAL, low + 0.1 * draws.random(n))
            for v, low in (("k_m", 0.1), ("k_r", 0.3), ("kappa", 0.4), ("gain", 2.0))
        ]
        for own, over, weight, initial in (
            (p, "neuron", "b", draws.normal(size=n) / 10),
            (q, "synapse", "w", draws.normal(size=m * n) / np.sqrt(m)),
        ):
            arrays.append(array(f"{own}.{weight}", over, "state", REAL, initial, shared=True, kind_class="plastic"))
            for v in ("g", "m", "s"):
                zeros = np.zeros(len(initial))
                arrays.append(array(f"{own}.{v}", over, "state", REAL, zeros, shared=True, kind_class="plastic"))
            events.append(Event("each_step", own, over, _adam(own, weight, copies), True, True))  # type: ignore[arg-type]
        error = f("sub", r(f"{p}.goal"), r(f"{p}.r")) if last else f("mul", r(f"{p}.err"), r(f"{p}.d"))
        bent = Temp("look", REAL) if last else f("tanh", Temp("look", REAL))
        body = (
            Let("sum", f("add", r(f"{p}.x"), r(f"{p}.b"))),
            Let("eps", error),
            Store(f"{p}.e", mixed(r(f"{p}.v"), Temp("eps", REAL), r(f"{p}.gain"))),
            Store(f"{p}.v", mixed(r(f"{p}.v"), Temp("eps", REAL), r(f"{p}.k_r"))),
            Let("look", mixed(r(f"{p}.u"), Temp("sum", REAL), r(f"{p}.kappa"))),
            Store(f"{p}.u", mixed(r(f"{p}.u"), Temp("sum", REAL), r(f"{p}.k_m"))),
            Store(f"{p}.r_last", r(f"{p}.r")),
            Store(f"{p}.r", bent),
            Store(f"{p}.d", f("sub", k(1), f("mul", r(f"{p}.r"), r(f"{p}.r")))),
            Store(f"{p}.g", Sum(r(f"{p}.e"), REAL)),
        )
        populations.append(Population(p, n, body, (f"{p}.x", f"{p}.err", f"{p}.goal"), False, 0))
        step: list[Stmt] = [
            Send(f"{below}.err", f("mul", r(f"{q}.w"), r(f"{p}.e", "post")), to="pre"),
            Store(f"{q}.g", Sum(f("mul", r(f"{p}.e", "post"), r(f"{below}.r_last", "pre")), REAL)),
            Send(f"{p}.x", f("mul", r(f"{q}.w"), r(f"{below}.r", "pre"))),
        ]
        projections.append(full(q, below, p, (m, n), step=tuple(step if layer > 1 else step[1:])))
    arrays.append(replace(array("all.lr", "scalar", "parameter", REAL, 1e-3), owner="p1"))
    goal = draws.normal(size=(50, sizes[-1]))
    series = (
        Series("in", "p0.i", draws.normal(size=(500, sizes[0])), 1, loop=True, start=np.arange(copies) * 3 % 500),
        Series("goal", f"p{len(sizes) - 1}.goal", goal, 7, loop=True),
    )
    one = program(
        integer=False,
        precision=precision,
        arrays=tuple(arrays),
        populations=tuple(populations),
        projections=tuple(projections),
        events=tuple(events),
        series=series,
        records=(Record("p1.r", 5), Record("w2.w", 20)),
    )
    return with_copies(one, copies)


def _adam(own: str, weight: str, copies: int) -> tuple[Stmt, ...]:
    g, step = Temp("mean", REAL), f("mul", r("all.lr", "scalar"), r(f"{own}.m"))
    return (
        Let("mean", f("div", r(f"{own}.g"), k(copies))),
        Store(f"{own}.m", f("add", f("mul", k(0.9), r(f"{own}.m")), f("mul", k(0.1), g))),
        Store(f"{own}.s", f("add", f("mul", k(0.999), r(f"{own}.s")), f("mul", k(0.001), f("mul", g, g)))),
        Store(
            f"{own}.{weight}",
            f("add", r(f"{own}.{weight}"), f("div", step, f("add", f("sqrt", r(f"{own}.s")), k(1e-8)))),
        ),
    )


def full(name: str, source: str, target: str, sizes: tuple[int, int], **more: object) -> Projection:
    """A projection with every pair."""
    return pairs(name, source, target, sizes, [(i, j) for i in range(sizes[0]) for j in range(sizes[1])], **more)


def integers(copies: int, sparse: bool = True, seed: int = 0) -> Program:
    """Integer copies with draws, delays in histories, guards, counted overflows, sums, and events of all kinds."""
    draws = np.random.default_rng(seed)
    n, m = 4, 7
    chosen = [(i, j) for i in range(n) for j in range(m) if not sparse or draws.random() < 0.6]
    if sparse:
        chosen.append(chosen[3])
    count = len(chosen)
    v, u = Read("a.v", "own", WORD), Read("b.u", "own", WORD)
    w, x, g = Read("ab.w", "own", WORD), Read("ab.x", "own", WORD), Read("ab.g", "own", ACC)
    pre_v, post_u = Read("a.v", "pre", WORD, 2), Read("b.u", "post", WORD)
    limits = dict(lo=WORD.lo, hi=WORD.hi)
    noise = Round(Random(7, Int(0, 2**32 - 1)), 20, "floor", Int(0, 4095))
    product = call("shr", call("mul", post_u, Read("a.v", "pre", WORD)), c(12), lo=-(2**18), hi=2**18)
    a_body: tuple[Stmt, ...] = (
        Let("sum", call("add", call("add", Round(call("mul", v, c(7)), 3, "stochastic", WORD, 9), noise), c(-1500))),
        Store("a.v", call("add", Temp("sum", ACC), Read("a.i", "own", ACC)), overflow="saturate", **limits),  # type: ignore[arg-type]
        Store("a.total", Sum(call("max", v, c(0), lo=0, hi=2**15 - 1), Int(0, 2**22))),
    )
    b_body: tuple[Stmt, ...] = (
        Let("gain", call("add", Read("b.gain", "own", WORD), c(3))),
        Store(
            "b.u",
            call("add", Round(u, 1, "nearest", WORD), call("mul", Read("b.i", "own", ACC), Temp("gain", WORD))),
            test("ne", Read("b.i", "own", ACC), c(5)),
            overflow="wrap",
            **limits,  # type: ignore[arg-type]
        ),
    )
    step: tuple[Stmt, ...] = (
        Send("a.i", call("shr", call("mul", w, post_u), c(8)), test("gt", post_u, c(0)), to="pre"),
        Let("p", call("shr", call("mul", w, pre_v), c(10))),
        Store("ab.x", call("sub", x, Round(call("add", x, Temp("p", ACC)), 3, "nearest_even", WORD))),
        Store("ab.g", Sum(product, ACC)),
        Send("b.i", Temp("p", ACC), test("lt", x, c(9000))),
    )
    down = call("shr", g, c(6))
    learn: tuple[Stmt, ...] = (
        Let("own", call("mul", x, x, lo=0, hi=2**30)),
        Let("spread", Round(Sum(Temp("own", Int(0, 2**30)), Int(0, 2**40)), 20, "floor", Int(0, 2**20))),
        Store("ab.w", call("add", w, call("sub", down, Temp("spread", Int(0, 2**20)))), None, "saturate", -300, 300),
        Store("ab.x", call("add", call("mul", w, c(64)), c(1)), test("gt", w, c(100)), "saturate", -9000, 9000),
        Store("ab.y", Sum(x, Int(-(2**22), 2**22))),
    )
    blank: tuple[Stmt, ...] = (
        Store("b.u", call("sub", u, call("mod", Random(3, Int(0, 2**16 - 1), 1), c(9))), test("lt", u, c(500))),
    )
    give: tuple[Stmt, ...] = (
        Store("a.v", call("sub", Read("a.total", "own", Int(0, 2**22)), c(7)), None, "saturate", -9000, 9000),
    )
    one = program(
        arrays=(
            array("a.v", "neuron", "state", WORD, draws.integers(-3000, 3000, n), history=4),
            array("a.i", "neuron", "input", ACC, [0] * n),
            array("a.total", "neuron", "state", Int(0, 2**22), [0] * n, shared=True),
            array("b.u", "neuron", "state", WORD, draws.integers(-90, 90, m)),
            array("b.gain", "neuron", "parameter", WORD, range(m)),
            array("b.i", "neuron", "input", ACC, [0] * m),
            array("ab.w", "synapse", "weight", WORD, draws.integers(-200, 300, count), shared=True),
            array("ab.g", "synapse", "state", ACC, [0] * count, shared=True),
            array("ab.x", "synapse", "state", WORD, [0] * count),
            array("ab.y", "synapse", "state", Int(-(2**22), 2**22), [0] * count, shared=True),
        ),
        populations=(
            Population("a", n, a_body, ("a.i",), False, 0),
            Population("b", m, b_body, ("b.i",), False, 0),
        ),
        projections=(pairs("ab", "a", "b", (n, m), chosen, step=step),),
        events=(
            Event("each_step", "ab", "synapse", learn, every_step=True, once=True),
            Event("blank", "b", "neuron", blank),
            Event("blank", "a", "neuron", give, once=True),
        ),
        series=(
            Series("shown", "a.i", draws.integers(-999, 999, (12, n)), 6, "item", frames=3),
            Series("wave", "b.i", draws.integers(-99, 99, (9, m)), 2, loop=True, start=np.arange(copies) % 5),
        ),
        records=(Record("ab.x", 3), Record("a.total", 4), Record("b.u", 2, "answer", 1)),
    )
    return with_copies(one, copies)
