"""The folder of closed segments that a trace consists of while it is written."""

from __future__ import annotations

import os
from pathlib import Path

from neuroport.errors import InvalidInput, Place


def parts_folder(path: str | Path) -> Path:
    """Where the segments of the trace `path` lie while it is being written."""
    return Path(f"{path}.part")


class Lock:
    """An advisory lock on a parts folder that ends with the process that holds it."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "lock").open("a")

    def take(self) -> bool:
        """Whether the folder is ours now; true also on systems without advisory locks."""
        try:
            import fcntl
        except ImportError:
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Give the folder back."""
        self._file.close()


def settle(temporary: Path, path: Path) -> None:
    """Flush a closed file to the disk and give it its name."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)


def segments(folder: Path) -> list[Path]:
    """The complete segments in order; empty if the first, which says what the others are, is missing."""
    found = sorted(folder.glob("*.h5"))
    return found if found and found[0].name == "000000.h5" else []


def check_output(path: str | Path, overwrite: bool = False, parts: bool = True) -> None:
    """Raise InvalidInput if `path` cannot become a new file: said before a run starts, not after it.

    `parts`: also look for the parts of an interrupted run that would be replaced.
    """
    out = Path(path)
    text = ""
    if out.is_dir():
        text = "is a folder; give the name of a file"
    elif out.exists() and not overwrite:
        text = "exists already; choose another name, or replace it with --overwrite"
    elif not out.parent.is_dir():
        text = f"the folder '{out.parent}' does not exist; create it or choose another one"
    elif not os.access(out.parent, os.W_OK):
        text = f"the folder '{out.parent}' cannot be written to; choose another one"
    elif parts and parts_folder(out).exists() and not overwrite:
        text = (
            f"the run that was writing this file did not end; join its parts with "
            f"'neuroport show {parts_folder(out)}', or replace them with --overwrite"
        )
    if text:
        raise InvalidInput.one(Place(str(out)), text)
