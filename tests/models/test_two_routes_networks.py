"""Rules of feedback weights on the yin-yang figure, in convolutions, and with one image at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import neuroport
from tests.support import needs
from tests.support.planning import identical

RULES = (
    "feedback_alignment",
    "tied_feedback",
    "symmetric_alignment",
    "activation_alignment",
    "weight_mirror",
    "information_alignment",
    "kolen_pollack",
)


@dataclass(frozen=True)
class Task:
    """A network: how many layers of feedback weights it has, its lr, and what makes it short.

    `rates`: those of rules that need others than their defaults.
    """

    layers: int
    lr: float
    brief: tuple[str, ...]
    rates: dict[str, dict[str, float]]


BRIEF = ("copies=4", "protocol.0.repeat=2", "protocol.0.do.0.count=200", "protocol.0.do.1.repeat=1")
TASKS = {
    "two_routes_yinyang": Task(
        2,
        0.3,
        (*BRIEF, "protocol.0.do.2.count=40"),
        {
            "activation_alignment": {"amp": 0.02, "sparse": 0.01},
            "information_alignment": {"amp": 0.002, "null": 0.001, "decay": 0.001},
        },
    ),
    "two_routes_conv": Task(3, 0.2, (*BRIEF, "protocol.0.do.2.count=40"), {}),
    "two_routes_online": Task(
        4,
        0.03,
        ("protocol.0.repeat=2", "protocol.0.do.0.count=40", "protocol.0.do.1.repeat=2", "protocol.0.do.2.count=10"),
        {"weight_mirror": {"amp": 0.005, "decay": 0.005}},
    ),
}


def network(name: str, rule: str, *sets: str) -> Any:
    """The network with a rule."""
    if name != "two_routes_yinyang":
        needs.digits()
    task = TASKS[name]
    layers = range(1, task.layers + 1)
    chosen = [f"down{k}.synapse={rule}" for k in layers]
    chosen += [f"down{k}.params.{rate}={value}" for k in layers for rate, value in task.rates.get(rule, {}).items()]
    if rule in ("symmetric_alignment", "tied_feedback"):
        chosen += [f"down{k}.twin=up{k + 1}" for k in layers]
    if rule == "kolen_pollack":
        chosen += [f"up{k + 1}.params.decay=0.001" for k in layers]
        chosen += [f"down{k}.params.lr={task.lr}" for k in layers]
    return neuroport.load(name, (*chosen, *sets))


def check(name: str, rule: str, chip: str, *which: str) -> None:
    """Every event of the protocol, in a short run."""
    identical(network(name, rule, *TASKS[name].brief), chip, which, steps=1000)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", TASKS)
def test_every_network_takes_every_rule(name: str, rule: str) -> None:
    assert network(name, rule).name == name


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", TASKS)
def test_rules_have_the_same_bits_in_every_network(name: str, rule: str) -> None:
    check(name, rule, "generic8", "reference", "emulator")


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["generic8", "generic16", "generic8_stochastic", "generic8_mismatch10"])
@pytest.mark.parametrize("name", TASKS)
def test_every_network_has_the_same_bits_on_all_executors(name: str, chip: str) -> None:
    rule = "kolen_pollack" if name == "two_routes_conv" else "weight_mirror"
    check(name, rule, chip)


def last(name: str, rule: str, *sets: str) -> dict[str, Any]:
    """What every metric is in the end."""
    found = neuroport.run(network(name, rule, *sets)).metrics
    return {metric: values[-1][1] for metric, values in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "least", "angle", "update"),
    [
        ("tied_feedback", 96, 0.001, 0.001),
        ("symmetric_alignment", 96, 1, 4),
        ("activation_alignment", 96, 18, 20),
        ("weight_mirror", 94, 24, 34),
        ("information_alignment", 89, 50, 60),
        ("kolen_pollack", 96, 55, 36),
        ("feedback_alignment", 93, 90, 95),
    ],
)
def test_convolutions_are_learned(rule: str, least: float, angle: float, update: float) -> None:
    """Least accuracy, largest angle of feedback weights, and of updates of the first kernels."""
    found = last("two_routes_conv", rule)
    assert found["test"] >= least
    assert max(found[f"angle{k}"] for k in (1, 2, 3)) <= angle
    assert found["updates"][0] <= update


@pytest.mark.slow
def test_online_updates_are_ordered_by_rules() -> None:
    """In the first layer, mean of three seeds."""

    def angle(rule: str) -> float:
        found = [last("two_routes_online", rule, f"seed={seed}") for seed in (1, 2, 3)]
        assert min(one["test"] for one in found) > 60
        return float(sum(one["updates"][0] for one in found)) / 3

    middle = [angle("activation_alignment"), angle("weight_mirror")]
    assert angle("tied_feedback") < 0.001
    assert 0.001 < angle("symmetric_alignment") < 15 < min(middle)
    assert max(middle) < angle("feedback_alignment")
