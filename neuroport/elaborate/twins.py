"""Twins: which synapse of one projection corresponds to each of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.convolution import Convolution
from neuroport.elaborate.connect import Synapses
from neuroport.errors import InvalidInput
from neuroport.network.objects import Projection
from neuroport.network.twins import leads_back


def twin_index(projection: Projection, own: Synapses, other: Projection, its: Synapses) -> NDArray[np.int64]:
    """For every synapse the number of its twin in the other projection: the one between the same neuron numbers.

    Presynaptic numbers correspond to postsynaptic ones if the twin is transposed.
    Raises InvalidInput for a synapse without a twin, and where several synapses join the same neurons.
    """
    assert projection.twin is not None
    if own.shares or its.shares:
        return _of_entries(projection, own, other)
    pre, post = _pairs(own)
    place = projection.twin.place or projection.place
    shape, its_shape = own.shape, its.shape
    swapped = leads_back(projection, other, shape, its_shape)
    wanted, found = (pre, post), _pairs(its)[::-1] if swapped else _pairs(its)
    for name, pairs in ((projection.name, wanted), (other.name, found)):
        keys = np.sort(_keys(pairs, shape[1]))
        if (keys[1:] == keys[:-1]).any():
            text = f"several synapses of '{name}' join the same neurons, so that none of them has one twin"
            raise InvalidInput.one(place, f"twin of projection '{projection.name}': {text}; connect each pair once")
    keys, its_keys = _keys(wanted, shape[1]), _keys(found, shape[1])
    order = np.argsort(its_keys, kind="stable")
    at = np.searchsorted(its_keys[order], keys)
    there = at < len(order)
    there[there] = its_keys[order[at[there]]] == keys[there]
    if not there.all():
        first = int(np.flatnonzero(~there)[0])
        i, j = int(pre[first]), int(post[first])
        missing = f"{j} -> {i}" if swapped else f"{i} -> {j}"
        text = f"'{other.name}' has no synapse {missing}, so {i} -> {j} has no twin"
        text = f"twin of projection '{projection.name}': {text}; connect both projections alike"
        raise InvalidInput.one(place, text)
    return np.asarray(order[at], np.int64)


def _pairs(synapses: Synapses) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The neurons of synapses, as they count at the ends of the projection."""
    pre, post = synapses.elements.pre, synapses.elements.post
    assert pre is not None
    assert post is not None
    return pre, post


def _of_entries(projection: Projection, own: Synapses, other: Projection) -> NDArray[np.int64]:
    """For every entry of a kernel its number in the other one, which is the same. Raises InvalidInput."""
    assert projection.twin is not None
    one, two = projection.connect, other.connect
    if isinstance(one, Convolution) and isinstance(two, Convolution):
        back = one.transposed != two.transposed
        if one.joints == two.joints and projection.twin.transposed in (None, back):
            return np.arange(own.values.size)
    text = (
        f"twin of projection '{projection.name}': entries of a kernel have twins in a convolution of the same shape, "
    )
    text += f"kernel and so on, which may be transposed; '{other.name}' connects otherwise"
    raise InvalidInput.one(projection.twin.place or projection.place, text)


def _keys(pairs: tuple[NDArray[np.int64], NDArray[np.int64]], width: int) -> NDArray[np.int64]:
    return pairs[0] * np.int64(width) + pairs[1]
