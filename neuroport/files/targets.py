"""Distributions to learn, read out of YAML nodes and written."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroport.files.context import Context
from neuroport.network.results import MAX_UNITS
from neuroport.network.stimuli import Boltzmann
from neuroport.network.values import Frozen
from neuroport.yaml.arrays import Sink, numbers
from neuroport.yaml.nodes import Node


def boltzmann(context: Context, name: str, at: Node, node: Node) -> Boltzmann | None:
    """One target, or None with its problems in the report."""
    report = context.report
    what = f"target '{name}'"
    entries = report.mapping(node, what, ("boltzmann",), ("boltzmann",))
    if "boltzmann" not in entries:
        return None
    inner = report.mapping(entries["boltzmann"], f"boltzmann of {what}", ("weights", "biases"), ("weights", "biases"))
    biases = numbers(report, inner.get("biases"), f"biases of {what}", None, context.folder)
    if biases is not None and (biases.ndim != 1 or not 1 <= len(biases) <= MAX_UNITS):
        report.add(
            inner["biases"],
            f"biases of {what} must be a list of 1 to {MAX_UNITS} numbers; found the shape {biases.shape}",
        )
        return None
    shape = None if biases is None else (len(biases), len(biases))
    weights = numbers(report, inner.get("weights"), f"weights of {what}", shape, context.folder)
    if weights is None or biases is None:
        return None
    if not np.array_equal(weights, weights.T):
        row, column = (int(i) for i in np.argwhere(weights != weights.T)[0])
        text = f"weights of {what} must be symmetric; the values at [{row}, {column}] and [{column}, {row}] differ"
        report.add(inner["weights"], text)
        return None
    return Boltzmann(name=name, weights=Frozen(weights), biases=Frozen(biases), place=at.place)


def written_target(item: Boltzmann, sink: Sink) -> dict[str, Any]:
    """A target as it stands in a file."""
    at = f"targets/{item.name}"
    weights, biases = sink.array(item.weights, f"{at}/weights"), sink.array(item.biases, f"{at}/biases")
    return {"boltzmann": {"weights": weights, "biases": biases}}
