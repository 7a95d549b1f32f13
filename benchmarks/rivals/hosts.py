"""Rules that a program beside the chip learns by, with the chip in its loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import neuroport
from neuroport.chips.chip import Chip
from neuroport.session.finite import not_finite
from neuroport.session.session import Session

Options = Mapping[str, Any]
Chips = Callable[[tuple[str, ...]], Chip]
"""A chip by the kinds of what can deviate in a network."""


def options(sets: Sequence[str]) -> dict[str, Any]:
    """Changes as options: "NAME=VALUE"."""
    return {name: json.loads(value) for name, _, value in (text.partition("=") for text in sets)}


def learned(host: str, given: Options, chip: Chips, chip_seed: int | None) -> dict[str, Any]:
    """What a run of a host left."""
    return HOSTS[host][0](given, chip, chip_seed)


def network(host: str, given: Options) -> tuple[neuroport.Network, int]:
    """The network that a host has on the chip, and how many steps a pattern takes."""
    return HOSTS[host][1](given)


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
            host.train(weights, learn, rule, 1, given["rate"], rng, machine if given["in_loop"] else None)
            reached.append(host.percent(weights, test, rule, machine))
        angles = [host.angles(weights, learn, rule, machine)]
        return {"test": reached, "updates": angles, **left(machine.session)}


def _tssl_bp_network(given: Options) -> tuple[neuroport.Network, int]:
    from examples import tssl_chip, tssl_rule

    sizes, rule = given["layers"], tssl_rule.USUAL
    return tssl_chip.graded(sizes, rule, tssl_rule.limits_of(sizes)), rule.steps + len(sizes) - 1


HOSTS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[[Options], tuple[neuroport.Network, int]]]] = {
    "tssl_bp": (_tssl_bp, _tssl_bp_network),
}
