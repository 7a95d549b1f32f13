"""Rules that a program beside the chip learns by, with the chip in its loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import neuroport
from neuroport.chips.chip import Chip
from neuroport.errors import InvalidInput
from neuroport.session.finite import not_finite
from neuroport.session.session import Session

if TYPE_CHECKING:
    from examples.tssl_rule import Weights

Options = Mapping[str, Any]
Chips = Callable[[tuple[str, ...]], Chip]
"""A chip by the kinds of what can deviate in a network."""


@dataclass(frozen=True)
class Host:
    """`learned`: what a run leaves. `network`: what it has on the chip, and how many steps a pattern takes."""

    learned: Callable[[Options, Chips, int | None], dict[str, Any]]
    network: Callable[[Options], tuple[neuroport.Network, int]]


class Failed(Exception):
    """The arithmetic of a run came to its end: what became of the rule."""


@contextmanager
def arithmetic() -> Iterator[None]:
    """Within it a rule learns: errors of its arithmetic are Failed."""
    try:
        yield
    except ArithmeticError as error:
        raise Failed(f"{type(error).__name__}: {error}".partition("\n")[0]) from error


def options(sets: Sequence[str]) -> dict[str, Any]:
    """Changes as options: "NAME=VALUE"."""
    return {name: json.loads(value) for name, _, value in (text.partition("=") for text in sets)}


def learned(host: str, given: Options, chip: Chips, chip_seed: int | None) -> dict[str, Any]:
    """What a run of a host left. Failed where its arithmetic did."""
    return HOSTS[host].learned(given, chip, chip_seed)


def network(host: str, given: Options) -> tuple[neuroport.Network, int]:
    """The network that a host has on the chip, and how many steps a pattern takes."""
    return HOSTS[host].network(given)


def left(session: Session) -> dict[str, Any]:
    """What a session that has run tells of itself."""
    return {
        "overflows": {name: count for name, count in session.overflows().items() if count},
        "not_finite": not_finite(session.program, session.executor),
        "spikes": session.spike_counts(),
        "steps": session.step,
        "copies": session.program.copies,
    }


def _tssl_bp(given: Options, chip: Chips, chip_seed: int | None) -> dict[str, Any]:
    """TSSL-BP: `data`, `layers`, `epochs`, `in_loop`, `rate`, `seed`, and `part` to be tested by.

    Not in the loop, all is learned without the chip, and what was learned is tested on it.
    """
    from examples import tssl_bp as host

    sizes, rule = given["layers"], host.USUAL
    learn, test = host.tasks(given["data"], part=given.get("part", "test"))
    weights = host.begin(sizes, given["seed"], host.limits_of(sizes))
    rng = np.random.default_rng([given["seed"], 1])
    with host.opened(sizes, rule, weights, chip(("weight", "threshold")), chip_seed) as machine:
        reached = []
        for _ in range(given["epochs"]):
            with arithmetic(), _finite(weights):
                host.train(weights, learn, rule, 1, given["rate"], rng, machine if given["in_loop"] else None)
                reached.append(host.percent(weights, test, rule, machine))
        angles = [host.angles(weights, learn, rule, machine)]
        return {"test": reached, "updates": angles, **left(machine.session)}


def _tssl_bp_network(given: Options) -> tuple[neuroport.Network, int]:
    from examples import tssl_chip, tssl_rule

    sizes, rule = given["layers"], tssl_rule.USUAL
    return tssl_chip.graded(sizes, rule, tssl_rule.limits_of(sizes)), rule.steps + len(sizes) - 1


@contextmanager
def _finite(weights: Weights) -> Iterator[None]:
    """Within it a chip that refuses weights because they are no numbers any more is a FloatingPointError."""
    try:
        yield
    except InvalidInput:
        if all(np.isfinite(layer).all() for layer in weights.layers):
            raise
        raise FloatingPointError("weights are not finite") from None


HOSTS = {"tssl_bp": Host(_tssl_bp, _tssl_bp_network)}
