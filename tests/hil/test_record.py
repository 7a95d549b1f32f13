"""Records of sessions, and what is done again of them: the same replies, or the first one that differs."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from itertools import pairwise
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
from tests.support.looped import how, opened, served

pytest.importorskip("msgpack", reason="records need msgpack: pip install 'neuroport[hil]'")

LINK = """
seed: 5
to_chip: {latency: 1, jitter: {uniform: [0, 2]}, drop: 0.2}
from_chip: {latency: 1, drop: 0.2, burst: {mean: 2}, bandwidth: 3 per step}
"""


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
        made = Record(path, how(link=LINK))
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
        made = Record(tmp_path / "r.hil", how(link=LINK))
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
        made = Record(tmp_path / "r.hil", how(link=LINK))
        made.close("")
        names.append(made.path.name)
    assert names == ["r.hil", "r-2.hil", "r-3.hil"]


def test_where_nothing_can_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotWritten) as caught:
        Record(tmp_path / "none" / "r.hil", how(link=LINK))
    assert str(caught.value) == f"{tmp_path}/none/r.hil: cannot be written: no such file or directory"


@pytest.mark.parametrize("content", [b"", b"hello", b"\x01\0\0\0\xc1", records.BEGIN[:-1]])
def test_what_is_no_record(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.hil"
    path.write_bytes(content)
    assert refused(path) == (
        f"{path}: is no record of a session, or one whose very beginning is damaged; `neuroport hil serve --record "
        "FILE.hil` writes one"
    )


def test_a_record_of_another_format_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.hil"
    with monkeypatch.context() as other:
        other.setattr(records, "FORMAT", 2)
        Record(path, how(link=LINK)).close("")
    assert refused(path) == f"{path}: has the format 2, and this version reads 1; use the one that wrote it"


def test_a_record_with_odd_parts_says_so(tmp_path: Path) -> None:
    path = tmp_path / "r.hil"
    made = Record(path, how(link=LINK))
    made._write({"odd": 1})
    made.close("")
    assert (
        refused(path) == f"{path}: has what no record of this version has; use the version of neuroport that wrote it"
    )


# ------------------------------------------------------------------------------------------------------------ damage


def refused(path: Path) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(InvalidInput) as caught:
        records.read(path)
    return str(caught.value)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A record of a few messages."""
    path = tmp_path_factory.mktemp("small") / "r.hil"
    with opened() as session:
        made = Record(path, how(network="n", chip="c"))
        once = Once(Effects(session, Limits()), made)
        for number in range(1, 4):
            once.handle(encode({"id": number, "op": "exchange", "run": 1}))
        made.close(session.digest())
    return path.read_bytes()


def parts_of(content: bytes) -> list[int]:
    """Where the parts of a record begin, and where the last one ends."""
    at = [len(records.BEGIN)]
    while at[-1] < len(content):
        length, _ = records.HEAD.unpack_from(content, at[-1])
        at.append(at[-1] + records.HEAD.size + length + records.SEAL)
    return at


def said_of(path: Path, begins: list[int], at: int) -> str:
    """What is to be said of a record in which the byte there is another one."""
    number = sum(begin <= at for begin in begins) - 1
    if number < 0:
        return (
            f"{path}: is no record of a session, or one whose very beginning is damaged; `neuroport hil serve --record "
            "FILE.hil` writes one"
        )
    where = f"at message {number}" if number else "before its first message"
    why = "its bytes are not those that were written"
    return f"{path}: is damaged {where}: {why}; take another copy, or record it again"


def flip(path: Path, content: bytes, bits: list[int]) -> None:
    """Every one of these bits alone is told, with the message in which it is."""
    begins = parts_of(content)
    for bit in bits:
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        assert refused(path) == said_of(path, begins, bit // 8), bit


def test_single_bits_that_are_flipped_are_told(tmp_path: Path, small: bytes) -> None:
    flip(tmp_path / "r.hil", small, random.Random(1).sample(range(8 * len(small)), 400))


@pytest.mark.slow
def test_single_bits_that_are_flipped_are_told_hunt(tmp_path: Path, small: bytes) -> None:
    flip(tmp_path / "r.hil", small, list(range(8 * len(small))))


def test_every_cut_is_told(tmp_path: Path, small: bytes) -> None:
    """It has all that is whole, and no end."""
    path = tmp_path / "r.hil"
    path.write_bytes(small)
    whole, begins = records.read(path), parts_of(small)
    assert (len(whole.entries), whole.digest is None) == (3, False)
    for cut in range(len(small)):
        path.write_bytes(small[:cut])
        if cut < begins[1]:
            said = refused(path)
            assert said == (
                said_of(path, begins, 0)
                if cut < begins[0]
                else f"{path}: was cut off before it says how its session was opened; nothing of it is left"
            )
            continue
        found = records.read(path)
        assert found.digest is None
        assert found.entries == whole.entries[: sum(end <= cut for end in begins[2:])]


@pytest.mark.parametrize("trials", [200, pytest.param(20_000, marks=pytest.mark.slow, id="hunt")])
def test_bytes_that_are_put_in_or_taken_out_are_told(tmp_path: Path, small: bytes, trials: int) -> None:
    """Damaged, or cut off where they were of the last part; never a record with an end."""
    path, draw = tmp_path / "r.hil", random.Random(2)
    path.write_bytes(small)
    whole, begins = records.read(path), parts_of(small)
    for _ in range(trials):
        at, many = draw.randrange(begins[0], len(small)), draw.choice([1, 2, 5, 8, 24, 100])
        path.write_bytes(small[:at] + draw.randbytes(many) + small[at:])
        assert refused(path) == said_of(path, begins, at)
        path.write_bytes(small[:at] + small[at + many :])
        found = read_or_refused(path)
        if isinstance(found, str):
            assert "is damaged" in found or "was cut off before" in found
        else:
            assert (found.digest, found.entries) == (None, whole.entries[: len(found.entries)])


def read_or_refused(path: Path) -> Recorded | str:
    """A record, or what is said of its file."""
    try:
        return records.read(path)
    except InvalidInput as error:
        return str(error)


def test_what_comes_after_the_end_is_told(tmp_path: Path, small: bytes) -> None:
    path = tmp_path / "r.hil"
    for more in (b"x", b"1234567", b"12345678", small, small[len(records.BEGIN) :]):
        path.write_bytes(small + more)
        why = "something comes after its end" if len(more) < 8 else "its bytes are not those that were written"
        assert refused(
            path
        ) == f"{path}: is damaged at message {4 if len(more) < 8 else 5}: {why}; take another copy, " + (
            "or record it again"
        )


def test_parts_in_another_order_are_told(tmp_path: Path, small: bytes) -> None:
    path, begins = tmp_path / "r.hil", parts_of(small)
    parts = [small[begin:end] for begin, end in pairwise(begins)]
    for order in ([0, 2, 1, 3, 4], [0, 1, 3, 4], [0, 1, 1, 2, 3, 4], [1, 0, 2, 3, 4]):
        path.write_bytes(records.BEGIN + b"".join(parts[k] for k in order))
        assert "is damaged" in refused(path)


def replayed(path: Path, *options: str) -> tuple[int, str]:
    """How `hil replay` ends, and what it says."""
    done = CliRunner().invoke(main, ["hil", "replay", str(path), *options])
    return done.exit_code, done.output


def test_cut_off_is_told_from_identical_damaged_and_different(tmp_path: Path) -> None:
    path = tmp_path / "r.hil"
    found = written(path)
    content = path.read_bytes()
    assert replayed(path) == (0, f"emulator: identical: 21 messages, 42 steps, {found.digest}\n")
    path.write_bytes(content[: parts_of(content)[6]])
    code, said = replayed(path)
    assert code == 3
    assert re.fullmatch(
        r"emulator: identical as far as it goes: 5 messages, 12 steps, [0-9a-f]{64}; the record was cut off, and its "
        r"end is not known\n",
        said,
    )
    code, said = replayed(path, "--json")
    assert (code, json.loads(said)["cut_off"], json.loads(said)["difference"]) == (3, True, "")
    path.write_bytes(content[:-100] + bytes([content[-100] ^ 255]) + content[-99:])
    assert replayed(path) == (2, f"error: {said_of(path, parts_of(content), len(content) - 100)}\n")


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
