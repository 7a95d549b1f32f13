"""Convolutions on every executor: against NumPy, their adjoints, and what is learned once for each kernel entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.blocks import alone
from neuroport.backends.emulator.synapses import memory
from neuroport.backends.reference import Reference
from neuroport.files import network as reader
from tests.support.executors import beside_the_oracle, start
from tests.support.random_kernels import convolutional
from tests.support.threaded import Threaded, forward

Reals = NDArray[np.float64]

LEARNING = """
neuroport: 1
name: convolutional
dt: 1 ms
MORE
neurons:
  shown:
    state: {r: {init: 0, range: [-1, 1], over_copies: own}}
    update: r = r
  hidden:
    inputs: {i: {range: [-16, 16]}, b: {range: [-16, 16]}}
    state: {r: {init: 0, range: [-1, 1]}, e: {init: 0, range: [-16, 16]}}
    update: |
      r = tanh(i)
      e = b * (1 - r * r)
  output:
    params: {goal: {default: 0.25, range: [-1, 1]}}
    inputs: {i: {range: [-16, 16]}}
    state: {r: {init: 0, range: [-1, 1]}, e: {init: 0, range: [-16, 16]}}
    update: |
      r = tanh(i)
      e = (goal - r) * (1 - r * r)
synapses:
  first:
    params: {rate: {default: 0.125, range: [0, 1], dynamic: true}}
    state: {w: {weight: true, range: [-2, 2], over_kernel: shared, over_copies: shared}}
    step: send(target, w * pre.r)
    on_event:
      learn: w = w + rate * mean_copies(sum_shared(post.e * pre.r))
  second:
    params: {rate: {default: 0.125, range: [0, 1], dynamic: true}}
    state: {w: {weight: true, range: [-2, 2], over_kernel: shared, over_copies: shared}}
    step: |
      send(target, w * pre.r)
      send_back(b, w * post.e)
    on_event:
      learn: w = w + rate * mean_copies(sum_shared(post.e * pre.r))
populations:
  x: {size: 30, neuron: shown, init: {r: {uniform: [-1, 1]}}}
  h: {size: 60, neuron: hidden}
  y: {size: 18, neuron: output, params: {goal: {uniform: [-0.75, 0.75]}}}
projections:
  one: {source: x, target: h, input: i, synapse: first, weight: {uniform: [-0.5, 0.5]},
    connect: {convolution: {shape: [6, 5], kernel: 3, padding: same, channels: [1, 2]}}}
  two: {source: h, target: y, input: i, synapse: second, weight: {uniform: [-0.5, 0.5]},
    connect: {convolution: {shape: [6, 5], kernel: [2, 3], stride: 2, channels: [2, 3]}}}
protocol:
  - run: 20 steps
"""
CHIPS = (("ideal", 1), ("ideal32", 3), ("generic16", 3), ("generic8_stochastic", 1))


def learning(copies: int = 1) -> Any:
    more = f"copies: {copies}" if copies > 1 else ""
    return reader.loads(LEARNING.replace("MORE", more).encode(), "convolutional.yaml")


def convolved(x: Reals, kernel: Reals, stride: int, padding: int) -> Reals:
    """A map (height, width, channels) under a kernel, place by place."""
    high, wide = kernel.shape[:2]
    x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    rows, columns = ((size - span) // stride + 1 for size, span in zip(x.shape, (high, wide), strict=False))
    made = np.zeros((rows, columns, kernel.shape[3]))
    for row, column in np.ndindex(rows, columns):
        seen = x[row * stride : row * stride + high, column * stride : column * stride + wide]
        made[row, column] = np.tensordot(seen, kernel, 3)
    return made


def spread(e: Reals, kernel: Reals, stride: int, shape: tuple[int, ...]) -> Reals:
    """What comes back to a map that a kernel without padding has seen, place by place."""
    back = np.zeros(shape)
    high, wide = kernel.shape[:2]
    for row, column in np.ndindex(e.shape[:2]):
        back[row * stride : row * stride + high, column * stride : column * stride + wide] += kernel @ e[row, column]
    return back


def gradient(x: Reals, e: Reals, kernel: tuple[int, ...], stride: int, padding: int) -> Reals:
    """The outer products of all places of a kernel, added up."""
    x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    made = np.zeros(kernel)
    for row, column in np.ndindex(e.shape[:2]):
        seen = x[row * stride : row * stride + kernel[0], column * stride : column * stride + kernel[1]]
        made += seen[..., None] * e[row, column]
    return made


class Program:
    """The same network, written in NumPy."""

    def __init__(self, session: Any) -> None:
        self.one, self.two = session.get("one.w").reshape(3, 3, 1, 2), session.get("two.w").reshape(2, 3, 2, 3)
        self.x, self.goal = session.get("x.r").reshape(6, 5, 1), session.get("y.goal").reshape(3, 2, 3)
        self.h, self.e, self.y, self.d = (np.zeros(s) for s in ((6, 5, 2), (6, 5, 2), (3, 2, 3), (3, 2, 3)))

    def step(self) -> None:
        """One step: all see what the last one has left."""
        back = spread(self.d, self.two, 2, self.h.shape)
        y = np.tanh(convolved(self.h, self.two, 2, 0))
        h = np.tanh(convolved(self.x, self.one, 1, 1))
        self.h, self.e = h, back * (1 - h * h)
        self.y, self.d = y, (self.goal - y) * (1 - y * y)

    def learn(self, rate: float) -> None:
        """Every entry of a kernel, once."""
        self.one = self.one + rate * gradient(self.x, self.e, self.one.shape, 1, 1)
        self.two = self.two + rate * gradient(self.h, self.d, self.two.shape, 2, 0)

    def loss(self) -> float:
        """Half the square of what is missing."""
        y = np.tanh(convolved(np.tanh(convolved(self.x, self.one, 1, 1)), self.two, 2, 0))
        return 0.5 * float(((self.goal - y) ** 2).sum())


def test_a_network_of_two_convolutions_is_that_in_numpy_step_for_step(backend: Any) -> None:
    with neuroport.open(learning(), backend=backend.name, chip="ideal") as session:
        program = Program(session)
        before = program.loss()
        for step in range(24):
            session.run(1)
            program.step()
            if step % 3 == 2:
                session.trigger("learn")
                program.learn(0.125)
            for name, expected in (("h.r", program.h), ("h.e", program.e), ("y.r", program.y), ("two.w", program.two)):
                np.testing.assert_allclose(session.get(name), expected.reshape(-1), rtol=1e-12, atol=1e-13)
        assert program.loss() < 0.25 * before


def test_what_is_learned_is_the_gradient_of_the_loss(backend: Any) -> None:
    with neuroport.open(learning(), backend=backend.name, chip="ideal") as session:
        program = Program(session)
        session.run(4)
        before = {name: session.get(f"{name}.w") for name in ("one", "two")}
        session.trigger("learn")
        moved = {name: (session.get(f"{name}.w") - before[name]) / 0.125 for name in before}
    for name, found in moved.items():
        kernel = getattr(program, name).reshape(-1)
        for entry in range(len(kernel)):
            losses = []
            for change in (1e-5, -1e-5):
                kernel[entry] += change
                losses.append(program.loss())
                kernel[entry] -= change
            assert abs(found[entry] + (losses[0] - losses[1]) / 2e-5) < 1e-8


@pytest.mark.parametrize(("chip", "copies"), CHIPS)
def test_every_executor_learns_the_same_bits(backend: Any, chip: str, copies: int) -> None:
    program = neuroport.compile(learning(copies), chip=chip)
    found = []
    for machine in start(program, backend, Reference()):
        for _ in range(3):
            machine.advance(3)
            machine.trigger("learn")
        found.append({name: machine.read(name) for name, a in program.arrays.items() if a.role != "input"})
    for name, values in found[0].items():
        if backend.name == "genn" and not program.integer:  # it adds real numbers in an order of its own
            np.testing.assert_allclose(values, found[1][name], rtol=0, atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(values, found[1][name], err_msg=name)


def test_the_gradient_of_shared_weights_is_that_of_the_metric_for_rules() -> None:
    text = LEARNING.replace("MORE", "")
    text = (
        text[: text.index("protocol:")]
        + """
stimuli:
  nothing: {patterns: {values: [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], hold: 6 steps},
    population: y, input: i}
readouts:
  sent: {samples: {of: x.r, every: 6 steps, from: 5 steps, to: 6 steps}}
  hidden: {samples: {of: h.r, every: 6 steps, from: 5 steps, to: 6 steps}}
  lack: {samples: {of: y.e, every: 6 steps, from: 5 steps, to: 6 steps}}
metrics:
  off: {update_angle: [one.w, two.w], states: [sent, hidden], slopes: tanh, error: lack}
protocol:
  - {present: nothing, readout: [sent, hidden, lack]}
  - event: learn
  - measure: [off]
"""
    )
    angles = neuroport.run(reader.loads(text.encode(), "angle.yaml"), "reference", "ideal").metrics["off"][0][1]
    assert max(angles) < 1e-4


MAPS = """
neuroport: 1
name: maps
dt: 1 ms
neurons:
  held:
    inputs: {i: {range: [-64, 64]}}
    state: {r: {init: 0, range: [-1, 1]}, v: {init: 0, range: [-64, 64]}}
    update: v = i
synapses:
  onward:
    state: {w: {weight: true, range: [-1, 1]}}
    step: send(target, w * pre.r)
populations:
  a: {size: 84, neuron: held, init: {r: {uniform: [-1, 1]}}}
  b: {size: SIZE, neuron: held, init: {r: {uniform: [-1, 1]}}}
projections:
  up: {source: a, target: b, synapse: onward, weight: {uniform: [-1, 1]}, connect: {convolution: {GIVEN}}}
  down: {source: b, target: a, synapse: onward, weight: {same_as: up.w},
    connect: {convolution: {GIVEN, transposed: true}}}
protocol:
  - run: 2 steps
"""
GIVEN = {
    "shape: [7, 6], kernel: 3, channels: [2, 4], padding: same": 168,
    "shape: [7, 6], kernel: [3, 2], channels: [2, 6], groups: 2, stride: [2, 3], padding: 1": 72,
    "shape: [7, 6], kernel: [3, 2], channels: [2, 3], dilation: [1, 4]": 30,
}


@pytest.mark.parametrize("given", GIVEN)
def test_the_way_back_is_the_adjoint(backend: Any, given: str) -> None:
    text = MAPS.replace("GIVEN", given).replace("SIZE", str(GIVEN[given]))
    with neuroport.open(reader.loads(text.encode(), "maps.yaml"), backend=backend.name, chip="ideal") as session:
        session.run(2)
        x, e, up, down = (session.get(name) for name in ("a.r", "b.r", "b.v", "a.v"))
    assert abs(up @ e - x @ down) < 1e-12
    assert np.abs(up).max() > 0.1


def test_memory_counts_entries_of_the_kernel_not_synapses() -> None:
    text = MAPS.replace("84", "6272").replace("SIZE", "12544")
    text = text.replace("GIVEN", "shape: [28, 28], kernel: 3, channels: [8, 16], padding: same")
    program = neuroport.compile(reader.loads(text.encode(), "maps.yaml"), chip="generic8")
    for found, neurons in zip(memory(program), (6272, 12544), strict=True):
        assert found.synapses == 860_672
        assert found.nbytes < 3 * 3 * 8 * 16 * 8 + 24 * neurons


@pytest.mark.parametrize("first", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 40, 2))])
def test_random_kernels_do_as_the_oracle_does(backend: Any, first: int) -> None:
    for seed in range(first, first + (1 if backend.name == "genn" else 2)):
        p = convolutional(seed)
        right, found = beside_the_oracle(backend, p)
        for _ in range(3):
            for machine in (right, found):
                machine.advance(7)
                machine.trigger("change")
            for name, array in p.arrays.items():
                np.testing.assert_array_equal(found.read(name), right.read(name), err_msg=f"{seed}: {name}, {array.at}")
            assert found.overflows() == right.overflows()


def test_a_run_goes_on_elsewhere(backend: Any) -> None:
    p = convolutional(1)
    whole, parted, other = start(p, Reference(), backend, Reference())
    for machine in (whole, parted):
        machine.advance(8)
        machine.trigger("change")
    other.load(parted.save())
    parted.load(whole.save())
    for machine in (whole, parted, other):
        machine.advance(6)
        machine.trigger("change")
    for name in p.arrays:
        np.testing.assert_array_equal(parted.read(name), whole.read(name), err_msg=name)
        np.testing.assert_array_equal(other.read(name), whole.read(name), err_msg=name)


@pytest.mark.dear
def test_threads_learn_nothing_together_and_compute_the_same() -> None:
    program = neuroport.compile(learning(), chip="generic16")
    assert any("what synapses share" in reason for reason in alone(program, 2))
    static = forward(replace(program, events=()))
    one, two = start(static, Emulator(), Threaded(2))
    for machine in (one, two):
        machine.advance(20)
    for name in static.arrays:
        np.testing.assert_array_equal(one.read(name), two.read(name), err_msg=name)


SPIKING = """
neuroport: 1
name: spiking
dt: 1 ms
COPIES
neurons:
  cell:
    inputs: {i: {range: [-64, 64]}, b: {range: [-64, 64]}}
    state: {v: {init: 0, range: [-8, 8]}}
    update: v = 0.8 * v + 0.2 * i + 0.3 * uniform() + 0.01 * b
    spike: v > 0.45
    on_spike: v = 0
synapses:
  plastic:
    params: {rate: {default: 0.125, range: [0, 1], dynamic: true}}
    traces: {x: {of: pre, decay: "0.8", increment: "1", range: [0, 8]}}
    state:
      w: {weight: true, range: [-2, 2], over_kernel: shared, over_copies: shared, kind: weight}
      e: {init: 0, range: [-4, 4], class: trace}
    on_pre: |
      send(target, w)
      e = 0.9 * e + 0.1 * post.v
    on_post: |
      send_back(b, w)
      e = e + 0.05 * pre.x
    on_event:
      each_step: w = w + 0.25 * rate * mean_copies(sum_shared(e * pre.v)) + 0.001 * uniform()
populations:
  a: {size: 24, neuron: cell}
  b: {size: 36, neuron: cell}
projections:
  p: {source: a, target: b, input: i, synapse: plastic, weight: {uniform: [-0.5, 1]},
    dendritic_delay: {uniform: [0 steps, 3 steps]},
    connect: {convolution: {shape: [4, 3], kernel: 3, padding: same, channels: [2, 3]}}}
protocol:
  - run: 20 steps
"""


@pytest.mark.parametrize("copies", [1, 2])
def test_spikes_eligibilities_and_circuits_that_deviate(backend: Any, copies: int) -> None:
    text = SPIKING.replace("COPIES", f"copies: {copies}" if copies > 1 else "")
    found = []
    for name in (backend.name, "reference"):
        session = neuroport.open(reader.loads(text.encode(), "s.yaml"), backend=name, chip="generic8_mismatch10")
        with session:
            session.run(20)
            found.append((session.spike_counts(), *(session.get(of) for of in ("p.w", "p.e", "a.v", "b.v"))))
    assert found[0][0] == found[1][0]
    assert min(found[0][0].values()) > 50
    for ours, theirs in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


TWINS = """
neuroport: 1
name: twins
dt: 1 ms
synapses:
  up:
    state: {w: {weight: true, range: [-2, 2], over_kernel: shared}}
    step: send(target, w * pre.r)
    on_event:
      each_step: w = w + 0.0625 * sum_shared(post.r * pre.r)
  half:
    state: {w: {weight: true, init: 0, range: [-2, 2], over_kernel: shared}}
    step: send(target, w * pre.r)
    on_event:
      each_step: w = 0.5 * twin.w
populations:
  a: {size: 18, neuron: rate_source, init: {r: {uniform: [-1, 1]}}}
  b: {size: 27, neuron: rate_source, init: {r: {uniform: [-1, 1]}}}
projections:
  u: {source: a, target: b, input: r_in, synapse: up, weight: {uniform: [-0.5, 0.5]},
    connect: {convolution: {shape: 3, kernel: 3, padding: same, channels: [2, 3]}}}
  d: {source: b, target: a, input: r_in, synapse: half, twin: u,
    connect: {convolution: {shape: 3, kernel: 3, padding: 1, channels: [2, 3], transposed: true}}}
protocol:
  - run: 10 steps
"""


def test_entries_have_twins(backend: Any) -> None:
    found = []
    for name in (backend.name, "reference"):
        with neuroport.open(reader.loads(TWINS.encode(), "t.yaml"), backend=name, chip="generic16") as session:
            session.run(3)
            found.append((session.get("d.w"), session.get("u.w")))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0][0], 0.5 * found[0][1], rtol=0, atol=1e-4)
    assert np.abs(found[0][0]).max() > 0.1


ADDED = "each_step: w = w + 0.0625 * sum_shared(twin.w * post.r * pre.r) + 0.03125 * (twin.w * sum_shared(twin.w))"


def test_sums_over_synapses_know_the_twins_of_their_entries(backend: Any) -> None:
    found = []
    for block in (ADDED, ADDED.replace("sum_shared(twin.w * post.r * pre.r)", "twin.w * sum_shared(post.r * pre.r)")):
        text = TWINS.replace("each_step: w = 0.5 * twin.w", block).replace("weight: true, init: 0,", "weight: true,")
        text = text.replace("synapse: half,", "synapse: half, weight: {uniform: [-0.5, 0.5]},")
        with neuroport.open(reader.loads(text.encode(), "t.yaml"), backend=backend.name, chip="ideal") as session:
            session.run(3)
            found.append(session.get("d.w"))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    assert len(np.unique(found[0])) > 20


@pytest.mark.parametrize(
    ("block", "name"),
    [("w = w + sum_shared(twin.e)", "e"), ("e = twin.w", "w"), ("e = e + sum_incoming(twin.w * pre.r)", "w")],
)
def test_synapses_of_an_entry_have_no_twins(block: str, name: str) -> None:
    text = TWINS.replace("{w: {weight: true", "{e: {init: 0}, w: {weight: true")
    text = text.replace("each_step: w = 0.5 * twin.w", f"each_step: {block}")
    text = text.replace("      each_step: w = w +", "      other: e = e + pre.r\n      each_step: w = w +")
    with pytest.raises(neuroport.InvalidInput) as caught:
        neuroport.compile(reader.loads(text.encode(), "t.yaml"))
    told = [problem.text for problem in caught.value.problems]
    assert told == [
        f"twin.{name} is not known here: in a convolution the entries of the kernel have twins and synapses have none, "
        "so only blocks that assign what is over_kernel: shared read twins, and of these what the synapses of an entry "
        "share"
    ]


def test_entries_of_kernels_that_lie_otherwise_have_no_twins() -> None:
    text = TWINS.replace("twin: u", "twin: {of: u}").replace("shape: 3, kernel: 3, padding: 1", "shape: 3, kernel: 1")
    with pytest.raises(neuroport.InvalidInput) as caught:
        neuroport.compile(reader.loads(text.encode(), "t.yaml"))
    assert [problem.text for problem in caught.value.problems] == [
        "twin of projection 'd': entries of a kernel have twins in a convolution of the same shape, kernel and so on, "
        "which may be transposed; 'u' connects otherwise"
    ]


def test_maps_are_parts_of_populations_too(backend: Any) -> None:
    """Their synapses and draws are those of whole populations."""
    ends = {"source: a, target: b": "source: 'a[5:23]', target: 'b[10:37]'"}
    ends |= {
        "source: b, target: a": "source: 'b[10:37]', target: 'a[5:23]'",
        "size: 18": "size: 40",
        "size: 27": "size: 50",
    }
    parted = TWINS
    for whole, part in ends.items():
        parted = parted.replace(whole, part)
    shown, found = np.linspace(-1, 1, 18), []
    for text, sources, targets in ((TWINS, slice(18), slice(27)), (parted, slice(5, 23), slice(10, 37))):
        with neuroport.open(reader.loads(text.encode(), "t.yaml"), backend=backend.name, chip="generic16") as session:
            for name, part, values in (("a.r", sources, shown), ("b.r", targets, np.zeros(27))):
                start_with = np.zeros(len(session.get(name)))
                start_with[part] = values
                session.set(name, start_with)
            session.run(3)
            found.append([session.get("d.w"), session.get("u.w"), session.get("b.r")[targets]])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
