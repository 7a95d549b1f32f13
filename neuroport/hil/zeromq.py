"""Messages over ZeroMQ: a ROUTER at the server, a DEALER at the client; encrypted with CURVE where keys are given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.hil.address import Address
from neuroport.hil.keys import accepted, client_keys, server_keys

QUEUED = 8
"""Answers that wait for a peer that does not take them; more are lost, and a peer that asks again gets the last."""
DOMAIN = "neuroport"
"""What the authentication of ZeroMQ calls the clients of a server."""


class Router:
    """The server's end; see Streams. `keys`: a folder made by `neuroport hil keys`."""

    def __init__(self, address: Address, limit: int, keys: Path | None = None) -> None:
        import zmq

        self._context = zmq.Context()
        self._guard: Any = None
        self._also: tuple[int, ...] = ()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.MAXMSGSIZE, limit)
        self._socket.setsockopt(zmq.SNDHWM, QUEUED)
        self._socket.setsockopt(zmq.RCVHWM, QUEUED)
        self._socket.setsockopt(zmq.LINGER, 500)
        self._socket.setsockopt(zmq.IPV6, ":" in address.host)
        try:
            if keys is not None:
                self._guarded(keys)
            self.address = self._bound(address)
        except BaseException:
            self.close()
            raise
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)

    def _guarded(self, keys: Path) -> None:
        """Encrypt, and let in who has a key that is listed."""
        from zmq.auth.thread import ThreadAuthenticator

        public, secret = server_keys(keys)
        self._guard = ThreadAuthenticator(self._context)
        self._guard.start()
        self._guard.configure_curve_callback(DOMAIN, _Listed(accepted(keys)))
        self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
        self._socket.curve_server = True
        self._socket.zap_domain = DOMAIN.encode()

    def _bound(self, address: Address) -> Address:
        import zmq

        if address.path:
            _free(address)
        text = str(address) if address.path or address.port else str(address).removesuffix("0") + "*"
        before = os.umask(0o177)  # what stands at a path is this user's alone
        try:
            self._socket.bind(text)
        except zmq.ZMQError as error:
            raise InvalidInput.one(Place(str(address)), f"cannot be listened at: {str(error).lower()}") from None
        finally:
            os.umask(before)
        if address.path:
            return address
        end = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        return Address("tcp", address.host, int(end.rpartition(":")[2]))

    def receive(self, timeout: float, also: Sequence[int] = ()) -> tuple[list[tuple[bytes, bytes]], list[int]]:
        """Messages that have come, and those of the file numbers `also` that can be read; waits at most so long (s)."""
        self._watch(tuple(also))
        ready = dict(self._poller.poll(max(0, int(timeout * 1000))))
        readable = [number for number in also if number in ready]
        messages = [self._received()] if self._socket in ready else []
        return [message for message in messages if message is not None], readable

    def _watch(self, also: tuple[int, ...]) -> None:
        """Look at these files too, and no longer at those of before."""
        import zmq

        if also != self._also:
            for number in self._also:
                self._poller.unregister(number)
            for number in also:
                self._poller.register(number, zmq.POLLIN)
            self._also = also

    def _received(self) -> tuple[bytes, bytes] | None:
        """A peer and its message; REQ sockets send an empty frame before it, which their answer needs too."""
        peer, *frames = self._socket.recv_multipart()
        if len(frames) == 2 and not frames[0]:
            return peer + b"\0req", frames[1]
        return (peer, frames[0]) if len(frames) == 1 else (peer, b"")

    def widen(self, peer: bytes) -> None:
        """Take messages as long as the limit; ZeroMQ bounds those of all peers alike."""

    def send(self, peer: bytes, frame: bytes) -> None:
        """Answer a peer, if it is still there and takes its answers."""
        import zmq

        frames = [peer.removesuffix(b"\0req"), b"", frame] if peer.endswith(b"\0req") else [peer, frame]
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.ZMQError:
            return

    def flush(self, seconds: float) -> None:
        """Give what was answered so long to go; closing waits for it."""

    def close(self) -> None:
        """Close everything."""
        self._socket.close()
        if self._guard is not None:
            self._guard.stop()
        self._context.term()


class _Listed:
    """Whom ZeroMQ lets in."""

    def __init__(self, keys: frozenset[bytes]) -> None:
        self._keys = keys

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client's key, as 40 characters of Z85, is listed."""
        return key in self._keys


def _free(address: Address) -> None:
    from neuroport.disk.paths import exists

    if exists(address.path):
        say = "something stands there already; a server that ended leaves nothing, so choose another path or remove it"
        raise InvalidInput.one(Place(str(address)), say)


class Dealer:
    """The client's end; see Stream."""

    def __init__(self, address: Address, timeout: float | None, keys: Path | None = None) -> None:
        import zmq

        self._address, self._timeout = address, timeout
        self._curve = None if keys is None else client_keys(keys)
        self._context = zmq.Context()
        self._socket: Any = None

    def ask(self, frame: bytes) -> bytes:
        """The answer to a message. NotWritten where none came in time: ZeroMQ does not tell why."""
        import zmq

        socket = self._connected()
        try:
            socket.send(frame)
            answer: bytes = socket.recv()
        except zmq.ZMQError:
            self._drop()
            text = (
                "nothing was heard from it in time: is a server there, and does it list this client's key, if it asks?"
            )
            raise NotWritten(Place(str(self._address)), text) from None
        except BaseException:  # the answer may still come, and would be taken for that to the next message
            self._drop()
            raise
        return answer

    def _connected(self) -> Any:
        import zmq

        if self._socket is None:
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.setsockopt(zmq.LINGER, 0)
            self._socket.setsockopt(zmq.IPV6, ":" in self._address.host)
            if self._timeout is not None:
                self._socket.setsockopt(zmq.RCVTIMEO, int(self._timeout * 1000))
                self._socket.setsockopt(zmq.SNDTIMEO, int(self._timeout * 1000))
            if self._curve is not None:
                server, public, secret = self._curve
                self._socket.curve_serverkey = server
                self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
            self._socket.connect(str(self._address))
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        """Close the connection."""
        self._drop()
        self._context.term()
