"""Which neurons a projection connects: lists of pairs, sorted by presynaptic, then postsynaptic neuron."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuroport.elaborate.values import Elements, read_dataset
from neuroport.errors import InvalidInput
from neuroport.network.objects import Connect, Projection
from neuroport.numerics.draws import Source, bernoulli_pairs, choose


@dataclass(frozen=True, eq=False)
class Synapses:
    """The synapses of a projection: pre, post (int64), indptr over presynaptic neurons, and their elements."""

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    indptr: NDArray[np.int64]
    elements: Elements


def expected_synapses(connect: Connect, sources: int, targets: int, same: bool) -> float:
    """About how many synapses a rule makes, without making them."""
    all_pairs = float(sources) * targets - (sources if same and not connect.self_connections else 0)
    match connect.kind:
        case "all_to_all":
            return all_pairs
        case "one_to_one":
            return float(sources)
        case "fixed_probability":
            return all_pairs * connect.probability
        case "fixed_in_degree":
            return float(targets) * connect.degree
        case "pairs":
            return float(len(connect.pairs.array)) if connect.pairs is not None else 0.0
        case "file":
            return 0.0


def make_synapses(projection: Projection, sources: int, targets: int, seed: int, folder: str) -> Synapses:
    """Draw or read the pairs. Raises InvalidInput when the rule does not fit the populations."""
    connect = projection.connect
    pre, post = _pairs(projection, sources, targets, seed, folder)
    if len(pre) and not (pre.min() >= 0 and pre.max() < sources and post.min() >= 0 and post.max() < targets):
        text = f"projection '{projection.name}' has pairs outside {sources} source and {targets} target neurons"
        raise InvalidInput.one(connect.place or projection.place, text)
    given = None
    if connect.kind in ("pairs", "file"):
        given = np.lexsort((np.arange(len(pre)), post, pre))
        pre, post = pre[given], post[given]
    pair = pre.astype(np.uint64) * np.uint64(targets) + post.astype(np.uint64)
    ordinal = np.zeros(len(pre), np.uint64)
    if len(pre):
        first = np.maximum.accumulate(np.where(np.r_[True, pair[1:] != pair[:-1]], np.arange(len(pre)), 0))
        ordinal = (np.arange(len(pre)) - first).astype(np.uint64)
    keys = pair + ordinal * np.uint64(sources * targets)
    indptr = np.zeros(sources + 1, np.int64)
    np.cumsum(np.bincount(pre, minlength=sources), out=indptr[1:])
    elements = Elements(len(pre), keys, pre, post, (sources, targets), given)
    return Synapses(pre, post, indptr, elements)


def _pairs(
    projection: Projection, sources: int, targets: int, seed: int, folder: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    connect = projection.connect
    drop_self = projection.source == projection.target and not connect.self_connections
    source = Source(seed, projection.name, "connect")
    match connect.kind:
        case "all_to_all":
            pre = np.repeat(np.arange(sources), targets)
            post = np.tile(np.arange(targets), sources)
        case "one_to_one":
            if sources != targets:
                sizes = f"'{projection.source}' has {sources}, '{projection.target}' {targets}"
                text = f"one_to_one needs populations of equal size; {sizes}"
                raise InvalidInput.one(connect.place or projection.place, text)
            pre = post = np.arange(sources)
        case "fixed_probability":
            pre, post = bernoulli_pairs(source, connect.probability, sources, targets)
        case "fixed_in_degree":
            return _in_degree(source, connect.degree, sources, targets, drop_self)
        case "pairs":
            data = connect.pairs.array if connect.pairs is not None else np.zeros((0, 2))
            pairs = np.asarray(data, np.int64).reshape(-1, 2)
            return pairs[:, 0], pairs[:, 1]
        case "file":
            pairs = np.asarray(read_dataset(Path(folder) / connect.file, connect.dataset), np.int64).reshape(-1, 2)
            return pairs[:, 0], pairs[:, 1]
    if drop_self:
        keep = pre != post
        pre, post = pre[keep], post[keep]
    return pre, post


def _in_degree(
    source: Source, degree: int, sources: int, targets: int, drop_self: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`degree` different presynaptic neurons for every target, sorted by presynaptic neuron."""
    pre = choose(source, sources - 1 if drop_self else sources, degree, targets)
    if drop_self:
        pre = pre + (pre >= np.arange(targets)[:, None])
    flat = pre.reshape(-1).astype(np.int64)
    post = np.repeat(np.arange(targets), degree)
    order = np.lexsort((post, flat))
    return flat[order], post[order]
