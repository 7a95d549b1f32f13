"""What a report tells of the record of a session: messages, and what the link delayed and lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from neuroport.cli import main
from neuroport.errors import InvalidInput
from neuroport.hil.limits import Limits
from neuroport.hil.link import read as link
from neuroport.hil.linked import Linked
from neuroport.hil.messages import decode, encode
from neuroport.hil.record import Record, Recorded, read
from neuroport.hil.served import Effects, Once
from neuroport.hil.told import MOST_BARS, NO_LINK, UNTIL_HAD, bars, pages, tallied
from neuroport.hil.wire import LOST, Message, Wire
from neuroport.pages import Page, Table, Text
from tests.support.looped import how, opened

pytest.importorskip("msgpack", reason="records need msgpack: pip install 'neuroport[hil]'")

LINK = """
seed: 5
to_chip: {latency: 2, jitter: {uniform: [0, 3]}, drop: 0.2, burst: {mean: 2}, bandwidth: 2 per step}
from_chip: {latency: 1, drop: 0.1}
whole_messages: false
configure: true
"""
MESSAGES: list[dict[str, Any]] = [
    {"op": "write", "name": "cells.drive", "values": [0.0, 0.7, 1.0, 0.3]},
    *(
        {"op": "exchange", "in": [{"port": "cells.i", "values": [2.0, 1.0], "neurons": [0, 1]}], "run": 3, "out": [of]}
        for of in ("cells", "cells", "others")
    ),
    {"op": "exchange", "in": [{"port": "cells.i", "values": [2.0], "neurons": [0]}, {"port": "no.such", "values": 1}]},
    {"op": "inject", "port": "cells.i", "neurons": [1, 2, 3], "values": [1.0, 1.0, 2.0]},
    {"op": "exchange", "in": [{"port": "cells.i", "values": 1.5}], "run": 9, "out": ["cells"]},
    {"op": "bye"},
]


def record(path: Path, behind: str | None, messages: list[dict[str, Any]], whole: bool = True) -> Recorded:
    session: Any = opened()
    if behind is not None:
        session = Linked(session, link(behind, "link", session.plan.dt))
    with session:
        made = Record(path, how(link=behind))
        once = Once(Effects(session, Limits()), made)
        for number, message in enumerate(messages, 1):
            once.handle(encode({"id": number} | message))
        if whole:
            made.close(session.digest())
        else:
            made._file.close()
    return read(path)


def table(page: Page, first: str) -> dict[Any, tuple[Any, ...]]:
    """The rows of the tables whose first column is so named."""
    return {
        row[0]: row[1:]
        for part in page.parts
        if isinstance(part, Table)
        for row in part.rows
        if part.columns[0] == first
    }


def texts(page: Page) -> list[str]:
    return [part.text for part in page.filled if isinstance(part, Text)]


def test_delays_are_those_of_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Message, Any]] = []
    send = Wire.send

    def watched(wire: Wire, message: Message) -> Any:
        arrives = send(wire, message)
        seen.append((wire.name, message, arrives))
        return arrives

    monkeypatch.setattr(Wire, "send", watched)
    found = record(tmp_path / "r.hil", LINK, MESSAGES)
    sent = {(m.port, m.number): (m, arrives) for name, m, arrives in seen if name == "to_chip" and m.port != "no.such"}
    ours = list(sent.values())  # a message that was refused is taken back, and the next one has its number
    assert len(ours) == 6
    tally = tallied(found, link(LINK, "link", opened().plan.dt))
    delays = Counter(int(at) - m.step for m, arrives in ours for at in arrives if at != LOST)
    assert tally.to_chip == delays
    assert tally.lost_to_chip == sum(int((arrives == LOST).sum()) for _, arrives in ours) > 0
    assert (tally.messages, tally.refused, tally.steps) == (len(MESSAGES), 1, 18)


def test_what_comes_back_is_counted_until_the_host_has_it(tmp_path: Path) -> None:
    take = {"op": "exchange", "run": 4, "out": ["cells"]}
    found = record(tmp_path / "r.hil", None, [MESSAGES[0], take, take])
    tally = tallied(found, None)
    assert sum(tally.from_chip.values()) > 0
    assert set(tally.from_chip) <= {0, 1, 2, 3}, "of four steps the last has no delay"
    ran, messages, behind = pages(found)
    assert table(ran, "what ran")["network"] == ("looped",)
    assert table(ran, "what ran")["steps"] == ("8",)
    assert table(messages, "counted")["messages"] == (3,)
    assert table(messages, "message")["exchange"][0] == 2
    assert texts(behind) == [NO_LINK, f"Delays until the host had what the chip did. {UNTIL_HAD}"]


def test_a_page_says_what_the_link_is(tmp_path: Path) -> None:
    *_, behind = pages(record(tmp_path / "r.hil", LINK, MESSAGES))
    assert table(behind, "link") == {
        "to the chip": ("2 steps", "0 to 3 steps", "20 %, 2 in a row", "2 per step", "kept"),
        "from the chip": ("1 step", "-", "10 %", "-", "kept"),
    }


def test_after_a_checkpoint_delays_to_the_chip_are_not_known(tmp_path: Path) -> None:
    first = record(tmp_path / "a.hil", LINK, [{"op": "checkpoint"}])
    reply = decode(first.entries[0].reply, Limits())
    back = {"op": "restore", "checkpoint": reply["checkpoint"], "sha256": reply["sha256"]}
    found = record(tmp_path / "r.hil", LINK, [*MESSAGES[:2], back, *MESSAGES[1:3]])
    before = tallied(record(tmp_path / "b.hil", LINK, MESSAGES[:2]), link(LINK, "link", opened().plan.dt))
    assert tallied(found, link(LINK, "link", opened().plan.dt)).to_chip == before.to_chip
    said = "The session went back to a checkpoint at message 3; delays to the chip after that are not known here."
    assert said in texts(pages(found)[-1])


def test_many_delays_have_few_rows() -> None:
    shown = bars({0: 1, 3: 80, 99: 2})
    assert len(shown.rows) == MOST_BARS
    assert shown.rows[0] == ("0 to 4", 81, 97.6, "█" * 40)
    assert shown.rows[-1] == ("95 to 99", 2, 2.4, "█")
    assert bars({7: 1}).rows == (("7", 1, 100.0, "█" * 40),)
    assert bars({}).rows == ()


def test_a_message_that_no_session_has_is_damage(tmp_path: Path) -> None:
    found = record(tmp_path / "r.hil", LINK, MESSAGES)
    odd = encode({"op": "exchange", "in": [{"port": 3}], "id": 2})
    entries = (found.entries[0], replace(found.entries[1], request=odd), *found.entries[2:])
    with pytest.raises(InvalidInput) as error:
        pages(replace(found, entries=entries))
    assert str(error.value) == (
        f"{tmp_path / 'r.hil'}: is damaged at message 2: it or its reply cannot be read: the field 'values' is "
        "missing; take another copy, or record it again"
    )


@pytest.mark.parametrize("whole", [True, False])
def test_the_command_takes_records(tmp_path: Path, whole: bool) -> None:
    record(tmp_path / "r.hil", LINK, MESSAGES, whole)
    done = CliRunner().invoke(main, ["report", str(tmp_path), "-o", str(tmp_path / "r.html")], catch_exceptions=False)
    note = f"note: '{tmp_path / 'r.hil'}' was cut off before its end; all of it that is whole is told\n"
    assert (done.exit_code, done.output) == (0, ("" if whole else note) + f"{tmp_path / 'r.html'}\n")
    page = (tmp_path / "r.html").read_text()
    assert "<h1>r</h1>" in page
    assert "Delays of numbers on their way to the chip" in page
    assert ("the record was cut off" in page) is not whole


def test_what_is_no_record_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "r.hil").write_text("odd")
    arguments = ["report", str(tmp_path / "r.hil"), "-o", str(tmp_path / "r.html")]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 2
    assert done.output.startswith(
        f"error: {tmp_path / 'r.hil'}: is no record of a session, or one whose very beginning"
    )
