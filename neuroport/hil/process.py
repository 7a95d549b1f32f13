"""One session in a process of its own, which listens by itself: a crash or a long run touches nobody else.

The process is told what to open in a line of JSON on its standard input, and tells in a line on its standard output
where it listens, or what is wrong. It ends when the host says `bye`, when nothing is heard of the host for so long, and
when its standard input ends, with the server.
"""

from __future__ import annotations

import hmac
import json
import os
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuroport.errors import NeuroportError
from neuroport.hil.address import parsed
from neuroport.hil.endpoints import Listener, Peer, listening
from neuroport.hil.limits import Limits
from neuroport.hil.messages import ASKED, STOPPED, Refused, about, decode, encode, refusal
from neuroport.hil.paced import Pace, Paced
from neuroport.hil.record import Record
from neuroport.hil.served import Effects, Once
from neuroport.numerics.given import found

LOOK = 1.0
"""Seconds after which a session looks whether its time is over."""
POLL = 0.0015
"""Seconds by which waiting for a message may be longer than asked for."""
MOST_KEPT, MOST_WATCHING = 4, 8
"""So many messages wait while one is computed, and so many connections watch; the oldest give way."""
MOST_HEARD = 64
"""So often what came is looked at between two pieces of what is computed: more has to wait."""


def main(config: Mapping[str, Any]) -> None:
    """Open what is wanted, listen, and serve until the end."""
    if config.get("echo"):
        _echo(config)
        return
    try:
        session, record, limits = _opened(config), None, Limits(**config["limits"])
        keys = None if config["keys"] is None else Path(config["keys"])
        listener = listening(parsed(config["address"]), limits, keys)
        record = _record(config, session)
    except (Refused, NeuroportError, MemoryError, OSError) as error:
        _tell({"error": refusal(error).plain()})
        return
    with session:
        effects = Effects(session, limits)
        _tell({"address": str(listener.address), "describe": effects("describe", {})["describe"]})
        try:
            once = Once(effects, record)
            serve(listener, once, config["token"], limits, sys.stdin.fileno(), session)
            listener.flush(1.0)
            if record is not None:
                record.close(session.digest())
            if config["save"] is not None and not once.ended:
                _save(session, Path(config["save"]) / f"{config['token'][:8]}.h5")
        except NeuroportError as error:
            sys.stderr.write(f"error: {error}; the session has ended\n")
        finally:
            listener.close()


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _opened(config: Mapping[str, Any]) -> Paced:
    """The session, behind its link if it has one, by its clock."""
    import neuroport
    from neuroport.hil import link
    from neuroport.hil.linked import Linked
    from neuroport.session.kept import kept_steps

    network = neuroport.load(Path(config["network"]), config["sets"])
    with about("link"):
        made = None if config["link"] is None else link.read(config["link"], config["link_name"], network.dt)
    with about("keep"):
        kept_steps(config["open"].get("keep", "all"), network.dt)
    session = neuroport.open(network, **config["open"])
    return Paced(session if made is None else Linked(session, made), Pace(**config["pace"]))


def _record(config: Mapping[str, Any], session: Paced) -> Record | None:
    """The record of the session, if there is to be one: with all that is needed to open it again."""
    import neuroport
    from neuroport.api.compile import specimen
    from neuroport.chips import description
    from neuroport.files import writer

    if config["record"] is None:
        return None
    network = neuroport.load(Path(config["network"]), config["sets"])
    chip, _ = specimen(network, config["open"].get("chip"))
    opened = {
        "neuroport": neuroport.version.__version__,
        "network": writer.to_yaml(network),
        "chip": description.to_yaml(chip),
        "chip_seed": config["open"].get("chip_seed"),
        "seed": session.seed,
        "backend": session.backend,
        "keep": config["open"].get("keep", "all"),
        "link": config["link"],
        "pace": session.pace.described(),
        "limits": config["limits"],
    }
    return Record(Path(config["record"]), opened)


def _save(session: Paced, path: Path) -> None:
    """Save a session whose host is gone; any session of the same network goes on from the file."""
    session.checkpoint(path)
    sys.stderr.write(f"note: a host is gone, and its session at step {session.step} is saved in {path}\n")


def _echo(config: Mapping[str, Any]) -> None:
    """Say what is heard until the server is gone: what a message costs of which nothing is done, for comparison.

    A message that begins with a zero byte is not even read.
    """
    limits = Limits()
    listener = listening(parsed(config["address"]), limits, None)
    _tell({"address": str(listener.address)})
    ended: list[int] = []
    while not ended:
        messages, ended = listener.receive(LOOK, [sys.stdin.fileno()])
        for peer, frame in messages:
            listener.send(peer, frame if frame[:1] == b"\0" else encode(decode(frame, limits)))
    listener.close()


def serve(listener: Listener, once: Once, token: str, limits: Limits, parent: int, session: Paced) -> None:
    """Answer messages until the session is to end. `parent`: a file number that can be read when the server is gone."""
    heard, owner = time.monotonic(), _Owner(listener, once, token, limits, parent)
    session.end_when(owner.ends)
    while not once.ended and not owner.over and time.monotonic() - heard < limits.idle_s:
        messages, ended = listener.receive(max(0.0, min(LOOK, session.wait() - POLL)), [parent])
        session.tick()
        owner.heard.extend(messages)
        while owner.heard:
            if owner.answer(*owner.heard.popleft()):
                heard = time.monotonic()
        if ended and not os.read(parent, 1):
            return


class _Owner:
    """The host of a session: who showed its token last. Nobody else is answered anything but that.

    `heard`: what is to be answered. While a message is computed, that is done now and then (`ends`), as far as it can
    be: hosts are greeted, and those that only watch are answered; the rest is kept for later. over: the server is gone.
    `parent`: see serve.
    """

    def __init__(self, listener: Listener, once: Once, token: str, limits: Limits, parent: int) -> None:
        self._listener, self._once, self._token, self._parent = listener, once, token, parent
        self._limits = limits
        self._greeting = replace(limits, message_bytes=4096)
        self._peer: Peer = None
        self._watching: deque[Peer] = deque(maxlen=MOST_WATCHING)
        self._running, self._stop = False, ""
        self.heard: deque[tuple[Peer, bytes]] = deque()
        self._kept: deque[tuple[Peer, bytes]] = deque(maxlen=MOST_KEPT)
        self.over = False

    def answer(self, peer: Peer, frame: bytes) -> bool:
        """Answer a message; whether it was the host's."""
        ours = peer == self._peer
        try:
            message = decode(frame, self._limits if ours else self._greeting)
        except (Refused, MemoryError) as error:
            self._send(peer, {"id": None, "ok": False, "error": refusal(error).plain()})
            return ours
        if message.get("op") == "hello":
            return self._greet(peer, message)
        if not ours:
            return self._other(peer, frame, message)
        if self._running:
            self._stop = self._stop or (ASKED if message.get("op") == "bye" else "")
            self._kept.append((peer, frame))
            return True
        self._running, self._stop = True, ""
        try:
            reply = self._once.answer(message, frame)
        finally:
            self._running = False
        self._listener.send(peer, reply)
        if self._kept:
            self.heard.extend(self._kept)
            self._kept.clear()
        return True

    def ends(self) -> bool:
        """Whether what is computed is to end before its time; what has come since is heard."""
        for some in range(MOST_HEARD):
            messages, ended = self._listener.receive(0.0, [self._parent])
            self.heard.extend(messages)
            while self.heard:
                self.answer(*self.heard.popleft())
            if some and not messages:
                break
        if ended and not os.read(self._parent, 1):
            self.over, self._stop = True, STOPPED
        if self._stop:
            self._once.interrupt(self._stop)
        return bool(self._stop)

    def _other(self, peer: Peer, frame: bytes, message: Mapping[str, Any]) -> bool:
        """Answer who watches; anybody else is to show the token first."""
        if peer not in self._watching:
            text = "say hello with the token of this session first"
            self._send(peer, {"id": None, "ok": False, "error": Refused("denied", text, "op").plain()})
            return False
        op, number = message.get("op"), message.get("id")
        number = number if type(number) is int else None
        if op == "cancel" and self._running:
            self._stop = self._stop or ASKED
            self._kept.append((peer, frame))
        elif op in ("stats", "cancel"):
            self._send(peer, {"id": number, "ok": True} | self._once.aside(self._running))
        else:
            text = f"who watches may ask for stats and cancel; found {found(op)}"
            self._send(peer, {"id": number, "ok": False, "error": Refused("unknown_op", text, "op").plain()})
        return True

    def _greet(self, peer: Peer, message: Mapping[str, Any]) -> bool:
        """Take who shows the token for the host, or for one that watches."""
        token = message.get("token")
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self._token.encode()):
            error = Refused("denied", "this is not the token of this session", "token")
            self._send(peer, {"id": None, "ok": False, "error": error.plain()})
            return False
        if message.get("watch") is True:
            self._watching.append(peer)
        else:
            self._peer = peer
        self._listener.widen(peer)
        reply = {"id": None, "ok": True, "expected": self._once.expected + self._running, "emulator": True}
        self._send(peer, reply | {"running": self._running})
        return True

    def _send(self, peer: Peer, reply: dict[str, Any]) -> None:
        self._listener.send(peer, encode(reply))
