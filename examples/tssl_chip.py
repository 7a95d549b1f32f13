"""TSSL-BP: a chip in the host's loop, over a session in this process or one that is served.

The chip runs the forward pass of a batch, one pattern in each copy of the network, and the host hears the spikes of
every layer alone. It knows the weights that it wrote, not what the circuits make of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import neuroport
from examples.tssl_rule import Floats, Rule, Weights
from neuroport import Write, hil
from neuroport.chips import description
from neuroport.chips.chip import Chip as Description
from neuroport.errors import InvalidInput, Place
from neuroport.program.ir import Int

BATCH = 50
"""Patterns at a time, and copies of a network for a chip."""
LARGEST_EVEN = 254
"""The largest mantissa of a Loihi projection with weights of both signs, which are even."""
FULL = 16
"""At so much an encoder cell spikes."""


@dataclass(frozen=True)
class Form:
    """How weights and patterns are written on a chip.

    A weight is held as a multiple of 1 / `grid` and written times `scale`, both per layer; `whole`: as an int.
    """

    grid: Sequence[float]
    scale: Sequence[float]
    whole: bool = False

    def visible(self, weights: Weights) -> list[Floats]:
        """Weights as they are when all circuits are as designed, none of them beyond the limits."""
        found = []
        for w, limit, grid in zip(weights.layers, weights.limits, self.grid, strict=True):
            most = np.floor(limit * grid + 1e-6)
            found.append(w if np.isinf(grid) else np.clip(np.round(w * grid), -most, most) / grid)
        return found


def named(sizes: Sequence[int]) -> list[str]:
    """The populations of a network of such layers."""
    return ["x", *(f"h{k}" for k in range(1, len(sizes) - 1)), "y"]


def graded(sizes: Sequence[int], rule: Rule, limits: Sequence[float]) -> neuroport.Network:
    """A network of such layers that takes values and sends filtered spikes: `tssl_bp` with other sizes.

    `limits`: the largest weight of each layer.
    """
    net = neuroport.Network(dt="1 ms", name="tssl_bp", copies=BATCH)
    net.population("x", sizes[0], "tssl_bp_input", tau_s=rule.tau_s)
    cell = {"tau_m": rule.tau_m, "tau_s": rule.tau_s, "th": rule.threshold}
    for name, size in zip(named(sizes)[1:], sizes[1:], strict=True):
        net.population(name, size, "tssl_bp_lif", params=cell)
    return joined(net, sizes, "tssl_bp", "ff", limits, {"inject": "x.x"})


def integers(sizes: Sequence[int], rule: Rule, scale: Sequence[float]) -> neuroport.Network:
    """The same in Loihi's integers, that takes spikes: `tssl_bp_loihi` with other sizes.

    `scale`: the mantissa of a weight of 1 in each layer.
    """
    net = neuroport.Network(dt="1 ms", name="tssl_bp_loihi", copies=BATCH)
    net.population("x", sizes[0], "tssl_bp_encoder", full=FULL)
    cell = {"du": round(4096 / rule.tau_s) - 1, "dv": round(4096 / rule.tau_m)}
    for name, size, one in zip(named(sizes)[1:], sizes[1:], scale, strict=True):
        net.population(name, size, "loihi_lif", params=cell | {"vth": round(rule.threshold * rule.tau_s * one)})
    ends = [LARGEST_EVEN] * len(scale)
    return joined(net, sizes, "tssl_bp_loihi", "a_in", ends, {"inject": "x.level", "range": [0, FULL]})


def joined(
    net: neuroport.Network, sizes: Sequence[int], synapse: str, target: str, ends: Sequence[float], shown: Any
) -> neuroport.Network:
    """The same with its weights, and with what the host writes and hears."""
    names = named(sizes)
    net.port("shown", **shown)
    for k, (below, above) in enumerate(pairwise(names), 1):
        ranges = {"w": [-ends[k - 1], ends[k - 1]]}
        net.project(below, above, synapse, input=target, connect="all_to_all", weight=0, ranges=ranges, name=f"up{k}")
        net.port(f"weights{k}", read=f"up{k}.w", write=True)
        net.port(f"spikes{k}", spikes=above)
    net.record(spikes=names[1:])
    return net


class Chip:
    """A session of such a network: `Chip(...)(patterns)` is what spikes there were."""

    def __init__(self, session: Any, sizes: Sequence[int], rule: Rule, form: Form) -> None:
        self.session, self.sizes, self.rule, self.form = session, sizes, rule, form
        self.copies = session.describe()["copies"]
        self.populations = named(sizes)
        self.outputs = [f"spikes{k}" for k in range(1, len(sizes))]

    def load(self, weights: Weights) -> list[Floats]:
        """Write all weights; what they are when all circuits are as designed."""
        visible = self.form.visible(weights)
        for k, (w, scale) in enumerate(zip(visible, self.form.scale, strict=True), 1):
            written = w.T.ravel() * scale
            self.session.set(f"weights{k}", np.round(written) if self.form.whole else written)
        return visible

    def made(self) -> list[Floats]:
        """What the circuits made of the weights; only an emulator can be asked."""
        layers = enumerate(zip(pairwise(self.sizes), self.form.scale, strict=True), 1)
        return [self.session.get(f"up{k}.w").reshape(shape).T / scale for k, (shape, scale) in layers]

    def __call__(self, shown: Floats) -> list[Floats]:
        """The spikes (steps, batch, cells) of every layer above the input for any number of patterns."""
        pieces = [self._batch(shown[k : k + self.copies]) for k in range(0, len(shown), self.copies)]
        return [np.concatenate(layer, axis=1) for layer in zip(*pieces, strict=True)]

    def _batch(self, shown: Floats) -> list[Floats]:
        steps, many = self.rule.steps, len(shown)
        whole = np.zeros((self.copies, *shown.shape[1:]))
        whole[:many] = shown
        self.session.reset(*self.populations)
        start = self.session.step
        if shown.ndim == 2:
            writes = [Write("shown", whole.T, hold=steps)]
        else:
            writes = [Write("shown", whole[:, t].T, at=start + t) for t in range(steps)]
        answer = self.session.exchange(writes, steps + len(self.outputs), self.outputs)
        found = []
        for k, name in enumerate(self.outputs, 1):
            when, cells = answer.outputs[name]
            spikes = np.zeros((steps + len(self.outputs), self.sizes[k] * self.copies))
            spikes[when - start, cells] = 1
            spikes = spikes[k : k + steps].reshape(steps, self.sizes[k], self.copies)
            found.append(np.swapaxes(spikes, 1, 2)[:, :many])
        return found


@contextmanager
def opened(
    sizes: Sequence[int],
    rule: Rule,
    weights: Weights,
    chip: str | Description,
    chip_seed: int | None = None,
    address: str = "",
) -> Iterator[Chip]:
    """A chip with such layers: on Loihi of cells with spikes only, else of those that send filtered spikes.

    `address`: of a server that has the network; InvalidInput where it has other layers, NotWritten where none is there.
    """
    network, form = on(chip, sizes, rule, weights)
    session: Any
    if address:
        name = chip if isinstance(chip, str) else chip.name
        session = hil.connect(address, chip=name, chip_seed=chip_seed, keep=0)
    else:
        session = neuroport.open(network, chip=chip, chip_seed=chip_seed, keep=0)
    with session:
        if address:
            check(session.describe(), sizes, address)
        yield Chip(session, sizes, rule, form)


def check(described: Mapping[str, Any], sizes: Sequence[int], address: str) -> None:
    """Raise InvalidInput where the network that is served is not one of such layers."""
    found = {port["name"]: port["size"] for port in described["ports"]}
    layers = [size for name, size in found.items() if name == "shown" or name.startswith("spikes")]
    wanted = {"shown": sizes[0]}
    for k, (below, above) in enumerate(pairwise(sizes), 1):
        wanted |= {f"weights{k}": below * above, f"spikes{k}": above}
    if found != wanted:
        served = f"layers of {'-'.join(map(str, layers))} cells" if layers else "no port `shown` and no spikes"
        text = f"serves '{described['network']}', which has {served}; asked for are {'-'.join(map(str, sizes))}"
        raise InvalidInput.one(Place(address), text)


def on(chip: str | Description, sizes: Sequence[int], rule: Rule, weights: Weights) -> tuple[neuroport.Network, Form]:
    """The network for a chip, and how weights are written on it."""
    if spikes_only(chip):
        scale = [LARGEST_EVEN / float(np.max(np.abs(w))) for w in weights.layers]
        return integers(sizes, rule, scale), Form([one / 2 for one in scale], scale, whole=True)
    network = graded(sizes, rule, weights.limits)
    arrays = neuroport.compile(network, chip).arrays
    types = [arrays[f"up{k}.w"].type for k in range(1, len(sizes))]
    return network, Form([2.0**one.frac if isinstance(one, Int) else np.inf for one in types], [1.0] * len(types))


def spikes_only(chip: str | Description) -> bool:
    """Whether a chip sends spikes only."""
    return not (description.load(chip) if isinstance(chip, str) else chip).limits.graded
