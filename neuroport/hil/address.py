"""Where a server is found: what an address says, and what may be reached without keys."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Literal

from neuroport.errors import InvalidInput, Place

Kind = Literal["tcp", "ipc", "plain", "unix"]
FORMS = "tcp://HOST:PORT and ipc:///PATH for ZeroMQ, plain://HOST:PORT and unix:///PATH for plain sockets"
LONGEST_PATH = 100
"""Bytes of the path of a socket; systems allow little more."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address: `tcp` and `ipc` are spoken to with ZeroMQ, `plain` and `unix` without. Port 0: any that is free."""

    kind: Kind
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.kind}://{self.path}"
        return f"{self.kind}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def zeromq(self) -> bool:
        """Whether ZeroMQ speaks there."""
        return self.kind in ("tcp", "ipc")

    @property
    def loopback(self) -> bool:
        """Whether nothing but this machine reaches it."""
        return bool(self.path) or _loopback(self.host)

    def inner(self, name: str) -> Address:
        """Where a session of the server at this address listens; `name` tells it from others."""
        if self.path:
            return Address(self.kind, path=f"{self.path}-{name[:8]}")
        return Address(self.kind, self.host)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parsed(text: str) -> Address:
    """The address that a text says; InvalidInput for what is none."""
    kind, mark, rest = text.partition("://")
    if not mark or kind not in ("tcp", "ipc", "plain", "unix"):
        raise InvalidInput.one(Place(text), f"is no address; addresses are {FORMS}")
    if kind in ("ipc", "unix"):
        return _of_path(text, kind, rest)
    host, mark, port = rest.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not mark or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        say = f"needs a host and a port from 0 to 65535, such as {kind}://127.0.0.1:5555"
        raise InvalidInput.one(Place(text), say)
    return Address("tcp" if kind == "tcp" else "plain", host, int(port))


def _of_path(text: str, kind: str, path: str) -> Address:
    if not path.startswith("/") or "\0" in path or len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH:
        say = f"needs the whole path of a socket in at most {LONGEST_PATH} bytes, such as {kind}:///tmp/chip"
        raise InvalidInput.one(Place(text), say)
    return Address("ipc" if kind == "ipc" else "unix", path=path)


def allowed(address: Address, keys: bool) -> None:
    """InvalidInput where a server must not listen without keys."""
    if address.loopback or (address.zeromq and keys):
        return
    if address.zeromq:
        say = "can be reached from other machines; make keys with `neuroport hil keys FOLDER` and give --keys FOLDER"
    else:
        say = (
            "can be reached from other machines, and plain sockets know no keys; use plain://127.0.0.1:PORT, or tcp://"
        )
    raise InvalidInput.one(Place(str(address)), say)


def family(address: Address) -> socket.AddressFamily:
    """The kind of socket of a plain address."""
    if address.path:
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address.host else socket.AF_INET
