"""Copies of a network that share what they learn: a program with an axis of copies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.machine import Array, Program

LANES = 8
ELEMENT_SHIFT = 40
"""Random draws of copy c have the element number of copy 0 plus c * 2**ELEMENT_SHIFT."""


def is_own(array: Array) -> bool:
    """Whether every copy has the array for itself."""
    return array.own


def with_copies(program: Program, copies: int) -> Program:
    """The program for that many copies, all with the same initial values."""
    if copies == 1:
        return program
    arrays = {name: _repeated(array, copies) if is_own(array) else array for name, array in program.arrays.items()}
    return replace(program, arrays=arrays, copies=copies)


def elements_of_copies(elements: NDArray[np.uint64], copies: int) -> NDArray[np.uint64]:
    """The element numbers (elements, copies) of the random draws of the first so many copies."""
    return elements[:, None] + (np.arange(copies, dtype=np.uint64) << np.uint64(ELEMENT_SHIFT))


def _repeated(array: Array, copies: int) -> Array:
    return replace(array, initial=initial_of(array, array.initial, copies))


def initial_of(array: Array, numbers: NDArray[Any], copies: int) -> NDArray[Any]:
    """What an array of so many copies has initially, of numbers for one: the same in each that has it for itself."""
    return np.repeat(numbers[..., None], copies, axis=-1) if copies > 1 and is_own(array) else numbers


def sum_over_copies(values: NDArray[Any]) -> NDArray[Any]:
    """Sum over the last axis, the copies, in the order that all executors keep.

    Copy c adds to lane c mod 8, in the order of c; then ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)), where a lane without
    copies is 0.
    """
    copies = values.shape[-1]
    lanes = np.zeros((*values.shape[:-1], LANES), values.dtype)
    for first in range(0, copies, LANES):
        part = values[..., first : first + LANES]
        lanes[..., : part.shape[-1]] += part
    pairs = lanes[..., 0::2] + lanes[..., 1::2]
    halves = pairs[..., 0::2] + pairs[..., 1::2]
    return np.asarray(halves[..., 0] + halves[..., 1])
