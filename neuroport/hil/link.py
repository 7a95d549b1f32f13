"""What a link between host and chip does to messages, and its YAML file.

    seed: 7
    to_chip:   {latency: 2 ms, jitter: {uniform: [0 ms, 1 ms]}, drop: 0.01, burst: {mean: 5}, bandwidth: 64 per step}
    from_chip: {latency: 2 ms, jitter: {table: [[0, 0.9], [5, 0.1]]}, drop: 0.01, queue: 1024, order: keep}
    whole_messages: true
    configure: false

Times are whole steps: bare numbers count steps, times are converted with the time step of the network. Without a key
the link does nothing of that kind: no latency, no losses, any number of events per step, and nothing overtakes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from neuroport.numerics import units
from neuroport.numerics.given import LARGEST_SEED, PATH, takes
from neuroport.numerics.units import Quantity, quoted
from neuroport.yaml.fields import Report, found
from neuroport.yaml.nodes import ListNode, Node, ScalarNode, parse, read_bytes
from neuroport.yaml.quantities import duration

LONGEST = 1_000_000
"""No message is under way for more steps than this, and no queue holds more events."""
Order = Literal["keep", "free"]

_KEYS = ("seed", "to_chip", "from_chip", "whole_messages", "configure")
_OF_DIRECTION = ("latency", "jitter", "drop", "burst", "bandwidth", "queue", "order")
_RATE = re.compile(r"(\d+)\s+per\s+step")
_EXAMPLE = "such as '64 per step'"


@dataclass(frozen=True, slots=True)
class Jitter:
    """Steps that a message takes beside the latency: each with its probability; they add up to 1."""

    steps: tuple[int, ...] = (0,)
    chances: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One way of a link.

    latency: steps that everything takes. drop: the part of all messages that is lost.
    burst: how many are lost in a row in the mean; None: each is lost by itself.
    bandwidth: events that leave per step; None: any number. queue: how many wait at most to leave.
    order: `keep`, nothing overtakes what was sent before; `free`, what is quicker does.
    """

    latency: int = 0
    jitter: Jitter = Jitter()
    drop: float = 0.0
    burst: float | None = None
    bandwidth: int | None = None
    queue: int = 1024
    order: Order = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Both ways of a link.

    whole_messages: a message is lost and delayed whole, or each of its events by itself. configure: what is set passes
    the link, too.
    """

    seed: int = 0
    to_chip: Direction = Direction()
    from_chip: Direction = Direction()
    whole_messages: bool = True
    configure: bool = False

    def described(self) -> dict[str, Any]:
        """The link as plain values, times in steps."""
        ways = {"to_chip": _described(self.to_chip), "from_chip": _described(self.from_chip)}
        return {"seed": self.seed, **ways, "whole_messages": self.whole_messages, "configure": self.configure}


def _described(way: Direction) -> dict[str, Any]:
    return {
        "latency": way.latency,
        "jitter": [[steps, chance] for steps, chance in zip(way.jitter.steps, way.jitter.chances, strict=True)],
        "drop": way.drop,
        "burst": way.burst,
        "bandwidth": way.bandwidth,
        "queue": way.queue,
        "order": way.order,
    }


@takes(path=PATH)
def load(path: str | Path, dt: Quantity) -> Link:
    """The link that a file describes; `dt` is the time step of the network. InvalidInput with every problem in it."""
    return read(read_bytes(Path(path), str(path)), str(path), dt)


def read(data: bytes | str, file: str, dt: Quantity) -> Link:
    """The link that a text describes; `file` is named in messages. InvalidInput with every problem in it."""
    report = Report()
    root = parse(data, file)
    entries = report.mapping(root, "a link", _KEYS)
    seed = report.integer(entries.get("seed"), "seed", 0, LARGEST_SEED)
    whole = report.boolean(entries.get("whole_messages"), "whole_messages")
    link = Link(
        seed=0 if seed is None else seed,
        to_chip=_direction(report, entries.get("to_chip"), "to_chip", dt),
        from_chip=_direction(report, entries.get("from_chip"), "from_chip", dt),
        whole_messages=whole is not False,
        configure=report.boolean(entries.get("configure"), "configure") is True,
    )
    report.stop(file)
    return link


# ---------------------------------------------------------------------------------------------------------- reading


def _direction(report: Report, node: Node | None, name: str, dt: Quantity) -> Direction:
    entries = report.mapping(node, name, _OF_DIRECTION)
    latency = _steps(report, entries.get("latency"), f"latency of {name}", dt)
    drop = report.number(entries.get("drop"), f"drop of {name}", 0.0, 1.0)
    queue = report.integer(entries.get("queue"), f"queue of {name}", 0, LONGEST)
    order = report.choice(entries.get("order"), f"order of {name}", ("keep", "free"))
    return Direction(
        latency=latency or 0,
        jitter=_jitter(report, entries.get("jitter"), f"jitter of {name}", dt),
        drop=drop or 0.0,
        burst=_burst(report, entries.get("burst"), f"burst of {name}", drop or 0.0),
        bandwidth=_bandwidth(report, entries.get("bandwidth"), f"bandwidth of {name}"),
        queue=1024 if queue is None else queue,
        order=cast(Order, order or "keep"),
    )


def _steps(report: Report, node: Node | None, what: str, dt: Quantity) -> int | None:
    """A number of steps, or a time that is one."""
    if node is None:
        return None
    if isinstance(node, ScalarNode) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return report.integer(node, what, 0, LONGEST)
    time = duration(report, node, what, dt, 0)
    if time is None:
        return None
    steps = int(units.steps(time, dt))
    if steps > LONGEST:
        report.add(node, f"{what} must be at most {LONGEST:,} steps; found {units.show(time)}")
        return None
    return steps


def _jitter(report: Report, node: Node | None, what: str, dt: Quantity) -> Jitter:
    entries = report.mapping(node, what, ("uniform", "table"))
    if node is not None and len(entries) == 2:
        report.add(node, f"{what} has both uniform and table; leave one of them out")
    elif "uniform" in entries:
        return _uniform(report, entries["uniform"], f"uniform {what}", dt)
    elif "table" in entries:
        return _table(report, entries["table"], f"table of {what}", dt)
    return Jitter()


def _uniform(report: Report, node: Node, what: str, dt: Quantity) -> Jitter:
    if not isinstance(node, ListNode) or len(node.items) != 2:
        report.add(node, f"{what} must be a list [LEAST, MOST] of two times; found {found(node)}")
        return Jitter()
    ends = [_steps(report, item, what, dt) for item in node.items]
    if ends[0] is None or ends[1] is None:
        return Jitter()
    many = ends[1] - ends[0] + 1
    if not 1 <= many <= 2**16:
        text = "have its least time first" if many < 1 else "have at most 65,536 steps between its ends"
        report.add(node, f"{what} must {text}; found [{ends[0]}, {ends[1]}] steps")
        return Jitter()
    return Jitter(tuple(range(ends[0], ends[1] + 1)), (1 / many,) * many)


def _table(report: Report, node: Node, what: str, dt: Quantity) -> Jitter:
    rows = [_row(report, item, what, dt) for item in report.items(node, what)]
    if not rows or None in rows:
        if not rows:
            report.add(node, f"{what} must have rows [TIME, PROBABILITY]; found {found(node)}")
        return Jitter()
    steps, chances = zip(*cast("list[tuple[int, float]]", rows), strict=True)
    if abs(sum(chances) - 1) > 1e-9:
        report.add(node, f"the probabilities in the {what} must add up to 1; found {sum(chances):.12g}")
        return Jitter()
    return Jitter(steps, chances)


def _row(report: Report, node: Node, what: str, dt: Quantity) -> tuple[int, float] | None:
    if not isinstance(node, ListNode) or len(node.items) != 2:
        report.add(node, f"a row in the {what} must be a list [TIME, PROBABILITY]; found {found(node)}")
        return None
    steps = _steps(report, node.items[0], f"a time in the {what}", dt)
    chance = report.number(node.items[1], f"a probability in the {what}", 0.0, 1.0)
    return None if steps is None or chance is None else (steps, chance)


def _burst(report: Report, node: Node | None, what: str, drop: float) -> float | None:
    entries = report.mapping(node, what, ("mean",), ("mean",) if node is not None else ())
    mean = report.number(entries.get("mean"), f"mean of {what}", 1.0, LONGEST)
    if mean is not None and drop > mean / (mean + 1):
        most = f"in bursts of {mean:g} at most {mean / (mean + 1):.3g} of all can be lost"
        report.add(node, f"{what}: {most}, and drop is {drop:g}; lower it, or lengthen the bursts")
        return None
    return mean


def _bandwidth(report: Report, node: Node | None, what: str) -> int | None:
    if node is None:
        return None
    text = node.text if isinstance(node, ScalarNode) else ""
    match = _RATE.fullmatch(text.strip())
    if match and 1 <= int(match[1]) <= LONGEST:
        return int(match[1])
    shown = quoted(text) if text else found(node)
    report.add(node, f"{what} must be a number of events from 1 to {LONGEST:,} per step, {_EXAMPLE}; found {shown}")
    return None
