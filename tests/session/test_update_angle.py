"""The angle of a rule's updates to those of back-propagation, against finite differences of the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.metrics.descent import Layer, descent
from neuroport.metrics.updates import SLOPES
from neuroport.program.executor import Backend
from tests.support.executors import BACKENDS
from tests.support.planning import open_session

Real = NDArray[np.float64]

NETWORK = """\
neuroport: 1
name: aligned
dt: 1 ms
seed: 2
copies: COPIES
neurons:
  source:
    inputs: {r_in: {range: [-4, 4]}}
    state: {r: {init: 0, range: [-4, 4]}}
    update: r = r_in
  hidden:
    inputs: {ff: {range: [-16, 16]}, err: {range: [-16, 16]}}
    state: {r: {init: 0, range: [-1, 1]}, slope: {init: 0, range: [0, 1]}, e: {init: 0, range: [-16, 16]}}
    update: |
      r = tanh(ff)
      slope = 1 - r * r
      e = err * slope
  answer:
    inputs: {ff: {range: [-16, 16]}, goal: {range: [-4, 4]}}
    state: {r: {init: 0, range: [-16, 16]}, e: {init: 0, range: [-16, 16]}, wrong: {init: 0, range: [-16, 16]},
            any: {init: 0, range: [0, 1], over_copies: shared}}
    update: |
      r = ff
      e = goal - r
      wrong = r - goal
synapses:
  up:
    state:
      w: {weight: true, init: 0, range: [-4, 4], over_copies: KIND}
      g: {init: 0, range: [-8, 8], over_copies: KIND}
    step: |
      send(target, w * pre.r)
    on_event: {learn: "g = SUM(post.e * pre.r)\\nw = w + 0.25 * g"}
  back:
    state: {w: {weight: true, init: 0, range: [-4, 4]}}
    step: send(target, w * pre.e)
populations:
  x: {size: 4, neuron: source}
  h: {size: 5, neuron: hidden}
  k: {size: 3, neuron: hidden}
  y: {size: 2, neuron: answer}
projections:
  w1: {source: x, target: h, input: ff, synapse: up, connect: {fixed_in_degree: 3}, weight: {normal: [0, 0.5]}}
  w2: {source: h, target: k, input: ff, synapse: up, connect: all_to_all, weight: {normal: [0, 0.5]}}
  w3: {source: k, target: y, input: ff, synapse: up, connect: all_to_all, weight: {normal: [0, 0.5]}}
  b3: {source: y, target: k, input: err, synapse: back, connect: all_to_all, weight: {normal: [0, 0.5]}}
  b2: {source: k, target: h, input: err, synapse: back, connect: all_to_all, weight: {normal: [0, 0.5]}}
stimuli:
  shown:
    patterns: {values: [[1, 0, 2, 1], [0, 1, -1, 1], [0.5, 0.25, 1, -1], [0.25, 1, 0, -2]], hold: 8 steps}
    population: x
    input: r_in
  goals:
    patterns: {values: [[1, 0], [0, 1], [0.5, -0.5], [-1, 1]], beside: shown}
    population: y
    input: goal
readouts:
  in: {samples: {of: x.r, reduce: last}}
  h: {samples: {of: h.r, reduce: last}}
  k: {samples: {of: k.r, reduce: last}}
  part: {samples: {of: "k.r[0:2]", reduce: last}}
  k_slope: {samples: {of: k.slope, reduce: last}}
  lacking: {samples: {of: y.e, from: 6 steps}}
  wrong: {samples: {of: y.wrong, from: 6 steps}}
metrics:
  angles: {update_angle: [w1.w, w2.w, w3.w], states: [in, h, k], slopes: tanh, error: lacking}
  formed: {update_angle: [w1.w, w2.w, w3.w], states: [in, h, k], slopes: [tanh, k_slope], error: -wrong, update: g}
  top: {update_angle: w3.w, states: k, error: lacking, effective: true}
protocol:
  - repeat: REPEAT
    do:
      - present: shown
        take: next
        count: COPIES
        readout: [in, h, k, k_slope, lacking, wrong]
        each: [{at: end, event: learn}]
  - measure: []
"""
ANGLES = "{update_angle: [w1.w, w2.w, w3.w], states: [in, h, k], slopes: tanh, error: lacking}"
INPUTS = np.array([[1, 0, 2, 1], [0, 1, -1, 1], [0.5, 0.25, 1, -1], [0.25, 1, 0, -2]])
GOALS = np.array([[1, 0], [0, 1], [0.5, -0.5], [-1, 1]])


def text(copies: int = 1, kind: str = "shared", repeat: int = 1) -> str:
    made = NETWORK.replace("COPIES", str(copies)).replace("KIND", kind).replace("REPEAT", str(repeat))
    return made.replace("SUM", "sum_copies" if kind == "shared" else "")


def full(matrix: Real) -> Layer:
    """All synapses of a matrix (source, target)."""
    pre, post = np.indices(matrix.shape).reshape(2, -1)
    return Layer(pre, post, matrix.ravel(), matrix.shape)  # type: ignore[arg-type]


def network(*form: Any) -> neuroport.Network:
    return reader.loads(text(*form).encode(), "aligned.yaml")


# ------------------------------------------------------------------------------- the same, computed in another way


def activities(weights: list[Real], x: Real) -> list[Real]:
    """What the layers send: (rows, cells) each; weights (source, target)."""
    h = np.tanh(x @ weights[0])
    k = np.tanh(h @ weights[1])
    return [x, h, k, k @ weights[2]]


def aligned(weights: list[Real], back: list[Real], x: Real, goals: Real) -> list[Real]:
    """What feedback alignment adds to the weights, with b3 (y, k) and b2 (k, h)."""
    x, h, k, y = activities(weights, x)
    e3 = goals - y
    e2 = (e3 @ back[0]) * (1 - k * k)
    e1 = (e2 @ back[1]) * (1 - h * h)
    return [x.T @ e1, h.T @ e2, k.T @ e3]


def differences(loss: Callable[[list[Real]], float], weights: list[Real], by: float = 1e-5) -> list[Real]:
    """Minus the gradient of a loss, by central differences."""
    found = []
    for matrix in weights:
        one = np.zeros_like(matrix)
        for place in np.ndindex(matrix.shape):
            kept, ends = matrix[place], []
            for sign in (1, -1):
                matrix[place] = kept + sign * by
                ends.append(loss(weights))
            matrix[place] = kept
            one[place] = -(ends[0] - ends[1]) / (2 * by)
        found.append(one)
    return found


def degrees(a: Real, b: Real) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.outer(a, b) - np.outer(b, a)) / np.sqrt(2), np.sum(a * b))))


def expected(start: dict[str, Real], there: list[Real], batches: Iterator[NDArray[np.int64]]) -> list[float]:
    """The angles after some updates, each of a batch of patterns."""
    weights = [start[name] * one for name, one in zip(("w1", "w2", "w3"), there, strict=True)]
    back, moved, gradient = [start["b3"], start["b2"]], [0 * w for w in weights], [0 * w for w in weights]
    for batch in batches:
        x, goals = INPUTS[batch], GOALS[batch]
        slope = differences(lambda w, x=x, g=goals: 0.5 * np.sum((g - activities(w, x)[-1]) ** 2), weights)  # type: ignore[misc]
        step = [0.25 * d * t for d, t in zip(aligned(weights, back, x, goals), there, strict=True)]
        gradient = [g + s * t for g, s, t in zip(gradient, slope, there, strict=True)]
        moved = [m + s for m, s in zip(moved, step, strict=True)]
        weights = [w + s for w, s in zip(weights, step, strict=True)]
    return [degrees(m.ravel(), g.ravel()) for m, g in zip(moved, gradient, strict=True)]


def begun(session: Any, copy: int | None = None) -> tuple[dict[str, Real], list[Real]]:
    """The matrices of a session (source, target), and where there is a weight (0 or 1)."""
    found, there = {}, []
    for name in ("w1", "w2", "w3", "b3", "b2"):
        p = session.program.projection(name)
        dense, mask = np.zeros((2, p.source_size, p.target_size))
        values = session.get(f"{name}.w")
        dense[p.pre, p.post] = values[:, 0 if copy is None else copy] if values.ndim == 2 else values
        mask[p.pre, p.post] = 1
        found[name] = dense
        there += [mask] if name[0] == "w" else []
    return found, there


def run(*form: Any, backend: Any = "reference") -> tuple[dict[str, Any], Any]:
    with neuroport.open(network(*form), backend=backend) as session:
        start = begun(session)
        session.run_protocol()
        return {name: found[-1][1] for name, found in session.results.items()}, start


@pytest.mark.parametrize(("copies", "repeat"), [(1, 1), (1, 3), (4, 1), (2, 2)])
def test_equals_finite_differences_of_the_loss(copies: int, repeat: int) -> None:
    found, start = run(copies, "shared", repeat)
    right = expected(*start, iter(np.arange(copies * repeat).reshape(repeat, copies)))
    assert found["angles"] == pytest.approx(right, abs=1e-5)
    assert found["top"] == [found["angles"][2]]
    assert min(right[:2]) > 20 and (repeat > 1 or right[2] < 1e-4)


def test_what_the_weights_are_moved_by_is_the_last_update() -> None:
    once, several = (run(1, "shared", repeat)[0] for repeat in (1, 3))
    assert once["formed"] == pytest.approx(once["angles"], abs=1e-5)
    assert several["formed"] != pytest.approx(several["angles"], abs=1)


def test_of_copies_with_weights_of_their_own_it_is_the_mean() -> None:
    for repeat in (1, 2):
        found, start = run(4, "own", repeat)
        each = [expected(*start, iter([np.array([copy])] * repeat)) for copy in range(4)]
        assert found["angles"] == pytest.approx(np.mean(each, axis=0), abs=1e-5)
        assert repeat > 1 or found["formed"] == pytest.approx(found["angles"], abs=1e-5)


def test_the_error_may_go_back_through_the_weights_as_they_act() -> None:
    acting = [f"w{k}: {{values: w{k}.w, effective: true}}" for k in (2, 3)]
    both = f"{ANGLES}\n  acting: {ANGLES[:-1]}, effective: true}}\n  " + "\n  ".join([*acting, "none: {mean: x.r}"])
    made = reader.loads(text(2).replace(ANGLES, both).replace("measure: []", "measure: [none]").encode(), "n.yaml")
    with neuroport.open(made, backend="reference", chip="generic8_mismatch10") as session:
        session.measure("w2", "w3")
        before = [session.get(f"w{k}.w") for k in (1, 2, 3)]
        session.run_protocol()
        states, error = [session.rows(name)[1] for name in ("in", "h", "k")], session.rows("lacking")[1]
        moved = [session.get(f"w{k}.w") - w for k, w in zip((1, 2, 3), before, strict=True)]
        session.measure()
    w2, w3 = (np.reshape(session.results[name][0][1], shape) for name, shape in (("w2", (5, 3)), ("w3", (3, 2))))
    found = descent(states, [1 - s * s for s in states[1:]], error, list(map(full, (np.zeros((4, 5)), w2, w3))))
    p = session.program.projection("w1")
    found[0] = found[0].reshape(4, 5)[p.pre, p.post]
    right = [degrees(m, f.ravel()) for m, f in zip(moved, found, strict=True)]
    assert session.results["acting"][0][1] == pytest.approx(right, abs=1e-5)
    assert abs(session.results["angles"][0][1][0] - right[0]) > 0.1


def test_every_executor_measures_the_same(backend: Backend) -> None:
    program, made = neuroport.compile(network(2, "shared", 2), "generic16"), network(2, "shared", 2)
    results = []
    for one in (backend, BACKENDS["reference"]):
        with open_session(made, program, one) as session:
            session.run_protocol()
            results.append(session.results)
    assert str(results[0]) == str(results[1])
    right = run(2, "shared", 2)[0]
    assert results[0]["angles"][0][1] == pytest.approx(right["angles"], abs=0.5)


@pytest.mark.parametrize("word", SLOPES)
def test_back_propagation_through_every_activation_function(word: str) -> None:
    functions: dict[str, Callable[[Real], Real]] = {
        "linear": lambda v: v,
        "tanh": np.tanh,
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "relu": lambda v: np.maximum(v, 0),
        "softplus": lambda v: np.log1p(np.exp(v)),
    }
    draw = np.random.default_rng(5)
    weights = [draw.normal(size=shape) for shape in ((4, 5), (5, 3), (3, 2))]
    x, goals, phi = draw.normal(size=(6, 4)), draw.normal(size=(6, 2)), functions[word]

    def sent(w: list[Real]) -> list[Real]:
        h = phi(x @ w[0])
        k = phi(h @ w[1])
        return [x, h, k, k @ w[2]]

    *states, y = sent(weights)
    found = descent(states, [SLOPES[word](state) for state in states[1:]], goals - y, list(map(full, weights)))
    right = differences(lambda w: 0.5 * float(np.sum((goals - sent(w)[-1]) ** 2)), weights)
    for one, other in zip(found, right, strict=True):
        assert one.reshape(other.shape) == pytest.approx(other, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("share", [0.02, 1])
def test_few_synapses_and_shared_weights_are_added_up_alike(share: float) -> None:
    draw = np.random.default_rng(3)
    pre, post = np.nonzero(draw.random((40, 30)) < share)
    entry = draw.integers(0, 7, len(pre))
    layer = Layer(pre, post, draw.normal(size=7), (40, 30), entry, 7)
    sent, error = draw.normal(size=(5, 40)), draw.normal(size=(5, 30))
    dense = np.zeros((40, 30))
    dense[pre, post] = layer.weights[entry]
    assert layer.full == (share == 1)
    np.testing.assert_allclose(layer.back(error), error @ dense.T, atol=1e-12)
    products = (sent.T @ error)[pre, post]
    right = [products[entry == k].sum() for k in range(7)]
    np.testing.assert_allclose(layer.products(sent, error), right, atol=1e-11)
    np.testing.assert_allclose(replace(layer, entry=None).products(sent, error), products, atol=1e-12)


def test_back_propagation_itself_has_no_angle() -> None:
    with neuroport.open(network(2, "shared", 1), backend="reference") as session:
        start, _ = begun(session)
        for back, forward in (("b3", "w3"), ("b2", "w2")):
            session.set(f"{back}.w", start[forward].T.ravel())
        session.run_protocol()
    for name in ("angles", "formed"):
        assert max(session.results[name][0][1]) < 1e-5


CONVOLUTION = """\
neuroport: 1
name: map
dt: 1 ms
neurons:
  hidden:
    inputs: {ff: {range: [-16, 16]}, err: {range: [-16, 16]}}
    state: {r: {init: 0, range: [-1, 1]}, e: {init: 0, range: [-16, 16]}}
    update: |
      r = tanh(ff)
      e = err * (1 - r * r)
  answer:
    inputs: {ff: {range: [-16, 16]}, goal: {range: [-1, 1]}}
    state: {r: {init: 0, range: [-16, 16]}, e: {init: 0, range: [-16, 16]}}
    update: |
      r = ff
      e = goal - r
synapses:
  back: {state: {w: {weight: true, range: [-4, 4]}}, step: "send(target, w * pre.e)"}
populations:
  x: {size: 20, neuron: rate_source}
  h: {size: 24, neuron: hidden}
  y: {size: 2, neuron: answer}
projections:
  w1: {source: x, target: h, input: ff, synapse: delta_sgd, weight: {normal: [0, 0.5]},
       connect: {convolution: {shape: [4, 5], kernel: 2, channels: [1, 2]}}}
  w2: {source: h, target: y, input: ff, synapse: delta_sgd, connect: all_to_all, weight: {normal: [0, 0.5]}}
  b2: {source: y, target: h, input: err, synapse: back, connect: all_to_all, weight: {normal: [0, 0.5]}}
stimuli:
  shown:
    patterns: {values: VALUES, hold: 6 steps}
    population: x
    input: r_in
  goals: {patterns: {values: [[1, 0], [0, 1]], beside: shown}, population: y, input: goal}
readouts:
  x: {samples: {of: x.r, reduce: last}}
  h: {samples: {of: h.r, reduce: last}}
  e: {samples: {of: y.e, reduce: last}}
metrics:
  moved: {update_angle: [w1.w, w2.w], states: [x, h], slopes: tanh, error: e}
  formed: {update_angle: [w1.w, w2.w], states: [x, h], slopes: tanh, error: e, update: g}
protocol:
  - {present: shown, count: 1, readout: [x, h, e], each: [{at: end, event: learn}]}
"""


def test_synapses_of_a_kernel_have_one_update() -> None:
    shown = np.random.default_rng(1).uniform(-1, 1, (2, 20)).round(3)
    made = reader.loads(CONVOLUTION.replace("VALUES", str(shown.tolist())).encode(), "map.yaml")
    with neuroport.open(made, backend="reference", chip="ideal") as session:
        kernel, top = session.get("w1.w"), session.get("w2.w").reshape(24, 2)
        session.run_protocol()
        moved = [session.get("w1.w") - kernel, session.get("w2.w") - top.ravel()]

    def loss(weights: list[Real]) -> float:
        image, each = shown[0].reshape(4, 5), weights[0].reshape(2, 2, 2)
        windows = np.lib.stride_tricks.sliding_window_view(image, (2, 2))
        h = np.tanh(np.einsum("yxab,abc->yxc", windows, each)).ravel()
        return 0.5 * float(np.sum((np.array([1, 0]) - h @ weights[1]) ** 2))

    right = [degrees(m, d.ravel()) for m, d in zip(moved, differences(loss, [kernel, top]), strict=True)]
    assert moved[0].shape == (8,) and right[0] > 5
    for name in ("moved", "formed"):
        assert session.results[name][0][1] == pytest.approx(right, abs=1e-4)


# ------------------------------------------------------------------------------------------------------- on the way


def test_what_a_stopped_run_has_goes_on(tmp_path: Path) -> None:
    made = network(2, "shared", 3)
    right = run(2, "shared", 3)[0]
    for stop in range(1, 48, 5):
        with neuroport.open(made, backend="reference") as session:
            for _ in session.walk_protocol(lambda step, stop=stop: stop - step if step < stop else 1):  # type: ignore[misc]
                if session.step == stop:
                    session.checkpoint(tmp_path / "here.h5")
                    break
        with neuroport.open(made, backend="reference") as session:
            session.restore(tmp_path / "here.h5")
            session.run_protocol()
            assert {name: found[-1][1] for name, found in session.results.items()} == right


@pytest.mark.parametrize(
    "wrong",
    [
        lambda f: {"angles": replace(f["angles"], first={})},
        lambda f: {"angles": replace(f["angles"], began={n: v[1:] for n, v in f["angles"].began.items()})},
        lambda f: {"angles": replace(f["angles"], gained={"w1.w": f["angles"].began["w1.w"]})},
        lambda f: {"no_metric": f["angles"]},
    ],
)
def test_what_no_run_can_have_is_not_gone_on_with(wrong: Callable[[Any], Any]) -> None:
    with neuroport.open(network(), backend="reference") as session:
        for _ in session.walk_protocol(lambda _: 3):
            break
        saved = session.checkpoint()
        followed = wrong(saved.host.measured.followed)
        (name,) = followed
        damaged = replace(saved, host=replace(saved.host, measured=replace(saved.host.measured, followed=followed)))
        with pytest.raises(InvalidInput) as error:
            session.restore(damaged)
    text = f"the checkpoint cannot be restored: its record of items of metric '{name}' is none of this program; take "
    assert str(error.value) == f"{text}one that is whole"


def test_nothing_seen_has_no_angle() -> None:
    with neuroport.open(network(), backend="reference") as session:
        session.measure()
        assert np.isnan(session.results["angles"][0][1]).tolist() == [True, True, True]


def test_it_is_written_as_it_was_read() -> None:
    made = network(2)
    assert reader.loads(writer.to_yaml(made), "n.yaml") == made


# --------------------------------------------------------------------------------------------------------- refused

ALL_OF = "of metric 'angles' needs samples of all neurons of"
WRONG = {
    "{update_angle: [w1.w, w3.w], states: [in, k], slopes: tanh, error: lacking}": (
        "update_angle of metric 'angles': 'w1.w' leads to 'h' and 'w3.w' comes from 'k'; name projections that follow "
        "each other from the input to the output"
    ),
    "{update_angle: [], states: [in], error: lacking}": (
        "update_angle of metric 'angles' names no weights; name those of every projection from input to output"
    ),
    "{update_angle: [h.r], states: [in], error: lacking}": (
        "update_angle of metric 'angles' goes through weights of projections; found 'h.r'"
    ),
    "{update_angle: [w3.w], states: [k]}": "metric 'angles' lacks 'error'; add it",
    "{update_angle: [w3.w], states: [in, k], error: lacking}": (
        "states of metric 'angles' needs a readout for each of k; found 2"
    ),
    "{update_angle: [w3.w], states: h, error: lacking}": (
        f"states {ALL_OF} 'k', and readout 'h' has those of h.r; name another one"
    ),
    "{update_angle: [w3.w], states: part, error: lacking}": (
        f"states {ALL_OF} 'k', and readout 'part' has those of k.r[0:2]; name another one"
    ),
    "{update_angle: [w3.w], states: k, error: -k}": (
        f"error {ALL_OF} 'y', and readout 'k' has those of k.r; name another one"
    ),
    "{update_angle: [w3.w], states: k, error: lacking, slopes: tanh}": (
        "slopes of metric 'angles' needs one for each population between input and output, which are none; found 1"
    ),
    "{update_angle: [w2.w, w3.w], states: [h, k], error: lacking}": (
        "metric 'angles' lacks 'slopes': a readout or one of linear, tanh, sigmoid, relu, softplus for each of k; "
        "add it"
    ),
    "{update_angle: [w2.w, w3.w], states: [h, k], error: lacking, slopes: [tan]}": (
        "slopes of metric 'angles' takes samples readouts and linear, tanh, sigmoid, relu, softplus; found 'tan'"
    ),
    "{update_angle: [w2.w, w3.w], states: [h, k], error: lacking, slopes: [h]}": (
        f"slopes {ALL_OF} 'k', and readout 'h' has those of h.r; name another one"
    ),
    "{update_angle: [w3.w], states: k, error: lacking, update: q}": (
        "update of metric 'angles': projection 'w3' has no variable 'q'; allowed are w, g"
    ),
    "{update_angle: [w3.w], states: k, error: lacking, update: w3.g}": (
        "update of metric 'angles': projection 'w3' has no variable 'w3.g'; did you mean 'g'? allowed are w, g"
    ),
    "{update_angle: [w3.g], states: k, error: lacking}": (
        "update_angle of metric 'angles' goes through weights of projections; found 'w3.g'"
    ),
    "{update_angle: [w3.w], states: none, error: lacking}": (
        "unknown readout 'none'; allowed are in, h, k, part, k_slope, lacking, wrong"
    ),
}


@pytest.mark.parametrize("metric", WRONG)
def test_what_is_no_chain_of_layers_is_refused(metric: str) -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(text().replace(ANGLES, metric).encode(), "n.yaml")
    assert error.value.problems[0].text == WRONG[metric]
    assert "n.yaml:66" in str(error.value)


def test_errors_do_not_go_back_through_largest_values() -> None:
    wrong = text().replace("ff: {range: [-16, 16]}, goal", "ff: {range: [-16, 16], reduce: max}, goal")
    with pytest.raises(InvalidInput) as error:
        reader.loads(wrong.encode(), "n.yaml")
    assert error.value.problems[0].text == (
        "update_angle of metric 'angles': 'w3.w' leads to an input that takes the largest (reduce: max), and errors go "
        "back through sums; name projections to sums alone"
    )


def test_an_item_has_all_of_its_readouts_or_none() -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(text().replace("readout: [in, h, k, k_slope,", "readout: [in, k,").encode(), "n.yaml")
    assert str(error.value) == (
        "n.yaml:72:9: metric 'angles' needs all of its readouts together, and this item lacks h; name all of in, h, k, "
        "lacking, or none of them\n"
        "n.yaml:72:9: metric 'formed' needs all of its readouts together, and this item lacks h, k_slope; name all of "
        "in, h, k, k_slope, wrong, or none of them"
    )
