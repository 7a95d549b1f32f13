"""Results as files, one a run: written whole or not at all, and never again."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HALF = ".half-"


def keep(folder: Path, name: str, found: Mapping[str, Any]) -> bool:
    """Write a result; False where there is one already, which stays."""
    handle, half = tempfile.mkstemp(prefix=HALF, dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(half, folder / name)
    except FileExistsError:
        return False
    finally:
        os.unlink(half)
    return True


def clean(folder: Path) -> None:
    """Take away what killed processes left behind."""
    for half in folder.glob(f"{HALF}*"):
        with contextlib.suppress(FileNotFoundError):
            half.unlink()


def load(folder: Path, name: str) -> dict[str, Any] | None:
    """A result, if it is there."""
    try:
        found: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return found
