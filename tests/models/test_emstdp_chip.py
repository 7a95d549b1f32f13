"""EMSTDP in whole numbers: against an independent program, what it does to weights, drift of counts, digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import neuroport
from neuroport import networks
from neuroport.files import network as reader
from neuroport.session.session import Session
from tests.oracles.emstdp_chip import Chip
from tests.support import needs
from tests.support.planning import identical

Real = NDArray[np.float64]

CELLS = ("x", "h", "y", "label", "y_more", "y_less", "h_more", "h_less")
SIZES = {"x": 6, "h": 8, "y": 3, "label": 3}
THETA = {"h": 90, "y": 40}
PATTERNS, HOLD = 12, 128
WHOLE = ("protocol.0.do.0.each.0.at=0 steps", "protocol.0.do.0.each.3.at=64 steps")
"""Counts of whole phases."""


def given() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What the inputs get in every step of each pattern, and goals."""
    rng = np.random.default_rng(2)
    return rng.integers(0, 241, (PATTERNS, SIZES["x"])), np.eye(3, dtype=int)[rng.integers(0, 3, PATTERNS)]


def small(count: int = PATTERNS) -> Any:
    """The shipped network with fewer cells, which learns so many of the patterns, each once."""
    path = networks.path("emstdp_chip")
    tree: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    for name, population in tree["populations"].items():
        population["size"] = SIZES[name[0] if name != "label" else name]
    for name, theta in THETA.items():
        tree["populations"][name]["params"] = {"theta": theta, "least": -theta}
        tree["projections"][f"{name}_up"]["weight"] = theta
        tree["projections"][f"{name}_down"]["weight"] = -theta
    inputs, goals = given()
    patterns = {"values": inputs.tolist(), "hold": f"{HOLD} steps"}
    tree["stimuli"] = {
        "train": {"patterns": patterns, "population": "x", "input": "p"},
        "goals": {"patterns": {"values": goals.tolist(), "beside": "train"}, "population": "label", "input": "goal"},
    }
    tree["protocol"] = [tree["protocol"][0]["do"][0] | {"count": count}]
    tree["record"] = {"spikes": "all"}
    del tree["readouts"], tree["metrics"]
    return reader.loads(yaml.safe_dump(tree, sort_keys=False).encode(), "small.yaml", str(path.parent))


def trains(session: Session) -> dict[str, Real]:
    """(pattern, step, cell) of each population: 1 at a spike."""
    found = {}
    for name in CELLS:
        rows = np.zeros((PATTERNS * HOLD, SIZES[name[0] if name != "label" else name]))
        rows[session.spikes(name)] = 1
        found[name] = rows.reshape(PATTERNS, HOLD, -1)
    return found


def begun(session: Session) -> Chip:
    """The program with the weights that a network begins with."""
    shapes = {"up1": (6, 8), "up2": (8, 3), "more_more": (3, 8)}
    weights = {name: session.get(f"{name}.w").reshape(shape).astype(float) for name, shape in shapes.items()}
    return Chip(*weights.values(), (THETA["h"], THETA["y"]), HOLD // 2, 8)


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_with_real_weights_every_spike_is_that_of_the_program(backend: str) -> None:
    with neuroport.open(small(), backend=backend, chip="ideal") as session:
        program = begun(session)
        first = program.up1.copy(), program.up2.copy()
        session.run_protocol()
        found = trains(session)
        for number, (charges, goals) in enumerate(zip(*given(), strict=True)):
            expected = program.show(charges.astype(float), goals.astype(float))
            for name in CELLS:
                np.testing.assert_array_equal(found[name][number], expected[name], err_msg=f"{name} {number}")
        assert all(np.any(rows) for rows in found.values())
        for name, before, weights in (("up1", first[0], program.up1), ("up2", first[1], program.up2)):
            assert np.max(np.abs(weights - before)) > 2
            np.testing.assert_array_equal(session.get(f"{name}.w").reshape(weights.shape), weights)


@pytest.mark.dear
def test_weights_are_of_eight_bits_and_move_by_chance() -> None:
    """A change is rounded up or down to a step of two; on average over seeds it is what the rule says."""
    inputs, goals = given()
    network, found = small(count=1), []
    for seed in range(40):
        with neuroport.open(network, backend="emulator", seed=seed) as session:
            program, before = begun(session), session.get("up1.w")
            session.run_protocol()
            after = session.get("up1.w")
        assert not np.any(after % 2) and after.min() >= -256 and after.max() <= 254
        found.append(after - before)
    program.show(inputs[0].astype(float), goals[0].astype(float))
    change = program.up1.reshape(-1) - before
    assert np.max(np.abs(np.array(found) - change)) < 2
    assert np.max(np.abs(np.mean(found, axis=0) - change)) < 4.5 / np.sqrt(len(found))
    assert len({tuple(row) for row in found}) > 10


@pytest.mark.slow
@pytest.mark.parametrize("chip", [None, "generic16", "generic8", "generic8_stochastic", "generic8_mismatch10"])
@pytest.mark.parametrize("name", ["emstdp", "emstdp_deep", "emstdp_chip", "emstdp_chip_deep"])
def test_every_executor_has_the_same_bits(name: str, chip: str | None) -> None:
    """More than 1,000 steps, with every event of the protocol in each pattern."""
    if chip is None and not name.startswith("emstdp_chip"):
        pytest.skip("is float64 on its own chip")
    needs.digits()
    network = neuroport.load(name, () if name.startswith("emstdp_chip") else ("copies=5",))
    identical(network, chip, steps=1280)


def drift(seed: int, sets: Sequence[str] = ()) -> tuple[float, float]:
    """Mean of what the second phase has more than the first, of h and y, without a teacher; weights stay."""
    needs.digits()
    path = networks.path("emstdp_chip")
    tree: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    learning = tree["protocol"][0]["do"][0]
    learning["each"] = [one for one in learning["each"] if one.get("event") not in ("teach", "learn")]
    reads = {f"{name}_{one}": {"samples": {"of": f"{name}.{one}", "reduce": "last"}} for name in "hy" for one in "nh"}
    tree["readouts"], tree["metrics"] = reads, {name: {"mean": name} for name in reads}
    tree["protocol"] = [{"repeat": 1, "do": [learning | {"count": 200, "readout": list(reads)}]}]
    text = yaml.safe_dump(tree, sort_keys=False).encode()
    network = reader.loads(text, "silent.yaml", str(path.parent), [f"seed={seed}", *sets])
    mean = {name: values[-1][1] for name, values in neuroport.run(network).metrics.items()}
    return mean["h_n"] - mean["h_h"], mean["y_n"] - mean["y_h"]


@pytest.mark.dear
def test_counts_drift_without_a_teacher_unless_the_first_steps_of_both_phases_are_left_out() -> None:
    whole = ("protocol.0.do.0.each.0.at=0 steps", "protocol.0.do.0.each.2.at=64 steps")
    assert max(np.abs(np.mean([drift(seed) for seed in (1, 2, 3)], axis=0))) < 0.15
    assert min(np.mean([drift(seed, whole) for seed in (1, 2, 3)], axis=0)) > 0.15


def learned(seed: int, sets: Sequence[str] = (), chip: str | None = None) -> list[float]:
    """Percent of the test images that are right, after each epoch."""
    needs.digits()
    run = neuroport.run(neuroport.load("emstdp_chip", [f"seed={seed}", *sets]), chip=chip)
    return [value for _, value in run.metrics["test"]]


@pytest.mark.dear
def test_digits_are_learned_in_an_epoch() -> None:
    assert learned(1, ["protocol.0.repeat=1"])[-1] > 80


@pytest.mark.slow
def test_digits_of_three_seeds() -> None:
    assert np.mean([learned(seed)[-3:] for seed in (1, 2, 3)]) >= 95


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_digits_are_forgotten_where_whole_phases_are_counted(seed: int) -> None:
    found = learned(seed, WHOLE)
    assert np.mean(found[-3:]) < max(found) - 5
