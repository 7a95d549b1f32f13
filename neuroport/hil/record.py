"""What happened in a served session, as a file: how it was opened, every message that acted, and its reply.

The file begins with a line that says what it is. Parts follow: a little-endian uint32, the length of a map of msgpack;
another one, the CRC-32 of the seal before and that length; the map; and its seal, the first 16 bytes of the SHA-256 of
the seal before and all of the part until there. The first part says how the session was opened, and the last has the
digest of its end. Each is written before its reply is given, so that a file that was cut off at any moment has all that
the host knows of. What was cut off ends in the middle of a part, or after one that is not the last; all else that is
not as it was written is damaged.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from neuroport.disk.output import NewFile, check_output
from neuroport.disk.paths import reason, unreadable
from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.hil.limits import Limits
from neuroport.hil.messages import Refused, decode, encode
from neuroport.hil.served import Entry

FORMAT = 1
BEGIN = b"neuroport hil record\n"
HEAD = struct.Struct("<II")
SEAL = 16
ENDINGS = (".hil",)
_LIMITS = Limits(message_bytes=2**32 - 1, items=2**26, text_bytes=2**30)


class Record:
    """A record that is being written. `path`, or, where that is there already, the first free `path-2`, `path-3` …"""

    def __init__(self, path: Path, opened: Mapping[str, Any]) -> None:
        self._file, self.path = _created(path)
        self._file.write(BEGIN)
        self._seal = bytes(SEAL)
        self._write({"format": FORMAT, "emulator": True} | dict(opened))

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
        part = _headed(self._seal, encode(what))
        self._seal = _sealed(self._seal, part)
        self._file.write(part + self._seal)
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


def _headed(seal: bytes, frame: bytes) -> bytes:
    """A part of a record, but for its own seal; `seal`: that of the part before."""
    length = len(frame).to_bytes(4, "little")
    return HEAD.pack(len(frame), zlib.crc32(seal + length)) + frame


def _sealed(seal: bytes, part: bytes) -> bytes:
    """The seal of a part after that of the one before."""
    return sha256(seal + part).digest()[:SEAL]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record that was read. opened: how the session was. digest: that of its end, None where the file was cut off."""

    path: Path
    opened: Mapping[str, Any]
    digest: str | None
    entries: tuple[Entry, ...]


def read(path: str | Path) -> Recorded:
    """The record in a file; of one that was cut off all that is whole. InvalidInput for what is none, or damaged."""
    place = Place(str(path))
    wrong = unreadable(path, "a record")
    if wrong:
        raise InvalidInput.one(place, wrong)
    frames = list(_frames(Path(path)))
    if not frames:
        raise InvalidInput.one(place, "was cut off before it says how its session was opened; nothing of it is left")
    try:
        parts = [decode(frame, _LIMITS) for frame in frames]
        if parts[0].get("format") == FORMAT:
            digest = parts.pop()["digest"] if "digest" in parts[-1] else None
            if digest is not None and Path(path).stat().st_size != _size(frames):
                raise damaged(Path(path), len(frames) - 1, "something comes after its end")
            return Recorded(Path(path), parts[0], digest, tuple(Entry(**part) for part in parts[1:]))
    except (Refused, TypeError):
        text = "has what no record of this version has; use the version of neuroport that wrote it"
        raise InvalidInput.one(place, text) from None
    text = f"has the format {parts[0].get('format')!r}, and this version reads {FORMAT}; use the one that wrote it"
    raise InvalidInput.one(place, text)


def is_record(path: str | Path) -> bool:
    """Whether a file is the record of a session, to look at."""
    try:
        if unreadable(path, ""):
            return False
        with Path(path).open("rb") as file:
            return file.read(len(BEGIN)) == BEGIN
    except OSError:
        return False


def _frames(path: Path) -> Iterator[bytes]:
    """The maps in a file, up to where it was cut off. InvalidInput where something is not what was written."""
    place, seal = Place(str(path)), bytes(SEAL)
    with path.open("rb") as file:
        if file.read(len(BEGIN)) != BEGIN:
            text = "is no record of a session, or one whose very beginning is damaged; `neuroport hil serve --record "
            raise InvalidInput.one(place, f"{text}FILE.hil` writes one")
        for number in count():
            head = file.read(HEAD.size)
            if len(head) < HEAD.size:
                return
            length, check = HEAD.unpack(head)
            if check != zlib.crc32(seal + head[:4]):
                raise damaged(path, number)
            part = head + file.read(length)
            told = file.read(SEAL)
            if len(told) < SEAL:
                return
            seal = _sealed(seal, part)
            if told != seal:
                raise damaged(path, number)
            yield part[HEAD.size :]


def _size(frames: Sequence[bytes]) -> int:
    """Of a file with these maps, in bytes."""
    return len(BEGIN) + sum(HEAD.size + len(frame) + SEAL for frame in frames)


def damaged(path: Path, number: int, why: str = "its bytes are not those that were written") -> InvalidInput:
    """What is said of a record that is damaged at a message; 0: before the first."""
    where = f"at message {number}" if number else "before its first message"
    return InvalidInput.one(Place(str(path)), f"is damaged {where}: {why}; take another copy, or record it again")
