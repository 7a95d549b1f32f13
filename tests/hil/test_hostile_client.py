"""A client that means ill: whatever it sends is answered, harms no other session, and takes no memory for good."""

from __future__ import annotations

import os
import random
import resource
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from neuroport.hil.limits import Limits
from neuroport.hil.messages import CODES, decode, encode
from neuroport.hil.served import Effects, Once
from tests.support.hostile_messages import changed, frame, valid
from tests.support.looped import answering, opened

pytest.importorskip("msgpack", reason="messages need msgpack: pip install 'neuroport[hil]'")

HUNT = Limits(exchange_steps=20, exchange_numbers=10_000)
FEW, MANY = 600, 100_000


def memory() -> int:
    """What this process has in memory now, in bytes."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def assault(seed: int, messages: int) -> dict[str, int]:
    """So many messages to one session; how many replies of each code there were.

    Who forges a checkpoint, with its SHA-256, may find what is impossible in his own session, and hears of it.
    """
    draw, told, forged = random.Random(seed), dict.fromkeys((*CODES, "ok"), 0), False
    with opened(keep=100) as session:
        effects = Effects(session, HUNT)
        bases = valid(dict(effects("checkpoint", {})["checkpoint"]))
        once = Once(effects)
        for _ in range(messages):
            base = draw.choice(bases)
            message = base if draw.random() < 0.2 else changed(base, draw)
            sent = frame(message, once.expected, draw)
            started = time.monotonic()
            reply = decode(once.handle(sent), Limits(message_bytes=2**30, items=10**7))
            assert time.monotonic() - started < 10, sent
            code = "ok" if reply["ok"] else reply["error"]["code"]
            told[code] += 1
            forged = forged or (code == "ok" and message.get("op") == "restore" and message is not base)
            assert forged or code != "failed" or "fault of neuroport" not in reply["error"]["text"], (reply, sent)
            assert session.step == effects("stats", {})["stats"]["steps"]
    return told


@pytest.mark.parametrize("seed", range(2))
def test_every_message_is_answered(seed: int) -> None:
    told = assault(seed, FEW)
    assert told["ok"] > FEW // 10
    assert told["bad_value"] > FEW // 20
    assert told["bad_message"] > FEW // 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_every_message_is_answered_hunt(seed: int) -> None:
    assault(seed, 1000)
    before = memory()
    assault(seed, MANY // 4)
    assert memory() - before < 50 * 2**20


def test_nothing_but_a_bound_number_of_items_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of 16 MiB of nested nothing costs no gigabytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with opened() as session:
        once = Once(Effects(session, Limits()))
        for piece in (b"\x90", b"\x80", b"\xa0", b"\xc0", b"\x91", b"\xdc\xff\xff", b"\xdf\xff\xff\xff\xff"):
            body = piece * (2**24 // len(piece) - 100)
            bomb = b"\x81\xa1a\xdd" + struct.pack(">I", len(body) // len(piece)) + body
            assert decode(once.handle(bomb), Limits())["error"]["code"] in ("too_large", "bad_message")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024


def noise(port: int, seed: int, rounds: int) -> None:
    """Connections of noise, of lengths that never come, and of peers that do not listen."""
    draw = random.Random(seed)
    for _ in range(rounds):
        with socket.socket() as peer:
            peer.settimeout(0.02)
            peer.connect(("127.0.0.1", port))
            with_length = struct.pack("<I", draw.choice([0, 1, 40, 2**16, 2**24, 2**32 - 1]))
            pieces = [
                draw.randbytes(draw.choice([1, 3, 4, 100, 3000])),
                with_length + draw.randbytes(draw.randrange(60)),
                b"".join(
                    struct.pack("<I", len(f)) + f for f in [encode({"id": 1, "op": "stats"})] * draw.randrange(30)
                ),
            ]
            try:
                for piece in draw.sample(pieces, draw.randrange(1, 4)):
                    peer.sendall(piece)
                if draw.random() < 0.3:
                    peer.recv(100)
            except OSError:
                pass


@pytest.mark.parametrize("kind", ["plain", "tcp"])
@pytest.mark.parametrize("rounds", [40, pytest.param(5_000, marks=pytest.mark.slow, id="hunt")])
def test_noise_on_the_socket_harms_nobody(kind: str, rounds: int) -> None:
    if kind == "tcp":
        pytest.importorskip("zmq", reason="ZeroMQ needs pyzmq: pip install 'neuroport[hil]'")
    with answering(opened(), f"{kind}://127.0.0.1:0") as session:
        port = int(session._caller.address.port)
        noisy = threading.Thread(target=noise, args=(port, 1, rounds))
        noisy.start()
        done = 0
        before = memory()
        while noisy.is_alive() or done < 20:
            session.exchange({"cells.drive": 0.5}, 2, ["cells"])
            done += 1
        noisy.join()
        assert session.step == session.stats()["steps"] == 2 * done
        assert memory() - before < 100 * 2**20


def test_a_peer_that_does_not_read_stops_nobody() -> None:
    """Its answers wait in its own buffers, one at a time."""
    with answering(opened(), "plain://127.0.0.1:0") as session:
        port = int(session._caller.address.port)
        with socket.socket() as peer:
            peer.connect(("127.0.0.1", port))
            peer.setblocking(False)
            request: Any = encode({"id": 1, "op": "stats"})
            flood = (struct.pack("<I", len(request)) + request) * 1000
            sent = 0
            try:
                while sent < 50_000_000:
                    sent += peer.send(flood)
            except BlockingIOError:
                pass
            for _ in range(20):
                session.run(1)
            assert session.step == 20


def test_more_peers_than_there_is_room_for_are_turned_away() -> None:
    with answering(opened(), "plain://127.0.0.1:0") as session:
        session.run(1)
        port = int(session._caller.address.port)
        peers = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(80)]
        session.run(1)
        assert [peer.recv(1) for peer in peers[-10:]] == [b""] * 10
        for peer in peers:
            peer.close()
        session.run(1)
        assert session.step == 3
