"""The server, its sessions in their processes, and its client, over every transport."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.hil import connect
from neuroport.hil.address import parsed
from neuroport.hil.endpoints import Caller, calling, listening
from neuroport.hil.keys import make
from neuroport.hil.limits import Limits
from neuroport.hil.messages import decode, encode
from neuroport.session.exchange import Write
from tests.support.looped import opened, served

pytestmark = pytest.mark.dear
pytest.importorskip("msgpack", reason="serving needs msgpack: pip install 'neuroport[hil]'")
pytest.importorskip("zmq", reason="serving needs pyzmq: pip install 'neuroport[hil]'")

FORMS = ("tcp://127.0.0.1:0", "ipc://{}/chip", "plain://127.0.0.1:0", "unix://{}/chip")


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: str(form).partition(":")[0])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = Path(tmp_path_factory.mktemp("hil"))
    with served(folder, request.param.format(folder)) as where:
        yield where


def ask(address: str, *messages: Any) -> list[dict[str, Any]]:
    """The answers of a server to messages over one connection."""
    caller = calling(parsed(address), 20.0, None)
    try:
        return [decode(caller.ask(encode(message)), Limits()) for message in messages]
    finally:
        caller.close()


def test_a_served_session_does_what_one_here_does(address: str) -> None:
    with connect(address) as far, opened() as near:
        for session in (far, near):
            session.set("cells.drive", [0.0, 1.0, 2.0, 0.0])
            session.exchange([Write("cells.i", [2.0], [3], at=2, hold=2)], 3)
        one, other = (session.exchange((), 4, ["cells", "cells.v", "others.drive"]) for session in (far, near))
        for name in other.outputs:
            for got, wanted in zip(one.outputs[name], other.outputs[name], strict=True):
                assert got.dtype == wanted.dtype
                assert np.array_equal(got, wanted)
        assert far.digest() == near.digest()
        assert far.step == near.step == 7


def test_it_says_emulator(address: str) -> None:
    assert ask(address, {"id": 1, "op": "hello"})[0]["emulator"] is True
    with connect(address) as session:
        assert session.describe()["kind"] == "emulator"


def test_what_the_session_refuses_is_raised_as_there(address: str) -> None:
    with connect(address) as far, opened() as near:
        said = []
        for session in (far, near):
            with pytest.raises(InvalidInput) as caught:
                session.set("cells.drive", 99)
            said.append(str(caught.value))
        assert said[0] == said[1]


def test_a_closed_session_refuses_and_closing_again_is_nothing(address: str) -> None:
    session = connect(address)
    session.close()
    session.close()
    with pytest.raises(InvalidInput) as caught:
        session.run(1)
    assert str(caught.value) == ("this session is closed, and what executes its program is gone; open another one")


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ({"id": 1, "op": "exchange"}, "unknown_op",
         "there is no op 'exchange' before a session is open; there are: hello, open"),
        ({"op": "hello"}, "bad_message", "id is a whole number; found None"),
        ({"id": 1, "op": "hello", "protocol": [2]}, "bad_value",
         "this server speaks version 1 of the protocol; found [2]"),
        ({"id": 1, "op": "open", "network": "x"}, "unknown_name", "there is no network 'x' here; there are: looped"),
        ({"id": 1, "op": "open", "chip": "/etc/passwd"}, "unknown_name", None),
        ({"id": 1, "op": "open", "backend": "x"}, "unknown_name", None),
        ({"id": 1, "op": "open", "seed": "x"}, "bad_value",
         "seed must be a whole number from 0 to 2**63 - 1; found 'x'"),
        ({"id": 1, "op": "open", "seed": -1}, "bad_value",
         "seed must be a whole number from 0 to 2**63 - 1; found -1"),
        ({"id": 1, "op": "open", "trace": "/tmp/x.h5"}, "bad_message", None),
        ({"id": 1, "op": "open", "link": "to_chip: {drop: 2}"}, "bad_value",
         "link:1:17: drop of to_chip must be from 0 to 1; found 2"),
        ({"id": 1, "op": "open", "keep": "x"}, "bad_value", None),
    ],
)  # fmt: skip
def test_what_is_refused_before_a_session_is_open(
    address: str, message: dict[str, Any], code: str, text: str | None
) -> None:
    (reply,) = ask(address, message)
    assert (reply["ok"], reply["error"]["code"]) == (False, code)
    assert text is None or reply["error"]["text"] == text


@pytest.mark.parametrize("field", [{"seed": -1}, {"chip_seed": "x"}, {"link": "to_chip: {drop: 2}"}, {"keep": "x"}])
def test_what_is_refused_of_a_session_to_open_is_told_with_its_field(address: str, field: dict[str, Any]) -> None:
    (reply,) = ask(address, {"id": 1, "op": "open"} | field)
    assert reply["error"]["where"] == next(iter(field))


def test_a_host_is_not_told_the_folders_of_its_server(address: str) -> None:
    with connect(address) as session, pytest.raises(InvalidInput) as caught:
        session.exchange({"cells.gain": 5})
    assert str(caught.value).startswith("looped.yaml:9:7: cells.gain = 5 is outside 0 .. 2, its declared range; ")


def test_a_session_answers_who_has_its_token_and_nobody_else(address: str) -> None:
    (opened_,) = ask(address, {"id": 1, "op": "open"})
    inner, token = opened_["address"], opened_["token"]
    replies = ask(
        inner,
        {"id": 1, "op": "exchange"},
        {"id": 0, "op": "hello", "token": "0" * 32},
        {"id": 0, "op": "hello"},
        {"id": 0, "op": "hello", "token": "é"},
        {"id": 0, "op": "hello", "token": token},
        {"id": 1, "op": "exchange"},
        {"id": 2, "op": "bye"},
    )
    assert [reply["ok"] for reply in replies] == [False] * 4 + [True] * 3
    assert {reply["error"]["code"] for reply in replies[:4]} == {"denied"}
    assert replies[4]["expected"] == 1
    assert replies[5]["step"] == 1


def test_a_lost_connection_goes_on_where_it_was_and_a_repeated_message_acts_once(address: str) -> None:
    (opened_,) = ask(address, {"id": 1, "op": "open"})
    inner, hello = opened_["address"], {"id": 0, "op": "hello", "token": opened_["token"]}
    message = {"id": 1, "op": "exchange", "run": 3}
    first = ask(inner, hello, message)
    again = ask(inner, hello, message, {"id": 2, "op": "exchange"}, {"id": 3, "op": "bye"})
    assert again[0]["expected"] == 2
    assert again[1] == first[1]
    assert again[2]["step"] == 4


class Breaking:
    """A client's end that loses its first answer."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._lost = caller, False

    def ask(self, frame: bytes) -> bytes:
        answer = self._caller.ask(frame)
        if not self._lost:
            self._lost = True
            raise NotWritten(Place("here"), "it broke")
        return answer

    def close(self) -> None:
        self._caller.close()


def test_a_client_whose_connection_breaks_asks_again(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(address) as session:
        session.run(1)
        monkeypatch.setattr(session, "_caller", Breaking(session._caller))
        session.run(2)
        assert session.step == session.stats()["steps"] == 3


def test_sessions_are_bounded_and_freed(tmp_path: Path) -> None:
    with served(tmp_path, "plain://127.0.0.1:0", sessions=1) as where:
        with connect(where):
            (reply,) = ask(where, {"id": 1, "op": "open"})
            assert reply["error"] == {
                "code": "busy",
                "text": "1 sessions are open, as many as this server has at once",
                "where": "",
            }
        until = time.monotonic() + 20
        while not ask(where, {"id": 1, "op": "open"})[0]["ok"]:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_an_idle_session_ends_and_a_client_that_is_there_keeps_it(tmp_path: Path) -> None:
    with served(tmp_path, "plain://127.0.0.1:0", idle_s=1.0) as where:
        (silent,) = ask(where, {"id": 1, "op": "open"})
        with connect(where) as session:
            time.sleep(3)
            session.run(1)
        with pytest.raises(NotWritten):
            ask(silent["address"], {"id": 0, "op": "hello", "token": silent["token"]})


def test_a_session_whose_host_is_gone_is_saved(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    with served(tmp_path, "plain://127.0.0.1:0", save=folder) as where:
        with connect(where) as session:
            session.run(3)  # and says goodbye
        (opened_,) = ask(where, {"id": 1, "op": "open"})
        hello = {"id": 0, "op": "hello", "token": opened_["token"]}
        ask(opened_["address"], hello, {"id": 1, "op": "exchange", "run": 7})
    (file,) = folder.iterdir()
    assert file.name == f"{opened_['token'][:8]}.h5"
    with opened() as session:
        session.restore(file)
        assert session.step == 7


def test_sessions_end_with_their_server(tmp_path: Path) -> None:
    with served(tmp_path, "unix://" + str(tmp_path / "chip")) as where:
        (opened_,) = ask(where, {"id": 1, "op": "open"})
        path = Path(parsed(opened_["address"]).path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    assert sorted(os.listdir(tmp_path)) == ["looped.yaml"]


def test_where_nobody_listens_is_a_sentence() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotWritten) as caught:
        connect(f"plain://127.0.0.1:{port}")
    assert str(caught.value) == f"plain://127.0.0.1:{port}: there is no connection to it: connection refused"
    with pytest.raises(NotWritten) as caught:
        connect(f"tcp://127.0.0.1:{port}", timeout=0.2)
    assert str(caught.value) == (f"tcp://127.0.0.1:{port}: there is no connection to it: nobody listens there")


def test_an_address_that_is_taken_is_a_sentence(address: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        listening(parsed(address), Limits(), None)
    assert str(caught.value).startswith(f"{address}: ")
    assert "already" in str(caught.value) or "in use" in str(caught.value)


@pytest.mark.parametrize("link", [None, "to_chip: {latency: 3, drop: 0.3}\nfrom_chip: {latency: 2, drop: 0.3}"])
def test_a_served_session_is_saved_and_goes_on(address: str, tmp_path: Path, link: str | None) -> None:
    file = None if link is None else tmp_path / "link.yaml"
    if file is not None:
        file.write_text(str(link), "utf-8")

    def go_on(session: Any) -> list[Any]:
        replies = [session.exchange([Write("cells.i", 1.5, [k % 4])], 2, ["cells"]) for k in range(10)]
        return [[a.tolist() for a in reply.outputs["cells"]] for reply in replies] + [session.digest(), session.step]

    with connect(address, link=file) as session:
        go_on(session)
        saved = session.checkpoint(tmp_path / "c.h5")
        expected = go_on(session)
        for checkpoint in (saved, tmp_path / "c.h5"):
            session.restore(checkpoint)
            assert session.step == saved.step == 20
            session.take("cells")
            assert go_on(session) == expected
        session.restore(saved)
        (fork,) = session.fork()
        with fork:
            fork.take("cells")
            assert go_on(fork) == expected
        assert session.step == 20


# -------------------------------------------------------------------------------------------------------------- keys


def test_who_has_a_listed_key_is_let_in_and_nobody_else(tmp_path: Path) -> None:
    keys, mine, other = tmp_path / "keys", tmp_path / "mine", tmp_path / "other"
    make(keys, ["me"])
    make(other, ["me"])
    mine.mkdir()
    for name in ("server.key", "me.key_secret"):
        (mine / name).write_bytes((keys / name).read_bytes())
    (other / "server.key").write_bytes((keys / "server.key").read_bytes())
    with served(tmp_path, "tcp://127.0.0.1:0", keys) as where:
        with connect(where, keys=mine) as session:
            session.run(1)
            assert session.step == 1
            assert session._beside("stats")["stats"]["steps"] == 1, "over another connection"
        for folder in (other, None):
            with pytest.raises(NotWritten) as caught:
                connect(where, keys=folder)
            assert str(caught.value) == (
                f"{where}: there is no connection to it: it does not let this client in; does it list this client's "
                "key, and is server.key that of this server?"
            )
