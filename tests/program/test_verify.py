"""A program defends itself: each rule of what is legal, broken once, and every pass and backend that looks at it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport import backends, networks
from neuroport.api.compile import lower, specimen
from neuroport.backends.genn.split import split
from neuroport.chips import description as chips
from neuroport.cli import main
from neuroport.copies import unbatch as unbatching
from neuroport.copies import unroll as unrolling
from neuroport.copies.axis import with_copies
from neuroport.copies.unbatch import unbatch
from neuroport.copies.unroll import unroll
from neuroport.elaborate import finish
from neuroport.elaborate import network as elaboration
from neuroport.errors import InternalError
from neuroport.network.network import shares
from neuroport.program.ir import (
    BOOL,
    INT,
    REAL,
    Apply,
    Const,
    Expr,
    Int,
    Let,
    Lookup,
    Random,
    Reduce,
    Round,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
)
from neuroport.program.machine import (
    Array,
    Derived,
    Designed,
    Event,
    Population,
    Port,
    Program,
    Readout,
    Record,
)
from neuroport.program.plan import Plan
from neuroport.program.verify import verify
from neuroport.quantise import program as quantising
from neuroport.session.session import open_session
from tests.support import programs as emulator_programs
from tests.support import random_programs
from tests.support import small_programs as small
from tests.support.small_programs import apply, const, read
from tests.support.small_programs import test as truth

RICH, BATCH = small.rich(), small.learning(2, real=False)
FAULT = "This is a fault of neuroport, not of the network: please report it"
V, W = read("in.v"), read("forward.w")
WIDE = Int(-(2**63), 2**63 - 1)


def texts(program: Program) -> list[str]:
    return [problem.text for problem in verify(program)]


# ------------------------------------------------------------------------------------------------ one thing is broken


def arrays(program: Program = RICH, **changes: Array | dict[str, Any]) -> Program:
    """The program with arrays changed; `in_v` stands for in.v."""
    known = dict(program.arrays)
    for name, change in changes.items():
        name = name.replace("_", ".", 1)
        known[name] = change if isinstance(change, Array) else replace(known[name], **change)
    return replace(program, arrays=known)


def population(program: Program = RICH, **changes: Any) -> Program:
    first, *others = program.populations
    return replace(program, populations=(replace(first, **changes), *others))


def projection(program: Program = RICH, **changes: Any) -> Program:
    first, *others = program.projections
    return replace(program, projections=(replace(first, **changes), *others))


def wired(**changes: Any) -> Program:
    """The first projection joins other neurons."""
    return projection(wiring=replace(RICH.projections[0].wiring, **changes))


def update(*more: Stmt) -> Program:
    """`in` does something more in every step."""
    return population(body=(*RICH.populations[0].body, *more))


def value(expr: Expr, integer: bool = True) -> Program:
    """A program that names one value in the update of `p`, and has a table of 100 entries."""
    made = small.single(read("p.x"), [1])
    body = (*made.populations[0].body, Let("it", expr))
    p = replace(made.populations[0], body=body)
    return replace(made, populations=(p,), integer=integer, tables={"steps": np.arange(100)})


def arriving(*more: Stmt) -> Program:
    return projection(arrive=(*RICH.projections[0].arrive, *more))


def event(*body: Stmt, **more: Any) -> Program:
    fields: dict[str, Any] = {"name": "odd", "owner": "forward", "over": "synapse", "body": body}
    return replace(RICH, events=(Event(**(fields | more)),))


def shared(*body: Stmt, **more: Any) -> Program:
    """A batch with an event that is computed once for both copies."""
    fields: dict[str, Any] = {"name": "odd", "owner": "up", "over": "synapse", "body": body, "once": True}
    return replace(BATCH, events=(*BATCH.events, Event(**(fields | more))))


def injection(**changes: Any) -> Program:
    return replace(RICH, injections=(replace(RICH.injections[0], **changes),))


def port(**changes: Any) -> Program:
    """A port that adds to the input of `in`, with changes, beside one that hears its spikes."""
    adds = Port("adds", "inject", "in.drive", 3, "int", "", (0, 1), False)
    return replace(RICH, ports=(replace(adds, **changes), Port("heard", "spikes", "in", 3, "int", "", None, False)))


def series(**changes: Any) -> Program:
    return replace(RICH, series=(replace(RICH.series[0], **changes),))


def copies_of(*populations: Population) -> Program:
    """An event of the first of several copies gives its x to the second."""
    known = [small.array(f"{p.name}.x", "neuron", "state", np.zeros(p.size)) for p in populations]
    give = Store(f"{populations[1].name}.x", read(f"{populations[0].name}.x"))
    odd = Event("odd", populations[0].name, "neuron", (give,))
    return small.program(known, list(populations), events=(odd,))


def derived(value: Expr, **constants: float) -> Program:
    """A parameter in.b that follows from others."""
    b = small.array("in.b", "scalar", "parameter", 0)
    known = {f"in.{name}": np.asarray(number) for name, number in constants.items()}
    return replace(RICH, arrays={**RICH.arrays, "in.b": b}, derived=(Derived("in.b", value),), constants=known)


FORWARD = RICH.projections[0]
NUMBER = Int(-(2**20), 2**20)
E, UP_W = read("b.e", "post", NUMBER), read("up.w", type=NUMBER)
"""What each copy has for itself, and what both share."""

BROKEN: dict[str, tuple[Program, str]] = {
    # ------------------------------------------------------------------------------------------------------- names
    "a name given twice": (
        update(Let("v", const(1))),
        "population in, `let v: int64 = 1`: the name 'v' is given twice",
    ),
    "a name before its value": (
        update(Let("late", Temp("later", INT)), Let("later", const(1))),
        "population in, `let late: int64 = later`: 'later' has no value yet",
    ),
    "a name of another kind": (
        update(Let("odd", truth("eq", Temp("fire", INT), 1))),
        "population in, `let odd: bool = (fire == 1)`: 'fire' is bool, and is said to be int",
    ),
    "an unknown array read": (
        update(Let("odd", read("in.z"))),
        "population in, `let odd: int64 = in.z`: there is no array 'in.z'",
    ),
    "an unknown array assigned": (
        update(Store("in.z", const(1))),
        "population in, `in.z := 1`: there is no array 'in.z'",
    ),
    "an unknown table": (
        value(Lookup("stairs", const(1), INT)),
        "population p, `let it: int64 = stairs[1]:int64`: stairs[1]:int64 looks in the table 'stairs', which the "
        "program does not have",
    ),
    "objects of one name": (projection(name="in"), "object in: the name is given 2 times"),
    "readouts of one name": (
        replace(RICH, records=(Record("out.u", 3), Record("out.y", 1, "busy"))),
        "readout busy: the name is given 2 times",
    ),
    "stimuli of one name": (injection(name="drive"), "stimulus drive: the name is given 2 times"),
    "an array under another name": (
        replace(RICH, arrays={**RICH.arrays, "in.u": RICH.arrays["in.v"]}),
        "array in.v: the program has it under the name 'in.u'",
    ),
    # ------------------------------------------------------------------------------------------------------ arrays
    "an array without owner": (
        arrays(in_v={"owner": "nobody"}),
        "array in.v: there is no 'nobody'",
    ),
    "a neuron array of a projection": (
        arrays(in_v={"owner": "forward"}),
        "array in.v: there is no 'forward' with a value for each neuron",
    ),
    "an array of the wrong shape": (
        arrays(in_v={"initial": np.zeros(2, np.int64)}),
        "array in.v: its initial values have the shape (2,); it has (3,)",
    ),
    "an array without its copies": (
        arrays(BATCH, a_x={"initial": np.zeros(3, np.int64)}),
        "array a.x: its initial values have the shape (3,); it has (3, 2)",
    ),
    "an array of other numbers": (
        arrays(in_v={"initial": np.zeros(3)}),
        "array in.v: its initial values are float64; they should be int64",
    ),
    "an initial value out of bounds": (
        arrays(in_v={"initial": np.array([0, 1001, 0])}),
        "array in.v: its initial values lie in 0..1001, and its format holds -1000..1000",
    ),
    "the largest of what is no input": (
        arrays(in_v={"reduce": "max"}),
        "array in.v: the largest is taken of what synapses send to inputs, and of nothing else",
    ),
    "the largest of what stimuli add": (
        arrays(in_drive={"reduce": "max"}),
        "array in.drive: the largest is taken of what synapses send to inputs, and of nothing else",
    ),
    "slots of what is no input": (arrays(in_v={"slots": 2}), "array in.v: it keeps 0 steps and has 2 slots"),
    "an input of synapses": (
        arrays(forward_w={"role": "input", "initial": np.array(small.RICH_WEIGHTS)}),
        "array forward.w: it is an input, and these belong to neurons",
    ),
    "a real array among integers": (
        arrays(in_v={"type": REAL, "initial": np.zeros(3)}),
        "array in.v: it is real in a program of integers",
    ),
    "a table that is no row": (
        replace(RICH, tables={"steps": np.zeros((2, 2), np.int64)}),
        "table steps: it has shape (2, 2) and numbers of int64; a table is a row of int64",
    ),
    # --------------------------------------------------------------------------------- populations and projections
    "spikes that nobody announces": (
        population(spiking=False),
        "population in: it is said not to spike, and its body has a spike",
    ),
    "spikes that never come": (
        population(body=()),
        "population in: it is said to spike, and its body has no spike",
    ),
    "an input of another population": (population(inputs=("out.i",)), "population in: it has no input 'out.i'"),
    "a count that is not there": (
        population(count="in.z"),
        "population in: it has no variable 'in.z' that counts spikes: an int from 0 up of every neuron",
    ),
    "a count of what can be negative": (
        population(count="in.v"),
        "population in: it has no variable 'in.v' that counts spikes: an int from 0 up of every neuron",
    ),
    "two spikes": (
        update(Spike(Temp("fire", BOOL))),
        "population in: 2 statements say when a neuron spikes; one may",
    ),
    "a spike of a synapse": (
        arriving(Spike(const(True))),
        "projection forward, on_pre, `spike where True`: only a population's neurons spike, in their update",
    ),
    "a population that is not there": (
        projection(source="nobody"),
        "projection forward: there is no population 'nobody'",
    ),
    "a population of another size": (
        projection(target_size=5),
        "projection forward: population out has 4 neurons, not 5",
    ),
    "spikes that are forgotten": (
        projection(delay=3),
        "projection forward: spikes arrive after 3 steps, and are kept for 2",
    ),
    "a delay of no step": (projection(delay=0), "projection forward: spikes arrive after 0 steps, and are kept for 2"),
    "an index array that is too short": (
        wired(post=FORWARD.post[:-1]),
        "projection forward: post has shape (7,) and numbers of int64, for 8 synapses",
    ),
    "elements of another type": (
        wired(element=FORWARD.element.astype(np.int64)),
        "projection forward: element has shape (8,) and numbers of int64, for 8 synapses",
    ),
    "a synapse outside": (
        wired(post=FORWARD.post + 1),
        "projection forward: a synapse lies outside its populations",
    ),
    "synapses out of order": (
        wired(post=FORWARD.post[[1, 0, 2, 3, 4, 5, 6, 7]]),
        "projection forward: its synapses are not sorted by presynaptic, then postsynaptic neuron",
    ),
    "rows that begin elsewhere": (
        wired(indptr=np.array([0, 3, 4, 8])),
        "projection forward: indptr does not say where the row of each presynaptic neuron begins",
    ),
    "a dendritic delay below 0": (
        projection(dendritic=np.array([0, 5, 2, -1, 0, 3, 5, 4])),
        "projection forward: a dendritic delay is -1 steps",
    ),
    "a twin below 0": (projection(twin=np.arange(8) - 1), "projection forward: the twin of a synapse is number -1"),
    "rows of a step with more than a send": (
        projection(step=(*FORWARD.step, Store("forward.w", W))),
        "projection forward, rows: the step is not one guarded send, so that no row can be skipped",
    ),
    "rows that look at the target": (
        projection(
            row_condition=truth("lt", read("out.y", "post"), 3),
            step=(replace(FORWARD.step[0], guard=truth("lt", read("out.y", "post"), 3)),),
        ),
        "projection forward, rows, `spike where (post:out.y < 3)`: out.y cannot be read at 'post' here; it has a "
        "value for each neuron of out",
    ),
    "an event of nobody": (
        event(owner="nobody"),
        "event odd of nobody: there is no 'nobody' with a value for each synapse",
    ),
    # ----------------------------------------------------------------------------------------------- what is read
    "a neuron that reads another population": (
        update(Let("odd", read("out.u"))),
        "population in, `let odd: int64 = out.u`: out.u cannot be read at 'own' here; it has a value for each neuron "
        "of out",
    ),
    "a neuron that reads its source": (
        update(Let("odd", read("in.v", "pre"))),
        "population in, `let odd: int64 = pre:in.v`: in.v cannot be read at 'pre' here; it has a value for each "
        "neuron of in",
    ),
    "a neuron array read as one number": (
        update(Let("odd", read("in.v", "scalar"))),
        "population in, `let odd: int64 = in.v`: in.v cannot be read at 'scalar' here; it has a value for each neuron "
        "of in",
    ),
    "a modulator of several neurons": (
        arriving(Let("odd", read("in.v", "single"))),
        "projection forward, on_pre, `let odd: int64 = single:in.v`: in.v cannot be read at 'single' here; it has a "
        "value for each neuron of in",
    ),
    "a twin outside events": (
        arriving(Let("odd", read("back.w", "twin"))),
        "projection forward, on_pre, `let odd: int64 = twin:back.w`: back.w cannot be read at 'twin' here; it has a "
        "value for each synapse of back",
    ),
    "a twin that is not there": (
        event(Store("forward.w", read("back.w", "twin"))),
        "event odd of forward, `forward.w := twin:back.w`: back.w is read from a twin, and not every synapse has one "
        "among its 5 synapses",
    ),
    "an array of another kind": (
        update(Let("odd", truth("and", read("in.v", type=BOOL), Temp("fire", BOOL)))),
        "population in, `let odd: bool = (in.v and fire)`: in.v is int, and is said to be bool",
    ),
    "an input read by an event": (
        event(Store("in.v", read("in.drive")), owner="in", over="neuron"),
        "event odd of in, `in.v := in.drive`: in.drive is an input, which only its neurons read, in their update",
    ),
    "a neuron that reads its past": (
        update(Let("odd", read("in.s", lag=1))),
        "population in, `let odd: int64 = in.s[1]`: in.s is read as it was; only synapses do that, with what belongs "
        "to neurons",
    ),
    "a past that is not kept": (
        arriving(Let("odd", read("in.s", "pre", lag=2))),
        "projection forward, on_pre, `let odd: int64 = pre:in.s[2]`: in.s is read 2 steps back, but keeps 2",
    ),
    "a dendritic delay longer than what is kept": (
        arrays(out_y={"history": 5}),
        "projection forward, on_pre, `forward.w := (forward.w + post:out.y[d])  [saturate -20..20]`: out.y is read 5 "
        "steps back, but keeps 5",
    ),
    # ------------------------------------------------------------------------------------------- what is assigned
    "a parameter assigned": (
        arrays(update(Store("in.a", const(1))), in_a=small.array("in.a", "neuron", "parameter", [1] * 3)),
        "population in, `in.a := 1`: in.a, parameter of in, cannot be assigned here",
    ),
    "an array of others assigned": (
        update(Store("out.u", const(1))),
        "population in, `out.u := 1`: out.u, state of out, cannot be assigned here",
    ),
    "an input assigned by an event": (
        event(Store("in.drive", const(1)), owner="in", over="neuron"),
        "event odd of in, `in.drive := 1`: in.drive, input of in, cannot be assigned here",
    ),
    "a value of another kind": (
        update(Store("in.v", Temp("fire", BOOL))),
        "population in, `in.v := fire`: in.v is int, and the value is bool",
    ),
    "a guard that is a number": (
        update(Store("in.v", const(1), const(1))),
        "population in, `in.v := 1  where 1`: a condition is int",
    ),
    "limits beyond the format": (
        update(Store("in.v", const(1), None, "saturate", -1001, 1000)),
        "population in, `in.v := 1  [saturate -1001..1000]`: the limits -1001..1000 are not within -1000..1000, its "
        "format",
    ),
    "a word that cannot wrap": (
        arrays(update(Store("in.w", const(1), None, "wrap", -(2**63), 2**62)),
               in_w=small.array("in.w", "neuron", "state", [0] * 3, WIDE)),
        f"population in, `in.w := 1  [wrap {-2**63}..{2**62}]`: {-2**63}..{2**62} is no word into which a value can "
        f"be wrapped",
    ),
    "real numbers that wrap": (
        replace(update(Store("in.v", const(1), None, "wrap", -9, 9)), integer=False,
                populations=(replace(RICH.populations[0], body=(Store("in.v", const(1), None, "wrap", -9, 9),),
                                     spiking=False),), projections=(), events=(), readouts=(), records=(),
                arrays={n: a for n, a in RICH.arrays.items() if a.owner == "in"}),
        "population in, `in.v := 1  [wrap -9..9]`: in.v wraps, which has no meaning in a program of real numbers",
    ),
    # ----------------------------------------------------------------------------------------------- what is sent
    "a neuron that sends": (
        update(Send("out.i", const(1))),
        "population in, `send 1 to post out.i`: only synapses send, in their step and at spikes",
    ),
    "an event that sends": (
        event(Send("out.i", const(1))),
        "event odd of forward, `send 1 to post out.i`: only synapses send, in their step and at spikes",
    ),
    "a send to the wrong end": (
        arriving(Send("in.drive", const(1))),
        "projection forward, on_pre, `send 1 to post in.drive`: out has no input 'in.drive'",
    ),
    "a send of another kind": (
        arriving(Send("out.i", const(True))),
        "projection forward, on_pre, `send True to post out.i`: out.i is int, and the value is bool",
    ),
    "a late send without slots": (
        arrays(out_i={"slots": 5}),
        "projection forward, on_pre, `send forward.w to post out.i, after the synapse's dendritic delay`: it arrives "
        "up to 5 steps later, but out.i has 5 slots",
    ),
    "a late send back": (
        arriving(Send("in.drive", const(1), to="pre", delay="synapse")),
        "projection forward, on_pre, `send 1 to pre in.drive, after the synapse's dendritic delay`: what goes back to "
        "the presynaptic neuron has no dendritic delay",
    ),
    "another copy of other neurons": (
        copies_of(Population("p#0", 1, (), (), False, 0), Population("p#1", 2, (), (), False, 0)),
        "event odd of p#0, `p#1.x := p#0.x`: p#1.x, state of p#1, cannot be assigned here",
    ),
    # ----------------------------------------------------------------------------------------------------- values
    "a literal of another kind": (
        value(Const(1.5, INT)),
        "population p, `let it: int64 = 1.5`: the literal 1.5 is said to be int",
    ),
    "a literal outside its bounds": (
        value(Const(3, Int(0, 2))),
        "population p, `let it: int3 = 3`: the literal 3 is said to lie in 0..2",
    ),
    "a literal of more than 64 bits": (
        value(apply("neg", Const(2**63, Int(0, 2**63)))),
        f"population p, `let it: int64 = (-{2**63})`: {2**63} is said to lie in {2**63}..{2**63}, which 64 bits do not "
        f"hold",
    ),
    "a value of more than 64 bits": (
        value(Apply("mul", (read("p.x"), const(2)), Int(-(2**64), 2**64))),
        f"population p, `let it: int66 = (p.x * 2)`: (p.x * 2) is said to lie in {-2**64}..{2**64}, which 64 bits do "
        f"not hold",
    ),
    "a value outside a format without a rule for it": (
        update(Store("in.v", const(5000))),
        "population in, `in.v := 5000`: in.v holds -1000..1000, and the value lies in 5000..5000",
    ),
    "a value of other fractional bits": (
        update(Store("in.v", Const(5, Int(5, 5, 3)))),
        "population in, `in.v := 5q3`: in.v has 0 fractional bits, and the value 3",
    ),
    "a rule for overflow that there is not": (
        update(Store("in.v", const(5), overflow="bounce")),  # type: ignore[arg-type]
        "population in, `in.v := 5  [bounce 0..0]`: 'bounce' is no rule for what lies outside a range",
    ),
    "a rule for rounding that there is not": (
        value(Round(read("p.x"), 3, "oddly", Int(0, 9))),  # type: ignore[arg-type]
        "population p, `let it: int5 = round(p.x, 3, oddly):int5`: 'oddly' is no rule for rounding",
    ),
    "a word of no bits": (
        value(apply("wrap", read("p.x"), 0)),
        "population p, `let it: int64 = wrap(p.x, 0)`: wrap(p.x, 0) wraps into 0 bits; a literal from 1 to 64 says so",
    ),
    "an input that is read and not cleared": (
        population(inputs=()),
        "population in, `let v: int64 = (in.v + in.drive)`: in.drive is none of the inputs that are cleared after the "
        "update",
    ),
    "a link to nothing": (
        arrays(in_v={"visible": "in.v.visible"}),
        "array in.v: it is linked to 'in.v.visible', and there is none",
    ),
    "rows of another condition": (
        projection(row_condition=truth("lt", read("in.s", "pre"), 4)),
        "projection forward, rows: the send of the step has another condition",
    ),
    "an injection of real numbers": (
        injection(values=np.array([0.5, 0.5, 0.5])),
        "injection kick: its steps, neurons and values are int64, int64 and float64",
    ),
    "a series in no order": (
        series(order="never"),
        "series drive: it is in the order of 'never' and its table of int64",
    ),
    "an unknown function": (
        value(apply("cube", read("p.x"))),
        "population p, `let it: int64 = cube(p.x)`: cube(p.x) applies the unknown function 'cube'",
    ),
    "arguments of the wrong kinds": (
        value(apply("add", read("p.x"), const(True))),
        "population p, `let it: int64 = (p.x + True)`: (p.x + True) applies add to (int, bool)",
    ),
    "too few arguments": (
        value(apply("clip", read("p.x"), 3)),
        "population p, `let it: int64 = clip(p.x, 3)`: clip(p.x, 3) applies clip to (int, int)",
    ),
    "a result of the wrong kind": (
        value(apply("lt", read("p.x"), 3)),
        "population p, `let it: int64 = (p.x < 3)`: (p.x < 3) is said to be int; lt gives bool",
    ),
    "a real value among integers": (
        value(apply("to_real", read("p.x"), type=REAL)),
        "population p, `let it: real = to_real(p.x)`: to_real(p.x) is real in a program of integers",
    ),
    "a choice of other fractional bits": (
        value(apply("select", const(True), Const(1, Int(1, 1, 3)), Const(2, Int(2, 2, 4)), type=Int(1, 2, 3))),
        "population p, `let it: Q(3,3) = (1q3 if True else 2q4)`: (1q3 if True else 2q4) takes values with 3 and 4 "
        "fractional bits",
    ),
    "a result of other fractional bits": (
        value(apply("add", Const(1, Int(1, 1, 3)), Const(2, Int(2, 2, 3)), type=Int(3, 3, 4))),
        "population p, `let it: Q(3,4) = (1q3 + 2q3)`: (1q3 + 2q3) is said to have 4 fractional bits; it has 3",
    ),
    "a shift too far": (
        value(apply("shl", const(0), Const(63, Int(63, 63)))),
        "population p, `let it: int64 = (0 << 63)`: (0 << 63) shifts by 63..63 bits; shifts go from 0 to 62",
    ),
    "a shift the other way": (
        value(apply("shr", read("p.x"), Const(-1, Int(-1, -1)))),
        "population p, `let it: int64 = (p.x >> -1)`: (p.x >> -1) shifts by -1..-1 bits; shifts go from 0 to 62",
    ),
    "a rounding of too many bits": (
        value(Round(read("p.x"), 40, "stochastic", INT)),
        "population p, `let it: int64 = round(p.x, 40, stochastic, stream 0000000000000000):int64`: a rounding "
        "(stochastic) drops 40 bits; 1 to 62 work, stochastically at most 32",
    ),
    "a rounding of a truth value": (
        value(Round(const(True), 1, "floor", INT)),
        "population p, `let it: int64 = round(True, 1, floor):int64`: round(True, 1, floor):int64 makes what is int "
        "of what is bool",
    ),
    "a rounding among real numbers": (
        value(Round(read("p.x"), 1, "floor", INT), integer=False),
        "population p, `let it: int64 = round(p.x, 1, floor):int64`: round(p.x, 1, floor):int64 rounds integers in a "
        "program of real numbers",
    ),
    "an index outside a table": (
        value(Lookup("steps", Const(100, Int(0, 100)), INT)),
        "population p, `let it: int64 = steps[100]:int64`: 100 is said to lie in 100..100, but steps has 100 entries",
    ),
    "a table among real numbers": (
        value(Lookup("steps", const(1), INT), integer=False),
        "population p, `let it: int64 = steps[1]:int64`: steps[1]:int64 looks up an integer in a program of real "
        "numbers",
    ),
    "an index that is no number": (
        value(Lookup("steps", const(True), INT)),
        "population p, `let it: int64 = steps[True]:int64`: steps[True]:int64 has an index that is bool and is int",
    ),
    "a draw said to be small": (
        value(Random(1, Int(0, 99))),
        "population p, `let it: int8 = random(0000000000000001)`: random(0000000000000001) is said to be int8; it "
        "lies in 0..4294967295",
    ),
    "a draw of integers among real numbers": (
        value(Random(1, Int(0, 2**32 - 1)), integer=False),
        "population p, `let it: int33 = random(0000000000000001)`: random(0000000000000001) is int in a program of "
        "real numbers",
    ),
    "a fifth quarter of a draw": (
        value(Random(1, Int(0, 2**16 - 1), 4)),
        "population p, `let it: int17 = random(0000000000000001.4)`: random(0000000000000001.4) is no part of a "
        "random word; these are 0 to 3",
    ),
    # -------------------------------------------------------------------------------------------------- reductions
    "a sum over neurons in every step": (
        value(Reduce(Const(1, Int(1, 1)), INT, "sum", "population", 9)),
        "population p, `let it: int64 = sum_population(1):int64`: sum_population stands here; only events reduce, over "
        "what they run over",
    ),
    "a sum over neurons in an event of synapses": (
        event(Store("forward.w", Reduce(W, INT, "sum", "population", 9))),
        "event odd of forward, `forward.w := sum_population(forward.w):int64`: sum_population stands here; only events "
        "reduce, over what they run over",
    ),
    "a sum of more terms than it says": (
        event(Store("forward.w", Reduce(W, INT, "sum", "outgoing", 1))),
        "event odd of forward, `forward.w := sum_outgoing(forward.w):int64`: sum_outgoing(forward.w):int64 has 3 "
        "terms, and is said to have 1",
    ),
    "a sum of sums over synapses": (
        event(Store("forward.w", Reduce(Reduce(W, INT, "max", "outgoing", 9), INT, "sum", "incoming", 9))),
        "event odd of forward, `forward.w := sum_incoming(max_outgoing(forward.w):int64):int64`: "
        "sum_incoming(max_outgoing(forward.w):int64):int64 stands around another one",
    ),
    "the largest of truth values": (
        event(Store("forward.w", Reduce(truth("lt", W, 0), INT, "max", "incoming", 9))),
        "event odd of forward, `forward.w := max_incoming((forward.w < 0)):int64`: max_incoming((forward.w < 0)):int64 "
        "adds values that are bool to one that is int",
    ),
    # ----------------------------------------------------------------------------------------------------- copies
    "a sum over one copy": (
        event(Store("forward.w", Sum(W, INT))),
        "event odd of forward, `forward.w := sum_copies(forward.w):int64`: a sum over copies stands in a program of "
        "one",
    ),
    "what is computed once for one copy": (
        event(Store("forward.w", W), once=True),
        "event odd of forward: it is computed once for all copies, and there is one",
    ),
    "a copy that stores into what all share": (
        shared(Store("up.m", UP_W), once=False),
        "event odd of up, `up.m := up.w`: each copy stores into up.m, which all share; only a sum over copies can be",
    ),
    "a sum in what each copy computes": (
        shared(Store("up.m", Sum(E, NUMBER)), once=False),
        "event odd of up, `up.m := sum_copies(post:b.e):int22`: a sum over copies stands here; it may in a body of "
        "every step that gives it to what all copies share",
    ),
    "a sum that is a part of a value": (
        projection(BATCH, step=(Send("b.i", apply("add", Sum(E, NUMBER), 1, type=NUMBER)),)),
        "projection up, `send (sum_copies(post:b.e):int22 + 1) to post b.i`: a sum over copies is only a part of what "
        "the statement computes",
    ),
    "a sum of sums": (
        shared(Store("up.m", Sum(Sum(E, NUMBER), NUMBER))),
        "event odd of up, `up.m := sum_copies(sum_copies(post:b.e):int22):int22`: a sum over copies stands inside "
        "another",
    ),
    "a sum of truth values": (
        shared(Store("up.m", Sum(truth("lt", E, 0), NUMBER))),
        "event odd of up, `up.m := sum_copies((post:b.e < 0)):int22`: sum_copies((post:b.e < 0)):int22 adds values "
        "that are bool to one that is int",
    ),
    "what a copy has for itself, computed once": (
        shared(Store("up.m", E)),
        "event odd of up, `up.m := post:b.e`: post:b.e differs from copy to copy, and stands outside a sum over them",
    ),
    "a name of what a copy has for itself": (
        shared(Let("mine", E), Store("up.m", Temp("mine", NUMBER))),
        "event odd of up, `up.m := mine`: mine differs from copy to copy, and stands outside a sum over them",
    ),
    "a sum that is not yet known": (
        projection(BATCH, arrive=(Let("early", read("up.g")),)),
        "projection up, on_pre, `let early: int64 = up.g`: up.g is a sum over copies, which is known when the step is "
        "over",
    ),
    # -------------------------------------------------------------------------------- readouts, records and stimuli
    "joint states of too many": (
        replace(RICH, populations=(*RICH.populations, Population("big", 25, (), (), False, 0)),
                readouts=(Readout("busy", "big", const(True), 1, 0),)),
        "readout busy: it counts the joint states of 25 neurons, and 24 are the most",
    ),
    "a readout of nobody": (
        replace(RICH, readouts=(Readout("busy", "nobody", const(True), 1, 0),)),
        "readout busy: there is no population 'nobody'",
    ),
    "a bit that is a number": (
        replace(RICH, readouts=(Readout("busy", "out", read("out.y"), 1, 0),)),
        "readout busy, `spike where out.y`: a condition is int",
    ),
    "a bit of another population": (
        replace(RICH, readouts=(Readout("busy", "out", truth("lt", V, 3), 1, 0),)),
        "readout busy, `spike where (in.v < 3)`: in.v cannot be read at 'own' here; it has a value for each neuron of "
        "in",
    ),
    "a readout that never looks": (
        replace(RICH, readouts=(Readout("busy", "out", const(True), 2, 2),)),
        "readout busy: it looks at steps 2 modulo 2",
    ),
    "a record of nothing": (
        replace(RICH, records=(Record("out.z", 3),)),
        "record out.z: there is no array 'out.z'",
    ),
    "a record of an input": (
        replace(RICH, records=(Record("out.i", 3),)),
        "record out.i: out.i cannot be recorded; arrays of neurons and synapses that are no inputs can",
    ),
    "ports of one name": (port(name="heard"), "port heard: the name is given 2 times"),
    "a port into no input": (port(target="in.v"), "port adds: there is no input 'in.v'"),
    "a port to no variable": (port(direction="read"), "port adds: there is no variable 'in.drive'"),
    "a port of other sizes": (port(size=2), "port adds: it has 2 numbers, and in.drive the shape (3,)"),
    "a port to no spikes": (
        port(direction="spikes", target="nobody"),
        "port adds: there is no spiking population 'nobody'",
    ),
    "a port to fewer spikes": (
        port(direction="spikes", target="in", size=2),
        "port adds: it has 2 neurons, and population in has 3",
    ),
    "a port with ends turned round": (port(range=(1, 0)), "port adds: its range is 1 .. 0"),
    "an injection into no input": (injection(input="in.v"), "injection kick: there is no input 'in.v'"),
    "an injection with a value too few": (
        injection(values=np.array([10, 7])),
        "injection kick: it has 3 steps, 3 neurons and 2 values",
    ),
    "an injection that goes back in time": (
        injection(steps=np.array([4, 3, 30])),
        "injection kick: its steps do not ascend from 0",
    ),
    "an injection into nobody": (
        injection(neurons=np.array([0, 3, 1])),
        "injection kick: a neuron lies outside 0..2",
    ),
    "a series of other neurons": (
        series(table=np.zeros((2, 4), np.int64)),
        "series drive: its table has the shape (2, 4); it has rows of 3 values, and at least one",
    ),
    "a series into no input": (series(input="in.z"), "series drive: there is no input 'in.z'"),
    "frames that do not fit": (
        series(frames=2),
        "series drive: its 2 rows, each for 5 steps, do not fall into 2 frames",
    ),
    "a start for each of more copies": (
        series(start=np.array([0, 1])),
        "series drive: it starts at rows [0, 1]; each of 1 copies needs one from 0, and a loop",
    ),
    # ------------------------------------------------------------------------------------------- what is switched
    "what follows from what is not known": (
        derived(apply("mul", read("in.a", "scalar", REAL), 2.0, type=REAL)),
        "derived in.b: it follows from in.a, which is not known before it",
    ),
    "what follows and is no parameter": (
        replace(derived(const(1.0)), derived=(Derived("in.v", const(1.0)),)),
        "derived in.v: there is no such parameter",
    ),
    "circuits of nothing": (
        replace(RICH, designed={"in.z": Designed(np.zeros(3), None, np.ones(3))}),
        "designed in.z: there is no such array",
    ),
    "circuits of others": (
        replace(RICH, designed={"in.v": Designed(np.zeros(3), None, np.ones(2))}),
        "designed in.v: it has numbers of the shape (2,), for values of (3,)",
    ),
    "no copies": (
        replace(RICH, copies=0),
        "the program has 0 copies and steps of 1.0 ms; both are above 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_what_is_broken_once_is_one_problem(rule: str) -> None:
    program, found = BROKEN[rule]
    assert texts(program) == [found]


def test_what_has_two_sides_is_legal() -> None:
    known = derived(apply("mul", read("in.a", "scalar", REAL), 2.0, type=REAL), a=0.5)
    assert texts(known) == texts(value(Lookup("steps", Const(99, Int(0, 99)), INT))) == []
    assert texts(shared(Let("mine", E), Store("up.m", Sum(Temp("mine", NUMBER), NUMBER)))) == []
    assert texts(copies_of(*(Population(f"p#{k}", 2, (), (), False, 0) for k in range(2)))) == []


# ------------------------------------------------------------------------------------------- programs that are made


def stages(program: Program) -> list[Program]:
    """The program, as one of several copies or as several without an axis of copies, and as GeNN takes these."""
    whole = unroll([program, program], [1, 2]) if program.copies == 1 else unbatch(program)
    return [program, whole, split(program if program.copies == 1 else whole).program]


@pytest.mark.parametrize(
    "name",
    [pytest.param(x, marks=pytest.mark.dear) if x.startswith("published/") else x for x in networks.names()],
)
def test_shipped_networks_are_legal_at_every_stage(name: str) -> None:
    network = neuroport.load(name)
    if shares(network):
        network = neuroport.load(name, ["copies=2"])
    chip, one = specimen(network)
    programs = [*stages(lower(network, chip, one)), lower(network, chip, one, quantised=False)]
    assert [texts(program) for program in programs] == [[]] * 4


@pytest.mark.parametrize(
    "make",
    [
        small.rich,
        small.sampling,
        lambda: small.learning(3, real=True),
        lambda: small.learning(3, real=False),
        emulator_programs.sampling,
        emulator_programs.balanced,
    ],
)
def test_programs_made_by_hand_are_legal(make: Callable[[], Program]) -> None:
    assert [texts(program) for program in stages(make())] == [[]] * 3


@pytest.mark.parametrize("seed", range(8))
def test_random_programs_are_legal(seed: int) -> None:
    one, many = random_programs.network(seed), random_programs.batched(seed, 3)
    assert [texts(program) for program in stages(one)] == [texts(many)] * 3 == [[]] * 3


# ------------------------------------------------------------------------------------------- passes and backends


def broken_by(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the programs that a module makes have steps of no length."""

    def breaking(thing: Any, **changes: Any) -> Any:
        made = replace(thing, **changes)
        return replace(made, dt=0.0) if isinstance(made, Program) else made

    monkeypatch.setattr(module, "replace", breaking)


PASSES: dict[str, tuple[Any, Callable[[Program], object]]] = {
    "with_histories": (finish, finish.with_histories),
    "with_horizon": (finish, lambda p: finish.with_horizon(p, 2**24)),
    "trimmed": (finish, finish.trimmed),
    "quantise": (quantising, lambda p: quantising.quantise(p, specimen(neuroport.load("stdp_pair"))[0])),
    "unroll": (unrolling, lambda p: unroll([p, p], [1, 2])),
    "unbatch": (unbatching, lambda p: unbatch(with_copies(p, 2))),
    "split": (sys.modules[split.__module__], split),
}


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_that_breaks_a_program_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = neuroport.load("stdp_pair")
    program = lower(network, *specimen(network), quantised=False)
    if name == "split":
        program = two_inputs()
    if name == "with_horizon":
        counters = (small.array(f"$run.{v}", "scalar", "parameter", 0) for v in ("t", "item_step"))
        program = replace(program, arrays=program.arrays | {counter.name: counter for counter in counters})
    module, make = PASSES[name]
    make(program)
    broken_by(module, monkeypatch)
    with pytest.raises(InternalError) as error:
        make(program)
    head, problem, tail = str(error.value).split("\n")
    assert head == f"the program '{program.name}{ADDED.get(name, '')}' that {name} made is not legal"
    assert problem == "the program has 1 copies and steps of 0.0 ms; both are above 0"
    assert tail == FAULT


ADDED = {"unroll": " x 2", "unbatch": " x 2"}


def two_inputs() -> Program:
    """RICH with a projection that sends to two inputs of its target."""
    more = small.array("out.j", "neuron", "input", [0] * 4)
    return arrays(projection(arrive=(*FORWARD.arrive, Send("out.j", const(1)))), out_j=more)


def test_elaboration_as_a_whole_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elaboration, "trimmed", lambda program: replace(program, dt=0.0))
    with pytest.raises(InternalError, match=r"^the program 'stdp_pair' that elaborate made is not legal\n"):
        neuroport.compile(neuroport.load("stdp_pair"))


def test_passes_are_trusted_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROPORT_CHECK")
    broken_by(unrolling, monkeypatch)
    assert unroll([RICH, RICH], [1, 2]).dt == 0.0


@pytest.mark.parametrize("name", ["reference", "emulator", "genn"])
def test_a_backend_refuses_what_is_illegal(name: str) -> None:
    with pytest.raises(InternalError) as error:
        backends.load(name).open(population(spiking=False), 1, [])
    assert str(error.value) == (
        f"the program 'small' given to backend '{name}' is not legal\n"
        f"population in: it is said not to spike, and its body has a spike\n{FAULT}"
    )


def test_a_session_refuses_what_is_illegal_also_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROPORT_CHECK")
    with pytest.raises(InternalError, match=r"^the program 'small' given to backend 'reference' is not legal\n"):
        open_session(population(spiking=False), Plan(dt=small.runs(1).dt), backends.load("reference"))


def test_a_fault_ends_the_command_line_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_by(finish, monkeypatch)
    ended = CliRunner().invoke(main, ["run", "stdp_pair", "-q"])
    assert ended.exit_code == 1
    assert ended.stderr.splitlines() == [
        "error: the program 'stdp_pair' that with_histories made is not legal",
        "error: the program has 1 copies and steps of 0.0 ms; both are above 0",
        f"error: {FAULT}",
    ]


def test_what_a_pass_cannot_translate_is_told_with_its_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROPORT_CHECK")
    odd = value(Round(read("p.x"), 1, "floor", INT), integer=False)
    with pytest.raises(InternalError) as error:
        quantising.quantise(odd, chips.load("generic8"))
    assert str(error.value) == (
        "p.update, `let it: int64 = round(p.x, 1, floor):int64`: round(p.x, 1, floor):int64 cannot stand in a real "
        f"program\n{FAULT}"
    )


def test_tests_started_by_tests_verify_too() -> None:
    code = "from neuroport.program.verify import switched_on; print(switched_on())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
