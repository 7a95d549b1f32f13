"""The folder of a sweep: what it is, and a line for every point that has ended, whole whatever ends the process.

Lines are only added, flushed and on the disk before they count. A line that a kill or a power cut left half is cut off
when the folder is opened again; a later line of a point replaces earlier ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from neuroport.disk.output import not_made, reason, write_bytes
from neuroport.disk.paths import exists
from neuroport.errors import InvalidInput, Place
from neuroport.sweeps.forms import is_about, is_row
from neuroport.trace.segments import LOCK, Lock
from neuroport.version import __version__

ABOUT, RUNS, TRACES = "sweep.json", "runs.jsonl", "traces"
FORMAT = 1
DAMAGED = "is damaged; delete it, and start the sweep again: what is done stays"
SHORT = 16
"""Characters of an id that are enough within a sweep."""


class Folder:
    """The folder of a sweep, this process's alone from `opened` until it is left."""

    def __init__(self, path: Path, file: FileIO, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self.path, self._file = path, file
        self.statuses = {key: str(row["status"]) for key, row in rows.items()}
        """How every point ended, by its id, as its last line says."""

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add lines; they are on the disk when it returns. NotWritten where they cannot be."""
        data = b"".join(line(row) for row in rows)
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise not_made(Place(str(self.path / RUNS)), error) from None
        self.statuses |= {row["id"]: row["status"] for row in rows}


def line(row: Mapping[str, Any]) -> bytes:
    """A row as a line of the file."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


@contextmanager
def opened(path: Path, told: Mapping[str, Any]) -> Iterator[Folder]:
    """The folder for a sweep, made where it is not there, with what was done in it before.

    `told`: what the sweep is, for `sweep.json`. InvalidInput for a folder that is another's or in use, and for damage;
    NotWritten where the disk is full.
    """
    check(path, told["network"])
    place = Place(str(path))
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = Lock(path)
    except OSError as error:
        raise not_made(place, error) from None
    try:
        if not lock.take():
            text = "another sweep is writing into this folder; wait until it ends, or choose another one"
            raise InvalidInput.one(place, text)
        check(path, told["network"])
        write_bytes(path / ABOUT, json.dumps({**_HEAD, **told}, ensure_ascii=False).encode() + b"\n")
        rows = mended(path)
        with _appending(path / RUNS) as file:
            yield Folder(path, file, rows)
    finally:
        lock.release()


_HEAD = {"neuroport sweep": FORMAT, "version": __version__}


@contextmanager
def _appending(path: Path) -> Iterator[FileIO]:
    try:
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise not_made(Place(str(path)), error) from None
    with file:
        yield file


def check(path: Path, network: str) -> None:
    """Raise InvalidInput for what can be no folder of a sweep of a network: a file, or one with other things in it."""
    place = Place(str(path))
    try:
        if not exists(path):
            return
        if not path.is_dir():
            raise InvalidInput.one(place, "is a file; give the name of a folder for the results")
        names = {entry.name for entry in path.iterdir()} - {LOCK}
    except OSError as error:
        raise InvalidInput.one(place, f"cannot be looked into: {reason(error)}") from None
    if ABOUT not in names and RUNS in names:
        read(path)
    elif names and ABOUT not in names and not all(name.startswith(".neuroport-") for name in names):
        shown = sorted(names)[0]
        text = f"is a folder with other things in it, such as '{shown}', and no sweep; give a new one for the results"
        raise InvalidInput.one(place, text)
    if ABOUT in names and (other := about(path).get("network")) != network:
        text = f"has a sweep of network '{other}', and this is one of '{network}'; give a new folder for the results"
        raise InvalidInput.one(place, text)


def about(path: Path) -> dict[str, Any]:
    """What the sweep in a folder is. InvalidInput where there is none."""
    file = path / ABOUT
    place = Place(str(file))
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        text = "there is no sweep in this folder; give that which -o of `neuroport sweep` made"
        raise InvalidInput.one(Place(str(path)), text if exists(path) else "there is no such folder") from None
    except OSError as error:
        raise InvalidInput.one(place, f"cannot be read: {reason(error)}") from None
    except (ValueError, RecursionError):
        raise InvalidInput.one(place, DAMAGED) from None
    version = found.get("neuroport sweep") if isinstance(found, dict) else None
    if version != FORMAT:
        text = f"was written by another version of neuroport, or by something else: its format is {version!r}, and this"
        raise InvalidInput.one(place, f"{text} version reads {FORMAT}; give another folder")
    if not is_about(found):
        raise InvalidInput.one(place, DAMAGED)
    return dict(found)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The last line of every point by its id; a half line at the end is left out. InvalidInput for damage."""
    return _rows(path / RUNS, _bytes(path / RUNS))[0]


def mended(path: Path) -> dict[str, dict[str, Any]]:
    """The same, with the file put right: a half line at its end is cut off, a whole one gets its line break."""
    file = path / RUNS
    data = _bytes(file)
    rows, whole = _rows(file, data)
    try:
        if whole < len(data):
            with file.open("r+b") as again:
                again.truncate(whole)
                os.fsync(again.fileno())
        elif data and not data.endswith(b"\n"):
            with file.open("ab") as again:
                again.write(b"\n")
                again.flush()
                os.fsync(again.fileno())
    except OSError as error:
        raise not_made(Place(str(file)), error) from None
    return rows


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InvalidInput.one(Place(str(file)), f"cannot be read: {reason(error)}") from None


def _rows(file: Path, data: bytes) -> tuple[dict[str, dict[str, Any]], int]:
    """The rows by id, and how many bytes are whole lines."""
    rows: dict[str, dict[str, Any]] = {}
    start = 0
    for number, text in enumerate(data.splitlines(keepends=True), 1):
        row = _row(text)
        if row is not None:
            rows[row["id"]] = row
        elif start + len(text) == len(data) and not text.endswith(b"\n"):
            return rows, start
        else:
            say = "is damaged and no line of a sweep; restore the file, or delete this line, and its point is run again"
            raise InvalidInput.one(Place(str(file), number, 1), say)
        start += len(text)
    return rows, start


def _row(text: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(text)
        return row if is_row(row) else None
    except (ValueError, RecursionError):
        return None
