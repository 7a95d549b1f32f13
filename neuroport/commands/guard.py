"""What is left to say when something fails that nobody foresaw."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from typing import Any

from neuroport.version import __version__

DEBUG = "NEUROPORT_DEBUG"


def debugging() -> bool:
    """Whether a fault of ours shall end with Python's own words."""
    return os.environ.get(DEBUG, "0") not in ("", "0")


def defect(error: Exception) -> str:
    """The sentence for an exception that should never have come up; its traceback goes to a file."""
    kind = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
    text = f"this is a fault of neuroport, not of what you wrote: {kind}"
    where = _written("".join(traceback.format_exception(error)))
    if where is None:
        return f"{text}\nplease report it, with the traceback that {DEBUG}=1 shows"
    return f"{text}\nplease report it, with what is in {where}; {DEBUG}=1 shows the traceback at once"


def _written(text: str) -> str | None:
    """The file into which a traceback was written, with what it came from; None where none can be."""
    about = f"neuroport {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv!r}\n\n"
    try:
        number, path = tempfile.mkstemp(prefix="neuroport-fault-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(about + text)
    except OSError:
        return None
    return path


def printable(stream: Any) -> None:
    """Have a stream escape what its encoding lacks, such as what a file name of other bytes stands for."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
