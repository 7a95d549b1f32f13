"""Optimisers: every one against its equations in NumPy, by itself and as the base of a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport.files import network as reader
from neuroport.program.executor import Backend
from tests.support.executors import BACKENDS
from tests.support.planning import open_session

Real = NDArray[np.float64]
LR, BETAS, EPSILON = 0.01, (0.9, 0.999), 1e-8

NETWORK = """\
neuroport: 1
name: optimised
dt: 1 ms
copies: COPIES
neurons:
  answer_RULE:
    base: bias_RULE
    inputs: {ff: {range: [-8, 8]}, goal: {range: [-1, 1]}}
    state: {r: {init: 0, range: [-8, 8]}, e: {init: 0, range: [-8, 8]}}
    update: |
      r = ff + b
      e = goal - r
    on_event: {learn: g_b = mean_copies(e)}
populations:
  x: {size: 3, neuron: rate_source}
  y: {size: 2, neuron: answer_RULE, params: {lr: 0.01}}
projections:
  up: {source: x, target: y, input: ff, synapse: delta_RULE, connect: all_to_all, params: {lr: 0.01},
       weight: [[0.5, -0.25], [0.125, 1], [-1, 0.75]]}
stimuli:
  shown:
    patterns: {values: [[1, 0, 0.5], [0, 1, -0.5], [0.5, 0.25, 1], [-0.75, 1, 0]], hold: 5 steps}
    population: x
    input: r_in
  goals: {patterns: {values: [[1, 0], [0, 1], [0.5, -0.5], [-1, 1]], beside: shown}, population: y, input: goal}
protocol:
  - repeat: 5
    do:
      - {present: shown, each: [{at: end, event: learn}]}
"""
INPUTS = np.array([[1, 0, 0.5], [0, 1, -0.5], [0.5, 0.25, 1], [-0.75, 1, 0]])
GOALS = np.array([[1.0, 0], [0, 1], [0.5, -0.5], [-1, 1]])
START = np.array([[0.5, -0.25], [0.125, 1], [-1, 0.75]])
RULES = ("sgd", "momentum", "nesterov", "rmsprop", "adam")


def network(rule: str, copies: int = 1) -> Any:
    return reader.loads(NETWORK.replace("RULE", rule).replace("COPIES", str(copies)).encode(), "optimised.yaml")


def moved(rule: str, w: Real, g: Real, kept: dict[str, Real], k: int) -> Real:
    """A weight after its k-th update along g."""
    if rule == "sgd":
        return w + LR * g
    if rule in ("momentum", "nesterov"):
        kept["m"] = BETAS[0] * kept.get("m", 0 * w) + g
        return w + LR * (kept["m"] if rule == "momentum" else g + BETAS[0] * kept["m"])
    if rule == "rmsprop":
        kept["v"] = 0.9 * kept.get("v", 0 * w) + 0.1 * g**2
        return w + LR * g / (np.sqrt(kept["v"]) + EPSILON)
    kept["m"] = BETAS[0] * kept.get("m", 0 * w) + (1 - BETAS[0]) * g
    kept["v"] = BETAS[1] * kept.get("v", 0 * w) + (1 - BETAS[1]) * g**2
    m, v = kept["m"] / (1 - BETAS[0] ** k), kept["v"] / (1 - BETAS[1] ** k)
    return w + LR * m / (np.sqrt(v) + EPSILON)


def learned(rule: str, copies: int) -> tuple[Real, Real]:
    """The weights (source, target) and the biases after five rounds."""
    w, b = START, np.zeros(2)
    of_w, of_b = dict[str, Real](), dict[str, Real]()
    batches = np.tile(np.arange(4), 5).reshape(-1, copies)
    for k, batch in enumerate(batches, 1):
        x, error = INPUTS[batch], GOALS[batch] - INPUTS[batch] @ w - b
        w, b = moved(rule, w, x.T @ error / copies, of_w, k), moved(rule, b, error.mean(axis=0), of_b, k)
    return w, b


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("rule", RULES)
def test_weights_are_those_of_the_equations(rule: str, copies: int) -> None:
    with neuroport.open(network(rule, copies), backend="reference") as session:
        session.run_protocol()
        found = session.get("up.w").reshape(3, 2), session.get("y.b")
    for one, right, start in zip(found, learned(rule, copies), (START, 0), strict=True):
        assert np.max(np.abs(one - right)) < 1e-12
        assert np.max(np.abs(one - start)) > 0.03


def all_of_them() -> Any:
    """A network in which every optimiser has an output layer of its own."""
    text = NETWORK.replace("COPIES", "2").replace(",\n       weight", ", weight")
    model = text[text.index("  answer_RULE") : text.index("populations:")]
    lines: list[str] = []
    for line in text.replace(model, "".join(model.replace("RULE", rule) for rule in RULES)).splitlines():
        name = line.strip().partition(":")[0]
        for rule in RULES if name in ("y", "up", "goals") else ("",):
            own = line.replace(f"  {name}:", f"  {name}_{rule}:") if rule else line
            for key in ("target", "population"):
                own = own.replace(f"{key}: y", f"{key}: y_{rule}")
            lines.append(own.replace("RULE", rule))
    return reader.loads("\n".join(lines).encode(), "all.yaml")


def test_integers_of_every_executor_learn_the_same(backend: Backend) -> None:
    made = all_of_them()
    program = neuroport.compile(made, "generic8")
    found = []
    for one in (backend, BACKENDS["reference"]):
        with open_session(made, program, one) as session:
            session.run_protocol()
            found.append({rule: (session.get(f"up_{rule}.w"), session.get(f"y_{rule}.b")) for rule in RULES})
    for rule in RULES:
        for one, other, right in zip(found[0][rule], found[1][rule], learned(rule, 2), strict=True):
            np.testing.assert_array_equal(one, other)
            assert np.max(np.abs(one - right.ravel())) < 0.02


SPANS = {"g": [-0.001, 0.001], "m": [-0.001, 0.001], "v": [0, 1e-6]}


def test_what_is_too_small_to_be_squared_is_held_with_a_narrower_range() -> None:
    """Of small gradients a chip's v is 0 with the range of the library, and right with one that fits them."""
    small = NETWORK.replace("e = goal - r", "e = 0.0001 * (goal - r)").replace("COPIES", "1").replace("RULE", "adam")
    narrow = small
    for owner, suffix in (("neuron: answer_adam, params: {lr: 0.01}", "_b"), ("all_to_all, params: {lr: 0.01}", "")):
        spans = ", ".join(f"{name}{suffix}: {span}" for name, span in SPANS.items())
        narrow = narrow.replace(owner, f"{owner}, ranges: {{{spans}}}")
    results = []
    for text in (small, narrow):
        with neuroport.open(reader.loads(text.encode(), "n.yaml"), backend="reference", chip="generic16") as session:
            session.run_protocol()
            results.append(float(np.max(np.abs(session.get("up.w").reshape(3, 2) - learned("adam", 1)[0]))))
    assert results[0] > 0.1 > 0.01 > results[1]
