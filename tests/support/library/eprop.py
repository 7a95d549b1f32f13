"""E-prop: the first second of the published task, and what is learned of it."""

from __future__ import annotations

import numpy as np

import neuroport
from tests.oracles import published_eprop as oracle
from tests.support.published.model import Model, Numbers, Row

PLASTIC = {"clock_to_cells": (20, 100), "cells_to_cells": (100, 100), "cells_to_outputs": (100, 3)}


def numbers(loss: float, power: float, changes: list[np.ndarray]) -> Numbers:
    """The rows: how large the changes of all weights of a projection are together."""
    found = {"error, relative to the goal": loss / power}
    return found | {
        f"change of {name}, all together": float(np.linalg.norm(change))
        for name, change in zip(PLASTIC, changes, strict=True)
    }


def dense(session: neuroport.Session, projection: str, shape: tuple[int, int]) -> np.ndarray:
    """The weights of a projection, (from, to)."""
    pre, post, weights = session.weights(projection)
    found = np.zeros(shape)
    found[pre, post] = weights
    return found


def measure(chip: str, _: int) -> Numbers:
    with neuroport.open(neuroport.load("published/eprop", ["protocol.0.repeat=1"]), "emulator", chip) as session:
        first = [dense(session, *one) for one in PLASTIC.items()]
        session.run_protocol()
        last = [dense(session, *one) for one in PLASTIC.items()]
        loss, power = (session.results[name][0][1] for name in ("loss", "power"))
    assert isinstance(loss, float) and isinstance(power, float)
    return numbers(loss, power, [b - a for a, b in zip(first, last, strict=True)])


def independent(_: int) -> Numbers:
    """With the weights that the network begins with, and its goal."""
    with neuroport.open(neuroport.load("published/eprop"), "reference", "ideal") as session:
        shapes = {**PLASTIC, "outputs_to_cells": (3, 100)}
        first = oracle.Weights(*(dense(session, *one) for one in shapes.items()))
        goal = oracle.goal(dense(session, "waves_to_outputs", (4, 3)), session.get("waves_to_outputs.q").reshape(4, 3))
    before = [weights.copy() for weights in (first.inward, first.recurrent, first.out)]
    loss = oracle.Learner(first).second(oracle.inputs(), goal)
    after = (first.inward, first.recurrent, first.out)
    return numbers(loss, float((goal**2).sum(axis=0).mean()), [b - a for a, b in zip(before, after, strict=True)])


MODEL = Model(
    name="eprop",
    source="Bellec et al., Nature Commun. 11 (2020) 3625",
    rows=(
        Row("error, relative to the goal"),
        *(Row(f"change of {name}, all together") for name in PLASTIC),
    ),
    measure=measure,
    independent=independent,
)
