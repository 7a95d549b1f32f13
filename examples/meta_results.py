"""A file that keeps the generations of a search: what the search is in its first line, then one line for each.

A line is there when its end is. A search that was killed leaves at most a part of one, which the next one takes away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from neuroport.disk.output import write_bytes
from neuroport.errors import InvalidInput, NotWritten, Place

FIRST = "search"
"""The key of the first line."""


class Results:
    """The generations of one search that are in a file, and more of them."""

    def __init__(self, path: str, search: Mapping[str, Any], candidates: int) -> None:
        """Read the file, if there is one, and change nothing.

        `search`: what the search is. `candidates`: scores of a generation. InvalidInput for what is not its file.
        """
        self.path, self.search = path, dict(search)
        self.scores: list[list[float]] = []
        self.torn = self._size = 0
        data = self._data()
        if not data:
            return
        *lines, torn = data.split(b"\n")
        self._check_first(lines[0] if lines else torn)
        for number, line in enumerate(lines[1:], 2):
            self.scores.append(self._read(number, line, candidates))
        self.torn, self._size = len(torn), len(data) - len(torn)

    def begin(self) -> None:
        """Make the file, or take the part of a line from its end. NotWritten."""
        if not self._size:
            first = json.dumps({FIRST: self.search}).encode() + b"\n"
            write_bytes(self.path, first)
            self._size = len(first)
        elif self.torn:
            self._change(self.torn, b"")
            self.torn = 0

    def add(self, scores: Sequence[float]) -> None:
        """Add a generation, on the disk when this ends. NotWritten; InvalidInput where another process wrote there."""
        line = json.dumps({"generation": len(self.scores), "scores": list(scores)}).encode() + b"\n"
        self._change(0, line)
        self._size += len(line)
        self.scores.append(list(scores))

    def _change(self, less: int, more: bytes) -> None:
        """Put something at the end, of which so many bytes are no more."""
        try:
            with Path(self.path).open("r+b", buffering=0) as file:
                if os.fstat(file.fileno()).st_size != self._size + less:
                    self._refuse("another program has written to it since this one read it; it is as that one left it")
                file.truncate(self._size)
                file.seek(self._size)
                if file.write(more) != len(more):
                    file.truncate(self._size)
                    raise OSError(0, "there is no space left")
                os.fsync(file.fileno())
        except OSError as error:
            raise NotWritten(Place(self.path), f"cannot be written: {error.strerror}") from None

    def _data(self) -> bytes:
        path = Path(self.path)
        try:
            if not path.exists():
                self._check_folder(path.absolute().parent)
                return b""
            if not path.is_file():
                self._refuse("this is not a file; give the path of one")
            with path.open("r+b") as file:
                return file.read()
        except (OSError, ValueError) as error:
            self._refuse(f"cannot be read and written: {getattr(error, 'strerror', None) or error}")

    def _check_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._refuse(f"there is no folder {folder}; make it first")
        if not os.access(folder, os.W_OK):
            self._refuse(f"nothing can be written in the folder {folder}")

    def _check_first(self, line: bytes) -> None:
        given = _json(line)
        known = given.get(FIRST) if isinstance(given, dict) else None
        if not isinstance(known, dict):
            self._refuse("this is no file of a search of this program; it is left as it is, give another path")
        keys = [*self.search, *(known.keys() - self.search)]
        others = [
            f"{k} {known.get(k)} instead of {self.search.get(k)}" for k in keys if known.get(k) != self.search.get(k)
        ]
        if others:
            self._refuse(f"this is of another search, with {', '.join(others)}; give its arguments, or another path")

    def _read(self, number: int, line: bytes, candidates: int) -> list[float]:
        given = _json(line)
        scores = given.get("scores") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(scores, list):
            self._refuse(f"line {number} is no generation; it is left as it is, give another path")
        if given.get("generation") != number - 2:
            self._refuse(f"line {number} has generation {given.get('generation')} instead of {number - 2}")
        if len(scores) != candidates:
            self._refuse(f"line {number} has {len(scores)} scores; there are {candidates} candidates")
        if not all(type(score) in (int, float) and 0 <= score <= 100 for score in scores):
            self._refuse(f"line {number} has scores that are not numbers from 0 to 100")
        return [float(score) for score in scores]

    def _refuse(self, text: str) -> NoReturn:
        raise InvalidInput.one(Place(self.path), text)


def _json(line: bytes) -> Any:
    """What a line says, None where it says nothing."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
