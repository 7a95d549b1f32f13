"""Memory that was let go of: the C library keeps it for later, unless it is told to give it back."""

from __future__ import annotations

import ctypes
import gc


def tidy() -> None:
    """Let go of what only refers to itself, and give back what was let go of, where the C library has a way to."""
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # of glibc alone
        return
    trim(0)
