"""Results as files, one a run: written whole or not at all, and never again."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neuroport.disk.output import not_made, reason
from neuroport.errors import InvalidInput, Place

HALF = ".half-"
LONG = 600.0
"""Seconds after which a half is one that a killed process left: a half is written in much less."""


def check(folder: Path) -> None:
    """Raise InvalidInput for what can be no folder of results; one that is not there yet can be."""
    place = Place(str(folder))
    try:
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if there.is_dir():
            return
    except OSError as error:
        raise InvalidInput.one(place, f"cannot be looked into: {reason(error)}") from None
    what = "is a file" if there == folder else f"'{there}' is a file"
    raise InvalidInput.one(place, f"{what}; --out is a folder")


def prepare(folder: Path) -> None:
    """Make the folder, see that results can be written, and take away what killed processes left.

    InvalidInput or NotWritten where they cannot.
    """
    check(folder)
    half = folder / f"{HALF}{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        half.write_bytes(b"\n")
    except OSError as error:
        raise not_made(Place(str(folder)), error) from None
    finally:
        with contextlib.suppress(OSError):
            half.unlink()
    clean(folder)


def keep(folder: Path, name: str, found: Mapping[str, Any]) -> bool:
    """Write a result; False where there is one already, which stays. InvalidInput or NotWritten where it cannot be."""
    half = folder / f"{HALF}{secrets.token_hex(8)}"
    try:
        with half.open("x", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(half, folder / name)
    except FileExistsError:
        return False
    except OSError as error:
        raise not_made(Place(str(folder / name)), error) from None
    finally:
        with contextlib.suppress(OSError):
            half.unlink()
    return True


def clean(folder: Path, age: float = LONG) -> None:
    """Take away what killed processes left behind: halves that nobody has written to for so many seconds."""
    for half in folder.glob(f"{HALF}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - half.stat().st_mtime >= age:
                half.unlink()


def load(folder: Path, name: str, right: Callable[[Any], bool]) -> dict[str, Any] | None:
    """A result, if it is there. InvalidInput for a file that is damaged, or no result of the bench by `right`."""
    file = folder / name
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(file, f"cannot be read: {reason(error)}") from None
    except (ValueError, RecursionError):
        raise _unusable(file, "is damaged or cut off") from None
    if not right(found):
        raise _unusable(file, "is no result of the bench")
    return found


def _unusable(file: Path, text: str) -> InvalidInput:
    return InvalidInput.one(Place(str(file)), f"{text}; delete it, and the bench runs it again")
