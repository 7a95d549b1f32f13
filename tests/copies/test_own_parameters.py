"""Copies with parameters of their own: each has the bits of a network whose file gives it these values."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.api.copies import run_copies
from neuroport.api.run import Run
from neuroport.files import network as reader
from neuroport.network.network import Network
from tests.support import random_files

COPIES = 3


def changed(network: Network, changes: Mapping[str, Any]) -> Network:
    return neuroport.Network.of(network).with_(changes).build()


def sweep(seed: int, chip: str | None) -> tuple[Network, dict[str, list[Any]]]:
    """A random network, and values of some of its parameters, one for each copy."""
    draw = random.Random(seed)
    network = reader.loads(random_files.network(seed), f"random{seed}.yaml")
    network = changed(network, {"chip": chip}) if chip else network
    owners = [(p.name, p.neuron) for p in network.populations] + [(p.name, p.synapse) for p in network.projections]
    known = [(owner, p) for owner, model in owners for p in model.parameters if p.range is not None]
    chosen = draw.sample(known, min(4, len(known)))
    values = {f"{owner}.{p.name}": [_drawn(draw, p) for _ in range(COPIES)] for owner, p in chosen}
    return network, values


def _drawn(draw: random.Random, parameter: Any) -> Any:
    low, high = parameter.range
    if parameter.type == "int":
        return draw.randint(int(low), int(high))
    number = round(low + draw.random() * (min(high, 200) - low), 3)
    return f"{number} {parameter.unit}" if parameter.unit else number


def outcome(run: Run) -> tuple[Any, ...]:
    return run.digest, run.spikes, run.metrics, run.overflows, run.seed


def agree(seed: int, backend: str) -> None:
    """On an ideal chip against plain files; on the network's own against copies of which there is one."""
    network, values = sweep(seed, "ideal")
    found = run_copies(network, range(COPIES), backend, params=values)
    for k, run in enumerate(found):
        alone = changed(network, {name: of[k] for name, of in values.items()})
        assert outcome(run) == outcome(neuroport.run(alone, backend, seed=k)), (seed, k)
    network, values = sweep(seed, None)
    deviating = "mismatch" in network.chip
    found = run_copies(network, range(COPIES), backend, params=values, chip_seeds=range(COPIES) if deviating else None)
    for k, run in enumerate(found):
        own = {name: of[k : k + 1] for name, of in values.items()}
        (alone_run,) = run_copies(network, k, backend, params=own, chip_seeds=[k] if deviating else None)
        assert outcome(run) == outcome(alone_run), (seed, k)


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_has_the_bits_of_a_network_whose_file_gives_it_these_values(seed: int) -> None:
    agree(seed, "reference")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 40))
def test_a_copy_has_these_bits_of_many_networks(seed: int) -> None:
    agree(seed, "reference")


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(2))
def test_a_copy_has_these_bits_on_the_emulator(seed: int) -> None:
    agree(seed, "emulator")


BATCH = """
neuroport: 1
name: batch
dt: 1 ms
seed: 4
copies:
  params:
    a.noise: [0.1, 0.2, 0.3]
    b.gain: [0.5, 1, 1.5]
    b.tau: [5 ms, 10 ms, 20 ms]
    up.lr: [0.01, 0.02, 0.04]
neurons:
  noisy:
    params:
      noise: {default: 1, range: [0, 1]}
      gain: {default: 1, range: [0, 2]}
      tau: {default: 10 ms, unit: ms, range: [1, 100]}
      level: {default: 0, range: [-1, 1]}
    derived: {half: gain / 2, k: exp(-dt / tau), push: level * gain}
    inputs: {i: {range: [-8, 8]}}
    state: {r: {init: 0, range: [-4, 4]}}
    update: r = k * r + (1 - k) * (gain * i / 2 + half * r / 3 + push) + NOISE
synapses:
  gradient:
    params: {lr: {default: 0.01, range: [0, 0.1], dynamic: true}}
    state:
      w: {weight: true, init: 1, range: [-2, 2], over_copies: shared}
      g: {range: [-1, 1], over_copies: shared}
      e: {init: 0.5, range: [-4, 4]}
    step: |
      g = sum_copies(lr * post.r * pre.r)
      e = e + lr * (pre.r - e)
      send(target, w * pre.r + lr * e)
    on_event:
      each_step: w = w + RATE * (g / copies + mean_copies(lr * e))
      learn: e = e + lr
populations:
  a: {size: 3, neuron: noisy}
  b: {size: 2, neuron: noisy, params: {level: [0.25, -0.75]}}
projections:
  up: {source: a, target: b, synapse: gradient, connect: all_to_all, weight: 0.5}
stimuli:
  bump: {series: {values: [0.5, -0.25, 0.125], every: 7 ms, loop: true}, population: a, input: i}
protocol:
  - run: 20 steps
  - event: learn
  - run: 5 steps
  - set: {up.lr: 0.05}
  - run: 15 steps
metrics: {w: {mean: up.w}, e: {mean: up.e}}
"""


def batch(noise: str = "noise * normal()", rate: float = 0.1, chip: str = "ideal") -> Network:
    return changed(reader.loads(BATCH.replace("NOISE", noise).replace("RATE", str(rate)), "batch.yaml"), {"chip": chip})


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_copies_of_a_batch_have_the_bits_of_runs_of_their_own(chip: str) -> None:
    """Where nothing is learned in common and nothing is drawn, what each has is what it has alone."""
    network = batch("0.125 * noise", 0, chip)
    with neuroport.open(network, "reference") as session:
        session.run_protocol()
        found = {name: session.get(name) for name in ("a.r", "b.r", "up.e")}
    for k in range(COPIES):
        params = {name: _of_copy(value, k) for name, value in network.own_parameters}
        alone = changed(network, {"copies": {"count": 1, "params": params}})
        with neuroport.open(alone, "reference") as session:
            session.run_protocol()
            for name, values in found.items():
                np.testing.assert_array_equal(values[..., k], session.get(name).reshape(len(values)), name)


def _of_copy(value: Any, k: int) -> list[Any]:
    number = value.values.array[k].item()
    return [f"{number} {value.unit}" if value.unit else number]


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
@pytest.mark.parametrize("backend", [pytest.param("emulator"), pytest.param("genn", marks=pytest.mark.dear)])
def test_executors_agree_on_a_batch_with_own_parameters(backend: str, chip: str) -> None:
    if missing := backends.load(backend).missing():
        pytest.skip(missing)
    expected = outcome(neuroport.run(batch(chip=chip), "reference"))
    assert outcome(neuroport.run(batch(chip=chip), backend)) == expected


def test_a_session_gives_each_copy_a_value() -> None:
    with neuroport.open(batch(), "reference") as session:
        session.run(3)
        assert session.get("up.lr").tolist() == [0.01, 0.02, 0.04]
        assert session.get("b.gain").tolist() == [0.5, 1, 1.5]
        session.set("up.lr", [0.03, 0.02, 0.01])
        assert session.get("up.lr").tolist() == [0.03, 0.02, 0.01]
        kept = session.checkpoint()
        session.run(5)
        digest, settings = session.digest(), session.settings()
        assert settings["up.lr"].tolist() == [0.03, 0.02, 0.01]
    with neuroport.open(batch(), "reference") as again:
        again.restore(kept)
        assert again.get("up.lr").tolist() == [0.03, 0.02, 0.01]
        again.run(5)
        assert (again.digest(), again.settings()["up.lr"].tolist()) == (digest, [0.03, 0.02, 0.01])
        again.set("up.lr", 0.05)
        assert again.get("up.lr").tolist() == [0.05] * 3


def test_what_follows_is_computed_for_each_copy() -> None:
    with neuroport.open(batch(), "reference") as session:
        session.set("b.tau", [2, 4, 8])
        found = session.executor.read("b.k")
        np.testing.assert_allclose(found, np.exp(-1 / np.array([2, 4, 8])), rtol=1e-12)
        session.set("b.gain", [0.25, 0.5, 2])
        push = session.executor.read("b.push")
        np.testing.assert_array_equal(push, np.outer([0.25, -0.75], [0.25, 0.5, 2]))
