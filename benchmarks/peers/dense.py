# What Numba compiles has no types that mypy knows.
# mypy: ignore-errors
"""`dense.yaml` written by hand: with NumPy in float32, in integers, and fused in Numba."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuroport.program.machine import Program

NETWORK = Path(__file__).parent / "dense.yaml"
MOST = np.int16(8191)
LEAST = np.int16(-8192)


def initial(program: Program) -> dict[str, NDArray[np.int64]]:
    """The values with which it begins."""
    shapes = {"up.w": (784, 500), "out.w": (500, 10), "down.w": (10, 500)}
    names = ("pixels.r", "middle.r", "middle.e", "top.r", "top.e", "top.goal")
    return {
        **{name: program.arrays[name].initial.reshape(shape) for name, shape in shapes.items()},
        **{name: program.arrays[name].initial for name in names},
    }


class Floating:
    """In float32, as somebody who knows NumPy would write it: one product and one update in place for each layer."""

    def __init__(self, program: Program) -> None:
        v = {name: values.astype(np.float32) for name, values in initial(program).items()}
        self._x, self._goal, self._down = v["pixels.r"], v["top.goal"], v["down.w"]
        self._up, self._out = v["up.w"], v["out.w"]
        self._r, self._e, self._top = v["middle.r"], v["middle.e"], v["top.e"]

    def run(self, steps: int) -> None:
        """So many steps."""
        rate = np.float32(2.0**-9)
        for _ in range(steps):
            self._up += np.outer(self._x, self._e * rate)
            self._out += np.outer(self._r, self._top * rate)
            a, b, c = self._x @ self._up, self._top @ self._down, self._r @ self._out
            self._r = np.clip(a * np.float32(2.0**-13), -127, 127)
            self._e = np.clip(b * np.float32(2.0**-7), -127, 127)
            self._top = np.clip(self._goal - np.clip(c * np.float32(2.0**-13), -127, 127), -127, 127)


@njit(error_model="numpy")
def _layer(w, r, e, sums):
    for i in range(w.shape[0]):
        row = w[i]
        x = np.int16(r[i])
        for j in range(row.shape[0]):
            moved = np.int16(row[j] + np.int16(np.int16(e[j] * x) >> np.int16(9)))
            moved = min(max(moved, LEAST), MOST)
            row[j] = moved
            sums[j] += np.int32(np.int32(moved) * np.int32(x))


@njit(error_model="numpy", nogil=True)
def _fused(steps, x, up, r, e, out, down, top, goal, a, b, c):
    for _ in range(steps):
        _layer(up, x, e, a)
        _layer(out, r, top, c)
        for i in range(down.shape[0]):
            back = np.int32(top[i])
            for j in range(down.shape[1]):
                b[j] += np.int32(np.int32(down[i, j]) * back)
        for j in range(r.shape[0]):
            r[j] = min(max(a[j] >> 13, -127), 127)
            e[j] = min(max(b[j] >> 7, -127), 127)
            a[j] = 0
            b[j] = 0
        for j in range(top.shape[0]):
            top[j] = min(max(goal[j] - min(max(c[j] >> 13, -127), 127), -127), 127)
            c[j] = 0


class Fused:
    """In integers of 16 bits, each row of weights read once."""

    def __init__(self, program: Program) -> None:
        v = {name: values.astype(np.int16) for name, values in initial(program).items()}
        self.up, self.out = v["up.w"], v["out.w"]
        self._arrays = (
            v["pixels.r"], self.up, v["middle.r"], v["middle.e"], self.out, v["down.w"], v["top.e"], v["top.goal"],
            np.zeros(500, np.int32), np.zeros(500, np.int32), np.zeros(10, np.int32),
        )  # fmt: skip

    def run(self, steps: int) -> None:
        """So many steps."""
        _fused(steps, *self._arrays)
