"""What is told of a record of a session: what ran, how long messages took, and what the link delayed and lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuroport.chips import description
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.hil import link as links
from neuroport.hil.limits import Limits
from neuroport.hil.link import Direction, Link
from neuroport.hil.linked import events_of
from neuroport.hil.messages import Refused, array, decode
from neuroport.hil.record import Recorded, damaged
from neuroport.hil.served import Entry, written
from neuroport.hil.wire import LOST, Message, Wire
from neuroport.pages import Cell, Page, Part, Table, Text
from neuroport.session.exchange import Write

MOST_BARS = 20
"""So many rows has a table of delays at most; of more delays, each has several."""
BAR = 40
"""Characters of the longest bar."""
NONE = "-"
COUNTS = ("late", "dropped", "clipped")
SHARES = (50, 95, 99)
_WIDE = Limits(message_bytes=2**32 - 1, items=2**26, text_bytes=2**24)
TO_CHIP = "Delays of numbers on their way to the chip"
FROM_CHIP = "Delays until the host had what the chip did"
NO_LINK = "There was no link: nothing was delayed or lost between host and chip."
ON_THE_WAY = "Steps from that before which a number was sent to that in which it arrived at the chip."
UNTIL_HAD = (
    "Steps from the end of that in which the chip did it to the exchange that brought it: the link, and that the host "
    "did not ask earlier."
)


@dataclass
class Tally:
    """What was counted in a record. to_chip, from_chip: delay in steps -> numbers. took: op -> milliseconds each."""

    steps: int = 0
    messages: int = 0
    refused: int = 0
    late: int = 0
    dropped: int = 0
    clipped: int = 0
    lost_to_chip: int = 0
    unknown_after: int = 0  # the message after which it is not known what the link does; 0: it always is
    to_chip: Counter[int] = field(default_factory=Counter)
    from_chip: Counter[int] = field(default_factory=Counter)
    took: dict[str, list[float]] = field(default_factory=dict)


def pages(record: Recorded) -> tuple[Page, ...]:
    """What is told of a record, for a report. InvalidInput for one with messages that no session has."""
    how, name = record.opened, str(record.path)
    network = reader.loads(how["network"], f"{name} (network)")
    link = None if how["link"] is None else links.read(how["link"], f"{name} (link)", network.dt)
    tally = tallied(record, link)
    return (
        Page("What ran", "", (_ran(record, network.name, tally),)),
        Page("Messages", "", (_messages(tally), _durations(tally))),
        Page("Link", "", tuple(_link(link, tally))),
    )


def _ran(record: Recorded, network: str, tally: Tally) -> Table:
    how, entries = record.opened, record.entries
    chip = description.read(how["chip"], f"{record.path} (chip)").name
    seconds = (entries[-1].answered - entries[0].heard) / 1e9 if entries else 0.0
    rows: tuple[tuple[Cell, ...], ...] = (
        ("network", network),
        ("chip", chip),
        ("chip seed", NONE if how["chip_seed"] is None else how["chip_seed"]),
        ("seed", how["seed"]),
        ("executed by", how["backend"]),
        ("version", how["neuroport"]),
        ("steps", f"{tally.steps:,}"),
        ("took", f"{seconds:.3g} s from the first message to the last reply"),
        ("digest", record.digest or "not known: the record was cut off before its end"),
    )
    return Table(("what ran", ""), rows)


# ----------------------------------------------------------------------------------------------------------- counting


def tallied(record: Recorded, link: Link | None) -> Tally:
    """What a record holds, counted. InvalidInput where it has what no session says."""
    tally, wire = Tally(), None
    if link is not None:
        wire = _ToChip(link)
    for number, entry in enumerate(record.entries, 1):
        try:
            _count(tally, number, entry, wire)
        except (Refused, InvalidInput, TypeError, ValueError, KeyError, AttributeError) as error:
            raise damaged(record.path, number, f"it or its reply cannot be read: {error}") from None
    return tally


def _count(tally: Tally, number: int, entry: Entry, wire: _ToChip | None) -> None:
    request, reply = decode(entry.request, _WIDE), decode(entry.reply, _WIDE)
    op = str(request.get("op"))
    tally.messages += 1
    tally.steps = int(reply.get("step", entry.step))
    tally.took.setdefault(op, []).append((entry.answered - entry.heard) / 1e6)
    if reply.get("ok") is not True:
        tally.refused += 1
        return
    for name in COUNTS:
        setattr(tally, name, getattr(tally, name) + int(reply.get(name, 0)))
    for output in reply.get("out", {}).values():
        steps = np.asarray(array(output["steps"], "steps"), np.int64)
        tally.from_chip.update((int(reply["step"]) - steps - 1).tolist())
    if op == "restore":
        tally.unknown_after = tally.unknown_after or number
    if wire is not None and not tally.unknown_after:
        wire.take(tally, entry.step, op, request)


class _ToChip:
    """The way to the chip once more: when the numbers of a record arrived, by the draws that its link made."""

    def __init__(self, link: Link) -> None:
        self._wire = Wire(link.to_chip, "to_chip", link.seed, link.whole_messages)
        self._configure = link.configure
        self._sent: Counter[str] = Counter()

    def take(self, tally: Tally, step: int, op: str, request: Mapping[str, Any]) -> None:
        """Send what a message of a host sent."""
        for write in self._writes(op, request):
            number, events = self._sent[write.name], events_of(write)
            self._sent[write.name] += 1
            arrives = self._wire.send(Message(write.name, number, step, events)) if events else np.zeros(0, np.int64)
            there = arrives[arrives != LOST]
            tally.lost_to_chip += len(arrives) - len(there)
            tally.to_chip.update((there - step).tolist())

    def _writes(self, op: str, request: Mapping[str, Any]) -> Iterator[Write]:
        if op == "exchange":
            yield from (written(one, "in") for one in request.get("in", []))
        elif op == "inject":
            yield written({key: value for key, value in request.items() if key not in ("id", "op")}, "in")
        elif op == "write" and self._configure:
            yield Write(request["name"], array(request["values"], "values"))


# ------------------------------------------------------------------------------------------------------------ telling


def _messages(tally: Tally) -> Table:
    counts = ("messages", tally.messages), ("refused", tally.refused)
    numbers = ("numbers clipped to a range", tally.clipped), ("numbers and spikes late", tally.late)
    return Table(("counted", "in all"), (*counts, *numbers, ("numbers and spikes dropped", tally.dropped)))


def _durations(tally: Tally) -> Table:
    """How long replies took, by op, on the clock of the server."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (op, len(took), *(round(float(value), 3) for value in np.percentile(took, SHARES)), round(max(took), 3))
        for op, took in tally.took.items()
    )
    return Table(("message", "how many", *(f"{share} % within (ms)" for share in SHARES), "longest (ms)"), rows)


def _link(link: Link | None, tally: Tally) -> Iterator[Part]:
    if link is None:
        yield Text(NO_LINK)
    else:
        yield Table(("link", "latency", "jitter", "lost", "bandwidth", "order"), tuple(map(_way, *_ways(link))))
        yield Text(_unknown(tally))
        yield Text(f"{TO_CHIP}. {ON_THE_WAY}" if tally.to_chip else "")
        yield bars(tally.to_chip)
        yield Text(f"{tally.lost_to_chip:,} numbers were lost on their way to the chip.")
    yield Text(f"{FROM_CHIP}. {UNTIL_HAD}" if tally.from_chip else "The host asked for nothing that the chip did.")
    yield bars(tally.from_chip)


def _ways(link: Link) -> tuple[tuple[str, str], tuple[Direction, Direction]]:
    return ("to the chip", "from the chip"), (link.to_chip, link.from_chip)


def _way(name: str, way: Direction) -> tuple[Cell, ...]:
    """A direction, its times in steps."""
    least, most = min(way.jitter.steps), max(way.jitter.steps)
    jitter = f"{least} to {most} steps" if most else NONE
    burst = "" if way.burst is None else f", {way.burst:g} in a row"
    rate = NONE if way.bandwidth is None else f"{way.bandwidth:,} per step"
    order = "kept" if way.order == "keep" else "free"
    return (
        name,
        f"{way.latency} step{'s' if way.latency != 1 else ''}",
        jitter,
        f"{100 * way.drop:g} %{burst}",
        rate,
        order,
    )


def _unknown(tally: Tally) -> str:
    if not tally.unknown_after:
        return ""
    return (
        f"The session went back to a checkpoint at message {tally.unknown_after:,}; delays to the chip after that are "
        "not known here."
    )


def bars(delays: Mapping[int, int]) -> Table:
    """How many had which delay, and a bar for each; of many different delays several have one together."""
    rows: list[tuple[Cell, ...]] = []
    if delays:
        least, most = min(delays), max(delays)
        width = -(-(most - least + 1) // MOST_BARS)
        counts = Counter[int]()
        for delay, count in delays.items():
            counts[(delay - least) // width] += count
        total, largest = sum(counts.values()), max(counts.values())
        for k in range((most - least) // width + 1):
            first = least + k * width
            name = f"{first:,}" if width == 1 else f"{first:,} to {min(first + width - 1, most):,}"
            bar = "█" * -(-BAR * counts[k] // largest)
            rows.append((name, counts[k], round(100 * counts[k] / total, 1), bar))
    return Table(("delay (steps)", "how many", "%", ""), tuple(rows))
