"""Which PyGeNN is installed."""

from __future__ import annotations

from importlib import metadata

OLDEST = (5, 4)
"""The oldest version that works."""


def version() -> tuple[int, int] | None:
    """The version of the PyGeNN that is installed, or None when it does not say."""
    try:
        major, minor = metadata.version("pygenn").split(".")[:2]
        return int(major), int(minor)
    except (metadata.PackageNotFoundError, ValueError):
        return None
