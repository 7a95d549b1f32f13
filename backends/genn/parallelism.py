"""How a GPU deals out what the spikes of a step do to synapses: chosen for each projection, by a rule.

"post": the spikes of a step one after the other, each with a thread for every synapse of its row. "pre:T": all spikes
of a step at once, each with T threads that share its row. The bits of integers are the same: sums of whole numbers have
no order. The rule compares what a thread does one after the other: spikes for "post", as many as the source has in a
step at 10 Hz, and synapses for "pre:T".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from neuroport.backends.genn import places
from neuroport.backends.genn.model import Model, Span
from neuroport.errors import InvalidInput, Problem
from neuroport.numerics.units import suggestion
from neuroport.program.machine import Program, Projection

RATE = 10.0
"""Hz, at which neurons are taken to spike, since nobody knows it before."""
WARP = 32
"""Threads that a GPU starts together: so many share a row at most, unless more are asked for."""
LAUNCHED = 2**21
"""So many threads are launched for a projection at most, nearly all of which find no spike."""
MOST = 1024
"""Threads of a block of any GPU."""
SETTING = re.compile(r"(?:(?P<owner>.+)\.)?(?P<name>[^.=]+)=(?P<value>.*)", re.DOTALL)
ASKED = re.compile(r"auto|post|pre(?::(?P<threads>[0-9]+))?")
ALLOWED = f"auto, post, pre or pre:T with T threads for each spike, 1 to {MOST}"

Way = Literal["post", "pre"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for: for all projections (owner ""), or for one. way None: by the rule; threads None, too."""

    owner: str
    way: Way | None
    threads: int | None


def asked(settings: Sequence[str]) -> tuple[Asked, ...]:
    """The settings `parallelism=WAY` and `PROJECTION.parallelism=WAY`; InvalidInput with all that is wrong."""
    found, problems = [], []
    for text in settings:
        try:
            found.append(_asked(text))
        except ValueError as error:
            problems.append(Problem(None, f"'{text}': {error}"))
    if problems:
        raise InvalidInput(problems)
    return tuple(found)


def _asked(text: str) -> Asked:
    setting = SETTING.fullmatch(text)
    if setting is None:
        raise ValueError("a setting of GeNN is parallelism=WAY, or PROJECTION.parallelism=WAY for one projection")
    if setting["name"] != "parallelism":
        raise ValueError(f"GeNN has no setting '{setting['name']}'; it has parallelism")
    way = ASKED.fullmatch(setting["value"])
    threads = int(way["threads"]) if way and way["threads"] else None
    if way is None or (threads is not None and not 1 <= threads <= MOST):
        raise ValueError(f"parallelism is {ALLOWED}")
    kind: Way | None = "post" if way[0] == "post" else "pre" if way[0] != "auto" else None
    return Asked(setting["owner"] or "", kind, threads)


def by_rule(projection: Projection, dt: float) -> Span:
    """The way of a projection whose source spikes at 10 Hz. dt: ms."""
    spikes = projection.source_size * RATE * dt / 1000
    threads = shared(projection)
    return Span("pre", threads) if places.stride(projection) / threads < spikes else Span()


def shared(projection: Projection) -> int:
    """How many threads share a row: a power of two, no more than a row has synapses on average."""
    sources = max(projection.source_size, 1)
    most = min(WARP, -(-projection.synapses // sources), LAUNCHED // sources)
    return 1 << max(most, 1).bit_length() - 1


def spans(program: Program, wanted: Sequence[Asked] = ()) -> dict[str, Span]:
    """The way of every projection to whose synapses spikes do something.

    Later settings win, and those of one projection over those of all. InvalidInput for a projection that there is not.
    """
    names = [p.name for p in program.projections]
    known = {_given(name) for name in names}
    for one in wanted:
        if one.owner and one.owner not in known:
            near = suggestion(one.owner, sorted(known))
            text = (
                f"'{one.owner}.parallelism': there is no such projection; {near}there are: {', '.join(sorted(known))}"
            )
            raise InvalidInput.one(None, text)
    return {p.name: _span(p, program.dt, wanted) for p in program.projections if p.synapses and p.arrive}


def _span(projection: Projection, dt: float, wanted: Sequence[Asked]) -> Span:
    of_it = [one for one in wanted if one.owner in ("", _given(projection.name))]
    last = max(enumerate(of_it), key=lambda at: (bool(at[1].owner), at[0]), default=(0, Asked("", None, None)))[1]
    if last.way is None:
        return by_rule(projection, dt)
    return Span() if last.way == "post" else Span("pre", last.threads or shared(projection))


def _given(name: str) -> str:
    """The projection's name in the network, of a copy or a part of it."""
    return name.partition("~")[0].partition("#")[0]


def spread(model: Model, program: Program, wanted: Sequence[Asked] = ()) -> None:
    """Give every group of synapses of a model the way of its projection."""
    chosen = spans(program, wanted)
    for group in model.synapses:
        group.span = chosen.get(group.owner, group.span)
