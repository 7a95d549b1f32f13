"""What is wrong is told in the same words by a session here, one behind a link, and one at a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.errors import InvalidInput, NeuroportError, NotWritten, Place, UnknownName
from neuroport.hil import connect
from neuroport.hil.link import read as link
from neuroport.hil.linked import Linked
from neuroport.session.exchange import Write
from tests.support.looped import answering, opened

pytest.importorskip("msgpack", reason="serving needs msgpack: pip install 'neuroport[hil]'")

ODD: tuple[Any, ...] = (
    None, b"abc", 3, -1, 2**70, -(2**70), "", "x", "a\0b", "1 mV", "1e400 ms", True, 1.5, float("nan"), [1], [None],
    [[1], [2, 3]], (1, 2), {}, {1: 2}, set(), range(2), object(), len, int, 1j, Path("x"),
    np.array("x"), np.array([1, 2]), np.array([]), np.array([1j]), np.array([None]), np.int8(1),
    np.ma.masked_array([1.0], [True]), np.datetime64(1, "s"), np.float64(2), np.float32(1.5), np.float64("nan"),
    np.bool_(True), np.str_("x"), np.bytes_(b"x"), np.complex64(1j), np.longdouble(2),
)  # fmt: skip
METHODS: dict[str, dict[str, Any]] = {
    "exchange": {"steps": 0, "outputs": (), "clip": False},
    "inject": {"name": "cells.i", "neurons": [0], "values": [1.0], "at": None, "hold": 1},
    "run": {"duration": 0},
    "get": {"name": "cells.v"},
    "set": {"name": "cells.drive", "value": 1.0, "clip": False},
    "weights": {"projection": "across"},
    "spikes": {"population": "cells", "since": None},
    "records": {"name": "cells.v", "since": None},
    "trigger": {"event": "blank"},
    "reset": {"keep_learned": False},
    "checkpoint": {"path": None},
    "restore": {"checkpoint": "none.h5"},
}
SEVERAL = ("take", "reset")
"""Methods that take any number of names."""


@pytest.fixture(scope="module")
def sessions() -> Iterator[tuple[Any, ...]]:
    """The same session here, behind a link that does nothing, and at a server."""
    with opened() as here, opened() as there, answering(there, "plain://127.0.0.1:0") as remote:
        yield here, Linked(opened(), link("{}", "link", here.plan.dt)), remote


def outcome(session: Any, method: str, several: tuple[Any, ...], given: dict[str, Any]) -> str:
    try:
        getattr(session, method)(*several, **given)
    except NeuroportError as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def differing(sessions: tuple[Any, ...], method: str, several: tuple[Any, ...], given: dict[str, Any]) -> list[str]:
    """What the sessions say, where they do not all say the same."""
    told = [outcome(session, method, several, given) for session in sessions]
    return [] if len(set(told)) == 1 else told


@pytest.mark.parametrize("method", METHODS)
def test_sessions_say_the_same(
    sessions: tuple[Any, ...], method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    valid = METHODS[method]
    found = [differing(sessions, method, (), valid | {name: odd}) for name in valid for odd in ODD]
    assert list(filter(None, found)) == []


@pytest.mark.parametrize("method", SEVERAL)
def test_so_they_do_of_names(sessions: tuple[Any, ...], method: str) -> None:
    assert list(filter(None, (differing(sessions, method, (odd,), {}) for odd in ODD))) == []


@pytest.mark.parametrize("field", ["values", "neurons", "at", "hold"])
def test_so_they_do_of_writes(sessions: tuple[Any, ...], field: str) -> None:
    valid = {"name": "cells.i", "values": [1.0], "neurons": [0], "at": None, "hold": 1}
    writes = [Write(**valid | {field: odd}) for odd in ODD]
    assert list(filter(None, (differing(sessions, "exchange", (), {"inputs": [one]}) for one in writes))) == []


def test_a_lone_unknown_name_is_one_in_an_exchange_too(sessions: tuple[Any, ...]) -> None:
    for session in sessions:
        for given in ({"inputs": {"x": 1}}, {"outputs": ["x"]}):
            with pytest.raises(UnknownName):
                session.exchange(**given)
        with pytest.raises(InvalidInput) as caught:
            session.exchange({"x": 1}, 1, ["x"])
        assert not isinstance(caught.value, UnknownName), "there are two of them"


def test_half_of_a_character_cannot_be_sent(sessions: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"^this cannot be sent: 'utf-8' codec can't encode character"):
        sessions[2].get("\ud800")
    assert sessions[2].get("cells.v").tolist() == sessions[2].get("cells.v").tolist()


def test_a_run_of_too_many_steps_is_refused_at_once(sessions: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"^a run cannot last so many steps; give a number of steps from 0 to"):
        sessions[2].run(2**63)


@pytest.mark.parametrize("error", [KeyboardInterrupt, NotWritten], ids=lambda error: error.__name__)
@pytest.mark.parametrize("acts", [True, False])
def test_after_a_message_without_an_answer_the_session_says_whether_it_acted(
    acts: bool, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened() as there, answering(there, "plain://127.0.0.1:0") as remote:
        remote.run(1)
        ask = remote._caller.ask

        def broken(frame: bytes) -> bytes:
            if acts:
                ask(frame)
            raise NotWritten(Place("here"), "it broke") if error is NotWritten else error

        with monkeypatch.context() as patched:
            patched.setattr(remote._caller, "ask", broken)
            with pytest.raises(error):
                remote.run(2)
        remote.run(3)
        assert remote.step == (6 if acts else 4)


def test_a_connection_on_which_an_answer_may_still_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> bytes:
        raise KeyboardInterrupt

    with opened() as there, answering(there, "plain://127.0.0.1:0") as remote:
        with monkeypatch.context() as patched:
            patched.setattr("neuroport.hil.streams._exactly", interrupted)
            with pytest.raises(KeyboardInterrupt):
                remote.run(2)
        assert remote.stats()["steps"] == remote.step
        assert remote.step in (0, 2), "whose connection is gone is not heard any more"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "plain://127.0.0.1:1"])
def test_connecting_answers_with_a_sentence(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("zmq", reason="ZeroMQ needs pyzmq: pip install 'neuroport[hil]'")
    monkeypatch.chdir(tmp_path)
    valid: dict[str, Any] = {"address": address, "timeout": 5.0}
    names = ("network", "backend", "chip", "chip_seed", "seed", "keep", "link", "pace", "keys")
    for name in (*valid, *names):
        for odd in (*ODD, "tcp://*:5", 0, 0.0):
            with pytest.raises(NeuroportError) as error:
                connect(**{**valid, name: odd})
            assert str(error.value).strip()


def test_plain_sockets_take_no_keys(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as error:
        connect("plain://127.0.0.1:1", keys=tmp_path)
    text = "plain sockets know no keys; leave the keys out, or connect at tcp:// not plain://127.0.0.1:1"
    assert str(error.value) == text
