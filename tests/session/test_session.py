"""Sessions: the protocol, switches, recording, digests, and what is said when something cannot be done."""

from __future__ import annotations

import ast
import hashlib
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.backends.reference import Reference
from neuroport.elaborate import plan as elaborated
from neuroport.elaborate.plan import planned
from neuroport.errors import InvalidInput, Place, RunFailed, Unsupported
from neuroport.metrics import ALL
from neuroport.metrics.divergence import Divergence
from neuroport.metrics.elements import Mean
from neuroport.metrics.rate import Rate
from neuroport.network.model import Expression
from neuroport.network.protocol import If, Measure, Present, Reset, Run, Set, Trigger
from neuroport.network.results import Recording, StateRecord
from neuroport.network.stimuli import Patterns
from neuroport.network.values import Frozen
from neuroport.numerics import rng
from neuroport.numerics.units import Quantity
from neuroport.program.executor import Capture
from neuroport.program.ir import REAL, Store
from neuroport.program.machine import Derived, Event, Population, Program, Readout, Series
from neuroport.program.plan import total_steps
from neuroport.session.digest import BLOCK, Chain
from neuroport.session.protocol import schedule
from neuroport.session.session import Session
from neuroport.session.verify import shorten
from tests.support import small_programs as small
from tests.support.digests import digest_of
from tests.support.planning import open_session
from tests.support.small_programs import apply, array, network, program, read, repeat, runs, test


def quantity(number: float, unit: str = "") -> Quantity:
    return Quantity(number, unit)


def run(steps: int, *readouts: str) -> Run:
    return Run(duration=quantity(steps, "steps"), readouts=readouts)


def condition(text: str) -> Expression:
    return Expression(text, Place("n.yaml", 3, 9), ast.parse(text, mode="eval").body)


def if_(text: str, then: Any, otherwise: Any = ()) -> If:
    return If(condition=condition(text), then=then, otherwise=otherwise)


def machine() -> Program:
    """Two neurons: x counts up by the dynamic `step_size`, y adds `run.T`, z adds `double` = 2 * step_size."""
    arrays = [
        array("$run.T", "scalar", "parameter", 0),
        array("p.step_size", "scalar", "parameter", 1.0, REAL, dynamic=True, range=(0, 10)),
        array("p.double", "scalar", "parameter", 2.0, REAL),
        array("p.fixed", "scalar", "parameter", 2.0, REAL),
        array("p.i", "neuron", "input", [0.0, 0.0], REAL),
        array("p.x", "neuron", "state", [0.0, 0.5], REAL),
        array("p.y", "neuron", "state", [0, 0]),
        array("p.z", "neuron", "state", [0.0, 0.0], REAL),
    ]

    def plus(a: Any, b: Any) -> Any:
        return apply("add", a, b, type=REAL)

    x, z = read("p.x", type=REAL), read("p.z", type=REAL)
    body = (
        Store("p.x", plus(plus(x, read("p.step_size", "scalar", REAL)), read("p.i", type=REAL))),
        Store("p.y", apply("add", read("p.y"), read("$run.T", "scalar"))),
        Store("p.z", plus(z, read("p.double", "scalar", REAL))),
    )
    return program(
        arrays,
        [Population("p", 2, body, ("p.i",), False, 0)],
        events=(Event("blank", "p", "neuron", (Store("p.z", small.const(0.0)),)),),
        readouts=(Readout("odd", "p", test("lt", apply("mod", read("p.y"), 4), 2), 1, 0),),
        series=(Series("digits", "p.i", np.array([[100.0, 0.0], [200.0, 0.0], [300.0, 0.0]]), 2, "item"),),
        derived=(Derived("p.double", apply("mul", read("p.step_size", "scalar", REAL), 2.0, type=REAL)),),
        constants={"p.step_size": np.array(1.0), "p.double": np.array(2.0)},
    )


def session(*protocol: Any, made: Program | None = None, **more: Any) -> Session:
    extra = {k: more.pop(k) for k in ("sink", "keep", "seed") if k in more}
    return open_session(
        network(*protocol, **more), machine() if made is None else made, Reference(checked=True), **extra
    )


# ------------------------------------------------------------------------------------------------------- protocol


def test_protocol_walks_repeats_and_conditions() -> None:
    items = repeat(
        3,
        "epoch",
        Trigger(event="blank"),
        if_("epoch % 2 == 0", (run(2),), (run(5),)),
        if_("0 < epoch < 2 and not epoch == 5", (repeat(2, "k", if_("k + epoch > 1", (run(1),))),)),
    )
    with session(items) as made:
        told: list[tuple[int, int]] = []
        made.run_protocol(progress=lambda done, total: told.append((done, total)))
        assert made.step == 2 + 5 + 1 + 2
        assert told[-1] == (10, 10)
        assert total_steps(made.plan.protocol) == 10
        assert made.get("p.x").tolist() == [10.0, 10.5]
        assert made.get("p.z").tolist() == [4.0, 4.0]
        assert made.get("p.y").tolist() == [2 * 2 + 5 * 5 + 1 + 2 * 2] * 2


def test_switches_reach_what_is_derived() -> None:
    items = (run(1), Set(values=(("p.step_size", quantity(3)),)), run(2))
    with session(*items) as made:
        made.run_protocol()
        assert made.get("p.x").tolist() == [7.0, 7.5]
        assert made.get("p.z").tolist() == [2 + 2 * 6.0] * 2


def test_length_of_an_item_stays_in_the_range_it_was_compiled_for() -> None:
    made = machine()
    ranged = replace(made.arrays["$run.T"], range=(3, 5))
    with session(run(2), run(4), run(6), made=replace(made, arrays={**made.arrays, "$run.T": ranged})) as opened:
        opened.run_protocol()
        assert opened.get("p.y").tolist() == [2 * 3 + 4 * 4 + 6 * 5] * 2


def test_reset_restores_state() -> None:
    with session(run(4), Reset(populations=("p",)), run(1)) as made:
        made.run_protocol()
        assert made.get("p.x").tolist() == [1.0, 1.5]


DIGITS = Patterns(
    name="digits", population="p", input="i", values=quantity(0), hold=quantity(2, "steps"), order="sequential"
)


def test_present_holds_each_pattern() -> None:
    items = (Present(patterns="digits", count=4), run(3))
    with session(*items, stimuli=(DIGITS,)) as made:
        made.run_protocol()
        assert made.step == 11
        assert made.get("p.x").tolist() == [11 + 2 * (100 + 200 + 300 + 100.0), 11.5]


def test_schedules() -> None:
    def rows(order: Any, count: int | None, presentation: int = 0, seed: int = 1) -> list[int]:
        return schedule("digits", order, 3, 3 if count is None else count, seed, presentation).tolist()

    assert rows("sequential", None) == [0, 1, 2]
    assert rows("sequential", 5) == [0, 1, 2, 0, 1]
    orders = {tuple(rows("shuffle", None, k)) for k in range(60)}
    assert len(orders) == 6 and all(sorted(o) == [0, 1, 2] for o in orders)
    nine = rows("shuffle", 9)
    assert [sorted(nine[k : k + 3]) for k in (0, 3, 6)] == [[0, 1, 2]] * 3
    assert rows("shuffle", 7) == nine[:7]
    counts = np.bincount(rows("choice", 3000))
    assert counts.min() > 850 and counts.sum() == 3000
    assert rows("choice", 20, 0) != rows("choice", 20, 1) != rows("choice", 20, 1, seed=2)
    key = rng.step_key(rng.stream_key(1, rng.stream_number("present", "digits")), 0)
    words = rng.words(key, np.arange(3, dtype=np.uint64))
    assert rows("shuffle", None) == np.argsort(words).tolist()


def test_shorten() -> None:
    items = (
        repeat(800, "epoch", run(50_000), if_("epoch > 0", (run(3000),), (run(7),))),
        Present(patterns="digits", count=5000),
        Present(patterns="digits"),
    )
    made = machine()
    whole = planned(network(*items, stimuli=(DIGITS,)), made)
    short = shorten(whole, repeats=3, steps=1000)
    inner = repeat(3, "epoch", run(1000), if_("epoch > 0", (run(1000),), (run(7),)))
    shorter = network(inner, Present(patterns="digits", count=500), Present(patterns="digits"), stimuli=(DIGITS,))
    assert short.protocol == planned(shorter, made).protocol
    assert total_steps(short.protocol) == 3 * 1000 + 2 * 1000 + 7 + 1000 + 6
    assert total_steps(whole.protocol) == 800 * 50_000 + 799 * 3000 + 7 + 10_000 + 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "epok > 1",
            "n.yaml:3:9: 'epok > 1' uses 'epok'; a condition of the protocol can use the variables of the repeats "
            "around it (epoch); name the repeat's variable with 'as'",
        ),
        ("epoch % 0 == 1", "n.yaml:3:9: 'epoch % 0 == 1' divides by zero; change the divisor to another number"),
        (
            "open('x')",
            "n.yaml:3:9: 'open('x')' cannot be used as a condition of the protocol; it may contain numbers, the "
            "variables of repeats, + - * / // %, comparisons, and, or, not, if else, min, max and abs",
        ),
    ],
)
def test_conditions_that_have_no_value(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as error:
        elaborated.condition(condition(text)).holds({"epoch": 1})
    assert str(error.value) == message


# -------------------------------------------------------------------------------------------------------- metrics


def test_measurements() -> None:
    metrics = tuple(ALL[kind](name=kind, of="p.x") for kind in ("mean", "sd", "min", "max", "values"))
    with session(run(2), Measure(metrics=("mean", "max")), run(1), Measure(metrics=("mean",)), metrics=metrics) as made:
        made.run_protocol()
        assert made.results == {"mean": [(2, 2.25), (3, 3.25)], "max": [(2, 2.5)], "sd": [], "min": [], "values": []}
    with session(run(2), metrics=metrics) as made:
        made.run_protocol()
        assert made.results["values"] == [(2, [2.0, 2.5])]
        assert made.results["sd"] == [(2, 0.25)]


def test_rate_is_since_the_previous_measurement() -> None:
    metrics = (Rate(name="r", of="in"),)
    items = (run(40), Measure(metrics=("r",)), run(50), Measure(metrics=("r",)))
    with session(*items, made=small.rich(), metrics=metrics) as made:
        made.run_protocol()
        steps = made.spikes("in")[0]
        first, second = np.count_nonzero(steps < 40), np.count_nonzero(steps >= 40)
        assert made.results["r"] == [(40, first / 3 / 40 * 1000), (90, second / 3 / 50 * 1000)]
        assert first and second


def test_histogram_starts_afresh_after_it_was_measured() -> None:
    from neuroport.network.stimuli import Boltzmann

    target = Boltzmann(name="b", weights=Frozen(np.zeros((2, 2))), biases=Frozen(np.array([1.0, -1.0])))
    metrics = (Divergence(name="d", of="odd", target="b.p"),)
    items = (run(1, "odd"), run(3), Measure(metrics=("d",)), run(4, "odd"), Measure(metrics=("d",)))
    with session(*items, targets=(target,), metrics=metrics) as made:
        made.run_protocol()
        p = np.exp([0.0, -1.0, 1.0, 0.0])
        p /= p.sum()
        # y of both neurons is 1 after the first run, 10 after the second, then 14, 18, 22, 26: bit y % 4 < 2.
        first, second = np.array([0.5, 0.5, 0.5, 1.0]), np.array([4.0, 0.5, 0.5, 0.5])
        expected = [float(np.sum(p * np.log(p / (q / q.sum())))) for q in (first, second)]
        assert [value for _, value in made.results["d"]] == pytest.approx(expected, rel=1e-12)


# ---------------------------------------------------------------------------------------------- recording and digest


class Sink:
    def __init__(self) -> None:
        self.spikes: dict[str, list[tuple[int, int]]] = {}
        self.states: list[int] = []
        self.metrics: list[tuple[str, int, Any]] = []
        self.samples: list[tuple[str, int, list[int]]] = []
        self.closed: list[dict[str, Any]] = []

    def capture(self, capture: Capture) -> None:
        for name, (steps, cells) in capture.spikes.items():
            self.spikes.setdefault(name, []).extend(zip(steps.tolist(), cells.tolist(), strict=True))
        for steps, _ in capture.records.values():
            self.states.extend(steps.tolist())

    def metric(self, name: str, step: int, value: Any) -> None:
        self.metrics.append((name, step, value))

    def weights(self, name: str, step: int, values: Any) -> None:
        self.samples.append((name, step, values.tolist()))

    @property
    def is_open(self) -> bool:
        return not self.closed

    def close(self, **end: Any) -> str:
        self.closed.append(end)
        return ""


def test_sink_is_closed_when_the_session_is_left() -> None:
    sink = Sink()
    with session(run(2), sink=sink) as made:
        made.run_protocol()
        digest = made.digest()
    assert [(end["steps"], end["digest"], end["final"]["p.x"].tolist()) for end in sink.closed] == [
        (2, digest, [2.0, 2.5])
    ]
    broken = Sink()
    made = session(run(2), sink=broken)
    made.set("p.step_size", 3)
    made.__exit__(ZeroDivisionError)
    assert broken.closed == [{"steps": 0, "settings": {"p.step_size": 3.0}, "complete": False}]
    finished = Sink()
    with session(run(2), sink=finished) as made:
        made.finish("d", 1.0, 2.0)
    assert [(end["digest"], end["build_s"], end["run_s"]) for end in finished.closed] == [("d", 1.0, 2.0)]


def test_sink_gets_what_the_network_records() -> None:
    sink = Sink()
    weights = (StateRecord(of="forward.w", every=quantity(20, "steps")),)
    record = Recording(spikes=("out",), weights=weights)
    metrics = (Mean(name="w", of="forward.w"),)
    with session(run(33), run(30), made=small.rich(), record=record, metrics=metrics, sink=sink, keep=True) as made:
        made.run_protocol()
        assert set(sink.spikes) == {"out"}
        assert sink.spikes["out"] == list(zip(*(a.tolist() for a in made.spikes("out")), strict=True))
        assert sink.states == list(range(2, 63, 3)) == made.records("out.u")[0].tolist()
        assert sink.metrics == [("w", 63, float(made.get("forward.w").mean()))]
        assert [s[:2] for s in sink.samples] == [("forward.w", 19), ("forward.w", 39), ("forward.w", 59)]
        again = session(made=small.rich())
        again.run(40)
        assert sink.samples[1][2] == again.get("forward.w").tolist()


def test_digest_is_what_its_description_says() -> None:
    with session(made=small.rich()) as made:
        made.run(70)
        whole = hashlib.sha256()
        for name in ("in", "out"):
            whole.update(name.encode() + b"\0" + digest_of(*made.spikes(name)))
        for name in ("in.v", "in.s", "out.u", "out.y", "out.count", "forward.w", "back.w"):
            values = made.executor.read(name).tolist()
            of_array = hashlib.sha256(struct.pack(f"<{len(values)}q", *values)).digest()
            whole.update(name.encode() + b"\0" + of_array)
        assert made.digest() == whole.hexdigest()


def test_digest_does_not_depend_on_pieces_but_on_the_seed() -> None:
    def digest(seed: int, *steps: int) -> str:
        with session(made=small.rich(), seed=seed) as made:
            for count in steps:
                made.run(count)
            return made.digest()

    assert digest(1, 200) == digest(1, 3, 150, 47) != digest(2, 200)


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 7])
def test_spikes_have_one_digest_however_they_come(count: int) -> None:
    """In any pieces, and with the chain saved and taken up again between two of them."""
    steps, neurons = np.arange(count) // 3, np.arange(count) % 3
    expected = digest_of(steps, neurons)
    for pieces in (1, 2, 5, 40):
        chain = Chain()
        for some, of in zip(np.array_split(steps, pieces), np.array_split(neurons, pieces), strict=True):
            chain = Chain(chain.links)
            chain.add(some, of)
            assert len(chain.links.hash) == 32 and len(chain.links.rest) < 16 * BLOCK
        assert chain.digest() == chain.digest() == expected


# ---------------------------------------------------------------------------------------------------------- by hand


def test_session_by_hand() -> None:
    with session() as made:
        made.run("2 ms")
        made.inject("p.i", [1, 1], [10, 5])
        made.run(1)
        assert made.get("p.x").tolist() == [3.0, 18.5]
        made.set("p.x", [0, 1])
        made.set("p.step_size", 0.5)
        made.run(quantity(2, "steps"))
        assert made.get("p.x").tolist() == [1.0, 2.0]


def test_weights_and_integer_formats() -> None:
    from neuroport.program.ir import Int

    made = small.rich()
    arrays = dict(made.arrays)
    weight = arrays["forward.w"]
    name = "forward.w.visible"
    arrays["forward.w"] = replace(weight, type=Int(-20, 20, 2), visible=name)
    shown = replace(weight, name=name, role="visible", initial=weight.initial // 4, hidden="forward.w")
    arrays[name] = replace(shown, type=Int(-5, 5, 0))
    with session(made=replace(made, arrays=arrays)) as opened:
        pre, post, values = opened.weights("forward")
        assert list(zip(pre, post, strict=True)) == small.RICH_PAIRS
        assert values.tolist() == [w / 4 for w in small.RICH_WEIGHTS]
        opened.set("forward.w", 2.75)
        assert opened.executor.read("forward.w").tolist() == [11] * 8
        assert opened.executor.read("forward.w.visible").tolist() == [3] * 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda s: s.get("p.xx"),
            "there is no variable 'p.xx' in network 'small'; there are: run.T, p.step_size, "
            "p.double, p.fixed, p.i, p.x, p.y, p.z; did you mean 'p.x'?",
        ),
        (lambda s: s.spikes("q"), "there is no spiking population 'q'; network 'small' has none"),
        (
            lambda s: s.trigger("blink"),
            "there is no event 'blink' in network 'small'; there are: blank; did you mean 'blank'?",
        ),
        (lambda s: s.reset("zzz"), "there is no population 'zzz' in network 'small'; there are: p"),
        (lambda s: s.weights("c"), "there is no projection 'c'; network 'small' has none"),
        (lambda s: s.records("p.x"), "there is no recorded variable 'p.x'; network 'small' has none"),
        (lambda s: s.inject("p.x", [0], [1]), "'p.x' is not an input; use `set` to change a variable"),
        (
            lambda s: s.set("p.fixed", 1),
            "'p.fixed' is fixed while the network runs; declare the parameter `dynamic: true` with a range",
        ),
        (
            lambda s: s.set("p.step_size", [1, 2]),
            "'p.step_size' is switched with one value for all, and 2 were given; give one number",
        ),
        (lambda s: s.run(-1), "a run cannot last -1 steps; give a number of steps from 0 to 2**62"),
        (lambda s: s.run("1.6 ms"), "1.6 ms is 1.6 steps of 1 ms; give a whole number of steps, such as 2 ms"),
        (lambda s: s.run("1.6 steps"), "1.6 steps cannot be computed; give a whole number, such as 2 steps"),
        (lambda s: s.run("5 mV"), "5 mV is not a time; give a number of steps or a time such as '100 ms'"),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with session() as made, pytest.raises(InvalidInput) as error:
        call(made)
    assert str(error.value) == message


def test_a_session_with_a_sink_keeps_nothing() -> None:
    with session(made=small.rich(), sink=Sink()) as made:
        made.run(5)
        with pytest.raises(InvalidInput) as error:
            made.spikes("out")
    assert str(error.value) == "this session does not keep spikes; read them from its trace, or open it with keep=True"


def test_a_value_outside_the_range_ends_the_run() -> None:
    with session(run(1), Set(values=(("p.step_size", quantity(11)),))) as made, pytest.raises(RunFailed):
        made.run_protocol()


def test_a_backend_that_cannot_do_it_says_why() -> None:
    class Absent(Reference):
        def missing(self) -> str | None:
            return "install the package 'absent' first."

    with pytest.raises(Unsupported) as error:
        open_session(runs(1), machine(), Absent())
    assert str(error.value) == "backend 'reference': install the package 'absent' first."
