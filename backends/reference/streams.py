"""The random draws of one stream, many steps at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import rng

_QUARTER = np.uint64(0xFFFF)


class Stream:
    """The draws of all elements of a body, converted to what the program calculates with.

    The elements may have any shape; their draws have the same. `scale` None gives raw draws as int64; otherwise the
    draw times `scale` in precision `dtype`. The draws of `block` consecutive steps are made together: that is faster
    and changes nothing, since a draw is a function of its step.
    """

    def __init__(
        self,
        seed: int,
        stream: int,
        part: int | None,
        elements: NDArray[np.uint64],
        scale: float | None,
        dtype: type[np.generic],
        block: int,
    ) -> None:
        self.key = rng.stream_key(seed, stream)
        self.part, self.elements, self.scale, self.dtype = part, elements, scale, dtype
        self.block = block
        self.first = -block
        self.rows: list[NDArray[Any]] = []

    def all(self, step: int) -> NDArray[Any]:
        """The draws of every element at a step."""
        if not self.first <= step < self.first + self.block:
            self.first = step
            steps = np.arange(step, step + self.block, dtype=np.uint64)
            keys = rng.words(self.key, steps)  # rng.step_key of every step
            keys = keys.reshape(-1, *[1] * self.elements.ndim)
            words = rng.mix_array(keys + np.uint64(rng.GAMMA) * (self.elements + np.uint64(1)))
            draws = words >> np.uint64(32) if self.part is None else (words >> np.uint64(16 * self.part)) & _QUARTER
            self.rows = list(self._convert(draws))
        return self.rows[step - self.first]

    def some(self, step: int, *selection: NDArray[np.int64]) -> NDArray[Any]:
        """The draws of the selected elements at a step, one selection for every axis of the elements."""
        return self._convert(rng.draw(rng.step_key(self.key, step), self.elements[selection], self.part))

    def _convert(self, draws: NDArray[np.uint64]) -> NDArray[Any]:
        if self.scale is None:
            return draws.astype(np.int64)
        if self.part is None and self.dtype is np.float32:  # 24 bits, so that it stays below 1
            return (draws >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)
        return (draws.astype(np.float64) * self.scale).astype(self.dtype)
