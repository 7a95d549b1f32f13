# What Numba compiles has no types that mypy knows.
# mypy: ignore-errors
"""Pair STDP written by hand in Numba: weights of 16 bits by row, and where they are by column.

The formats are those of `networks.plastic`: voltages have 24 fractional bits, traces 12.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.peers.networks import Plastic
from benchmarks.peers.prototype import AHEAD, _listed, _prefetch

FAR = 16
"""How many synapses of a column are asked for ahead."""
LOWEST, HIGHEST = -90 << 24, -40 << 24
TOP = 15 << 12
"""The largest trace."""


def program(number: dict[str, int]) -> Any:
    """A run with the numbers of a network as literals."""
    rest, reset, threshold, pause = (np.int32(number[k]) for k in ("rest", "reset", "threshold", "pause"))
    decay_v, decay = np.int64(number["decay_v"]), np.uint32(number["decay"])
    plus, minus, w_max = (np.int32(number[k]) for k in ("plus", "minus", "w_max"))
    w_shift, jump, inh = np.int32(number["w_shift"]), np.int64(number["jump"]), np.int32(number["inh"])
    half = np.int32(1 << (number["w_shift"] - 1))
    base, held = np.int64(number["rest"]) << 40, np.int64(number["reset"]) << 40
    v_rest, v_reset, v_th = np.int32(rest << 24), np.int32(reset << 24), np.int32(threshold << 24)

    @njit(error_model="numpy")
    def neurons(v, ref, x, y, sums, fired):
        for i in range(v.shape[0]):
            volt = base + np.int64(np.int32(v[i] - v_rest)) * decay_v + (np.int64(sums[i]) << jump)
            waits = np.int32(ref[i])
            volt = volt if waits == 0 else held
            now = np.int32(min(max((volt + 32768 + (volt >> 63)) >> 16, LOWEST), HIGHEST))
            spiking = now >= v_th
            fired[i] = spiking
            v[i] = v_reset if spiking else now
            ref[i] = pause if spiking else np.int32(max(waits - np.int32(1), np.int32(0)))
            more = np.uint32(np.uint32(spiking) << np.uint32(28))
            x[i] = min(np.uint32(np.uint32(np.uint32(x[i]) * decay + more + np.uint32(32768)) >> np.uint32(16)), TOP)
            y[i] = min(np.uint32(np.uint32(np.uint32(y[i]) * decay + more + np.uint32(32768)) >> np.uint32(16)), TOP)
            sums[i] = 0

    @njit(error_model="numpy")
    def learning(post, weight, y, sums):
        for s in range(post.shape[0]):
            j = post[s]
            w = np.int32(weight[s])
            sums[j] += w
            moved = np.int32(np.int32(w << w_shift) - np.int32(minus * np.int32(y[j])))
            moved = min(max(moved, np.int32(0)), w_max)
            weight[s] = np.int32(moved + half) >> w_shift

    @njit(error_model="numpy")
    def fixed(post, weight, sums):
        for s in range(post.shape[0]):
            sums[post[s]] += np.int32(np.int32(weight[s]) << inh)

    @njit(error_model="numpy")
    def back(first, last, column, source, weight, x):
        for entry in range(last - first):
            at = first + np.uint32(entry)
            _prefetch(weight, column[at + np.uint32(FAR)])
            s = column[at]
            moved = np.int32(np.int32(np.int32(weight[s]) << w_shift) + np.int32(plus * np.int32(x[source[at]])))
            moved = min(max(moved, np.int32(0)), w_max)
            weight[s] = np.int32(moved + half) >> w_shift

    @njit(error_model="numpy")
    def fetch(array, first, last):
        for s in range(first, last, 32):
            _prefetch(array, s)

    @njit(error_model="numpy", nogil=True)
    def run(
        t0, steps, excitatory, v, ref, x, y, sums, fired, words, listed, count, rows, post, weight, columns, column,
        source, fixed_rows, fixed_post, fixed_weight, kept_steps, kept_neurons,
    ):  # fmt: skip
        filled = 0
        for t in range(t0, t0 + steps):
            for spike in range(count[0]):
                if spike + AHEAD < count[0]:
                    k = listed[spike + AHEAD]
                    if k < excitatory:
                        fetch(post, rows[k], rows[k + 1])
                        fetch(weight, rows[k], rows[k + 1])
                    else:
                        fetch(fixed_post, fixed_rows[k], fixed_rows[k + 1])
                        fetch(fixed_weight, fixed_rows[k], fixed_rows[k + 1])
                i = listed[spike]
                if i < excitatory:
                    learning(post[rows[i] : rows[i + 1]], weight[rows[i] : rows[i + 1]], y, sums)
                else:
                    a, b = fixed_rows[i], fixed_rows[i + 1]
                    fixed(fixed_post[a:b], fixed_weight[a:b], sums)
            for spike in range(count[0]):
                j = listed[spike]
                back(columns[j], columns[j + 1], column, source, weight, x)
            neurons(v, ref, x, y, sums, fired)
            count[0] = _listed(fired, words, listed)
            for k in range(count[0]):
                kept_steps[filled] = t
                kept_neurons[filled] = listed[k]
                filled += 1
        return filled

    return run


class Learning:
    """`plastic`, its state and connections."""

    def __init__(self, network: Plastic, room: int) -> None:
        n, padded = network.size, -(-network.size // 8) * 8
        self._t, self._program = 0, program(network.number)
        (pre, post, weight), (fixed_pre, fixed_post, fixed_weight) = network.plastic, network.fixed
        columns = np.argsort(post, kind="stable")
        fired = np.zeros(padded, np.bool_)
        self.weight = weight.astype(np.uint16)
        self._arrays = (
            network.excitatory, network.v.astype(np.int32), np.zeros(n, np.int8), np.zeros(n, np.uint16),
            np.zeros(n, np.uint16), np.zeros(n, np.int32), fired, fired.view(np.uint64),
            np.zeros(padded, np.uint32), np.zeros(1, np.int64), _ends(pre, n), post.astype(np.uint16), self.weight,
            _ends(post, n), np.pad(columns, (0, FAR)).astype(np.uint32), pre[columns].astype(np.uint16),
            _ends(fixed_pre, n), fixed_post.astype(np.uint16), fixed_weight.astype(np.int16),
        )  # fmt: skip
        self._steps, self._neurons = np.zeros(room, np.int64), np.zeros(room, np.uint32)

    def run(self, steps: int) -> NDArray[np.int64]:
        """So many steps; the spikes as rows (step, neuron)."""
        filled = self._program(self._t, steps, *self._arrays, self._steps, self._neurons)
        self._t += steps
        return np.stack([self._steps[:filled], self._neurons[:filled].astype(np.int64)], axis=1)


def _ends(numbers: NDArray[np.int64], size: int) -> NDArray[np.uint32]:
    return np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=size))]).astype(np.uint32)
