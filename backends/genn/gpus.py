"""What the runtime library of a GPU says of it: whether one answers, which ones there are, how much memory is free."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from importlib import import_module
from typing import Any

from neuroport.backends.genn.installed import DRIVERS

MAJOR, MINOR = 75, 76
"""CUDA's numbers of the two attributes that make a compute capability."""


def problem(device: str) -> str | None:
    """A sentence saying why no GPU can be used as this device (cuda, hip), or None. PyGeNN's library is loaded."""
    asked = _Library(device)
    count = ctypes.c_int()
    failed = asked.call("GetDeviceCount", ctypes.byref(count))
    if failed is None or (not failed and count.value):
        return None
    driver = f"{DRIVERS[device]} for the GPU of this machine"
    return f"no GPU answers as {device}: {failed or 'there is none'}; {driver}, or take the device cpu"


def architectures(device: str) -> tuple[str, ...]:
    """The architectures of all GPUs that this process sees, in which code is compiled; () where nothing tells them."""
    asked = _Library(device)
    count = ctypes.c_int()
    if asked.call("GetDeviceCount", ctypes.byref(count)) != "":
        return ()
    of = _of_cuda if device == "cuda" else _of_hip
    return tuple(sorted({of(asked, number) for number in range(count.value)}))


def free_memory(device: str) -> int | None:
    """The bytes that are free on the GPU which is in use, or None where nothing tells them."""
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    failed = _Library(device).call("MemGetInfo", ctypes.byref(free), ctypes.byref(total))
    return free.value if failed == "" else None


def settled(device: str) -> Callable[[], str | None]:
    """What waits until a GPU has done all that it was told to, and says why it has not; "" or None where it has."""
    asked = _Library(device)
    return lambda: asked.call("DeviceSynchronize")


def _of_cuda(asked: _Library, number: int) -> str:
    major, minor = ctypes.c_int(), ctypes.c_int()
    for attribute, into in ((MAJOR, major), (MINOR, minor)):
        asked.call("DeviceGetAttribute", ctypes.byref(into), attribute, number)
    return f"sm_{major.value}{minor.value}"


def _of_hip(asked: _Library, number: int) -> str:
    """HIP tells the name of an architecture only in a structure that differs between versions."""
    major, minor, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256)
    asked.call("DeviceComputeCapability", ctypes.byref(major), ctypes.byref(minor), number)
    asked.call("DeviceGetName", name, len(name), number)
    return f"{major.value}.{minor.value} {name.value.decode(errors='replace')}"


class _Library:
    """The runtime library of a device, with which PyGeNN's library for it is linked."""

    def __init__(self, device: str) -> None:
        self._prefix = device
        try:
            self._linked: Any = ctypes.CDLL(str(import_module(f"pygenn.{device}_backend").__file__))
        except OSError:  # no library of C
            self._linked = None

    def call(self, name: str, *arguments: Any) -> str | None:
        """What a function says when it fails; "" where it succeeds, None where there is no such function."""
        function, words = self._function(name), self._function("GetErrorString")
        if function is None or words is None:
            return None
        words.restype = ctypes.c_char_p
        code = function(*arguments)
        return words(code).decode(errors="replace") or f"error {code}" if code else ""

    def _function(self, name: str) -> Any:
        return getattr(self._linked, f"{self._prefix}{name}", None)
