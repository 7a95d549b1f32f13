"""A panel of a picture, and what panels have in common: colours, time, and runs that are shown together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import NeuroportError
from neuroport.network.network import Network
from neuroport.trace.read import Trace

MOST_LINES = 12
"""So many lines are drawn in a panel, and each has its name; of more, these are the first."""


def colour(k: int) -> Any:
    """The colour of the k-th line in the style of the picture."""
    from matplotlib.colors import to_rgba

    return to_rgba(f"C{k}")  # at once: the style is gone when the picture is written


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing: its height in inches, and what draws it into given axes; over time, or beside others below."""

    height: float
    draw: Callable[[Any], None]
    over_time: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    """Time axis: how many milliseconds one unit has, and its name."""

    ms: float
    unit: str

    @classmethod
    def of(cls, ms: float) -> Clock:
        """A unit that suits a duration."""
        for size, name, least in ((3.6e6, "h", 3.6e7), (6e4, "min", 6e5), (1e3, "s", 1e4)):
            if ms >= least:
                return cls(size, name)
        return cls(1.0, "ms")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel draws of: traces, the window of each in ms, and the time axis that they share."""

    traces: tuple[Trace, ...]
    windows: tuple[tuple[float, float], ...]
    clock: Clock
    networks: dict[Path, Network | None] = field(default_factory=dict)
    """Those that were looked at so far."""

    def network(self, trace: Trace) -> Network | None:
        """The network of a trace, from which units are, read once; None where it cannot be read any more."""
        if trace.path not in self.networks:
            try:
                self.networks[trace.path] = trace.network()
            except NeuroportError:
                self.networks[trace.path] = None
        return self.networks[trace.path]

    @property
    def ends(self) -> tuple[float, float]:
        """From when to when any trace is shown, on the time axis."""
        starts, stops = zip(*self.windows, strict=True)
        return min(starts) / self.clock.ms, max(stops) / self.clock.ms

    @property
    def one(self) -> Trace:
        """The only trace, or the first."""
        return self.traces[0]


def inside(times: NDArray[Any], window: tuple[float, float]) -> NDArray[np.bool_]:
    """Which times lie in a window."""
    return np.asarray((times >= window[0]) & (times < window[1]))


def labels(traces: Sequence[Trace]) -> list[str]:
    """What tells traces apart, the same for those of one network on one kind of chip: the chip, name, or first file."""
    kinds = [(trace.network_text, trace.chip) for trace in traces]
    first = dict(reversed(list(zip(kinds, traces, strict=True))))
    for name in (lambda trace: trace.chip, lambda trace: trace.name, lambda trace: f"{trace.name} on {trace.chip}"):
        if len({name(trace) for trace in first.values()}) == len(first):
            return [name(first[kind]) for kind in kinds]
    return [first[kind].path.name for kind in kinds]


def legend(axis: Any) -> None:
    """A legend beside the axes, where it covers nothing, if there is something to tell apart."""
    handles, _ = axis.get_legend_handles_labels()
    if len(handles) > 1:
        axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02), borderaxespad=0.3)


def courses(axis: Any, runs: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]]) -> None:
    """Runs (label, times, values), one number at a time: a line each; several with one label as mean +- sd, too."""
    groups: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
    for label, times, values in runs:
        groups.setdefault(label, []).append((times, values))
    for k, (label, members) in enumerate(groups.items()):
        several = len(members) > 1
        for times, values in members:
            named = {} if several else {"label": label}
            style: dict[str, Any] = {"linewidth": 0.6, "alpha": 0.35} if several else {"linewidth": 1.0}
            marker = "o" if len(times) <= 30 and not several else None
            axis.plot(times, values, color=colour(k), marker=marker, markersize=3, **named, **style)
        if several:
            _mean(axis, label, members, colour(k))


def _mean(axis: Any, label: str, members: list[tuple[NDArray[np.float64], NDArray[np.float64]]], tint: Any) -> None:
    """Mean +- sd (of a sample) at the times that all members have."""
    common = members[0][0]
    for times, _ in members[1:]:
        common = np.intersect1d(common, times)
    if not len(common):
        return
    rows = np.stack([values[np.searchsorted(times, common)] for times, values in members])
    mean, sd = rows.mean(axis=0), rows.std(axis=0, ddof=1)
    axis.plot(common, mean, color=tint, linewidth=1.6, label=f"{label}: mean ± sd of {len(members)}")
    axis.fill_between(common, mean - sd, mean + sd, color=tint, alpha=0.2, linewidth=0)
