"""A sentence where GeNN ends the whole process: it does so, without an exception, when a call to a GPU fails."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from collections.abc import Callable, Iterator
from typing import Any

from neuroport.errors import Unsupported


@contextlib.contextmanager
def told(sentence: Callable[[], str], descriptor: int, code: int = Unsupported.exit_code) -> Iterator[None]:
    """While this lasts, a C library that calls `exit` leaves a sentence in a file and this exit code.

    It is a function that C calls at exit, as Itanium's C++ ABI has it, of an owner of its own, so that it can be taken
    back: nothing of it is left when Python ends. Elsewhere than with glibc nothing is told.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    lasts = True

    def end(_: Any) -> None:
        if lasts:
            os.write(descriptor, f"error: {sentence()}\n".encode(errors="replace"))
            os._exit(code)

    called = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(end)
    library, owner = ctypes.CDLL(None), ctypes.c_char()
    library.__cxa_atexit(called, None, ctypes.byref(owner))
    try:
        yield
    finally:
        lasts = False
        library.__cxa_finalize(ctypes.byref(owner))
