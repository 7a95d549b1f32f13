"""What a server takes of a client, and no more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a server; all stand in what `hello` and `describe` answer.

    message_bytes: of one message. checkpoint_bytes: of a checkpoint that goes through several. exchange_numbers: that
    one exchange writes. exchange_steps: that it runs.
    nesting: of maps and lists in each other. items: maps, lists, texts and numbers of a message; the bytes of an array
    are one. text_bytes: of one text. sessions: at once. idle_s: seconds after which a session ends whose host is not
    heard.
    """

    message_bytes: int = 16 * MIB
    checkpoint_bytes: int = 256 * MIB
    exchange_numbers: int = 1_000_000
    exchange_steps: int = 1_000_000
    nesting: int = 64
    items: int = 1_000_000
    text_bytes: int = 65_536
    sessions: int = 16
    idle_s: float = 60.0

    def described(self) -> dict[str, Any]:
        """The limits as plain values."""
        return asdict(self)
