"""Sums and largest values over neurons and synapses: what they are on every executor, also after a checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from benchmarks import together
from neuroport.backends.emulator import Emulator
from neuroport.backends.unfold import unfolded
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.program import memory
from neuroport.program.ir import Reduce, parts
from tests.support.executors import start

NETWORK = """
neuroport: 1
name: together
dt: 1 ms
chip: CHIP
copies: COPIES
neurons:
  cell:
    inputs: {i: {range: [-8, 8]}}
    state:
      v: {init: {uniform: [-2, 2]}, range: [-4, 4]}
      p: {init: 0, range: [0, 1]}
      half: {init: 0, range: [-4, 4]}
      n: {type: int, init: 0, range: [0, 9]}
      most: {type: int, init: 0, range: [0, 9]}
    update: |
      v = clip(0.5 * v + i + 0.25 * normal(), -4, 4)
      n = (n + 1 if v > 0 else 0) % 10
    on_event:
      each_step: |
        positive = v > 0
        above = max_population(v)
        e = exp(min(v - above, 0))
        p = e / max(sum_population(e), 1)
        half = sum_population(v) / SIZE if positive else above
        most = max_population(n) if sum_population(n) > 2 else 9
synapses:
  scaled:
    state:
      w: {weight: true, init: 0.5, range: [0.01, 4]}
      x: {init: 0, range: [-64, 64]}
      y: {init: 0, range: [-32, 32]}
    step: |
      send(target, w * pre.p)
    on_event:
      normalise: |
        old = w
        w = 2 * w / sum_incoming(w)
        x = sum_incoming(w + pre.v) + max_outgoing(old) - max_incoming(w * pre.v)
        y = sum_outgoing(old) + w
populations: {a: {size: 7, neuron: cell}, b: {size: 5, neuron: cell}}
projections:
  full: {source: a, target: b, input: i, synapse: scaled, connect: all_to_all, weight: {uniform: [0.1, 1]}}
  some: {source: b, target: a, input: i, synapse: scaled, connect: {fixed_in_degree: 2}, weight: {uniform: [0.1, 1]}}
protocol: [{run: 5 steps}, {event: normalise}, {run: 5 steps}]
"""


def made(chip: str, copies: int = 1) -> neuroport.Network:
    """The network; of several copies, which share y and have it from what all have in the mean."""
    text = NETWORK.replace("CHIP", chip).replace("SIZE", "8")
    text = text.replace("copies: COPIES\n", f"copies: {copies}\n" if copies > 1 else "")
    if copies > 1:
        text = text.replace("y: {init: 0, range: [-32, 32]}", "y: {init: 0, range: [-32, 32], over_copies: shared}")
        apart = "      apart: |\n        old = mean_copies(w)\n        y = sum_outgoing(old) + sum_incoming(old)"
        text = text.replace("        y = sum_outgoing(old) + w", apart)
    return reader.loads(text.encode(), "together.yaml")


def test_they_are_what_numpy_says(backend: Any) -> None:
    with neuroport.open(made("ideal"), backend=backend.name) as session:
        session.run(5)
        v, n = session.get("b.v"), session.get("b.n")
        e = np.exp(v - v.max())
        assert np.allclose(session.get("b.p"), e / e.sum(), 1e-12)
        assert np.allclose(session.get("b.half"), np.where(v > 0, v.sum() / 8, v.max()), 1e-12)
        assert session.get("b.most").tolist() == [n.max() if n.sum() > 2 else 9] * 5
        old, pre = session.get("full.w").reshape(7, 5), session.get("a.v")[:, None]
        session.trigger("normalise")
        w, x, y = (session.get(f"full.{name}").reshape(7, 5) for name in "wxy")
    assert np.allclose(w, 2 * old / old.sum(0), 1e-12)
    assert np.allclose(x, (w + pre).sum(0) + old.max(1)[:, None] - (w * pre).max(0), 1e-12)
    assert np.allclose(y, old.sum(1)[:, None] + w, 1e-12)


@pytest.mark.parametrize("chip", ["generic16", "generic8_stochastic"])
def test_all_executors_have_the_same_integers_also_from_a_checkpoint(backend: Any, chip: str) -> None:
    def steps(name: str, restored: bool) -> list[Any]:
        with neuroport.open(made(chip), backend=name) as session, neuroport.open(made(chip), backend=name) as other:
            session.run(5)
            session.trigger("normalise")
            if restored:
                other.restore(session.checkpoint())
            one = other if restored else session
            one.run(3)
            one.trigger("normalise")
            return [one.get(f"{of}.{v}").ravel().tolist() for of in ("full", "some") for v in "wxy"] + [one.digest()]

    found = [steps(name, restored) for name in (backend.name, "reference") for restored in (False, True)]
    assert [one[:-1] for one in found[1:]] == [found[0][:-1]] * 3


@pytest.mark.parametrize("copies", [3, 9])
def test_every_copy_has_its_own_and_what_is_shared_is_reduced_once(backend: Any, copies: int) -> None:
    program = neuroport.compile(made("generic16", copies))
    machines = start(program, backend, neuroport.backends.load("reference"))
    for machine in machines:
        machine.advance(4)
        machine.trigger("normalise")
        machine.trigger("apart")
        machine.advance(2)
    right = machines[1]
    for name, array in program.arrays.items():
        np.testing.assert_array_equal(machines[0].read(name), right.read(name), err_msg=name)
        assert not array.scratch
    x = right.read("full.x")
    assert len(np.unique(x.reshape(-1, copies), axis=1).T) == copies


ORDER = """
neuroport: 1
name: order
dt: 1 ms
chip: CHIP
neurons:
  cell:
    inputs: {i: {range: [-1, 1]}}
    state: {v: {init: 0, range: [-4, 4]}, s: {init: 0, range: [-16, 16]}, m: {init: 0, range: [-4, 4]}}
    update: v = v
    on_event:
      add: |
        s = sum_population(v)
        m = max_population(v)
synapses:
  plastic:
    state: {w: {weight: true, init: 1, range: [-4, 4]}, x: {init: 0, range: [-16, 16]}}
    step: send(target, 0 * w)
    on_event:
      add: |
        x = sum_incoming(w)
        w = w
populations: {a: {size: 4, neuron: cell}, b: {size: 1, neuron: cell}}
projections: {up: {source: a, target: b, input: i, synapse: plastic, connect: all_to_all}}
"""


@pytest.mark.parametrize(
    ("chip", "values", "total"),
    [
        ("ideal", [2.0, 2.0**-52, 2.0**-52, 2.0**-52], 2.0),
        ("ideal", [-0.0, -0.0, -0.0, -0.0], 0.0),
        ("ideal32", [1.0, 2.0**-24, 2.0**-24, 2.0**-24], 1.0),
    ],
)
def test_real_numbers_are_added_in_the_order_of_their_elements(
    backend: Any, chip: str, values: list[float], total: float
) -> None:
    network = reader.loads(ORDER.replace("CHIP", chip).encode(), "order.yaml")
    with neuroport.open(network, backend=backend.name) as session:
        session.set("a.v", values)
        session.set("up.w", values)
        session.trigger("add")
        found = [session.get("a.s"), session.get("a.m"), session.get("up.x").ravel()]
    right = [[total] * 4, [max(values)] * 4, [total] * 4]
    assert [one.tolist() for one in found] == right
    assert not np.signbit(np.concatenate(found)[np.concatenate(found) == 0]).any()


INTS = "n: {type: int, init: 0, range: [0, RANGE]}, s: {type: int, init: 0, range: [0, 9]}"


def test_ints_that_may_need_more_bits_than_there_are_are_refused() -> None:
    text = ORDER.replace("CHIP", "generic16").replace("s: {init: 0, range: [-16, 16]}", INTS)
    text = text.replace("sum_population(v)", "min(sum_population(n), 9)")
    neuroport.compile(reader.loads(text.replace("RANGE", str(2**60)).encode(), "order.yaml"))
    with pytest.raises(InvalidInput) as refused:
        neuroport.compile(reader.loads(text.replace("RANGE", str(2**61)).encode(), "order.yaml"))
    assert [str(p) for p in refused.value.problems] == [
        "order.yaml:13:9: a.add: sum_population adds up to 4 ints in 0..2.30584e+18, which can need more than 62 "
        "bits; narrow the ranges of what is added"
    ]


def test_sums_of_wide_numbers_are_rounded_as_far_as_62_bits_demand(backend: Any) -> None:
    text = ORDER.replace("CHIP", "generic16").replace("sum_population(v)", "sum_population(v * v * v * v) / 64")
    found = []
    for name in (backend.name, "reference"):
        with neuroport.open(reader.loads(text.encode(), "order.yaml"), backend=name) as session:
            session.set("a.v", [1.0, -2.0, 0.5, 3.0])
            session.trigger("add")
            found.append(session.get("a.s").tolist())
    assert found[0] == found[1] == pytest.approx([(1 + 16 + 0.0625 + 81) / 64] * 4, abs=1e-3)


def test_generated_code_has_events_in_parts_whose_arrays_no_state_has() -> None:
    program = neuroport.compile(made("generic16"))
    parted = unfolded(program)
    assert not any(isinstance(part, Reduce) for event in parted.events for part in parts(event.body))
    assert [(e.name, e.owner, len(e.totals)) for e in parted.events if e.owner == "full"] == [
        ("normalise", "full", 0),
        ("normalise", "full", 1),
        ("normalise", "full", 3),
        ("normalise", "full", 1),
    ]
    scratch = {name for name, array in parted.arrays.items() if array.scratch}
    assert scratch == parted.arrays.keys() - program.arrays.keys() and all("$" in name for name in scratch)
    assert unfolded(parted) is parted


KERNEL = """
neuroport: 1
name: kernel
dt: 1 ms
chip: CHIP
neurons:
  cell:
    inputs: {i: {range: [-8, 8]}}
    state: {r: {init: {uniform: [0, 1]}, range: [-4, 4]}}
    update: r = 0.5 * r
synapses:
  learned:
    state:
      w: {weight: true, init: 0.5, range: [0.01, 4], over_kernel: shared}
      x: {init: 0, range: [-64, 64]}
    step: send(target, w * pre.r)
    on_event:
      add: x = sum_incoming(w) + max_outgoing(w) + sum_outgoing(w * pre.r)
populations: {a: {size: 16, neuron: cell}, b: {size: 4, neuron: cell}}
projections:
  up: {source: a, target: b, input: i, synapse: learned, weight: {uniform: [0.1, 1]},
    connect: {convolution: {shape: [4, 4], kernel: 3, channels: [1, 1]}}}
"""


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_the_synapses_of_a_neuron_are_added_up_where_they_share_a_kernel(backend: Any, chip: str) -> None:
    with neuroport.open(
        reader.loads(KERNEL.replace("CHIP", chip).encode(), "kernel.yaml"), backend=backend.name
    ) as one:
        kernel, r = one.get("up.w").ravel(), one.get("a.r")
        one.trigger("add")
        found = one.get("up.x").ravel()
    near = [(i, j) for i in range(4) for j in range(4)]
    pairs = [(i, j, k, m) for i, j in near for k in range(2) for m in range(2) if 0 <= i - k < 3 and 0 <= j - m < 3]
    of = {pair: kernel[3 * (pair[0] - pair[2]) + pair[1] - pair[3]] for pair in pairs}
    going = {at: [w for pair, w in of.items() if pair[:2] == at] for at in near}
    right = [kernel.sum() + max(going[i, j]) + r[4 * i + j] * sum(going[i, j]) for i, j, _, _ in pairs]
    assert np.allclose(found, right, atol=1e-12 if chip == "ideal" else 1e-3)


@pytest.mark.parametrize("what", together.WHAT)
def test_the_benchmark_does_the_same_with_sums_and_without(what: str) -> None:
    counts = []
    for sums in (True, False):
        program = neuroport.compile(together.network(what, sums, together.Setting(neurons=3)))
        bodies = [event.body for event in program.events if event.every_step]
        assert len(bodies) == (2 if what == "softmax" else 1)
        counts.append(sum(isinstance(part, Reduce) for body in bodies for part in parts(body)))
    assert counts == [4 if what == "softmax" else 1, 0]


def test_what_is_kept_while_it_is_added_up_is_part_of_the_memory() -> None:
    program = neuroport.compile(made("generic16"))
    kept = {part.what: part.size for part in memory.of_program(program) if "adds up" in part.what}
    of_neurons = {f"what 'each_step' of '{of}' adds up": 8.0 * size for of, size in (("a", 7), ("b", 5))}
    of_synapses = {f"what 'normalise' of '{of}' adds up": 8.0 * 4 * size for of, size in (("full", 35), ("some", 14))}
    assert kept == of_neurons | of_synapses


def test_a_projection_without_synapses_adds_up_nothing(backend: Any) -> None:
    text = NETWORK.replace("CHIP", "generic8").replace("SIZE", "8").replace("copies: COPIES\n", "")
    text = text.replace("connect: all_to_all", "connect: {pairs: []}")
    text = text.replace("normalise: |", "each_step: |").replace("{event: normalise}, ", "")
    found = []
    for name in (backend.name, "reference"):
        with neuroport.open(reader.loads(text.encode(), "empty.yaml"), backend=name) as session:
            session.run(3)
            found.append((session.get("some.w").tolist(), session.get("full.w").size))
    assert found[0] == found[1] and found[0][1] == 0


def threaded(block: str, neurons: str = "m = 0") -> neuroport.Network:
    text = ORDER.replace("CHIP", "generic16").replace("x = sum_incoming(w)", block)
    text = text.replace("s = sum_population(v)\n        m = max_population(v)", neurons)
    text = text.replace("size: 4", "size: 300").replace("size: 1,", "size: 200,")
    return reader.loads(text.replace("init: 1, range", "init: {uniform: [0, 1]}, range").encode(), "order.yaml")


@pytest.mark.dear
def test_a_thread_reduces_the_synapses_onto_its_neurons() -> None:
    found = []
    program = neuroport.compile(threaded("x = sum_incoming(w) + max_incoming(w * 0.5)"))
    for backend in (Emulator(), Emulator(threads=2, boundscheck=True)):
        (machine,) = start(program, backend)
        machine.advance(2)
        machine.trigger("add")
        found.append(machine.read("up.x"))
        machine.load(machine.save())
    assert np.array_equal(*found)
    assert found[0].any()


@pytest.mark.parametrize(
    ("block", "neurons", "reason"),
    [
        (
            "x = sum_outgoing(w)",
            "m = 0",
            "event add of up: sum_outgoing is over synapses of which another thread computes some",
        ),
        (
            "x = 0",
            "m = max_population(v)",
            "event add of a: max_population is over neurons of which another thread computes some",
        ),
    ],
)
def test_what_a_thread_cannot_reduce_is_refused_for_several(block: str, neurons: str, reason: str) -> None:
    problems = Emulator(threads=2).check(neuroport.compile(threaded(block, neurons)))
    assert problems[0] == (
        f"network 'order' cannot be computed on 2 threads: {reason}; leave the number of threads out, and it is "
        "computed on one"
    )
