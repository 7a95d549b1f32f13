# What Numba compiles has no types that mypy knows.
# mypy: ignore-errors
"""Programs written by hand for one network each, in Numba, as tightly as their author could: the bar for the emulator.

State and sums are 32 bits, a static synapse has 3 bytes, neurons are computed without a branch, their spikes are
listed afterwards, and the row after next is fetched ahead.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from benchmarks.peers.networks import DECAY_U, DECAY_V, THRESHOLD, Balanced

AHEAD = 2


@intrinsic
def _prefetch(typing, array, index):
    """Ask for the cache line of array[index]."""

    def generate(context, builder, signature, args):
        values = context.make_array(signature.args[0])(context, builder, args[0])
        address = builder.bitcast(builder.gep(values.data, [args[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [address, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@njit(cache=True, error_model="numpy")
def _fetch_row(post, weight, indptr, i):
    for s in range(indptr[i], indptr[i + 1], 64):
        _prefetch(weight, s)
    for s in range(indptr[i], indptr[i + 1], 32):
        _prefetch(post, s)


@njit(cache=True, error_model="numpy")
def _neurons(u, v, row, fired, decay_u, decay_v, bias, limit):
    for i in range(u.shape[0]):
        p = np.int64(u[i]) * np.int64(decay_u)
        q = np.int64(v[i]) * np.int64(decay_v)
        now = np.int32(np.int32((p + ((p >> 63) & 4095)) >> 12) + np.int32(row[i] << 6))
        volt = np.int32(np.int32(np.int32((q + ((q >> 63) & 4095)) >> 12) + now) + bias)
        spiking = volt > limit
        u[i] = now
        v[i] = np.int32(0) if spiking else volt
        fired[i] = spiking
        row[i] = 0


@njit(cache=True, error_model="numpy")
def _listed(fired, words, listed):
    count = 0
    for word in range(words.shape[0]):
        if words[word] != 0:
            for i in range(8 * word, 8 * word + 8):
                if fired[i]:
                    listed[count] = i
                    count += 1
    return count


@njit(cache=True, error_model="numpy", nogil=True)
def _uniform(
    t0, steps, u, v, sums, fired, words, listed, count, indptr, post, weight, bias, limit, kept_steps, kept_neurons
):
    filled = 0
    for t in range(t0, t0 + steps):
        for spike in range(count[0]):
            if spike + AHEAD < count[0]:
                _fetch_row(post, weight, indptr, listed[spike + AHEAD])
            i = listed[spike]
            first = indptr[i]
            targets = post[first : indptr[i + 1]]
            weights = weight[first : indptr[i + 1]]
            for s in range(targets.shape[0]):
                sums[targets[s]] += np.int32(weights[s])
        _neurons(u, v, sums, fired, np.int32(DECAY_U), np.int32(DECAY_V), bias, limit)
        count[0] = _listed(fired, words, listed)
        for k in range(count[0]):
            kept_steps[filled] = t
            kept_neurons[filled] = listed[k]
            filled += 1
    return filled


@njit(cache=True, error_model="numpy", nogil=True)
def _delayed(t0, steps, u, v, ring, fired, words, listed, count, indptr, packed, bias, limit, kept_steps, kept_neurons):
    filled = 0
    slots, row = ring.shape
    places = ring.reshape(slots * row)
    mask = np.uint32(slots * row - 1)
    for t in range(t0, t0 + steps):
        now = np.uint32((t - 1) * row)
        for spike in range(count[0]):
            if spike + AHEAD < count[0]:
                ahead = listed[spike + AHEAD]
                for s in range(indptr[ahead], indptr[ahead + 1], 16):
                    _prefetch(packed, s)
            i = listed[spike]
            synapses = packed[indptr[i] : indptr[i + 1]]
            for s in range(synapses.shape[0]):
                word = synapses[s]
                places[np.uint32(word + now) & mask] += np.int32(np.int32(word) >> np.int32(24))
        _neurons(u, v, ring[t & (slots - 1)], fired, np.int32(DECAY_U), np.int32(DECAY_V), bias, limit)
        count[0] = _listed(fired, words, listed)
        for k in range(count[0]):
            kept_steps[filled] = t
            kept_neurons[filled] = listed[k]
            filled += 1
    return filled


class _State:
    """What all programs have: neurons, their flags and lists, and what is recorded."""

    def __init__(self, network: Balanced, room: int) -> None:
        padded = -(-network.size // 8) * 8
        self.t = 0
        self.u, self.v = np.zeros(network.size, np.int32), network.v.astype(np.int32)
        self.fired = np.zeros(padded, np.bool_)
        self.listed, self.count = np.zeros(padded, np.uint32), np.zeros(1, np.int64)
        self.indptr = network.indptr.astype(np.uint32)
        self.bias, self.limit = np.int32(network.bias), np.int32(64 * THRESHOLD)
        self.steps, self.neurons = np.zeros(room, np.int64), np.zeros(room, np.uint32)

    @property
    def flags(self) -> tuple[NDArray[np.bool_], NDArray[np.uint64], NDArray[np.uint32], NDArray[np.int64]]:
        """What neurons' spikes are listed with."""
        return self.fired, self.fired.view(np.uint64), self.listed, self.count

    @property
    def rest(self) -> tuple[np.int32, np.int32, NDArray[np.int64], NDArray[np.uint32]]:
        """The last arguments of all programs."""
        return self.bias, self.limit, self.steps, self.neurons

    def after(self, steps: int, filled: int) -> NDArray[np.int64]:
        """So many steps are done; their spikes as rows (step, neuron)."""
        self.t += steps
        return np.stack([self.steps[:filled], self.neurons[:filled].astype(np.int64)], axis=1)


class Static:
    """`balanced` with a delay of one step: two bytes of a synapse say where it leads, one is its weight."""

    def __init__(self, network: Balanced, room: int) -> None:
        self._state = _State(network, room)
        self._sums = np.zeros(network.size, np.int32)
        self._post, self._weight = network.post.astype(np.uint16), network.weight.astype(np.int8)

    def run(self, steps: int) -> NDArray[np.int64]:
        """So many steps; the spikes as rows (step, neuron)."""
        s = self._state
        filled = _uniform(
            s.t, steps, s.u, s.v, self._sums, *s.flags, s.indptr, self._post, self._weight, *s.rest
        )  # fmt: skip
        return s.after(steps, filled)


class Delayed:
    """`balanced` with delays of 1 to 8 steps: weight, delay and target share a word, sums are a ring."""

    def __init__(self, network: Balanced, room: int) -> None:
        self._state = _State(network, room)
        row = 1 << (network.size - 1).bit_length()
        self._ring = np.zeros((8, row), np.int32)
        places = network.delay * row + network.post
        self._packed = ((network.weight << 24) + (places % (8 * row))).astype(np.uint32)

    def run(self, steps: int) -> NDArray[np.int64]:
        """So many steps; the spikes as rows (step, neuron)."""
        s = self._state
        filled = _delayed(s.t, steps, s.u, s.v, self._ring, *s.flags, s.indptr, self._packed, *s.rest)
        return s.after(steps, filled)
