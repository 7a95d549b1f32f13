"""Which neurons a projection connects: lists of pairs, sorted by presynaptic, then postsynaptic neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import neuroport.connections as connections
from neuroport.connections import Ends
from neuroport.elaborate.values import Elements
from neuroport.errors import InternalError, InvalidInput
from neuroport.network.network import Network
from neuroport.network.objects import Projection
from neuroport.program.verify.objects import sorted_pairs


@dataclass(frozen=True, eq=False)
class Synapses:
    """The synapses of a projection: pre, post (int64), indptr over presynaptic neurons, and their elements.

    Of a projection between parts, elements have the neurons' numbers within these, the others those in the populations.
    """

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    indptr: NDArray[np.int64]
    elements: Elements


def make_synapses(projection: Projection, network: Network) -> Synapses:
    """Draw or read the pairs. Raises InvalidInput when the rule does not fit the populations."""
    ends, rule = Ends.of(projection, network), connections.rule(projection.connect)
    sources, targets = ends.shape
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
    elements = Elements(len(pre), _keys(pre, post, ends.shape), pre, post, ends.shape, given)
    pre, post = ends.source.in_population(pre), ends.target.in_population(post)
    sources = network.population(projection.source).size
    indptr = np.zeros(sources + 1, np.int64)
    np.cumsum(np.bincount(pre, minlength=sources), out=indptr[1:])
    return Synapses(pre, post, indptr, elements)


def _keys(pre: NDArray[np.int64], post: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.uint64]:
    """The numbers of synapses for random draws: that of their pair, and a further one for each repetition of it."""
    sources, targets = shape
    pair = pre.astype(np.uint64) * np.uint64(targets) + post.astype(np.uint64)
    ordinal = np.zeros(len(pre), np.uint64)
    if len(pre):
        first = np.maximum.accumulate(np.where(np.r_[True, pair[1:] != pair[:-1]], np.arange(len(pre)), 0))
        ordinal = (np.arange(len(pre)) - first).astype(np.uint64)
    return pair + ordinal * np.uint64(sources * targets)
