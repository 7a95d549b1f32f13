"""Which neurons a projection connects: lists of pairs, sorted by presynaptic, then postsynaptic neuron."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport.connections as connections
from neuroport.connections import Ends, Rule
from neuroport.elaborate.redrawn import is_redrawn
from neuroport.elaborate.values import Elements
from neuroport.errors import InternalError, InvalidInput
from neuroport.network.network import Network
from neuroport.network.objects import Projection
from neuroport.program.rows import Rows, gathered
from neuroport.program.verify.objects import sorted_pairs
from neuroport.program.wiring import Kernel, Pairs, Wiring


@dataclass(frozen=True, eq=False)
class Synapses:
    """The synapses of a projection, and for what their values are: for each, or for each entry of a kernel.

    Of a projection between parts, elements have the neurons' numbers within these, the others those in the populations.
    `kernel`: the rows of those that share its entries, in numbers within parts.
    """

    wiring: Wiring
    values: Elements
    shape: tuple[int, int]
    kernel: Kernel | None = None

    @property
    def shares(self) -> bool:
        """Whether synapses share the entries of a kernel."""
        return self.kernel is not None

    @property
    def pre(self) -> NDArray[np.int64]:
        """The presynaptic neuron of each."""
        return self.wiring.pre

    @property
    def post(self) -> NDArray[np.int64]:
        """The postsynaptic neuron of each."""
        return self.wiring.post

    @cached_property
    def elements(self) -> Elements:
        """What has one number for each of them."""
        one = self.kernel
        return self.values if one is None else Elements(one.synapses, joined=one, shape=self.shape)


def make_synapses(projection: Projection, network: Network) -> Synapses:
    """Draw or read the pairs. Raises InvalidInput when the rule does not fit the populations."""
    ends, rule = Ends.of(projection, network), connections.rule(projection.connect)
    if rule.wiring is None or rule.axes is None:
        return _listed(projection, network, ends, rule)
    kernel = rule.wiring(projection.connect)
    values = Elements.counted(kernel.entries, rule.axes(projection.connect))
    wiring: Wiring = kernel
    if (ends.source.part, ends.target.part) != (None, None):
        pre, post = ends.source.in_population(kernel.pre), ends.target.in_population(kernel.post)
        indptr = _indptr(pre, network.population(projection.source).size)
        wiring = Pairs(pre, post, indptr, kernel.element, kernel.entry, kernel.entries)
    return Synapses(wiring, values, ends.shape, kernel)


def _listed(projection: Projection, network: Network, ends: Ends, rule: Rule[Any]) -> Synapses:
    """Of a rule that gives pairs."""
    sources, targets = ends.shape
    law = rule.drawn_by(projection.connect, ends)
    if law is not None:
        if is_redrawn(projection):
            rows = Rows.drawn(law, sources, 0, targets)
        else:
            rows = gathered(law.rows(sources), sources, rule.expected(projection.connect, ends), targets)
        return Synapses(rows, Elements(rows.synapses, joined=rows, shape=ends.shape), ends.shape)
    pre, post = rule.pairs(projection.connect, ends)
    if len(pre) and not (pre.min() >= 0 and pre.max() < sources and post.min() >= 0 and post.max() < targets):
        text = f"projection '{projection.name}' has pairs outside {sources} source and {targets} target neurons"
        raise InvalidInput.one(projection.connect.place or projection.place, text)
    given = None
    if rule.ordered:
        given = np.lexsort((np.arange(len(pre)), post, pre))
        pre, post = pre[given], post[given]
    elif not sorted_pairs(pre, post):
        kind = connections.key(projection.connect)
        raise InternalError(f"the connection rule '{kind}' gives pairs that are not sorted by source, then target")
    keys = _keys(pre, post, ends.shape)
    within = Pairs(pre, post, _indptr(pre, sources), keys)
    elements = Elements(len(pre), joined=within, shape=ends.shape, given=given)
    pre, post = ends.source.in_population(pre), ends.target.in_population(post)
    indptr = _indptr(pre, network.population(projection.source).size)
    return Synapses(Pairs(pre, post, indptr, keys), elements, ends.shape)


def _indptr(pre: NDArray[np.int64], sources: int) -> NDArray[np.int64]:
    """Where the row of each presynaptic neuron begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=sources))]).astype(np.int64)


def _keys(pre: NDArray[np.int64], post: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.uint64]:
    """The numbers of synapses for random draws: that of their pair, and a further one for each repetition of it."""
    sources, targets = shape
    pair = pre.astype(np.uint64) * np.uint64(targets) + post.astype(np.uint64)
    ordinal = np.zeros(len(pre), np.uint64)
    if len(pre):
        first = np.maximum.accumulate(np.where(np.r_[True, pair[1:] != pair[:-1]], np.arange(len(pre)), 0))
        ordinal = (np.arange(len(pre)) - first).astype(np.uint64)
    return pair + ordinal * np.uint64(sources * targets)
