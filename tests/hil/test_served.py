"""What messages do to a session: each op, what is refused and leaves the session as it was, and once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from neuroport.hil.limits import Limits
from neuroport.hil.messages import decode, encode, unpacked
from neuroport.hil.served import Effects, Once
from tests.support.looped import opened

pytest.importorskip("msgpack", reason="messages need msgpack: pip install 'neuroport[hil]'")

OPS = (
    "describe, stats, exchange, inject, take, read, write, weights, spikes, records, trigger, reset, digest, "
    "checkpoint, fetch, give, restore, bye"
)


class Talk:
    """A session and messages to it."""

    def __init__(self, **limits: Any) -> None:
        self.session = opened()
        self.once = Once(Effects(self.session, Limits(**limits)))

    def raw(self, message: Any) -> dict[str, Any]:
        reply: dict[str, Any] = unpacked(decode(self.once.handle(encode(message)), Limits()))
        return reply

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return self.raw({"id": self.once.expected, "op": op} | fields)


@pytest.fixture
def talk() -> Iterator[Talk]:
    made = Talk()
    with made.session:
        yield made


def test_an_exchange_writes_runs_and_takes(talk: Talk) -> None:
    writes = [{"port": "cells.i", "values": [2.0], "neurons": [1], "at": 1, "hold": 2}]
    reply = talk.ask("exchange", **{"in": writes, "run": "5 ms", "out": ["cells", "cells.v"], "at": 0})
    assert reply["out"]["cells"]["steps"].tolist() == [1, 2]
    assert reply["out"]["cells"]["neurons"].tolist() == [1, 1]
    assert reply["out"]["cells.v"]["values"].shape == (5, 4)
    del reply["out"]
    assert reply == {"id": 1, "ok": True, "step": 5, "late": 0, "dropped": 0, "clipped": 0}


def test_an_exchange_of_nothing_is_one_step(talk: Talk) -> None:
    assert talk.ask("exchange")["step"] == 1


def test_values_may_be_arrays(talk: Talk) -> None:
    values = np.array([0.0, 1.0, 0.0, 0.0])
    assert talk.ask("exchange", **{"in": [{"port": "cells.drive", "values": values}]})["ok"]
    assert talk.ask("read", name="cells.drive")["values"].tolist() == values.tolist()


def test_every_op_answers_what_the_session_does(talk: Talk) -> None:
    assert talk.ask("write", name="cells.drive", values=1.0) == {"id": 1, "ok": True, "step": 0}
    talk.ask("exchange", run=3)
    session = talk.session
    assert talk.ask("describe")["describe"] == session.describe() | {
        "limits": session.describe()["limits"] | Limits().described()
    }
    assert talk.ask("describe")["describe"]["kind"] == "emulator"
    assert talk.ask("stats")["stats"] == session.stats()
    assert talk.ask("spikes", population="cells", since=1)["steps"].tolist() == session.spikes("cells", 1)[0].tolist()
    assert talk.ask("records", name="cells.v", since="2 ms")["steps"].tolist() == [2]
    assert talk.ask("weights", projection="across")["weights"].tolist() == [1.0] * 8
    assert talk.ask("take", out=["cells"])["out"]["cells"]["neurons"].tolist() == session.spikes("cells")[1].tolist()
    assert talk.ask("trigger", event="blank")["ok"]
    assert session.get("cells.drive").tolist() == [0.0] * 4
    assert talk.ask("reset", populations=["cells"], keep_learned=True)["ok"]
    assert talk.ask("digest")["digest"] == session.digest()
    assert talk.ask("bye") == {"id": 13, "ok": True}
    assert talk.once.ended


@pytest.mark.parametrize(
    ("message", "code", "text", "where"),
    [
        ({"op": "exec"}, "unknown_op", f"there is no op 'exec'; there are: {OPS}", "op"),
        ({"op": "exchnge"}, "unknown_op",
         f"there is no op 'exchnge'; did you mean 'exchange'? there are: {OPS}", "op"),
        ({}, "unknown_op", f"there is no op None; there are: {OPS}", "op"),
        ({"op": "read"}, "bad_message", "the field 'name' is missing", ""),
        ({"op": "read", "name": 3}, "bad_value", "name is a text; found 3", "name"),
        ({"op": "read", "nam": "x"}, "bad_message", "unknown field 'nam'; did you mean 'name'? allowed are name", ""),
        ({"op": "stats", "x": 1}, "bad_message", "unknown field 'x'; allowed are none", ""),
        ({"op": "exchange", "run": 1.5}, "bad_value",
         "1.5 is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'", "run"),
        ({"op": "exchange", "run": -1}, "bad_value",
         "a run cannot last -1 steps; give a number of steps from 0 to 2**62", "run"),
        ({"op": "exchange", "run": 10**6 + 1}, "too_large",
         "one exchange runs at most 1,000,000 steps; found 1,000,001; send several", "run"),
        ({"op": "exchange", "run": "1000001 ms"}, "too_large",
         "one exchange runs at most 1,000,000 steps; found 1,000,001; send several", "run"),
        ({"op": "exchange", "at": 7}, "wrong_step",
         "the session stands at step 0, and the message is for step 7", "at"),
        ({"op": "exchange", "at": "0"}, "wrong_step",
         "the session stands at step 0, and the message is for step '0'", "at"),
        ({"op": "exchange", "out": "cells"}, "bad_value", "outputs must be a list of texts; found 'cells'", "out"),
        ({"op": "exchange", "out": {}}, "bad_value", "outputs must be a list of texts; found {}", "out"),
        ({"op": "exchange", "clip": 1}, "bad_value", "clip must be True or False; found 1", "clip"),
        ({"op": "exchange", "in": {}}, "bad_value", "in is a list of writes; found {}", "in"),
        ({"op": "exchange", "in": [3]}, "bad_value", "a write is a map; found 3", "in[0]"),
        ({"op": "exchange", "in": [{"port": "cells.i"}]}, "bad_message", "the field 'values' is missing", "in[0]"),
        ({"op": "exchange", "in": [{"port": 1, "values": 1}]}, "bad_value", "port is a text; found 1", "in[0].port"),
        ({"op": "exchange", "in": [{"port": "cells.i", "values": {"t": 1}}]}, "bad_value",
         "an array is a map of t, n and b; found one of t", "in[0].values"),
        ({"op": "exchange", "in": [{"port": "cells.i", "values": [None]}]}, "bad_value",
         "'cells.i' takes numbers; found [None]", "in[0]"),
        ({"op": "exchange", "in": [{"port": "cells.i", "values": 1, "neurons": ["x"]}]}, "bad_value",
         "'cells.i' takes numbers; found ['x']", "in[0]"),
        ({"op": "exchange", "in": [{"port": "cells.i", "values": 1, "x": 1}]}, "bad_message",
         "unknown field 'x'; allowed are port, values, neurons, at, hold", "in[0]"),
        ({"op": "exchange", "in": [{"port": "cells.i", "values": 1, "hold": 0}]}, "bad_value",
         "hold must be a number of steps from 1 to 2**62, or a time; found 0", "in[0]"),
        ({"op": "restore", "checkpoint": 3, "sha256": ""}, "bad_value", "checkpoint is a map; found 3", "checkpoint"),
        ({"op": "restore", "checkpoint": {}, "sha256": "0"}, "bad_value",
         "the checkpoint is not what its sha256 says; send it as it was received", ""),
        ({"op": "restore", "checkpoint": {}, "sha256": hashlib.sha256().hexdigest()}, "bad_value",
         "cannot be resumed: has checkpoint format 0; this version of neuroport reads format 1", ""),
    ],
)  # fmt: skip
def test_what_is_refused_leaves_the_session_as_it_was(
    talk: Talk, message: dict[str, Any], code: str, text: str, where: str
) -> None:
    before = talk.session.digest(), talk.session.step, talk.session.stats()
    reply = talk.raw({"id": 1} | message)
    assert reply == {"id": 1, "ok": False, "error": {"code": code, "text": text, "where": where}}
    assert (talk.session.digest(), talk.session.step, talk.session.stats()) == before
    assert talk.ask("exchange")["ok"]


def test_an_unknown_name_is_told_with_those_that_there_are(talk: Talk) -> None:
    error = talk.ask("spikes", population="cell")["error"]
    assert error["code"] == "unknown_name"
    assert error["text"] == (
        "there is no spiking population 'cell' in network 'looped'; there are: cells, others; did you mean 'cells'?"
    )


@pytest.mark.parametrize(
    ("writes", "where"),
    [
        ([("cells.i", 1), ("cells.drive", float("nan"))], "in[1]"),
        ([("cells.i", 1), ("cells.drive", 9), ("cells.drive", [1, 2])], "in[1]"),
        ([("cells.i", 1), ("cells.i", 1), ("cels.i", 1)], "in[2]"),
        ([("cells.i", 5), ("cells.i", 5)], "in"),
        ([("cells.gain", 1)] * 999 + [("cells.drive", 9)], "in[999]"),
        ([("cells.gain", 1)] * 1000 + [("cells.drive", 9)], "in"),
    ],
)
def test_of_several_writes_the_one_that_is_refused_is_named(
    talk: Talk, writes: list[tuple[str, Any]], where: str
) -> None:
    given = [{"port": name, "values": values} for name, values in writes]
    assert talk.ask("exchange", **{"in": given})["error"]["where"] == where


@pytest.mark.parametrize(
    ("op", "field"),
    [
        ("read", "name"), ("write", "name"), ("weights", "projection"), ("spikes", "population"), ("records", "name"),
        ("trigger", "event"), ("reset", "populations"), ("take", "out"),
    ],
)  # fmt: skip
def test_a_name_that_there_is_not_is_told_with_its_field(talk: Talk, op: str, field: str) -> None:
    name = ["x"] if field in ("populations", "out") else "x"
    error = talk.ask(op, **{field: name} | ({"values": 1} if op == "write" else {}))["error"]
    assert (error["code"], error["where"]) == ("unknown_name", field)


def test_one_exchange_writes_so_many_numbers_and_no_more() -> None:
    talk = Talk(exchange_numbers=8)
    with talk.session:
        drive = {"port": "cells.drive", "values": [0.0] * 4}
        assert talk.ask("exchange", **{"in": [drive, drive]})["ok"]
        error = talk.ask("exchange", **{"in": [drive, drive, {"port": "cells.i", "values": 1}]})["error"]
        assert error == {
            "code": "too_large",
            "text": "one exchange writes at most 8 numbers; send several",
            "where": "in[2]",
        }


def test_a_message_that_comes_twice_acts_once(talk: Talk) -> None:
    message = {"id": 1, "op": "exchange", "run": 3}
    first, again = talk.once.handle(encode(message)), talk.once.handle(encode(message))
    assert first == again
    assert talk.session.step == 3


def test_another_message_with_the_id_of_the_last_is_refused(talk: Talk) -> None:
    first = talk.ask("exchange", run=3)
    text = "the message with the id 1 was another one; send that again, or the next with the id 2"
    error = {"code": "wrong_step", "text": text, "where": "id"}
    assert talk.raw({"id": 1, "op": "exchange", "run": 500}) == {"id": 1, "ok": False, "error": error, "expected": 2}
    assert talk.raw({"id": 1, "op": "exchange", "run": 3}) == first
    assert talk.session.step == 3


@pytest.mark.parametrize("number", [0, 1, 4, 2**60])
def test_old_ids_and_gaps_are_refused_with_what_is_expected(talk: Talk, number: int) -> None:
    talk.ask("exchange")
    talk.ask("exchange")
    text = f"the message with the id 3 comes next; found {number}"
    error = {"code": "wrong_step", "text": text, "where": "id"}
    assert talk.raw({"id": number, "op": "exchange"}) == {"id": number, "ok": False, "error": error, "expected": 3}
    assert talk.session.step == 2


@pytest.mark.parametrize("number", [None, -1, "1", 1.0, True, [1]])
def test_what_is_no_id_is_refused_and_takes_none(talk: Talk, number: Any) -> None:
    reply = talk.raw({"id": number, "op": "exchange"})
    assert (reply["id"], reply["error"]["code"]) == (None, "bad_message")
    assert talk.ask("exchange")["step"] == 1


def test_bytes_that_are_no_message_take_no_id(talk: Talk) -> None:
    reply = decode(talk.once.handle(b"\xc1"), Limits())
    assert (reply["id"], reply["error"]["code"]) == (None, "bad_message")
    assert talk.ask("exchange")["id"] == 1


def test_a_fault_of_ours_is_a_reply_too(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("odd")

    monkeypatch.setattr(talk.session, "digest", broken)
    assert talk.ask("digest")["error"]["text"] == "this is a fault of neuroport, not of the message: KeyError: 'odd'"
    assert talk.ask("exchange")["step"] == 1


def test_a_reply_that_cannot_be_sent_is_a_reply_too(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk.session, "stats", lambda: {"steps": 2**70})
    assert talk.ask("stats")["error"]["text"] == (
        "this is a fault of neuroport, not of the message: TypeError: int cannot be sent"
    )
    assert talk.ask("exchange")["step"] == 1
