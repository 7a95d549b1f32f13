"""Ways between neurons as projections: a convolution or pool where one does the same, else pairs or a whole matrix.

Neurons of maps (channels, rows, columns) are numbered row by row, the channels of a place one after the other, as
convolutions have it; in NIR channel by channel.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.windows import Windows
from neuroport.nir.chains import Chain
from neuroport.nir.maps import Delayed, Map, Matrix, Real, Scaled, Shape, Windowed, as_map, as_window, matrix

LARGEST = 2**27
"""Pairs of which a matrix can be made: a gigabyte."""
SPARSE = 0.5
"""Of so few pairs only those that are not 0 become synapses."""


class TooLarge(Exception):
    """A way is no convolution, and its matrix would not fit."""


def order(shape: Shape) -> NDArray[np.int64]:
    """For each neuron here, by its number, its number in NIR."""
    numbers = np.arange(prod(shape)).reshape(shape)
    return (np.moveaxis(numbers, 0, -1) if len(shape) > 1 else numbers).reshape(-1)


def joins(chain: Chain, source: Shape, target: Shape) -> dict[str, Any]:
    """`connect`, `weight`, `dendritic_delay` of the projection that a way is. ValueError as Chain.later; TooLarge."""
    maps = [m for m in chain.maps if type(m) is not Map or m.ins != m.outs]
    varied = any(isinstance(m, Delayed) and m.steps.min() < m.steps.max() for m in maps)
    window = None if varied else as_window([m for m in maps if not isinstance(m, Delayed)])
    if window is not None and (window.ins, window.outs) == (source, target):
        made = _window(window)
        if made is not None:
            return made
    rows, columns = order(source), order(target)
    if all(type(m) is Map or isinstance(m, Scaled | Delayed) for m in maps) and np.array_equal(rows, columns):
        return _each(chain, rows)
    widest = max([len(columns), *(prod(m.outs) for m in maps)])
    if len(rows) * widest > LARGEST:
        raise TooLarge(f"{len(rows):,} x {widest:,}")
    later = chain.later(len(rows), len(columns))
    weights = _weights(maps, len(rows))[np.ix_(rows, columns)]
    whole = any(isinstance(m, Matrix) for m in maps) and not any(isinstance(m, Windowed | Scaled) for m in maps)
    dense = whole or np.count_nonzero(weights) >= SPARSE * weights.size
    if dense:
        found: dict[str, Any] = {"connect": "all_to_all", "weight": _value(weights)}
        if later is not None:
            found["dendritic_delay"] = {"array": later[np.ix_(rows, columns)], "unit": "steps"}
        return found
    pairs = np.argwhere(weights)
    found = {"connect": {"pairs": pairs}, "weight": _value(weights[tuple(pairs.T)])}
    if later is not None:
        found["dendritic_delay"] = {"array": later[np.ix_(rows, columns)][tuple(pairs.T)], "unit": "steps"}
    return found


def _weights(maps: list[Map], size: int) -> Real:
    bare = [m for m in maps if not isinstance(m, Delayed)]
    return matrix(bare) if bare else np.eye(size)


def _each(chain: Chain, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Each neuron with the one of its number."""
    scale = np.ones(len(rows))
    steps = np.zeros(len(rows), np.int64)
    for map_ in chain.maps:
        if isinstance(map_, Scaled):
            scale = scale * map_.scale.reshape(-1)
        elif isinstance(map_, Delayed):
            steps = steps + map_.steps.reshape(-1) - map_.steps.min()
    steps = np.maximum(steps - 1, 0) if chain.returns else steps
    found: dict[str, Any] = {"connect": "one_to_one", "weight": _value(scale[rows])}
    if steps.any():
        found["dendritic_delay"] = {"array": steps[rows], "unit": "steps"}
    return found


def _value(weights: Real) -> Any:
    """Weights, or the one that all have."""
    first = weights.reshape(-1)[0] if weights.size else 0.0
    return number(first) if np.all(weights == first) else weights


def number(value: Any) -> float | int:
    """A number as it is written; one of 32 bits in the digits that it has, a whole one without a point."""
    value = float(str(value)) if isinstance(value, np.float32) else float(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _window(window: Windowed) -> dict[str, Any] | None:
    """A convolution or pool; None where padding is of no kind that these have."""
    (channels, rows, columns), (outs, high, wide) = as_map(window.ins), as_map(window.outs)
    kernel = (window.kernel.shape[2], window.kernel.shape[3])
    same = Windows((rows, columns), kernel, window.stride, "same", window.dilation)
    sides = [(same.rows.before, same.columns.before), (same.rows.after, same.columns.after)]
    padding: Any = 0
    if window.before == window.after:
        padding = _pair(window.before)
    elif sides == [window.before, window.after] and same.outputs == (high, wide):
        padding = "same"
    else:
        return None
    inner: dict[str, Any] = {"shape": [rows, columns], "kernel": _pair(kernel)}
    stride = kernel if window.pool else (1, 1)
    if window.stride != stride:
        inner["stride"] = _pair(window.stride)
    if padding:
        inner["padding"] = padding
    if window.dilation != (1, 1):
        inner["dilation"] = _pair(window.dilation)
    first = window.kernel.reshape(-1)[0]
    if window.pool and np.all(window.kernel == first):
        return {"connect": {"pool": inner | {"channels": channels}}, "weight": number(first)}
    inner["channels"] = [channels, outs]
    if window.groups > 1:
        inner["groups"] = window.groups
    return {"connect": {"convolution": inner}, "weight": window.kernel.transpose(2, 3, 1, 0)}


def _pair(values: tuple[int, int]) -> int | list[int]:
    return values[0] if values[0] == values[1] else list(values)
