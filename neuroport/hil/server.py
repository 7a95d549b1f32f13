"""The server: it greets hosts, opens a session in a process of its own for each that asks, and tells where that is."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from neuroport.errors import NeuroportError
from neuroport.hil.address import Address
from neuroport.hil.endpoints import Peer, listening
from neuroport.hil.limits import MIB, Limits
from neuroport.hil.messages import Refused, about, decode, encode, refusal
from neuroport.hil.paced import MODES, POLICIES, Pace
from neuroport.hil.served import Fields
from neuroport.numerics.given import checked_seed, found, whole
from neuroport.numerics.units import suggestion
from neuroport.version import __version__

PROTOCOL = 1
LOOK = 0.5
"""Seconds after which the server looks whether it is to end."""
LAST = 5.0
"""Seconds that sessions have to end when the server does."""
_BOOT = """import json, sys
config = json.loads(sys.stdin.readline())
sys.path[:] = config["path"]
from neuroport.hil.process import main
main(config)
"""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a server serves: networks by name, how sessions of them are opened where a host says nothing, and bounds.

    sets: changes of the networks. link: the text of a link file, and its name. keys: the folder of the server's keys.
    pace: how sessions go by the clock. record: the file in which what happens in a session is written down. save: the
    folder for checkpoints of sessions whose host is gone without a word.
    """

    networks: Mapping[str, Path]
    sets: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    link: tuple[str, str] | None = None
    keys: Path | None = None
    pace: Pace = field(default_factory=Pace)
    record: Path | None = None
    save: Path | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class _Child:
    """The process of a session: who asked for it, until it is told. path: of its socket, "" where that has none."""

    process: subprocess.Popen[bytes]
    token: str
    asked: tuple[Peer, int] | None
    path: str = ""
    said: bytearray = field(default_factory=bytearray)

    @property
    def output(self) -> int:
        """The number of the file that it writes to."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def clear(self) -> None:
        """Take away what a process that has ended leaves."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        if self.path:
            with suppress(OSError):
                os.unlink(self.path)


class Server:
    """Listens at an address: `with Server(address, offer) as server: server.serve()`."""

    def __init__(self, address: Address, offer: Offer) -> None:
        self._offer = offer
        self._greeting = replace(offer.limits, message_bytes=min(MIB, offer.limits.message_bytes), items=1000)
        self._listener = listening(address, offer.limits, offer.keys)
        self._children: dict[int, _Child] = {}
        self._ending = False

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._listener.address

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def end(self) -> None:
        """Have `serve` return soon; may be called from a handler of signals, or from another thread."""
        self._ending = True

    def serve(self) -> None:
        """Greet and open until the end."""
        while not self._ending:
            waited = [number for number, child in self._children.items() if child.asked is not None]
            messages, ready = self._listener.receive(LOOK, waited)
            for number in ready:
                self._hear(self._children[number])
            for peer, frame in messages:
                self._answer(peer, frame)
            self._bury()

    def close(self) -> None:
        """End all sessions, and listen no more."""
        for child in self._children.values():
            _let_go(child.process)
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(LAST)
            child.process.kill()
            child.process.wait()
            child.clear()
        self._children.clear()
        self._listener.flush(0.5)
        self._listener.close()

    def _answer(self, peer: Peer, frame: bytes) -> None:
        number = None
        try:
            message = decode(frame, self._greeting)
            number = whole(message.get("id"))
            reply = self._done(peer, number, message)
        except (Refused, NeuroportError, MemoryError, OSError) as error:
            reply = {"id": number, "ok": False, "error": refusal(error).plain()}
        if reply is not None:
            self._listener.send(peer, encode(reply))

    def _done(self, peer: Peer, number: int | None, message: dict[str, Any]) -> dict[str, Any] | None:
        """The reply to a message; None where it comes later."""
        if number is None:
            raise Refused("bad_message", f"id is a whole number; found {found(message.get('id'))}", "id")
        op = message.get("op")
        fields = {key: value for key, value in message.items() if key not in ("id", "op")}
        if op == "hello":
            return {"id": number, "ok": True} | self._hello(fields)
        if op == "open":
            self._open((peer, number), fields)
            return None
        near = suggestion(op, ["hello", "open"]) if isinstance(op, str) else ""
        text = f"there is no op {found(op)} before a session is open; {near}there are: hello, open"
        raise Refused("unknown_op", text, "op")

    def _hello(self, message: Mapping[str, Any]) -> dict[str, Any]:
        fields = Fields(message, ("protocol", "client"))
        wanted = fields.get("protocol", [PROTOCOL])
        if not isinstance(wanted, list) or PROTOCOL not in wanted:
            text = f"this server speaks version {PROTOCOL} of the protocol; found {found(wanted)}"
            raise Refused("bad_value", text, "protocol")
        return {
            "protocol": PROTOCOL,
            "server": f"neuroport {__version__}",
            "emulator": True,
            "networks": list(self._offer.networks),
            "limits": self._offer.limits.described(),
        }

    # --------------------------------------------------------------------------------------------------- sessions

    def _open(self, asked: tuple[Peer, int], message: Mapping[str, Any]) -> None:
        """Start the process of a session; who asked is told when it has opened."""
        if len(self._children) >= self._offer.limits.sessions:
            raise Refused("busy", f"{len(self._children)} sessions are open, as many as this server has at once")
        token = secrets.token_hex(16)
        inner = self.address.inner(token)
        config = self._config(message) | {"token": token, "address": str(inner)}
        child = _Child(started(config), token, asked, inner.path)
        self._children[child.output] = child

    def _config(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What a process is told to open."""
        fields = Fields(message, ("network", "chip", "chip_seed", "seed", "backend", "keep", "link", "pace"))
        name = fields.get("network", None)
        name = next(iter(self._offer.networks)) if name is None else name
        if not isinstance(name, str) or name not in self._offer.networks:
            text = f"there is no network {found(name)} here; there are: {', '.join(self._offer.networks)}"
            raise Refused("unknown_name", text, "network")
        link = self._offer.link if fields.get("link", None) is None else (fields.text("link"), "link")
        return {
            "network": str(self._offer.networks[name]),
            "sets": list(self._offer.sets),
            "open": dict(self._offer.defaults) | dict(_chosen(fields)),
            "link": None if link is None else link[0],
            "link_name": "" if link is None else link[1],
            "keys": None if self._offer.keys is None else str(self._offer.keys),
            "pace": _pace(fields, self._offer.pace).described(),
            "save": None if self._offer.save is None else str(self._offer.save),
            "record": None if self._offer.record is None else str(self._offer.record),
            "limits": self._offer.limits.described(),
        }

    def _hear(self, child: _Child) -> None:
        """Take what the process of a session tells; when that is a line, tell it to who asked."""
        piece = os.read(child.output, 65_536)
        child.said += piece
        if piece and b"\n" not in piece:
            return
        assert child.asked is not None
        (peer, number), child.asked = child.asked, None
        self._listener.send(peer, encode({"id": number} | self._told(child)))

    def _told(self, child: _Child) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(bytes(child.said))
        except ValueError:
            text = "the process of the session ended before it had opened it; the server's standard error says more"
            return {"ok": False, "error": Refused("failed", text).plain()}
        if "error" in told:
            return {"ok": False, "error": told["error"]}
        return {"ok": True, "token": child.token} | told

    def _bury(self) -> None:
        """Forget processes that have ended."""
        for number, child in list(self._children.items()):
            if child.asked is None and child.process.poll() is not None:
                _let_go(child.process)
                child.clear()
                del self._children[number]


@contextmanager
def serving(address: Address, offer: Offer) -> Iterator[str]:
    """A server in a thread of this process, which has nothing to do once its sessions are open; its address."""
    with Server(address, offer) as server:
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        try:
            yield str(server.address)
        finally:
            server.end()
            thread.join()


def started(config: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """A process that was told what to serve (see neuroport.hil.process)."""
    process = subprocess.Popen(
        [sys.executable, "-c", _BOOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({**config, "path": sys.path}).encode() + b"\n")
    process.stdin.flush()
    return process


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Tell a process that its server is gone."""
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()


def _chosen(fields: Fields) -> Iterator[tuple[str, Any]]:
    """How a host wants a session to be opened: by names and numbers, never by paths of the server's files."""
    from neuroport import backends
    from neuroport.chips import description

    for key, known in (("chip", description.names()), ("backend", backends.names())):
        value = fields.get(key, None)
        if value is not None:
            yield key, _one_of(fields, key, known)
    for key in ("chip_seed", "seed"):
        value = fields.get(key, None)
        if value is not None:
            with about(key):
                yield key, checked_seed(value, key)
    keep = fields.get("keep", None)
    if keep is not None:
        yield "keep", keep


def _pace(fields: Fields, default: Pace) -> Pace:
    """By which pace a host wants a session to go."""
    given = fields.get("pace", None)
    if given is None:
        return default
    if not isinstance(given, dict):
        raise Refused("bad_value", f"pace is a map of mode, rate and late; found {found(given)}", "pace")
    inner = Fields(given, ("mode", "rate", "late"), "pace")
    rate = inner.get("rate", default.rate)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1e-6 <= rate <= 1e6:
        text = f"rate is a number from 1e-6 to 1e6, of seconds of the network in one of the clock; found {found(rate)}"
        raise Refused("bad_value", text, "pace.rate")
    mode = _one_of(inner, "mode", MODES) if "mode" in given else default.mode
    late = _one_of(inner, "late", POLICIES) if "late" in given else default.late
    return Pace(mode=cast(Any, mode), rate=float(rate), late=cast(Any, late))


def _one_of(fields: Fields, key: str, known: Sequence[str]) -> str:
    name = fields.text(key)
    if name not in known:
        text = f"there is no {key} '{name}'; {suggestion(name, list(known))}there are: {', '.join(known)}"
        raise Refused("unknown_name", text, fields.at(key))
    return name
