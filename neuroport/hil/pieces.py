"""Checkpoints that go through messages in pieces, because they are longer than a message may be."""

from __future__ import annotations

from typing import Any

from neuroport.hil.limits import Limits
from neuroport.hil.messages import Refused
from neuroport.numerics.given import found, whole

ROOM = 1024
"""Bytes of a message beside a piece."""


def most(limits: Limits) -> int:
    """How long a piece is at most, in bytes."""
    return max(1, limits.message_bytes - ROOM)


class Pieces:
    """Two checkpoints as bytes of msgpack: one that the host fetches, and one that it gives."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fetched, self._given = b"", bytearray()

    def hold(self, content: bytes) -> None:
        """Keep what is to be fetched, in the place of what was."""
        room = self._limits.checkpoint_bytes
        if len(content) > room:
            text = f"the checkpoint has {len(content):,} bytes, and at most {room:,} are held"
            raise Refused("too_large", f"{text}; open the session with a shorter keep")
        self._fetched = content

    def fetch(self, begin: Any) -> bytes:
        """The piece that begins there; nothing at the end."""
        at = whole(begin)
        if at is None or at < 0:
            raise Refused("bad_value", f"begin is a number of bytes from 0; found {found(begin)}", "begin")
        return self._fetched[at : at + most(self._limits)]

    def give(self, begin: Any, piece: Any) -> int:
        """Take the piece that begins there; how many bytes are here. One that begins at 0 begins another checkpoint."""
        at = whole(begin)
        if at is None or at not in (0, len(self._given)):
            text = f"the next piece begins at {len(self._given)}, or at 0 where another checkpoint begins; found "
            raise Refused("bad_value", text + found(begin), "begin")
        if not isinstance(piece, bytes):
            raise Refused("bad_value", f"piece is bytes; found {found(piece)}", "piece")
        if at + len(piece) > self._limits.checkpoint_bytes:
            text = f"a checkpoint has at most {self._limits.checkpoint_bytes:,} bytes here"
            raise Refused("too_large", text, "piece")
        if not at:
            self._given.clear()
        self._given += piece
        return len(self._given)

    def given(self) -> bytes:
        """All that was given; it is here no longer."""
        content = bytes(self._given)
        self._given.clear()
        return content
