"""Messages over TCP and UNIX sockets: each a little-endian uint32, its length, and that many bytes.

No byte of a message is taken before the answer to the one before it is gone, so that a peer that does not listen fills
its own buffers alone.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress

from neuroport.disk.paths import exists, reason
from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.hil.address import Address, family
from neuroport.hil.endpoints import NoAnswer, NobodyThere
from neuroport.hil.messages import Refused, encode

HEAD = struct.Struct("<I")
PIECE = 2**18
MOST_PEERS = 64
GREETING = 65_536
"""Bytes of a message of a peer that has not yet shown a token."""


class _Peer:
    """A connection: what has come of its next message, and what it has not taken of the last answer.

    waits: whether it has not been answered yet.
    """

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.coming, self.going = bytearray(), memoryview(b"")
        self.limit, self.watched = GREETING, selectors.EVENT_READ
        self.closing = self.waits = False

    def wanted(self) -> int:
        """The length of the message that is coming; -1 while that is not known."""
        return HEAD.unpack_from(self.coming)[0] if len(self.coming) >= HEAD.size else -1

    def message(self) -> bytes | None:
        """The message that has come whole, if one has and the answer to the one before it is gone."""
        wanted = self.wanted()
        if self.waits or self.going or self.closing or wanted < 0 or len(self.coming) < HEAD.size + wanted:
            return None
        self.waits = True
        frame = bytes(self.coming[HEAD.size : HEAD.size + wanted])
        del self.coming[: HEAD.size + wanted]
        return frame


class Streams:
    """The server's end. `receive` gives messages with the number of their peer; `send` answers."""

    def __init__(self, address: Address, limit: int) -> None:
        self._limit, self._selector = limit, selectors.DefaultSelector()
        self._peers: dict[int, _Peer] = {}
        self._next = 0
        self._also: tuple[int, ...] = ()
        self._listener = _listening(address)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        port = 0 if address.path else self._listener.getsockname()[1]
        self.address = Address(address.kind, address.host, port, address.path)

    def receive(self, timeout: float, also: Sequence[int] = ()) -> tuple[list[tuple[int, bytes]], list[int]]:
        """Messages that have come, and those of the file numbers `also` that can be read; waits at most so long (s)."""
        ready = self._taken()
        if tuple(also) != self._also:
            self._look_at(tuple(also))
        found = self._selector.select(0 if ready else timeout)
        readable = [key.data for key, _ in found if isinstance(key.data, int) and key.fd in also]
        for key, events in found:
            if key.data is None:
                self._accept()
            elif isinstance(key.data, tuple):
                self._moved(key.data[0], events)
        return ready + self._taken(), readable

    def _look_at(self, also: tuple[int, ...]) -> None:
        """Look at these files too, and no longer at those of before."""
        for number in self._also:
            self._selector.unregister(number)
        for number in also:
            self._selector.register(number, selectors.EVENT_READ, number)
        self._also = also

    def _taken(self) -> list[tuple[int, bytes]]:
        """One message of each peer that has sent one whole."""
        found = []
        for number, peer in list(self._peers.items()):
            message = peer.message()
            if message is not None:
                found.append((number, message))
        return found

    def widen(self, number: int) -> None:
        """Take messages as long as the limit from a peer."""
        if number in self._peers:
            self._peers[number].limit = self._limit

    def send(self, number: int, frame: bytes) -> None:
        """Answer a peer, if it is still there."""
        peer = self._peers.get(number)
        if peer is not None:
            peer.going, peer.waits = memoryview(HEAD.pack(len(frame)) + frame), False
            self._write(number, peer)

    def close(self) -> None:
        """Close everything."""
        for number in list(self._peers):
            self._drop(number)
        self._listener.close()
        self._selector.close()
        if self.address.path:
            with suppress(OSError):
                os.unlink(self.address.path)

    def flush(self, seconds: float) -> None:
        """Give what was answered so long to go."""
        end = time.monotonic() + seconds
        while any(peer.going for peer in self._peers.values()) and time.monotonic() < end:
            for key, events in self._selector.select(0.05):
                if isinstance(key.data, tuple) and events & selectors.EVENT_WRITE:
                    self._moved(key.data[0], selectors.EVENT_WRITE)

    def _accept(self) -> None:
        """Let in all that wait, as far as there is room for them."""
        for _ in range(MOST_PEERS):
            try:
                stream, _ = self._listener.accept()
            except OSError:  # nobody is left
                return
            if len(self._peers) >= MOST_PEERS:
                stream.close()
                continue
            with suppress(OSError):
                self._let_in(stream)

    def _let_in(self, stream: socket.socket) -> None:
        stream.setblocking(False)
        if stream.family != socket.AF_UNIX:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._next += 1
        self._peers[self._next] = _Peer(stream)
        self._selector.register(stream, selectors.EVENT_READ, (self._next,))

    def _moved(self, number: int, events: int) -> None:
        peer = self._peers.get(number)
        if peer is not None and events & selectors.EVENT_WRITE:
            self._write(number, peer)
        elif peer is not None and events & selectors.EVENT_READ:
            self._read(number, peer)

    def _read(self, number: int, peer: _Peer) -> None:
        try:
            piece = peer.stream.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._drop(number)
            return
        peer.coming += piece
        if peer.wanted() > peer.limit:
            text = f"a message has at most {peer.limit:,} bytes here; this one says it has {peer.wanted():,}"
            peer.coming.clear()
            peer.closing = True
            error = Refused("too_large", text).plain()
            self.send(number, encode({"id": None, "ok": False, "error": error}))
        self._watch(number)

    def _write(self, number: int, peer: _Peer) -> None:
        try:
            while peer.going:
                peer.going = peer.going[peer.stream.send(peer.going) :]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(number)
            return
        if peer.closing and not peer.going:
            self._drop(number)
            return
        self._watch(number)

    def _watch(self, number: int) -> None:
        """Wait for what a peer does next: read the rest of an answer, or send as much as one message more."""
        peer = self._peers.get(number)
        if peer is None:
            return
        full = len(peer.coming) >= HEAD.size + max(peer.wanted(), 0) and peer.wanted() >= 0
        events = selectors.EVENT_WRITE if peer.going else 0 if full else selectors.EVENT_READ
        if events == peer.watched:
            return
        if peer.watched:
            self._selector.unregister(peer.stream)
        if events:
            self._selector.register(peer.stream, events, (number,))
        peer.watched = events

    def _drop(self, number: int) -> None:
        peer = self._peers.pop(number)
        if peer.watched:
            self._selector.unregister(peer.stream)
        with suppress(OSError):
            peer.stream.close()


def _listening(address: Address) -> socket.socket:
    """A socket that listens; InvalidInput where the address is taken or is none of this machine."""
    listener = socket.socket(family(address))
    try:
        if address.path:
            _bind_path(listener, address)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
        listener.listen(MOST_PEERS)
    except OSError as error:
        listener.close()
        raise InvalidInput.one(Place(str(address)), f"cannot be listened at: {reason(error)}") from None
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _bind_path(listener: socket.socket, address: Address) -> None:
    """Bind to a path where nothing stands; only this user may speak there."""
    if exists(address.path):
        say = "something stands there already; a server that ended leaves nothing, so choose another path or remove it"
        raise InvalidInput.one(Place(str(address)), say)
    before = os.umask(0o177)
    try:
        listener.bind(address.path)
    finally:
        os.umask(before)


class Stream:
    """The client's end: one message, and the answer to it."""

    def __init__(self, address: Address, timeout: float | None) -> None:
        self.address, self._timeout = address, timeout
        self._stream: socket.socket | None = None

    def ask(self, frame: bytes) -> bytes:
        """The answer to a message; see Caller."""
        try:
            stream = self._connected()
            stream.sendall(HEAD.pack(len(frame)) + frame)
            (length,) = HEAD.unpack(_exactly(stream, HEAD.size))
            return _exactly(stream, length)
        except OSError as error:
            self.close()
            raise self._told(error) from None
        except BaseException:  # the answer may still come, and would be taken for that to the next message
            self.close()
            raise

    def _told(self, error: OSError) -> NotWritten:
        """What a client is told of what its connection came to."""
        place = Place(str(self.address))
        if isinstance(error, TimeoutError):
            return NoAnswer(place)
        nobody = isinstance(error, ConnectionRefusedError | FileNotFoundError)
        kind = NobodyThere if nobody else NotWritten
        return kind(place, f"there is no connection to it: {reason(error)}")

    def _connected(self) -> socket.socket:
        if self._stream is None:
            stream = socket.socket(family(self.address))
            self._stream = stream
            stream.settimeout(self._timeout)
            stream.connect(self.address.path or (self.address.host, self.address.port))
            if not self.address.path:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._stream

    def another(self, timeout: float) -> Stream:
        """Another connection to the same place."""
        return Stream(self.address, timeout)

    def close(self) -> None:
        """Close the connection; the next message opens another one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _exactly(stream: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = stream.recv(min(PIECE, size - len(got)))
        if not piece:
            raise ConnectionResetError("it was closed at the other end")
        got += piece
    return bytes(got)
