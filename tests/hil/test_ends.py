"""How a served session ends, or what it computes: killed, stopped with its server, cancelled; what its host hears."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neuroport.errors import InvalidInput, NotWritten
from neuroport.hil import connect, server
from neuroport.hil.address import parsed
from neuroport.hil.client import ENDED, Remote
from neuroport.hil.endpoints import NoAnswer, calling
from neuroport.hil.limits import Limits
from neuroport.hil.messages import ASKED, decode, encode
from neuroport.hil.paced import Pace, Paced
from neuroport.hil.process import MOST_KEPT, serve
from neuroport.hil.record import read
from neuroport.hil.replay import replay
from neuroport.hil.served import Effects, Once
from tests.support.looped import TEXT, opened, served
from tests.support.signals import heard

pytestmark = pytest.mark.dear
pytest.importorskip("msgpack", reason="serving needs msgpack: pip install 'neuroport[hil]'")
pytest.importorskip("zmq", reason="serving needs pyzmq: pip install 'neuroport[hil]'")

FORMS = ("tcp://127.0.0.1:0", "ipc://{}/chip", "plain://127.0.0.1:0", "unix://{}/chip")
LONG = 1_000_000
"""More steps than are computed in the time of a test."""
SOON, AT_ONCE = 8.0, 1.0
"""Seconds within which a host hears of an end, and is told again: some tenths and none, on a machine with time."""


@pytest.fixture(params=FORMS, ids=lambda form: str(form).partition(":")[0])
def form(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param).format(tmp_path)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes of the sessions that are opened."""
    found: list[subprocess.Popen[bytes]] = []
    start = server.started

    def started(config: Any) -> subprocess.Popen[bytes]:
        found.append(start(config))
        return found[-1]

    monkeypatch.setattr(server, "started", started)
    return found


class Doing:
    """A call in a thread of its own: what it gives, or raises, and when."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self.result, self.error = call, None, ""
        self._thread = threading.Thread(target=self._do)
        self._thread.start()

    def _do(self) -> None:
        try:
            self.result = self._call()
        except NotWritten as error:
            self.error = str(error)

    def done(self, seconds: float) -> bool:
        """Whether it is done within so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()


def computing(session: Remote) -> Doing:
    """A long exchange in another thread, of which some steps are done."""
    doing = Doing(lambda: session.exchange({"cells.drive": 1.0}, LONG, ["cells"]))
    until = time.monotonic() + 20
    while session.stats()["steps"] == 0:
        assert time.monotonic() < until
        time.sleep(0.05)
    return doing


def told(call: Callable[[], Any], seconds: float) -> str:
    """What is said of a call that fails within so many seconds."""
    begin = time.monotonic()
    with pytest.raises(NotWritten) as caught:
        call()
    assert time.monotonic() - begin < seconds
    return str(caught.value)


def left_at_once(session: Remote) -> bool:
    """Whether closing a session takes no time."""
    begin = time.monotonic()
    session.close()
    return time.monotonic() - begin < AT_ONCE


def ended(session: Remote, seconds: float) -> None:
    """A session that is gone says so: the first call soon, all others at once."""
    said = f"{session._caller.address}: {ENDED}"
    assert told(lambda: session.run(1), seconds) == said
    calls = (session.stats, session.digest, session.take, lambda: session.exchange((), 1), lambda: session.fork(1))
    assert [told(call, AT_ONCE) for call in calls] == [said] * 5
    assert left_at_once(session)


def test_a_session_that_was_killed_is_told_soon_and_then_at_once(
    form: str, tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    with served(tmp_path, form) as where:
        session = connect(where)
        session.run(1)
        processes[0].kill()
        processes[0].wait()
        ended(session, SOON)


def test_a_session_that_is_killed_while_it_computes_is_told_soon(
    form: str, tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    with served(tmp_path, form) as where:
        session = connect(where)
        doing = computing(session)
        processes[0].kill()
        assert doing.done(SOON)
        assert doing.error == f"{session._caller.address}: {ENDED}"
        ended(session, AT_ONCE)


ASKED_FOR: dict[str, Callable[[Remote], Any]] = {
    "exchange": lambda session: session.exchange({"cells.drive": [1.0, 0.5, 0.0, 2.0]}, 20, ["cells", "cells.v"]),
    "long": lambda session: session.run(3_000),
    "checkpoint": lambda session: session.restore(session.checkpoint()),
    "wait": lambda session: session.take("cells", wait=0.2),
    "stats": lambda session: session.stats(),
    "set": lambda session: session.set("cells.drive", 1.5),
}


@pytest.mark.parametrize("trials", [2, pytest.param(60, marks=pytest.mark.slow, id="hunt")])
def test_whenever_a_session_is_killed_its_host_hears_that_it_has_ended(
    form: str, tmp_path: Path, processes: list[subprocess.Popen[bytes]], trials: int
) -> None:
    """In the middle of whatever; nothing else is ever said."""
    draw = random.Random(form.partition(":")[0])
    with served(tmp_path, form, message_bytes=3000) as where:
        for _ in range(trials):
            session = connect(where, pace=draw.choice(["free", "real_time"]))
            threading.Timer(draw.uniform(0, 0.5), processes[-1].kill).start()
            begin, said = time.monotonic(), ""
            while not said:
                assert time.monotonic() - begin < 0.5 + SOON
                try:
                    ASKED_FOR[draw.choice(list(ASKED_FOR))](session)
                except NotWritten as error:
                    said = str(error)
            assert said == f"{session._caller.address}: {ENDED}"
            assert left_at_once(session)


def test_a_session_that_was_killed_is_left_without_a_word(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    """Also by a host that has asked nothing since."""
    with served(tmp_path, "tcp://127.0.0.1:0") as where, connect(where):
        processes[0].kill()
        processes[0].wait()


def test_what_a_killed_session_leaves_is_cleared_away(tmp_path: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    with served(tmp_path, f"unix://{tmp_path}/chip") as where:
        connect(where)
        assert len(list(tmp_path.glob("chip-*"))) == 1
        processes[0].kill()
        until = time.monotonic() + 20
        while list(tmp_path.glob("chip-*")):
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.mark.slow
def test_a_session_that_is_frozen_is_told(tmp_path: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    """Like one whose machine is gone: nothing comes of it, not even heartbeats."""
    with served(tmp_path, "tcp://127.0.0.1:0") as where, connect(where) as session:
        session.run(1)
        processes[0].send_signal(signal.SIGSTOP)
        assert told(lambda: session.run(1), 40) == f"{session._caller.address}: {ENDED}"
        processes[0].kill()


@pytest.mark.parametrize("seconds", [1.0, pytest.param(25.0, marks=pytest.mark.slow, id="long")])
@pytest.mark.parametrize("kind", ["tcp", "plain"])
def test_a_session_that_computes_long_is_not_taken_for_dead(tmp_path: Path, kind: str, seconds: float) -> None:
    with served(tmp_path, f"{kind}://127.0.0.1:0") as where, connect(where) as session:
        doing = computing(session)
        assert not doing.done(seconds)
        session.cancel()
        assert doing.done(SOON)
        assert doing.error == ""


def test_who_waits_no_longer_is_told_so_and_can_leave(form: str, tmp_path: Path) -> None:
    """A time-out is one: no other try comes after it, and what still computes is ended by leaving."""
    with served(tmp_path, form) as where:
        session = connect(where)
        patient, session._caller = session._caller, session._caller.another(0.3)
        said = told(lambda: session.exchange((), LONG), SOON)
        assert said == (
            f"{session._caller.address}: nothing was heard from it in time; it may still compute, so look at `stats`, "
            "or give more `timeout`"
        )
        assert 0 <= session.stats()["steps"] < LONG
        session._caller.close()
        session._caller = patient
        begin = time.monotonic()
        session.close()
        assert time.monotonic() - begin < SOON


def test_who_waits_no_longer_can_cancel_and_go_on(tmp_path: Path) -> None:
    with served(tmp_path, "plain://127.0.0.1:0") as where, connect(where) as session:
        patient, session._caller = session._caller, session._caller.another(0.5)
        told(lambda: session.exchange((), LONG), SOON)
        session._caller.close()
        session._caller = patient
        session.cancel()
        stands = session.stats()["steps"]
        assert 0 < stands < LONG
        session.run(2)
        assert session.step == session.stats()["steps"] == stands + 2


def test_statistics_are_told_while_an_exchange_computes(form: str, tmp_path: Path) -> None:
    with served(tmp_path, form) as where, connect(where) as session:
        doing = computing(session)
        first = session.stats()["steps"]
        until = time.monotonic() + 10
        while session.stats()["steps"] == first:
            assert time.monotonic() < until
        assert first > 0
        session.cancel()
        assert doing.done(SOON)


def test_an_exchange_that_is_cancelled_is_one_of_fewer_steps(form: str, tmp_path: Path) -> None:
    with served(tmp_path, form, record=tmp_path / "r.hil") as where, connect(where) as session:
        doing = computing(session)
        session.cancel()
        assert doing.done(SOON)
        answer: Any = doing.result
        assert 0 < answer.step < LONG
        assert answer.outputs["cells"][0].tolist() == [step for step in range(answer.step) for _ in range(4)]
        assert session.exchange((), 3, ["cells"]).step == session.step == answer.step + 3
        digest = session.digest()
    assert replay(read(tmp_path / "r.hil")).digest == digest


def test_a_run_of_many_messages_is_cancelled_as_one(tmp_path: Path) -> None:
    with served(tmp_path, "plain://127.0.0.1:0", exchange_steps=200_000) as where, connect(where) as session:
        doing = Doing(lambda: session.run(10 * LONG))
        while session.stats()["steps"] == 0:
            time.sleep(0.05)
        session.cancel()
        assert doing.done(SOON)
        assert 0 < session.step < LONG


def test_nothing_is_cancelled_where_nothing_computes(tmp_path: Path) -> None:
    with served(tmp_path, "plain://127.0.0.1:0") as where, connect(where) as session:
        session.cancel()
        session.run(7)
        assert session.step == 7


def test_ctrl_c_ends_what_computes_and_loses_nothing(form: str, tmp_path: Path) -> None:
    with served(tmp_path, form, record=tmp_path / "r.hil") as where, connect(where) as session:
        stands = 0
        for _ in range(2):
            begin = time.monotonic()
            threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
            with heard(), pytest.raises(KeyboardInterrupt):
                session.exchange({"cells.drive": 1.0}, LONG, ["cells", "cells.drive"])
            assert time.monotonic() - begin < 0.7 + SOON
            assert stands < session.step < stands + LONG
            stands = session.step
        answer = session.exchange((), 2, ["cells", "cells.drive"])
        assert answer.step == stands + 2
        assert answer.outputs["cells"][0].tolist() == [step for step in range(stands + 2) for _ in range(4)]
        assert answer.outputs["cells.drive"][0].tolist() == [stands + 1]
        digest = session.digest()
    assert replay(read(tmp_path / "r.hil")).digest == digest


@pytest.fixture
def stopping(form: str, tmp_path: Path) -> Iterator[tuple[str, server.Server]]:
    """A server that is stopped by its test."""
    (tmp_path / "looped.yaml").write_text(TEXT, "utf-8")
    offer = server.Offer(networks={"looped": tmp_path / "looped.yaml"}, defaults={"backend": "reference"})
    with server.Server(parsed(form), offer) as made:
        thread = threading.Thread(target=made.serve)
        thread.start()
        yield str(made.address), made
        made.end()
        thread.join()


def test_a_server_that_is_stopped_is_heard_of_by_who_waits(stopping: tuple[str, server.Server]) -> None:
    where, made = stopping
    session = connect(where)
    doing = computing(session)
    made.end()
    time.sleep(server.LOOK + 0.1)
    closing = threading.Thread(target=made.close)
    closing.start()
    assert doing.done(SOON)
    closing.join()
    stands = session.step
    assert stands > 0
    said = f"{session._caller.address}: this session has ended before step {stands}: the server was stopped; "
    assert doing.error == told(session.stats, AT_ONCE) == f"{said}open another one"
    assert left_at_once(session)


@pytest.mark.parametrize("pace", ["locked", "real_time"])
def test_who_waits_for_the_clock_can_stop_waiting(tmp_path: Path, pace: str) -> None:
    with served(tmp_path, "plain://127.0.0.1:0") as where, connect(where, pace=pace) as session:
        begin = time.monotonic()
        doing = Doing(lambda: session.exchange((), 20_000))
        while session.stats()["steps"] < 20_000:
            time.sleep(0.05)
        assert not doing.done(0)
        session.cancel()
        assert doing.done(SOON)
        assert time.monotonic() - begin < 20
        answer: Any = doing.result
        assert answer.step == session.step >= 20_000


# ------------------------------------------------------------------------------------------------ as messages have it


def talk(where: str, *messages: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """A connection, and the answers to messages over it."""
    caller = calling(parsed(where), 20.0, None)
    return caller, [decode(caller.ask(encode(message)), Limits()) for message in messages]


def test_who_watches_asks_for_statistics_and_cancels_and_nothing_else(form: str, tmp_path: Path) -> None:
    with served(tmp_path, form) as where:
        outer, (told_,) = talk(where, {"id": 1, "op": "open"})
        token = told_["token"]
        host, (greeted,) = talk(told_["address"], {"id": 0, "op": "hello", "token": token})
        assert greeted == {"id": None, "ok": True, "expected": 1, "emulator": True, "running": False}
        hello = {"id": 0, "op": "hello", "token": token, "watch": True}
        other, replies = talk(
            told_["address"], hello, {"id": 5, "op": "stats"}, {"id": 6, "op": "cancel"}, {"id": 7, "op": "exchange"}
        )
        assert replies[0] == greeted
        assert (replies[1]["id"], replies[1]["stats"]["steps"], replies[1]["running"]) == (5, 0, False)
        assert (replies[2]["ok"], replies[2]["running"]) == (True, False)
        text = "who watches may ask for stats and cancel; found 'exchange'"
        assert replies[3] == {"id": 7, "ok": False, "error": {"code": "unknown_op", "text": text, "where": "op"}}
        assert decode(host.ask(encode({"id": 1, "op": "exchange", "run": 2})), Limits())["step"] == 2
        for caller in (outer, host, other):
            caller.close()


def test_a_host_that_comes_back_while_its_message_computes_gets_its_reply(form: str, tmp_path: Path) -> None:
    with served(tmp_path, form) as where:
        outer, (told_,) = talk(where, {"id": 1, "op": "open"})
        hello = {"id": 0, "op": "hello", "token": told_["token"]}
        message = {"id": 1, "op": "exchange", "run": 40_000}
        first, _ = talk(told_["address"], hello)
        impatient = first.another(0.2)
        impatient.ask(encode(hello))
        with pytest.raises(NoAnswer):
            impatient.ask(encode(message))
        back, replies = talk(told_["address"], hello, message, {"id": 2, "op": "exchange", "run": 1})
        assert replies[0] == {"id": None, "ok": True, "expected": 2, "emulator": True, "running": True}
        assert [reply["step"] for reply in replies[1:]] == [40_000, 40_001]
        for caller in (outer, first, impatient, back):
            caller.close()


class Together:
    """A listener whose messages come in given heaps, and then none."""

    address = parsed("plain://127.0.0.1:1")

    def __init__(self, *heaps: list[tuple[str, dict[str, Any]]]) -> None:
        self._heaps = list(heaps)
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def receive(self, timeout: float, also: Any = ()) -> tuple[list[tuple[str, bytes]], list[int]]:
        heap = self._heaps.pop(0) if self._heaps else []
        return [(peer, encode(message)) for peer, message in heap], []

    def send(self, peer: Any, frame: bytes) -> None:
        self.sent.append((peer, decode(frame, Limits())))

    def widen(self, peer: Any) -> None: ...
    def flush(self, seconds: float) -> None: ...
    def close(self) -> None: ...


def test_what_comes_together_with_a_long_exchange_is_heard_while_it_computes() -> None:
    hello = {"id": 0, "op": "hello", "token": "token"}
    listener = Together(
        [("host", hello), ("other", hello | {"watch": True})],
        [("host", {"id": 1, "op": "exchange", "run": LONG}), ("other", {"id": 1, "op": "stats"}),
         ("other", {"id": 2, "op": "cancel"})],
        [("host", {"id": 2, "op": "bye"})],
    )  # fmt: skip
    with opened() as session:
        paced = Paced(session, Pace())
        serve(listener, Once(Effects(paced, Limits())), "token", Limits(), 0, paced)
    replies = [(peer, reply["ok"], reply.get("running"), reply.get("step", 0) > 0) for peer, reply in listener.sent[2:]]
    assert replies == [
        ("other", True, True, True),
        ("host", True, None, True),
        ("other", True, False, True),
        ("host", True, None, False),
    ]
    assert listener.sent[3][1]["cancelled"] == ASKED


def test_who_sends_more_than_one_message_at_a_time_fills_no_memory() -> None:
    """Of what a host says while its exchange computes, a few messages are kept."""
    hello = {"id": 0, "op": "hello", "token": "token"}
    many = [("host", {"id": number, "op": "stats"}) for number in range(2, 200)]
    bye = [("host", {"id": 2, "op": "bye"})]
    listener = Together([("host", hello)], [("host", {"id": 1, "op": "exchange", "run": 40_000}), *many], bye, bye)
    with opened() as session:
        paced = Paced(session, Pace())
        serve(listener, Once(Effects(paced, Limits())), "token", Limits(), 0, paced)
    assert len(listener.sent) <= 2 + MOST_KEPT + 1


def test_a_session_that_nobody_has_any_more_is_not_kept_alive(tmp_path: Path) -> None:
    import gc
    import weakref

    with served(tmp_path, "plain://127.0.0.1:0") as where:
        remote = connect(where)
        known = weakref.ref(remote)
        del remote
        gc.collect()
        assert known() is None


@pytest.mark.parametrize("form", ["tcp://127.0.0.1:0", "plain://127.0.0.1:0"])
def test_a_fork_of_a_host_is_told_that_it_has_no_session(tmp_path: Path, form: str) -> None:
    text = "this session is another process's, of which this one is a fork; open one of its own here"
    with served(tmp_path, form) as where, connect(where) as remote:
        remote.exchange((), 1)
        child = os.fork()
        if not child:
            try:
                remote.exchange((), 1)
            except InvalidInput as error:
                os._exit(0 if str(error) == text else 2)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert remote.exchange((), 1).step == 2
