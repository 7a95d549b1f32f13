"""Texts of generated modules, compiled and called."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroport.backends.emulator.native.build import Library, loaded, machine_code
from neuroport.backends.emulator.native.kinds import array_of
from neuroport.backends.emulator.native.translate import Module


def built(text: str, name: str, *arrays: np.ndarray[Any, Any], checked: bool = False) -> Library:
    """The machine code of a module with one function that is called with arrays."""
    module = Module(text, checked)
    module.entry(name, [array_of(values) for values in arrays], 0)
    return loaded(machine_code(module.ir()))


def call(text: str, *arrays: np.ndarray[Any, Any], name: str = "f") -> None:
    """Call a function of a module with arrays."""
    words = [word for values in arrays for word in (values.ctypes.data, *values.shape)]
    table = np.array(words, np.int64)
    built(text, name, *arrays).function(name, 0, returns=False)(table.ctypes.data)
