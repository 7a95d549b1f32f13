"""Messages over ZeroMQ: a ROUTER at the server, a DEALER at the client; encrypted with CURVE where keys are given."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.hil.address import Address
from neuroport.hil.endpoints import NoAnswer, NobodyThere
from neuroport.hil.keys import accepted, client_keys, server_keys

QUEUED = 8
"""Answers that wait for a peer that does not take them; more are lost, and a peer that asks again gets the last."""
LOOK = 0.1
"""Seconds after which a client that waits for an answer looks what became of its connection."""
BEAT, SILENCE = 2_000, 10_000
"""Milliseconds between the heartbeats of a client, and after which a peer that returns none is gone. Threads of ZeroMQ
return them, however long the peer computes."""
STRANGER = (
    "there is no connection to it: it does not let this client in; does it list this client's key, and is server.key "
    "that of this server?"
)
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

        self.address, self._timeout, self._keys = address, timeout, keys
        self._curve = None if keys is None else client_keys(keys)
        self._context = zmq.Context()
        self._socket: Any = None
        self._monitor: Any = None
        self._greeted = False

    def ask(self, frame: bytes) -> bytes:
        """The answer to a message; see Caller."""
        import zmq

        socket = self._connected()
        try:
            socket.send(frame)
            try:
                answer: bytes = socket.recv()
            except zmq.Again:
                answer = self._awaited(socket)
        except zmq.ZMQError as error:
            self._drop()
            raise NotWritten(Place(str(self.address)), str(error).lower()) from None
        except BaseException:  # the answer may still come, and would be taken for that to the next message
            self._drop()
            raise
        return answer

    def _awaited(self, socket: Any) -> bytes:
        """The answer that has not come at once, as long as there is a connection over which it can."""
        import zmq

        end = None if self._timeout is None else time.monotonic() + self._timeout - LOOK
        while True:
            lost = self._lost()
            try:
                answer: bytes = socket.recv(zmq.NOBLOCK if lost else 0)
                return answer
            except zmq.Again:
                if lost:
                    raise lost from None
            if end is not None and time.monotonic() >= end:
                raise NoAnswer(Place(str(self.address)))

    def _lost(self) -> NotWritten | None:
        """What became of the connection, if there is none any more."""
        import zmq
        from zmq.utils.monitor import recv_monitor_message

        place = Place(str(self.address))
        while self._monitor.poll(0):
            match recv_monitor_message(self._monitor)["event"]:
                case zmq.EVENT_HANDSHAKE_SUCCEEDED:
                    self._greeted = True
                case zmq.EVENT_CONNECT_RETRIED:
                    return NobodyThere(place, "there is no connection to it: nobody listens there")
                case zmq.EVENT_DISCONNECTED if self._greeted:
                    return NotWritten(place, "there is no connection to it: it was closed at the other end")
                case zmq.EVENT_DISCONNECTED:
                    return NobodyThere(place, STRANGER)
        return None

    def _connected(self) -> Any:
        import zmq

        if self._socket is None:
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.setsockopt(zmq.LINGER, 0)
            self._socket.setsockopt(zmq.IPV6, ":" in self.address.host)
            self._socket.setsockopt(zmq.HEARTBEAT_IVL, BEAT)
            for silent in (zmq.HEARTBEAT_TIMEOUT, zmq.CONNECT_TIMEOUT, zmq.HANDSHAKE_IVL):
                self._socket.setsockopt(silent, SILENCE)
            look = LOOK if self._timeout is None else min(LOOK, self._timeout)
            self._socket.setsockopt(zmq.RCVTIMEO, int(look * 1000))
            self._socket.setsockopt(zmq.SNDTIMEO, int(look * 1000))
            if self._curve is not None:
                server, public, secret = self._curve
                self._socket.curve_serverkey = server
                self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
            told = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_DISCONNECTED
            self._monitor, self._greeted = self._socket.get_monitor_socket(told), False
            self._socket.connect(str(self.address))
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.disable_monitor()
            self._monitor.close()
            self._socket.close()
            self._socket = None

    def another(self, timeout: float) -> Dealer:
        """Another connection to the same place."""
        return Dealer(self.address, timeout, self._keys)

    def close(self) -> None:
        """Close the connection."""
        self._drop()
        self._context.term()
