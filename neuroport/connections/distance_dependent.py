"""Pairs of near neurons on a grid: `{distance_dependent: {grid: [20, 30], profile: gaussian, p: 0.8, length: 2}}`.

Neurons stand on a grid of one to three directions, the last of which is counted first. A pair at the distance d, in
places of the source's grid, is connected with the probability p times exp(-(d / length)^2 / 2) (profile gaussian),
exp(-d / length) (exponential), 1 - d / length (linear) or 1 up to length and 0 beyond it (flat). `periodic: true` joins
opposite borders; `target_grid` is the target's, if it is another one, on the same area; `self: false` leaves out a
neuron's connection to itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.grids import Axis, Sheet
from neuroport.connections.profiles import LEAST, PROFILES
from neuroport.connections.rule import Ends, Entry, Pairs, Rule, Side, without_self
from neuroport.network.objects import Connect
from neuroport.numerics import detmath
from neuroport.numerics.draws import BLOCK, Source, arrivals, uniform_of_pairs
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import counted
from neuroport.yaml.nodes import ListNode, Node

KEYS = ("grid", "profile", "p", "length", "periodic", "target_grid", "self")
NEEDED = ("grid", "profile", "p", "length")
MOST = 10**12
SHORTEST, LONGEST = 1e-3, 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceDependent(Connect):
    """Each pair with `probability` times what the profile makes of its distance over `length`.

    `grid`, `target_grid`: numbers of neurons per direction; `periodic`: opposite borders are joined; pairs of a neuron
    with itself only if `self_connections`.
    """

    grid: tuple[int, ...]
    target_grid: tuple[int, ...]
    profile: str
    probability: float
    length: float
    periodic: bool = False
    self_connections: bool = True


def read(entry: Entry) -> DistanceDependent | None:
    """Read it."""
    report, what = entry.report, entry.what
    if entry.inner is None:
        report.add(entry.node, f"{entry.this} must have the keys {', '.join(NEEDED)}")
        return None
    entries = report.mapping(entry.inner, entry.named, KEYS, NEEDED)
    own = entry.self_connections(entries.get("self"))
    periodic = report.boolean(entries.get("periodic"), f"periodic of {what}") is True
    profile = report.choice(entries.get("profile"), f"profile of {what}", list(PROFILES))
    probability = report.number(entries.get("p"), f"probability of {what}", 0, 1)
    length = report.number(entries.get("length"), f"length of {what}", SHORTEST, LONGEST)
    grid = _grid(entry, entries.get("grid"), "grid", entry.source)
    target_grid = _target_grid(entry, entries, grid)
    if profile is None or probability is None or length is None or grid is None or target_grid is None:
        return None
    return DistanceDependent(
        grid=grid,
        target_grid=target_grid,
        profile=profile,
        probability=probability,
        length=length,
        periodic=periodic,
        self_connections=own,
        place=entry.node.place,
    )


def _grid(entry: Entry, node: Node | None, key: str, side: Side | None) -> tuple[int, ...] | None:
    """The numbers of neurons per direction, which must make up the population."""
    if node is None:
        return None
    report, this = entry.report, f"{key} of {entry.what}"
    if not isinstance(node, ListNode) or not 1 <= len(node.items) <= 3:
        text = f"{this} must list the numbers of neurons in one to three directions, such as [20, 30]"
        report.add(node, f"{text}; found {counted(node)}")
        return None
    numbers = [report.integer(item, f"a number in {this}", 1, MOST) for item in node.items]
    grid = tuple(number for number in numbers if number is not None)
    if len(grid) < len(numbers):
        return None
    if side is not None and prod(grid) != side.size:
        places = f"{' x '.join(map(str, grid))} = {prod(grid)} places" if len(grid) > 1 else f"{grid[0]} places"
        text = f"{this} has {places} and {side} {side.size} neurons"
        report.add(node, f"{text}; they must be equal")
        return None
    return grid


def _target_grid(entry: Entry, entries: dict[str, Node], grid: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The grid of the target, by default that of the source."""
    node, source, target = entries.get("target_grid"), entry.source, entry.target
    if node is not None:
        if source and target and source == target:
            one = "population" if source.part is None else "part"
            text = f"target_grid of {entry.what} has no meaning within one {one}; leave it out"
            entry.report.add(node, text)
            return None
        other = _grid(entry, node, "target_grid", target)
        if other and grid and len(other) != len(grid):
            text = f"target_grid of {entry.what} must have as many directions as grid, {len(grid)}; found {len(other)}"
            entry.report.add(node, text)
            return None
        return other
    if grid and target and prod(grid) != target.size:
        text = f"{entry.named} needs the grid of its target '{target.name}', which has {target.size} neurons; add "
        entry.report.add(entry.inner, f"{text}'target_grid: [{', '.join(['NUMBER'] * len(grid))}]'")
        return None
    return grid


def write(rule: DistanceDependent, sink: Sink, at: str) -> Any:
    """Write it."""
    entries: dict[str, Any] = {"grid": list(rule.grid), "profile": rule.profile}
    entries |= {"p": rule.probability, "length": rule.length}
    if rule.periodic:
        entries["periodic"] = True
    if rule.target_grid != rule.grid:
        entries["target_grid"] = list(rule.target_grid)
    if not rule.self_connections:
        entries["self"] = False
    return {"distance_dependent": entries}


def expected(rule: DistanceDependent, ends: Ends) -> float:
    """About the mean number, as if there were no borders."""
    sources, targets = ends.shape
    volume = PROFILES[rule.profile].volumes[len(rule.grid) - 1] * rule.length ** len(rule.grid)
    return sources * rule.probability * min(1 + volume * targets / sources, float(targets))


def pairs(rule: DistanceDependent, ends: Ends) -> Pairs:
    """Draw them."""
    surroundings = _Surroundings.of(rule)
    step = max(1, BLOCK // surroundings.width)
    blocks = [
        surroundings.block(ends.draws, k, min(k + step, ends.source.size)) for k in range(0, ends.source.size, step)
    ]
    pre, post = (np.concatenate(pieces) for pieces in zip(*blocks, strict=True))
    return without_self((pre, post), ends, rule.self_connections)


@dataclass(frozen=True)
class _Surroundings:
    """The places around a source at which targets can be.

    `near`: those where a connection is likely, each of which is drawn. Of the others, `far`, from the least likely to
    the likeliest, those are drawn during which a Poisson process of rate 1 has events: each ends at the time `until`.
    `likely`: how likely a connection there is at most, over all sources.
    """

    rule: DistanceDependent
    sheet: Sheet
    near: NDArray[np.int64]
    far: NDArray[np.int64]
    likely: NDArray[np.float64]
    until: NDArray[np.float64]

    @classmethod
    def of(cls, rule: DistanceDependent) -> _Surroundings:
        """Those of a rule."""
        reach = PROFILES[rule.profile].reach * rule.length
        sizes = zip(rule.grid, rule.target_grid, strict=True)
        sheet = Sheet(tuple(Axis.within(sources, targets, rule.periodic, reach) for sources, targets in sizes))
        likely = _probability(rule, sheet.least())
        far = np.flatnonzero((likely >= LEAST) & (likely <= 0.5))
        far = far[np.argsort(likely[far], kind="stable")]
        until = np.cumsum(-detmath.log1p(-likely[far]))
        return cls(rule, sheet, np.flatnonzero(likely > 0.5), far, likely[far], until)

    @property
    def length(self) -> float:
        """How long the process is."""
        return float(self.until[-1]) if len(self.until) else 0.0

    @property
    def width(self) -> int:
        """About how many places are looked at per source."""
        return 1 + len(self.near) + round(self.length)

    def block(self, draws: Source, first: int, last: int) -> Pairs:
        """The pairs of the sources `first` .. `last` - 1, sorted."""
        sources, kept = np.arange(first, last, dtype=np.int64), draws.part("kept")
        near = self._pairs(kept, np.repeat(sources, len(self.near)), np.tile(self.near, len(sources)))
        rows, times = arrivals(draws.part("far"), self.length, sources)
        seen = np.searchsorted(self.until, times)
        new = np.ones(len(seen), np.bool_)
        new[1:] = (rows[1:] != rows[:-1]) | (seen[1:] != seen[:-1])
        rows, seen = rows[new], seen[new]
        far = self._pairs(kept, rows, self.far[seen], self.likely[seen])
        pre, post = (np.concatenate(both) for both in zip(near, far, strict=True))
        order = np.argsort(pre * prod(self.rule.target_grid) + post)
        return pre[order], post[order]

    def _pairs(
        self,
        draws: Source,
        source: NDArray[np.int64],
        place: NDArray[np.int64],
        drawn: NDArray[np.float64] | None = None,
    ) -> Pairs:
        """Of sources and places around them, which have already been `drawn` with a probability, those connected."""
        target, there = self.sheet.targets(source, place)
        source, target = source[there], target[there]
        if drawn is not None and self.sheet.alike:
            return source, target
        likely = _probability(self.rule, self.sheet.distance(source, target))
        level = uniform_of_pairs(draws, source, target)
        kept = (level if drawn is None else level * drawn[there]) < likely
        return source[kept], target[kept]


def _probability(rule: DistanceDependent, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of connections over distances."""
    return np.asarray(rule.probability * PROFILES[rule.profile].at(distance / rule.length))


RULE = Rule(DistanceDependent, read, write, expected, pairs, drawn=True)
