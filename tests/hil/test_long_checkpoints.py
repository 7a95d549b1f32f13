"""Checkpoints longer than a message: they are fetched and given in pieces, and what is restored goes on the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.disk.tree import seal
from neuroport.errors import InvalidInput
from neuroport.hil import connect
from neuroport.hil.limits import Limits
from neuroport.hil.link import read as link
from neuroport.hil.linked import Linked
from neuroport.hil.messages import decode, encode, unpacked
from neuroport.hil.record import Record, read
from neuroport.hil.replay import replay
from neuroport.hil.served import Effects, Once
from tests.support.executors import BACKENDS
from tests.support.looped import answering, how, opened, served

pytest.importorskip("msgpack", reason="messages need msgpack: pip install 'neuroport[hil]'")

SMALL = Limits(message_bytes=20_000)
LINK = "seed: 3\nto_chip: {latency: 1}\nfrom_chip: {latency: 2, drop: 0.2}"


def going_on(session: Any) -> list[Any]:
    """What comes of some exchanges more."""
    replies = [session.exchange({"cells.drive": 0.3 * k}, 3, ["cells"]).outputs["cells"] for k in range(4)]
    return [[values.tolist() for values in reply] for reply in replies] + [session.digest(), session.step]


@pytest.mark.parametrize("behind", [None, LINK], ids=["here", "linked"])
def test_a_long_history_is_saved_and_restored(behind: str | None) -> None:
    """With a checkpoint of many times the length of a message, over plain sockets."""
    session: Any = opened(keep="all")
    if behind is not None:
        session = Linked(session, link(behind, "link", session.plan.dt))
    with answering(session, "plain://127.0.0.1:0", SMALL) as remote:
        remote.exchange({"cells.drive": 1.0}, 3000, ["cells"])
        saved = remote.checkpoint()
        assert len(encode(dict(saved.tree()))) > 5 * SMALL.message_bytes
        assert seal(saved.tree()) == seal(session.checkpoint().tree())
        expected = going_on(remote)
        remote.restore(saved)
        assert remote.step == saved.step == 3000
        assert np.array_equal(remote.spikes("cells")[0][-4:], [2999] * 4)
        assert going_on(remote) == expected


@pytest.mark.dear
def test_sessions_with_a_long_history_are_forked(tmp_path: Path) -> None:
    pytest.importorskip("zmq", reason="ZeroMQ needs pyzmq: pip install 'neuroport[hil]'")
    with served(tmp_path, "tcp://127.0.0.1:0", message_bytes=20_000) as where, connect(where) as session:
        session.exchange({"cells.drive": 1.0}, 3000, ["cells"])
        with session.fork()[0] as fork:
            assert len(fork.spikes("cells")[0]) == len(session.spikes("cells")[0]) == 12_000
            assert going_on(fork) == going_on(session)


@pytest.mark.parametrize("n", [0, -3, 1001, 10**30])
def test_a_number_of_forks_is_refused_in_the_words_of_a_session_here(n: int) -> None:
    with answering(opened(), "plain://127.0.0.1:0") as remote, opened() as here:
        remote._again = lambda: remote
        said = []
        for session in (remote, here):
            with pytest.raises(InvalidInput) as caught:
                session.fork(n)
            said.append(str(caught.value))
    many = n if n < 1 else "so many"
    assert said == [f"a session cannot be forked into {many} others; give 1 to 1,000"] * 2


@pytest.mark.parametrize("steps", [10**30, -(10**30), 2**62, 2**61, "1e12 s", "-5 ms", "2.5 ms"])
def test_a_length_is_refused_in_the_words_of_a_session_here(steps: Any) -> None:
    with answering(opened(), "plain://127.0.0.1:0") as remote, opened() as here:
        for session in (remote, here):
            session.run(1)
        for method in ("run", "exchange"):
            said = []
            for session in (remote, here):
                with pytest.raises(InvalidInput) as caught:
                    session.run(steps) if method == "run" else session.exchange((), steps)
                said.append(str(caught.value))
            assert said[0] == said[1]
            assert remote.step == here.step == 1


def test_a_time_longer_than_an_exchange_is_run_in_several() -> None:
    with answering(opened(), "plain://127.0.0.1:0", Limits(exchange_steps=30)) as remote:
        told: list[tuple[int, int]] = []
        remote.run("0.1 s", lambda done, total: told.append((done, total)))
        assert (remote.step, told) == (100, [(30, 100), (60, 100), (90, 100), (100, 100)])


# ------------------------------------------------------------------------------------------------ as messages have it


class Talk:
    """A session with little room, and messages to it."""

    def __init__(self, log: Any = None, **limits: Any) -> None:
        self.session = opened()
        self.once = Once(Effects(self.session, Limits(**limits)), log)

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        frame = self.once.handle(encode({"id": self.once.expected, "op": op} | fields))
        reply: dict[str, Any] = decode(frame, Limits())
        return reply


def content_of(talk: Talk, most: int = 100) -> tuple[dict[str, Any], bytes]:
    """What is said of a checkpoint that is held, and all of its pieces."""
    told, content = talk.ask("checkpoint", most=most), b""
    while piece := talk.ask("fetch", begin=len(content))["piece"]:
        content += piece
    return told, content


def test_pieces_are_the_checkpoint() -> None:
    talk = Talk(message_bytes=2000)
    with talk.session:
        talk.ask("exchange", run=50)
        told, content = content_of(talk)
        assert told.keys() == {"id", "ok", "bytes", "sha256", "content", "step"}
        assert len(content) == told["bytes"] > 2000
        tree = talk.session.checkpoint().tree()
        assert told["sha256"] == seal(tree)
        assert unpacked(decode(content, Limits()))["checkpoint"]["network"] == "looped"
        assert "checkpoint" in talk.ask("checkpoint", most=told["bytes"])
        talk.ask("exchange", run=7)
        for begin in range(0, len(content), 900):
            assert talk.ask("give", begin=begin, piece=content[begin : begin + 900])["ok"]
        assert talk.ask("restore", sha256=told["sha256"])["step"] == 50


@pytest.mark.parametrize(
    ("message", "code", "text", "where"),
    [
        ({"op": "checkpoint", "most": -1}, "bad_value", "most is a number of bytes from 0; found -1", "most"),
        ({"op": "checkpoint", "most": 1.5}, "bad_value", "most is a number of bytes from 0; found 1.5", "most"),
        ({"op": "checkpoint", "most": 10}, "too_large", None, ""),
        ({"op": "fetch"}, "bad_message", "the field 'begin' is missing", ""),
        ({"op": "fetch", "begin": -1}, "bad_value", "begin is a number of bytes from 0; found -1", "begin"),
        ({"op": "give", "begin": 7, "piece": b"x"}, "bad_value",
         "the next piece begins at 3, or at 0 where another checkpoint begins; found 7", "begin"),
        ({"op": "give", "begin": 0, "piece": "x"}, "bad_value", "piece is bytes; found 'x'", "piece"),
        ({"op": "give", "begin": 3, "piece": b"x" * 2000}, "too_large",
         "a checkpoint has at most 2,000 bytes here", "piece"),
        ({"op": "restore", "sha256": ""}, "bad_message", None, ""),
    ],
)  # fmt: skip
def test_what_is_refused_of_pieces(message: dict[str, Any], code: str, text: str | None, where: str) -> None:
    talk = Talk(checkpoint_bytes=2000)
    with talk.session:
        talk.ask("give", begin=0, piece=b"abc")
        error = talk.ask(**message)["error"]
        assert (error["code"], error["where"]) == (code, where)
        assert text is None or error["text"] == text
        if message == {"op": "checkpoint", "most": 10}:
            assert error["text"].endswith(" bytes, and at most 2,000 are held; open the session with a shorter keep")


def test_pieces_that_are_not_all_there_are_no_checkpoint() -> None:
    talk = Talk()
    with talk.session:
        told, content = content_of(talk)
        talk.ask("give", begin=0, piece=content[:-1])
        assert talk.ask("restore", sha256=told["sha256"])["error"]["code"] == "bad_message"
        talk.ask("give", begin=0, piece=content)
        assert talk.ask("restore", sha256="0")["error"]["text"] == (
            "the checkpoint is not what its sha256 says; send it as it was received"
        )
        assert talk.ask("exchange")["step"] == 1


@pytest.mark.parametrize("name", ["reference", "emulator", "genn"])
def test_a_session_with_pieces_is_replayed(tmp_path: Path, name: str) -> None:
    if reason := BACKENDS[name].missing():
        pytest.skip(reason)
    made = Record(tmp_path / "r.hil", how(link=None))
    talk = Talk(made, message_bytes=2000)
    with talk.session:
        talk.ask("exchange", run=20, **{"in": [{"port": "cells.drive", "values": 1.0}]})
        told, content = content_of(talk)
        talk.ask("exchange", run=7)
        for begin in range(0, len(content), 900):
            talk.ask("give", begin=begin, piece=content[begin : begin + 900])
        talk.ask("restore", sha256=told["sha256"])
        talk.ask("exchange", run=5)
        made.close(talk.session.digest())
    found = read(tmp_path / "r.hil")
    outcome = replay(found, name)
    assert (outcome.difference, outcome.digest) == ("", found.digest)
