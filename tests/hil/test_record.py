"""Records of sessions, and what is done again of them: the same replies, or the first one that differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from neuroport.cli import main
from neuroport.errors import InvalidInput, NotWritten
from neuroport.hil import record as records
from neuroport.hil.limits import Limits
from neuroport.hil.link import read as link
from neuroport.hil.linked import Linked
from neuroport.hil.messages import decode, encode
from neuroport.hil.record import Record, Recorded
from neuroport.hil.replay import replay
from neuroport.hil.served import Effects, Once
from tests.support.looped import TEXT, opened, served

pytest.importorskip("msgpack", reason="records need msgpack: pip install 'neuroport[hil]'")

LINK = """
seed: 5
to_chip: {latency: 1, jitter: {uniform: [0, 2]}, drop: 0.2}
from_chip: {latency: 1, drop: 0.2, burst: {mean: 2}, bandwidth: 3 per step}
"""


def how(**changes: Any) -> dict[str, Any]:
    """How the session of these tests was opened, as a record says it."""
    from neuroport.chips import description

    chip = description.to_yaml(description.load("generic16"))
    return {
        "neuroport": "0",
        "network": TEXT,
        "chip": chip,
        "chip_seed": None,
        "seed": 1,
        "backend": "reference",
        "keep": "all",
        "link": LINK,
        "pace": {},
        "limits": Limits().described(),
    } | changes


MESSAGES: list[dict[str, Any]] = [
    {"op": "write", "name": "cells.drive", "values": [0.0, 0.7, 1.0, 0.3]},
    *(
        {"op": "exchange", "in": [{"port": "cells.i", "values": [2.0], "neurons": [k % 4]}], "run": 3, "out": ["cells"]}
        for k in range(12)
    ),
    {"op": "read", "name": "no.such"},
    {"op": "exchange", "run": 5, "out": ["cells", "others", "cells.v"]},
    {"op": "write", "name": "cells.gain", "values": 5.0},
    {"op": "exchange", "in": [{"port": "cells.gain", "values": 5.0}]},
    {"op": "describe"},
    {"op": "stats"},
    {"op": "digest"},
    {"op": "bye"},
]


def written(path: Path, whole: bool = True) -> Recorded:
    """The record of a session with these messages."""
    session: Any = Linked(opened(), link(LINK, "link", opened().plan.dt))
    with session:
        made = Record(path, how())
        once = Once(Effects(session, Limits()), made)
        for number, message in enumerate(MESSAGES, 1):
            once.handle(encode({"id": number} | message))
        if whole:
            made.close(session.digest())
        else:
            made._file.close()
    return records.read(path)


def test_a_record_has_every_message_that_acted_and_its_reply(tmp_path: Path) -> None:
    found = written(tmp_path / "r.hil")
    assert len(found.entries) == len(MESSAGES)
    assert [entry.step for entry in found.entries[:3]] == [0, 0, 3]
    assert all(entry.heard <= entry.answered for entry in found.entries)
    assert found.opened["emulator"] is True
    assert found.digest is not None


def test_messages_that_did_not_act_are_not_recorded(tmp_path: Path) -> None:
    with opened() as session:
        made = Record(tmp_path / "r.hil", how())
        once = Once(Effects(session, Limits()), made)
        for frame in (b"\xc1", encode({"id": 7, "op": "stats"}), *[encode({"id": 1, "op": "exchange"})] * 2):
            once.handle(frame)
        made.close("")
    assert [entry.request for entry in records.read(tmp_path / "r.hil").entries] == [
        encode({"id": 1, "op": "exchange"})
    ]


def test_a_replay_is_identical(tmp_path: Path) -> None:
    found = written(tmp_path / "r.hil")
    outcome = replay(found)
    assert (outcome.difference, outcome.digest, outcome.messages) == ("", found.digest, len(MESSAGES))


@pytest.mark.parametrize("name", ["emulator", "genn"])
def test_on_another_executor_too(tmp_path: Path, name: str) -> None:
    from tests.support.executors import BACKENDS

    if reason := BACKENDS[name].missing():
        pytest.skip(reason)
    assert replay(written(tmp_path / "r.hil"), name).difference == ""


def with_checkpoint(path: Path, behind: str | None) -> Recorded:
    """The record of a session that was put back to a checkpoint, with messages after it."""
    session: Any = opened() if behind is None else Linked(opened(), link(behind, "link", opened().plan.dt))
    with session:
        once = Once(Effects(session, Limits()), made := Record(path, how(link=behind)))

        def ask(op: str, **fields: Any) -> dict[str, Any]:
            return decode(once.handle(encode({"id": once.expected, "op": op} | fields)), Limits())

        write = {"port": "cells.i", "values": [2.0], "neurons": [1]}
        asked = {"in": [write], "run": 4, "out": ["cells", "others"]}
        ask("exchange", **asked)
        saved = ask("checkpoint")
        ask("exchange", **asked)
        assert ask("restore", checkpoint=saved["checkpoint"], sha256=saved["sha256"])["ok"]
        ask("checkpoint")
        ask("exchange", **asked)
        made.close(session.digest())
    return records.read(path)


@pytest.mark.parametrize("behind", [None, LINK], ids=["here", "linked"])
@pytest.mark.parametrize("name", ["reference", "emulator", "genn"])
def test_checkpoints_are_compared_but_for_what_names_the_executor(
    tmp_path: Path, name: str, behind: str | None
) -> None:
    from tests.support.executors import BACKENDS

    if reason := BACKENDS[name].missing():
        pytest.skip(reason)
    found = with_checkpoint(tmp_path / "r.hil", behind)
    outcome = replay(found, name)
    assert (outcome.difference, outcome.digest, outcome.messages) == ("", found.digest, 6)


@pytest.mark.parametrize("field", ["seed", "host", "state", "chip"])
def test_a_checkpoint_with_another_content_is_a_difference(tmp_path: Path, field: str) -> None:
    found = with_checkpoint(tmp_path / "r.hil", None)
    reply = decode(found.entries[1].reply, Limits())
    reply["checkpoint"][field] = {"odd": 3}
    entry = replace(found.entries[1], reply=encode(reply))
    changed = replace(found, entries=(found.entries[0], entry, *found.entries[2:]))
    assert replay(changed).difference.startswith(f"message 2, before step 4: checkpoint.checkpoint.{field}")


def test_steps_that_nobody_asked_for_are_done_again(tmp_path: Path) -> None:
    """In real time steps come between messages; the record says before which step each acted."""
    with opened() as session:
        made = Record(tmp_path / "r.hil", how(link=None))
        once = Once(Effects(session, Limits()), made)
        for number in range(1, 9):
            session.run(number % 3)
            write = {"port": "cells.i", "values": 2.0, "neurons": [1]}
            once.handle(encode({"id": number, "op": "exchange", "in": [write], "run": 1, "out": ["cells"]}))
        made.close(session.digest())
    outcome = replay(records.read(tmp_path / "r.hil"))
    assert (outcome.difference, outcome.steps) == ("", 9 + 8)


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    found = written(tmp_path / "r.hil")
    k = 5
    other = encode({"id": k + 1, "op": "write", "name": "cells.drive", "values": 1.0})
    changed = replace(
        found, entries=(*found.entries[:k], replace(found.entries[k], request=other), *found.entries[k + 1 :])
    )
    assert replay(changed).difference == "message 6, before step 12: write.out is in one reply alone"
    odd = replace(found, opened=dict(found.opened) | {"link": None})
    assert replay(odd).difference.startswith("message 2, before step 0: exchange.")
    ended = replace(found, digest="0")
    assert replay(ended).difference == f"at the end: digest 0, and now {found.digest}"


def test_a_record_that_was_cut_off_anywhere_has_all_that_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.hil"
    found = written(path, whole=False)
    content = path.read_bytes()
    for cut in (len(content), len(content) - 1, len(content) - 50, len(content) // 2, len(content) // 3):
        (tmp_path / "cut.hil").write_bytes(content[:cut])
        part = records.read(tmp_path / "cut.hil")
        assert part.digest is None
        assert part.entries == found.entries[: len(part.entries)]
        assert replay(part).difference == ""
    assert len(part.entries) < len(found.entries) == len(MESSAGES)


def test_no_file_is_ever_replaced(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        made = Record(tmp_path / "r.hil", how())
        made.close("")
        names.append(made.path.name)
    assert names == ["r.hil", "r-2.hil", "r-3.hil"]


def test_where_nothing_can_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotWritten) as caught:
        Record(tmp_path / "none" / "r.hil", how())
    assert str(caught.value) == f"{tmp_path}/none/r.hil: cannot be written: no such file or directory"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no record of a session; `neuroport hil serve --record FILE.hil` writes one"),
        (b"hello", "is no record of a session; `neuroport hil serve --record FILE.hil` writes one"),
        (b"\x01\0\0\0\xc1", None),
        (b"\x01\0\0\0\x80", "is no record of a session; `neuroport hil serve --record FILE.hil` writes one"),
    ],
)
def test_what_is_no_record(tmp_path: Path, content: bytes, said: str | None) -> None:
    path = tmp_path / "r.hil"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        records.read(path)
    assert str(caught.value).startswith(f"{path}: is no record of a session")
    assert said is None or str(caught.value) == f"{path}: {said}"


def test_a_record_of_another_format_says_so(tmp_path: Path) -> None:
    path = tmp_path / "r.hil"
    frame = encode({"kind": records.KIND, "format": 2})
    path.write_bytes(len(frame).to_bytes(4, "little") + frame)
    with pytest.raises(InvalidInput) as caught:
        records.read(path)
    assert str(caught.value) == f"{path}: has the format 2, and this version reads 1; use the one that wrote it"


@pytest.mark.dear
def test_a_served_session_is_recorded_and_replayed(tmp_path: Path) -> None:
    pytest.importorskip("zmq", reason="serving needs pyzmq: pip install 'neuroport[hil]'")
    from neuroport.hil import connect

    (tmp_path / "link.yaml").write_text(LINK, "utf-8")
    file = tmp_path / "r.hil"
    with (
        served(tmp_path, "plain://127.0.0.1:0", record=file) as where,
        connect(where, link=tmp_path / "link.yaml", pace="locked", seed=3) as session,
    ):
        for _ in range(5):
            session.exchange({"cells.drive": 1.0}, 2, ["cells"])
        digest = session.digest()
    done = CliRunner().invoke(main, ["hil", "replay", str(file), "--backend", "reference"])
    assert done.exit_code == 0, done.output
    assert done.output == f"emulator: identical: 7 messages, 10 steps, {digest}\n"
