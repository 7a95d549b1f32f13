"""Which PyGeNN is installed."""

from __future__ import annotations

from importlib import import_module, metadata

OLDEST = (5, 4)
"""The oldest version that works."""
AGAIN = "install PyGeNN again: https://genn-team.github.io"
DRIVERS = {"cuda": "install the NVIDIA driver", "hip": "install the AMD driver"}
NEEDS = {
    "cuda": f"{DRIVERS['cuda']} and the CUDA toolkit that it was built with",
    "hip": f"{DRIVERS['hip']} and the ROCm toolkit that it was built with",
}
"""What the libraries for GPUs need."""


def version() -> tuple[int, int] | None:
    """The version of the PyGeNN that is installed, or None when it does not say."""
    try:
        major, minor = metadata.version("pygenn").split(".")[:2]
        return int(major), int(minor)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def broken(device: str, backend: str) -> str | None:
    """A sentence saying why the PyGeNN that is installed cannot be used for a device, or None.

    `backend`: GeNN's name of the device. PyGeNN is imported, with the library that it has for the device.
    """
    try:
        import_module("pygenn")
    except (Exception, SystemExit) as error:  # libraries that do not fit this machine fail in any way
        return f"PyGeNN is installed and cannot be imported: {_reason(error)}; {AGAIN}"
    try:
        import_module(f"pygenn.{backend}_backend")
    except (Exception, SystemExit) as error:
        other = "" if device == "cpu" else ", or take the device cpu"
        needs = NEEDS.get(device, AGAIN)
        return f"PyGeNN's library for {device} cannot be loaded: {_reason(error)}; {needs}{other}"
    return None


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"it ends the program with {text}" if isinstance(error, SystemExit) else text
