"""The ends of a connection, whichever transport it has."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from neuroport.errors import InvalidInput, NotWritten, Place, Unsupported
from neuroport.hil.address import Address, allowed
from neuroport.hil.limits import Limits


class NoAnswer(NotWritten):
    """There is a connection, and nothing was heard over it in time: what was asked may still be computed."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            place, "nothing was heard from it in time; it may still compute, so look at `stats`, or give more `timeout`"
        )


class NobodyThere(NotWritten):
    """Nobody listens at an address, or whoever does lets this client not in."""


class Listener(Protocol):
    """Where a server hears messages and answers them."""

    address: Address

    def receive(self, timeout: float, also: Sequence[int] = ()) -> tuple[list[tuple[Any, bytes]], list[int]]:
        """Messages (peer, frame) that have come, and those of the file numbers `also` that can be read.

        Waits at most `timeout` seconds for either.
        """

    def widen(self, peer: Any) -> None:
        """Take messages as long as the limit from a peer that has shown its token."""

    def send(self, peer: Any, frame: bytes) -> None:
        """Answer a peer, if it is still there."""

    def flush(self, seconds: float) -> None:
        """Give what was answered so long to go."""

    def close(self) -> None:
        """Close everything."""


class Caller(Protocol):
    """Where a client asks."""

    address: Address

    def ask(self, frame: bytes) -> bytes:
        """The answer to a message; the next one may come over another connection.

        NoAnswer where none came in time, NobodyThere where nobody listens, NotWritten where the connection broke.
        """

    def another(self, timeout: float) -> Caller:
        """Another connection to the same place."""

    def close(self) -> None:
        """Close the connection."""


Peer = Hashable


def require(address: Address | None = None) -> None:
    """Unsupported, with what to install, where packages are missing that an address needs."""
    wanted = ["msgpack", *(["zmq"] if address is None or address.zeromq else [])]
    missing = [{"zmq": "pyzmq"}.get(name, name) for name in wanted if find_spec(name) is None]
    if missing:
        these = " and ".join(missing)
        text = f"the chip in the loop needs {these}; install with `pip install 'neuroport[hil]'`"
        raise Unsupported(text)


def listening(address: Address, limits: Limits, keys: Path | None) -> Listener:
    """The server's end at an address. InvalidInput where it cannot or must not listen there."""
    allowed(address, keys is not None)
    require(address)
    if address.zeromq:
        from neuroport.hil.zeromq import Router

        return Router(address, limits.message_bytes, keys)
    _without(keys, address, "listen")
    from neuroport.hil.streams import Streams

    return Streams(address, limits.message_bytes)


def calling(address: Address, timeout: float | None, keys: Path | None) -> Caller:
    """The client's end at an address; `timeout`: how long an answer is waited for, in seconds."""
    require(address)
    if address.host == "*":
        raise InvalidInput.one(Place(str(address)), "'*' is where a server listens; give the name of its machine")
    if address.zeromq:
        from neuroport.hil.zeromq import Dealer

        return Dealer(address, timeout, keys)
    _without(keys, address, "connect")
    from neuroport.hil.streams import Stream

    return Stream(address, timeout)


def _without(keys: Path | None, address: Address, how: str) -> None:
    """Refuse keys where they would do nothing."""
    if keys is not None:
        say = f"plain sockets know no keys; leave the keys out, or {how} at tcp:// not {address}"
        raise InvalidInput.one(None, say)
