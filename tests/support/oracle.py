"""What a program means: a slow, literal machine in plain Python numbers, one element at a time.

It is written from `neuroport/program/ir.py` and `machine.py` alone, and every executor must do as it does. `Literal` is
a backend like any other, so that tests compare executors with it. Its integers have no end; its real numbers are
float64, with Python's functions, so real programs agree with it to rounding.

Of an integer program it checks every value of every expression, array and input against the bounds that the program
states for it: `check(program, steps)` runs a program and raises OutOfBounds at the first that lies outside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neuroport.copies.unbatch import unbatch
from neuroport.copies.views import open_unbatched
from neuroport.errors import RunFailed
from neuroport.numerics import rng
from neuroport.program.executor import Capture, Executor
from neuroport.program.ir import (
    Apply,
    Body,
    Bool,
    Const,
    Expr,
    Int,
    Let,
    Lookup,
    Random,
    Read,
    Real,
    Reduce,
    Round,
    Send,
    Spike,
    Stmt,
    Store,
    Temp,
)
from neuroport.program.machine import Event, Population, Program, Projection, Record, Series
from neuroport.program.printer import expression, statement


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
    "exprel": lambda x: math.expm1(x) / x if x else 1.0,
    "log": math.log,
    "sqrt": math.sqrt,
    "floor": lambda x: float(math.floor(x)) if math.isfinite(x) else x,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(-abs(x))) + max(x, 0),
    "to_real": float,
    "to_int": lambda x: int(min(max(x, -(2.0**62)), 2.0**62)) if x == x else 0,
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


def some_of(values: Any, record: Record) -> Any:
    """What a record has of an array, one element after another."""
    chosen = range(len(values)) if record.neurons is None else record.neurons.tolist()
    return np.array([values[i] for i in chosen], values.dtype).reshape(len(chosen), *values.shape[1:])


class OutOfBounds(AssertionError):
    """A value lies outside the bounds that the program states for it."""


def check(program: Program, steps: int, seed: int = 1) -> Oracle:
    """Run a program with every value checked; copies run one by one, series of patterns show them all in turn.

    Every event is triggered after half of the steps. Raises OutOfBounds.
    """
    oracle = Oracle(program if program.copies == 1 else unbatch(program), seed)
    shown = {s.name: np.arange(-(-steps // s.hold)) % (len(s.table) // s.frames) for s in oracle.program.series}
    oracle.begin_item((), shown)
    if "$run.T" in oracle.a:
        oracle.a["$run.T"] = [steps]
    oracle.advance(steps // 2)
    for event in dict.fromkeys(e.name for e in oracle.program.events):
        oracle.trigger(event)
    oracle.advance(steps - steps // 2)
    return oracle


class Literal:
    """The backend whose executors are oracles; copies run one by one."""

    name = "literal"

    def missing(self) -> str | None:
        return None

    def check(self, program: Program) -> tuple[str, ...]:
        return ()

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
        if program.copies > 1:
            return open_unbatched(self.open, program, seed, record_spikes)
        return Oracle(program, seed, record_spikes)


class Oracle:
    """Executes a program, one number at a time, and checks every integer against its bounds. It is an Executor."""

    def __init__(self, program: Program, seed: int, record_spikes: Sequence[str] = ()) -> None:
        self.program, self.seed, self.step = program, seed, 0
        self.where: tuple[str, Stmt | None] = ("", None)
        self.schedules: dict[str, Any] = {}
        self.checked = 0
        self.peers: list[dict[str, Any]] = []
        self.reduced: dict[tuple[int, int], Any] = {}
        self.a: dict[str, list[Any]] = {}
        self.past: dict[str, dict[int, list[Any]]] = {}
        self.inputs: dict[str, dict[int, list[Any]]] = {}
        self.fired: dict[str, dict[int, list[int]]] = {p.name: {} for p in program.populations}
        self.counts = {p.name: 0 for p in program.populations if p.spiking}
        self.recorded: dict[str, list[tuple[int, int]]] = {name: [] for name in record_spikes}
        self.sampled: dict[str, list[tuple[int, Any]]] = {r.name: [] for r in program.records}
        self.seen: dict[str, dict[int, int]] = {r.name: {} for r in program.readouts}
        self.tables = {s.name: s.table.tolist() for s in program.series}
        self.over: dict[str, int] = {}
        self.active: Sequence[str] = ()
        self.item_start = 0
        for name, array in program.arrays.items():
            self.a[name] = np.atleast_1d(array.initial).tolist()
            self.past[name] = {}
            self.inputs[name] = {}
            for element, value in enumerate(self.a[name]):
                self.inside(value, array.type, name, {"t": 0, "own": element})

    # ------------------------------------------------------------------------------------------------------- bounds

    def inside(self, value: Any, type_: Any, what: Expr | str, env: dict[str, Any]) -> None:
        """Raise OutOfBounds unless an integer is one and lies inside the bounds of its type."""
        if not self.program.integer:
            return
        self.checked += 1
        if isinstance(type_, Bool):
            right = isinstance(value, bool) or value in (0, 1)
        else:
            assert isinstance(type_, Int), what
            right = isinstance(value, int) and max(type_.lo, -(2**63)) <= value <= min(type_.hi, 2**63 - 1)
        if not right:
            owner, stmt = self.where
            line = f", `{statement(stmt)}`" if stmt is not None else ""
            ends = f"{type_.lo}..{type_.hi}" if isinstance(type_, Int) else "0..1"
            text = what if isinstance(what, str) else expression(what)
            raise OutOfBounds(
                f"{owner or 'the initial values'}{line}, step {env['t']}, element {env['own']}: {text} is {value}, "
                f"and is said to lie in {ends}"
            )

    # ----------------------------------------------------------------------------------------------- expressions

    def value(self, e: Expr, env: dict[str, Any]) -> Any:
        found = self.plain(e, env)
        if not isinstance(e, Const):
            self.inside(found, e.type, e, env)
        return found

    def plain(self, e: Expr, env: dict[str, Any]) -> Any:
        match e:
            case Const(value=value):
                return value
            case Temp(name=name):
                return env["temps"][name]
            case Read():
                return self.element(e, env)
            case Apply(fn=fn, args=args):
                values = [self.value(a, env) for a in args]
                if fn in ("shl", "shr"):
                    self.inside(values[1], Int(0, 62), args[1], env)
                return FUNCTIONS[fn](*values)
            case Lookup(table=table, index=index):
                entries = self.program.tables[table]
                at = self.value(index, env)
                self.inside(at, Int(0, len(entries) - 1), index, env)
                return int(entries[at])
            case Round(x=x, shift=shift, mode=mode, stream=stream):
                draw = self.draw(stream, None, env) if mode == "stochastic" else 0
                return rounded(self.value(x, env), shift, mode, draw)
            case Random(stream=stream, part=part, type=type_):
                raw = self.draw(stream, part, env)
                return raw * 2.0 ** -(32 if part is None else 16) if isinstance(type_, Real) else raw
            case Reduce():
                return self.over_peers(e, env)

    def over_peers(self, e: Reduce, env: dict[str, Any]) -> Any:
        """A sum, or the largest, of all elements of a group, among those that an event runs over."""
        if e.axis == "shared" and "synapses" in env:
            found = [{**synapse, "temps": env["temps"]} for synapse in env["synapses"]]
            return sum(self.value(e.x, {**of, "twin": env.get("twin")}) for of in found)
        group = {"population": "", "incoming": "post", "outgoing": "pre", "shared": "own"}[e.axis]
        key = id(e), env[group] if group else 0
        if key not in self.reduced:
            terms = [self.value(e.x, peer) for peer in self.peers if not group or peer[group] == env[group]]
            assert len(terms) <= e.terms, f"{expression(e)} has {len(terms)} terms, and is said to have {e.terms}"
            self.reduced[key] = sum(terms) if e.op == "sum" else max(terms)
        return self.reduced[key]

    def draw(self, stream: int, part: int | None, env: dict[str, Any]) -> int:
        key = rng.step_key(rng.stream_key(self.seed, stream), env["t"])
        word = rng.mix(key + rng.GAMMA * (env["element"] + 1))
        return word >> 32 if part is None else (word >> 16 * part) & 0xFFFF

    def element(self, e: Read, env: dict[str, Any]) -> Any:
        if e.array == "$run.t":
            return env["t"]
        if e.array == "$run.item_step":
            return env["t"] - self.item_start
        array = self.program.arrays[e.array]
        shared = array.at == "kernel" and e.at == "own"
        index = 0 if e.at in ("scalar", "single") else env["entry" if shared else e.at]
        if array.role == "input":
            return self.inputs[e.array].get(env["t"], self.zeros(e.array))[index]
        if e.lag == 0:
            return self.a[e.array][index]
        back = env["d"] if e.lag == "synapse" else e.lag
        initial = np.atleast_1d(array.initial).tolist()
        return self.past[e.array].get(env["t"] - 1 - back + env.get("late", 0), initial)[index]

    def zeros(self, name: str) -> list[Any]:
        return [self.program.arrays[name].nothing] * len(self.a[name])

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
            self.where = (env["owner"], s)
            match s:
                case Let(name=name, value=value):
                    env["temps"][name] = self.value(value, env)
                case Spike(condition=condition):
                    fired = bool(self.value(condition, env))
                case Store():
                    x = self.value(s.value, env)
                    if s.guard is None or self.value(s.guard, env):
                        self.store(s, x, env)
                case Send():
                    if s.guard is not None and not self.value(s.guard, env):
                        continue
                    when = env["t"] + (env["d"] if s.delay == "synapse" else 0)
                    row = self.inputs[s.input].setdefault(when, self.zeros(s.input))
                    at, value = env["post"] if s.to == "post" else env["pre"], self.value(s.value, env)
                    row[at] = row[at] + value if self.program.arrays[s.input].reduce == "sum" else max(row[at], value)
        return fired

    def store(self, s: Store, x: Any, env: dict[str, Any]) -> None:
        """Give an element of an array a value, after the rule for what lies outside its range."""
        if s.overflow != "none" and not s.lo <= x <= s.hi:
            if s.overflow == "error":
                raise RunFailed(f"step {env['t']}: {s.array} left its range")
            self.over[s.array] = self.over.get(s.array, 0) + 1
            span = s.hi - s.lo + 1
            x = min(max(x, s.lo), s.hi) if s.overflow == "saturate" else (x - s.lo) % span + s.lo
        self.inside(x, self.program.arrays[s.array].type, s.array, env)
        self.own(s.array, env["t"])[env["own"]] = x

    def together(self, body: Body, elements: list[dict[str, Any]]) -> None:
        """Run the body of an event for all elements, each statement for all of them before the next one."""
        self.peers = [{**env, "temps": {}} for env in elements]
        for s in body:
            self.reduced = {}
            self.where = (elements[0]["owner"] if elements else "", s)
            values = [self.value(s.value, env) for env in self.peers]
            if isinstance(s, Let):
                for env, value in zip(self.peers, values, strict=True):
                    env["temps"][s.name] = value
                continue
            assert isinstance(s, Store)
            met = [s.guard is None or self.value(s.guard, env) for env in self.peers]
            for env, value, stored in zip(self.peers, values, met, strict=True):
                if stored:
                    self.store(s, value, env)

    def of_synapse(self, p: Projection, s: int, t: int, late: int = 0) -> dict[str, Any]:
        """Where a synapse is, `late` steps after the one before t."""
        d = int(p.dendritic[s]) if p.dendritic is not None else 0
        at = {"own": s, "pre": int(p.pre[s]), "post": int(p.post[s]), "element": int(p.element[s]), "d": d}
        twin = {} if p.twin is None or p.shares else {"twin": int(p.twin[s])}
        if p.wiring.entry is not None:
            at["entry"] = int(p.wiring.entry[s])
        return {"owner": f"projection {p.name}", "t": t, "late": late, **at, **twin}

    def of_entries(self, p: Projection, t: int, late: int) -> list[dict[str, Any]]:
        """Where the entries of a kernel are, each with its synapses."""
        synapses = [self.of_synapse(p, s, t, late) for s in range(p.synapses)]
        found = []
        for e in range(p.wiring.entries):
            at: dict[str, Any] = {"own": e, "entry": e, "element": e + p.wiring.first_entry}
            at["twin"] = None if p.twin is None else int(p.twin[e])
            own = [synapse for synapse in synapses if synapse["entry"] == e]
            found.append({"owner": f"kernel {p.name}", "t": t, "late": late, "synapses": own, **at})
        return found

    def of_neuron(self, p: Population, i: int, t: int) -> dict[str, Any]:
        """Where a neuron is."""
        return {"owner": f"population {p.name}", "t": t, "own": i, "element": i + p.first_element}

    def synapses(self, p: Projection, body: Body, chosen: Any, t: int) -> None:
        """Run a body for these synapses."""
        for s in chosen if body else ():
            self.body(body, self.of_synapse(p, s, t))

    def neurons(self, p: Population, body: Body, t: int) -> list[int]:
        """Run a body for all neurons; those that spike."""
        return [i for i in range(p.size) if self.body(body, self.of_neuron(p, i, t))]

    def arrived(self, p: Projection, t: int) -> list[int]:
        """The synapses that a spike reaches in a step."""
        fired = self.fired[p.source].get(t - p.delay, [])
        return [s for i in fired for s in range(int(p.indptr[i]), int(p.indptr[i + 1]))]

    def reached_back(self, p: Projection, t: int) -> list[int]:
        """The synapses onto neurons that spiked in the step before."""
        fired = set(self.fired[p.target].get(t - 1, []))
        return [s for s in range(p.synapses) if int(p.post[s]) in fired] if fired else []

    # -------------------------------------------------------------------------------------------------------- step

    def advance(self, steps: int) -> None:
        for _ in range(steps):
            self.one()

    def one(self) -> None:
        program, t = self.program, self.step
        for name in program.arrays:
            self.past[name][t - 1] = list(self.a[name])
        for p in program.projections:
            self.synapses(p, p.step, range(p.synapses), t)
        for p in program.projections:
            self.synapses(p, p.arrive, self.arrived(p, t), t)
        for p in program.projections:
            self.synapses(p, p.post_body, self.reached_back(p, t), t)
        for n in program.injections:
            for when, i, v in zip(n.steps.tolist(), n.neurons.tolist(), n.values.tolist(), strict=True):
                if when == t:
                    self.inputs[n.input].setdefault(t, self.zeros(n.input))[i] += v
        for s in program.series:
            row = self.row(s, t)
            if row is not None:
                target = self.inputs[s.input].setdefault(t, self.zeros(s.input))
                for i, v in enumerate(self.tables[s.name][row]):
                    target[i] += v
        for q in program.populations:
            self.arriving(q, t)
            self.fire(q, t, self.neurons(q, q.body, t))
            for name in q.inputs:
                self.inputs[name].pop(t, None)
        for event in program.events:
            if event.every_step:
                self.event(event, t, late=1)
        self.read_out(t)
        self.sample(t)
        self.step += 1

    def fire(self, p: Population, t: int, neurons: list[int]) -> None:
        """Keep the spikes of a step."""
        self.fired[p.name][t] = neurons
        if p.spiking:
            self.counts[p.name] += len(neurons)
        if p.name in self.recorded:
            self.recorded[p.name] += [(t, i) for i in neurons]

    def read_out(self, t: int) -> None:
        """Count the states that active readouts see; the first neuron is the highest bit."""
        for r in self.program.readouts:
            p = self.program.population(r.population)
            up = set(self.neurons(p, (Spike(r.bit),), t))
            if r.name in self.active and (t - self.item_start) % r.every == r.phase:
                counted = range(p.size) if r.neurons is None else r.neurons.tolist()
                state = int("".join("01"[i in up] for i in counted), 2)
                self.seen[r.name][state] = self.seen[r.name].get(state, 0) + 1

    def sample(self, t: int) -> None:
        """Record arrays at the end of a step."""
        for r in self.program.records:
            in_item = (t - self.item_start) % r.every == r.phase if r.readout in self.active else False
            if in_item if r.readout else (t + 1) % r.every == 0:
                self.sampled[r.name].append((t, some_of(self.read(r.array), r)))

    def arriving(self, p: Population, t: int) -> None:
        """Check what has arrived for a population before its body runs; of a largest one that is none, 0."""
        self.where = (f"the input of population {p.name}", None)
        for name in p.inputs:
            if self.program.arrays[name].reduce == "max":
                none = self.program.arrays[name].nothing
                row = self.inputs[name].setdefault(t, self.zeros(name))
                row[:] = [0 if value == none else value for value in row]
            for i, value in enumerate(self.inputs[name].get(t, ())):
                self.inside(value, self.program.arrays[name].type, name, {"t": t, "own": i})

    # --------------------------------------------------------------------------------------- between steps

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, Any]) -> None:
        """Begin an item in which these readouts are active and series show these patterns, by hold."""
        self.active, self.schedules, self.item_start = tuple(readouts), dict(schedules), self.step

    def row(self, s: Series, t: int) -> int | None:
        """The row of its table that a series adds in a step."""
        if s.order == "time":
            row = t // s.hold + (0 if s.start is None else int(s.start[0]))
            row = row % len(s.table) if s.loop else row
            return row if row < len(s.table) else None
        done = t - self.item_start
        schedule = self.schedules.get(s.name, ())
        if done // s.hold >= len(schedule):
            return None
        return int(schedule[done // s.hold]) * s.frames + done % s.hold // (s.hold // s.frames)

    def event(self, event: Event, t: int, late: int = 0) -> None:
        """Run one event's body: before step t, or `late` at its end."""
        if event.over == "neuron":
            q = self.program.population(event.owner)
            self.together(event.body, [self.of_neuron(q, i, t) for i in range(q.size)])
        else:
            p = self.program.projection(event.owner)
            if event.over == "kernel":
                self.together(event.body, self.of_entries(p, t, late))
                return
            self.together(event.body, [self.of_synapse(p, s, t, late) for s in range(p.synapses)])

    def trigger(self, name: str) -> None:
        """Run all events of a name."""
        for event in self.program.events:
            if event.name == name:
                self.event(event, self.step)

    def reset(self, population: str) -> None:
        for name, array in self.program.arrays.items():
            if array.owner == population and array.role in ("state", "input"):
                self.a[name] = np.atleast_1d(array.initial).tolist()
                self.past[name] = {}
                self.inputs[name] = {}
        self.fired[population] = {t: [] for t in self.fired[population]}

    def load_series(self, series: str, table: Any) -> None:
        """Let a series show other rows."""
        self.tables[series] = table.tolist()

    def read(self, name: str) -> Any:
        """The values of an array; of an input, what has been sent to it for the coming step."""
        clock = {"$run.t": self.step, "$run.item_step": self.step - self.item_start}
        array = self.program.arrays[name]
        values = [clock[name]] if name in clock else self.a[name]
        if array.role == "input":
            values = self.inputs[name].get(self.step, self.zeros(name))
            values = [0 if array.reduce == "max" and value == array.nothing else value for value in values]
        return np.array(values, np.float64 if isinstance(array.type, Real) else np.int64).reshape(array.initial.shape)

    def write(self, name: str, values: Any) -> None:
        """Replace an array's values; of an input, what has been sent to it for the coming step."""
        given = np.atleast_1d(values).tolist()
        if self.program.arrays[name].role == "input":
            self.inputs[name][self.step] = given
        else:
            self.a[name] = given

    # --------------------------------------------------------------------------------------------- what was seen

    def spikes(self, population: str) -> list[tuple[int, int]]:
        """The spikes since the start, without those that a reset discarded."""
        return [(t, i) for t, neurons in sorted(self.fired[population].items()) for i in neurons]

    def histogram(self, readout: str) -> Any:
        """How often a readout saw each state."""
        (counted,) = (r for r in self.program.readouts if r.name == readout)
        states = counted.states(self.program.population(counted.population).size)
        return np.array([self.seen[readout].get(state, 0) for state in range(states)], np.int64)

    def clear_histogram(self, readout: str) -> None:
        """Count a readout's states anew."""
        self.seen[readout] = {}

    def drain(self) -> Capture:
        """What was recorded since the last call."""
        spikes = {name: np.array(found, np.int64).reshape(-1, 2).T for name, found in self.recorded.items()}
        records = {
            r.name: (
                np.array([t for t, _ in self.sampled[r.name]], np.int64),
                np.array([values for _, values in self.sampled[r.name]]).reshape(
                    -1, *some_of(self.program.arrays[r.array].initial, r).shape
                ),
            )
            for r in self.program.records
        }
        self.recorded = {name: [] for name in self.recorded}
        self.sampled = {name: [] for name in self.sampled}
        return Capture({name: (both[0], both[1]) for name, both in spikes.items()}, records)

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        return dict(self.counts)

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range."""
        return dict(self.over)
