"""What happened in a served session, as a file: how it was opened, every message that acted, and its reply.

The file is a row of messages as they go over plain sockets, a little-endian uint32 and a map of msgpack, the first of
which says how the session was opened. Each is written before its reply is given, so that a file that was cut off at any
moment has all that the host knows of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from neuroport.disk.output import NewFile, check_output
from neuroport.disk.paths import reason, unreadable
from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.hil.limits import Limits
from neuroport.hil.messages import Refused, decode, encode
from neuroport.hil.served import Entry
from neuroport.hil.streams import HEAD

FORMAT = 1
KIND = "neuroport hil record"
ENDINGS = (".hil",)
_LIMITS = Limits(message_bytes=2**32 - 1, items=2**26, text_bytes=2**30)


class Record:
    """A record that is being written. `path`, or, where that is there already, the first free `path-2`, `path-3` …"""

    def __init__(self, path: Path, opened: Mapping[str, Any]) -> None:
        self._file, self.path = _created(path)
        self._write({"kind": KIND, "format": FORMAT, "emulator": True} | dict(opened))

    def __call__(self, entry: Entry) -> None:
        """Write down a message that acted. NotWritten where the file does not take it."""
        self._write(
            {
                "step": entry.step,
                "heard": entry.heard,
                "answered": entry.answered,
                "request": entry.request,
                "reply": entry.reply,
            }
        )

    def close(self, digest: str) -> None:
        """Write down the digest of the end."""
        self._write({"digest": digest})
        self._file.close()

    def _write(self, what: dict[str, Any]) -> None:
        frame = encode(what)
        self._file.write(HEAD.pack(len(frame)) + frame)
        try:
            self._file.check()
        except OSError as error:
            raise NotWritten(Place(str(self.path)), f"cannot be written: {reason(error)}") from None


def check(path: str) -> None:
    """InvalidInput where no record can be written."""
    check_output(path, True, "a record", ENDINGS)


def _created(path: Path) -> tuple[NewFile, Path]:
    """A new file; none that is there is touched."""
    for number in count(1):
        free = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            return NewFile(free), free
        except FileExistsError:
            continue
        except OSError as error:
            raise NotWritten(Place(str(free)), f"cannot be written: {reason(error)}") from None
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record that was read. opened: how the session was. digest: that of its end, None where the file was cut off."""

    path: Path
    opened: Mapping[str, Any]
    digest: str | None
    entries: tuple[Entry, ...]


def read(path: str | Path) -> Recorded:
    """The record in a file; of one that was cut off all that is whole. InvalidInput for what is none."""
    place = Place(str(path))
    wrong = unreadable(path, "a record")
    if wrong:
        raise InvalidInput.one(place, wrong)
    try:
        parts = list(_parts(Path(path)))
    except Refused as error:
        raise InvalidInput.one(place, f"is no record of a session: {error.text}") from None
    if not parts or parts[0].get("kind") != KIND:
        raise InvalidInput.one(place, "is no record of a session; `neuroport hil serve --record FILE.hil` writes one")
    if parts[0].get("format") != FORMAT:
        text = f"has the format {parts[0].get('format')!r}, and this version reads {FORMAT}; use the one that wrote it"
        raise InvalidInput.one(place, text)
    digest = parts.pop()["digest"] if "digest" in parts[-1] else None
    try:
        entries = tuple(Entry(**part) for part in parts[1:])
    except TypeError:
        raise InvalidInput.one(place, "is damaged: it has entries that no record has") from None
    return Recorded(Path(path), parts[0], digest, entries)


def _parts(path: Path) -> Iterator[dict[str, Any]]:
    """The messages in a file, up to one that is cut off."""
    with path.open("rb") as file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            (length,) = HEAD.unpack(head)
            if len(frame := file.read(length)) < length:
                return
            yield decode(frame, _LIMITS)
