"""Programs built by hand, for tests of executors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from neuroport.program.ir import (
    BOOL,
    REAL,
    Apply,
    Const,
    Expr,
    Int,
    Let,
    Lookup,
    Random,
    Read,
    Round,
    Send,
    Spike,
    Store,
    Temp,
)
from neuroport.program.machine import Array, Event, Injection, Population, Program, Projection, Readout, Record, Series
from tests.support.wiring import joined


def program(**parts: object) -> Program:
    """A program with the given parts and nothing else."""
    defaults: dict[str, object] = dict(
        name="test",
        dt=1.0,
        seed=1,
        chip="test",
        integer=True,
        precision="float64",
        arrays={},
        populations=(),
        projections=(),
        events=(),
        readouts=(),
        records=(),
        injections=(),
        series=(),
        tables={},
        derived=(),
    )
    arrays = kept(parts.pop("arrays", ()), bool(parts.get("integer", True)))  # type: ignore[arg-type]
    return Program(**{**defaults, **parts, "arrays": arrays})  # type: ignore[arg-type]


def kept(arrays: Iterable[Array], integer: bool = True) -> dict[str, Array]:
    """Arrays by name, with their numbers in the dtypes in which a program has them."""
    return {a.name: replace(a, initial=a.initial.astype(a.kept(integer))) for a in arrays}


def array(name: str, at: str, role: str, type_: object, initial: object, **more: object) -> Array:
    """An array of the object before the dot."""
    dtype = np.float64 if type_ == REAL else np.int64
    return Array(name, name.split(".")[0], at, role, type_, np.array(initial, dtype), **more)  # type: ignore[arg-type]


def pairs(
    name: str, source: str, target: str, sizes: tuple[int, int], chosen: list[tuple[int, int]], **more: object
) -> Projection:
    """A projection with these (pre, post) pairs."""
    chosen = sorted(chosen)
    pre = np.array([p for p, _ in chosen], np.int64)
    post = np.array([q for _, q in chosen], np.int64)
    defaults: dict[str, object] = dict(delay=1, dendritic=None, step=(), arrive=(), post_body=())
    if more.get("dendritic") is not None:
        more["dendritic"] = np.array(more["dendritic"], np.int64)
    return Projection(
        name,
        source,
        target,
        *sizes,
        wiring=joined(pre, post, *sizes),
        **{**defaults, **more},  # type: ignore[arg-type]
    )


def c(value: int) -> Const:
    """An integer constant."""
    return Const(value, Int(value, value))


def call(fn: str, *args: Expr, lo: int = -(2**31), hi: int = 2**31 - 1) -> Apply:
    """An integer function."""
    return Apply(fn, args, Int(lo, hi))


def test(fn: str, *args: Expr) -> Apply:
    """A condition."""
    return Apply(fn, args, BOOL)


test.__test__ = False  # type: ignore[attr-defined]


def sampling(n: int = 7, seed: int = 3) -> Program:
    """A sampling network in the manner of SAL: row-conditional sends, an escape table, sums per spike pair."""
    draws = np.random.default_rng(seed)
    counter, w, sums, u = Int(0, 127), Int(-128, 127), Int(-(2**30), 2**30), Int(-(2**20), 2**20)
    p32 = Int(0, 2**32 - 1)
    x, pre_x = Read("units.x", "own", counter), Read("units.x", "pre", counter)
    active = test("and", test("ge", pre_x, c(1)), test("lt", pre_x, Read("units.tau", "scalar", counter)))
    index = Apply(
        "clip", (Round(Read("units.u_in", "own", u), 1, "floor", Int(-(2**19), 2**19)), c(-128), c(127)), Int(-128, 127)
    )
    body = (
        Let("x1", call("min", call("add", x, c(1), lo=1, hi=128), c(127), lo=1, hi=127)),
        Let("p", Lookup("escape", call("add", index, c(128), lo=0, hi=255), p32)),
        Let(
            "fire",
            test(
                "and",
                test("lt", Random(11, p32), Temp("p", p32)),
                test("ge", Temp("x1", counter), Read("units.tau", "scalar", counter)),
            ),
        ),
        Spike(Temp("fire", BOOL)),
        Store("units.x", Apply("select", (Temp("fire", BOOL), c(0), Temp("x1", counter)), counter)),
    )
    kappa = call("max", call("sub", c(50), Read("units.x", "post", counter), lo=-77, hi=50), c(0), lo=0, hi=50)
    kappa_back = call("max", call("sub", c(50), Read("units.x", "pre", counter), lo=-77, hi=50), c(0), lo=0, hi=50)
    s, both = Read("rec.s", "own", sums), Read("rec.c", "own", sums)
    every_pair = [(i, j) for i in range(n) for j in range(n) if i != j]
    table = (2**32 - 1) / (1 + np.exp(-(np.arange(256) - 128) / 16.0 + np.log(50)))
    return program(
        arrays=(
            array("units.x", "neuron", "state", counter, [127] * n),
            array("units.tau", "scalar", "parameter", counter, 50),
            array("units.u_in", "neuron", "input", u, [0] * n),
            array("rec.w", "synapse", "weight", w, draws.integers(-40, 40, n * (n - 1))),
            array("rec.s", "synapse", "state", sums, [0] * (n * (n - 1))),
            array("rec.c", "synapse", "state", sums, [0] * (n * (n - 1))),
        ),
        populations=(Population("units", n, body, ("units.u_in",), True, 1),),
        projections=(
            pairs(
                "rec",
                "units",
                "units",
                (n, n),
                every_pair,
                step=(Send("units.u_in", Read("rec.w", "own", w), active),),
                row_condition=active,
                arrive=(
                    Let("k", kappa),
                    Store(
                        "rec.s",
                        Apply("add", (s, Temp("k", Int(0, 50))), sums),
                        overflow="saturate",
                        lo=-(2**30),
                        hi=2**30,
                    ),
                    Store(
                        "rec.c",
                        Apply("add", (both, Temp("k", Int(0, 50))), Int(-(2**31), 2**31 - 1)),
                        overflow="saturate",
                        lo=-(2**30),
                        hi=2**30,
                    ),
                ),
                post_body=(
                    Let("k", kappa_back),
                    Store(
                        "rec.s",
                        Apply("sub", (s, Temp("k", Int(0, 50))), Int(-(2**31), 2**31 - 1)),
                        overflow="saturate",
                        lo=-(2**30),
                        hi=2**30,
                    ),
                    Store(
                        "rec.c",
                        Apply("add", (both, Temp("k", Int(0, 50))), Int(-(2**31), 2**31 - 1)),
                        overflow="saturate",
                        lo=-(2**30),
                        hi=2**30,
                    ),
                ),
            ),
        ),
        events=(
            Event(
                "epoch_end",
                "rec",
                "synapse",
                (
                    Store(
                        "rec.w",
                        Round(
                            Apply("add", (call("mul", Read("rec.w", "own", w), c(64), lo=-8192, hi=8128), s), sums),
                            6,
                            "stochastic",
                            Int(-(2**25), 2**25),
                            77,
                        ),
                        overflow="saturate",
                        lo=-128,
                        hi=127,
                    ),
                    Store("rec.s", c(0)),
                ),
            ),
        ),
        readouts=(Readout("states", "units", test("lt", x, c(50)), 25, 24),),
        tables={"escape": table.astype(np.int64)},
    )


def balanced(n: int = 4000, p: float = 0.02, seed: int = 5) -> Program:
    """A current-based network with exponential synapses in integers (Loihi's form), 80 % excitatory."""
    draws = np.random.default_rng(seed)
    excitatory = n * 4 // 5
    chosen = np.argwhere(draws.random((n, n)) < p)
    pre, post = chosen[:, 0].astype(np.int64), chosen[:, 1].astype(np.int64)
    weights = np.where(pre < excitatory, draws.integers(4, 13, len(pre)), -draws.integers(60, 121, len(pre)))
    state, acc = Int(-(2**23), 2**23 - 1), Int(-(2**20), 2**20)
    u, v = Read("cells.u", "own", state), Read("cells.v", "own", state)
    product = Int(-(2**35), 2**35)
    decayed = Int(-(2**23), 2**23)
    body = (
        Let(
            "u1",
            Apply(
                "add",
                (
                    Round(Apply("mul", (u, c(3353)), product), 12, "toward_zero", decayed),
                    Apply("shl", (Read("cells.i", "own", acc), c(6)), Int(-(2**26), 2**26)),
                ),
                Int(-(2**27), 2**27),
            ),
        ),
        Store("cells.u", Temp("u1", Int(-(2**27), 2**27)), overflow="saturate", lo=-(2**23), hi=2**23 - 1),
        Let(
            "v1",
            Apply(
                "add",
                (
                    Apply(
                        "add",
                        (Round(Apply("mul", (v, c(3896)), product), 12, "toward_zero", decayed), u),
                        Int(-(2**25), 2**25),
                    ),
                    Read("cells.bias", "own", Int(0, 2**15)),
                ),
                Int(-(2**26), 2**26),
            ),
        ),
        Let("fire", test("gt", Temp("v1", Int(-(2**26), 2**26)), Read("cells.vth", "scalar", Int(0, 2**23 - 1)))),
        Spike(Temp("fire", BOOL)),
        Store(
            "cells.v",
            Apply("select", (Temp("fire", BOOL), c(0), Temp("v1", Int(-(2**26), 2**26))), Int(-(2**26), 2**26)),
            overflow="saturate",
            lo=-(2**23),
            hi=2**23 - 1,
        ),
    )
    return program(
        arrays=(
            array("cells.u", "neuron", "state", state, [0] * n),
            array("cells.v", "neuron", "state", state, draws.integers(0, 6000, n)),
            array("cells.bias", "neuron", "parameter", Int(0, 2**15), draws.integers(290, 420, n)),
            array("cells.vth", "scalar", "parameter", Int(0, 2**23 - 1), 6400),
            array("cells.i", "neuron", "input", acc, [0] * n),
            array("syn.w", "synapse", "weight", Int(-128, 127), weights),
        ),
        populations=(Population("cells", n, body, ("cells.i",), True, 1),),
        projections=(
            Projection(
                "syn",
                "cells",
                "cells",
                n,
                n,
                1,
                joined(pre, post, n, n),
                None,
                (),
                (Send("cells.i", Read("syn.w", "own", Int(-128, 127))),),
                (),
            ),
        ),
    )


__all__ = [
    "Injection",
    "Record",
    "Series",
    "array",
    "balanced",
    "c",
    "call",
    "pairs",
    "program",
    "sampling",
    "test",
]
