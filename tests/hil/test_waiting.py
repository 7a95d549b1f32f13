"""Reads that wait: a served session in real time answers when something is there, or the time is over."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from neuroport.hil import connect
from neuroport.hil.limits import Limits
from neuroport.hil.messages import decode, encode
from neuroport.hil.record import read
from neuroport.hil.replay import replay
from neuroport.hil.served import Effects, Once
from neuroport.session.exchange import Write
from tests.support.looped import opened, served

pytest.importorskip("msgpack", reason="serving needs msgpack: pip install 'neuroport[hil]'")

LINK = "from_chip: {latency: 100}\n"


@pytest.mark.dear
@pytest.mark.parametrize("kind", ["tcp", "plain"])
def test_what_comes_is_answered_when_it_comes(kind: str, tmp_path: Path) -> None:
    """Half a second after it was asked for, and not after ten; statistics are told meanwhile; and it is replayed."""
    if kind == "tcp":
        pytest.importorskip("zmq", reason="ZeroMQ needs pyzmq: pip install 'neuroport[hil]'")
    (tmp_path / "link.yaml").write_text(LINK, "utf-8")
    record = tmp_path / "r.hil"
    with (
        served(tmp_path, f"{kind}://127.0.0.1:0", record=record) as where,
        connect(where, pace="real_time", link=tmp_path / "link.yaml") as session,
    ):
        stands = session.exchange([], 1, ["cells"]).step
        session.exchange([Write("cells.i", 2.0, [1], at=stands + 300)], 0)
        begin = time.monotonic()
        (steps, neurons) = session.take("cells", wait=10)["cells"]
        assert 0.2 < time.monotonic() - begin < 5
        assert (steps.tolist(), neurons.tolist()) == ([stands + 300], [1])
        assert session.step >= stands + 401, "the link takes 100 steps"
        steps, _ = session.spikes("cells", session.step, wait=0.3)
        assert len(steps) == 0
        steps, _ = session.records("cells.v", session.step + 50, wait=10)
        assert len(steps) >= 1
    found = read(record)
    outcome = replay(found)
    assert (outcome.difference, outcome.digest) == ("", found.digest)


@pytest.mark.dear
def test_who_waits_can_stop_waiting(tmp_path: Path) -> None:
    """Cancelled, it gets what is there; and the exchange after it is whole."""
    with served(tmp_path, "plain://127.0.0.1:0") as where, connect(where, pace="real_time") as session:
        begin = time.monotonic()
        threading.Timer(0.5, session.cancel).start()
        assert len(session.take("cells", wait=30)["cells"][0]) == 0
        assert 0.3 < time.monotonic() - begin < 10
        before = session.step
        assert session.exchange((), 5).step >= before + 5
        assert session.stats()["steps"] == session.step


@pytest.mark.parametrize("wait", [-1, 60_001, float("nan"), "1 s", True, None])
@pytest.mark.parametrize("message", [
    {"op": "take"}, {"op": "spikes", "population": "cells"}, {"op": "records", "name": "cells.v"}
])  # fmt: skip
def test_what_is_no_time_to_wait(message: dict[str, Any], wait: Any) -> None:
    with opened() as session:
        frame = encode({"id": 1, **message, "wait_ms": wait})
        reply = decode(Once(Effects(session, Limits())).handle(frame), Limits())
    said = "1 s" if wait == "1 s" else wait
    assert reply["error"] == {
        "code": "bad_value",
        "text": f"wait_ms is a number of milliseconds from 0 to 60,000; found {said!r}",
        "where": "wait_ms",
    }
