"""What is asked of a sweep: of which network, over which grid, within which limits, and which chips work."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from neuroport.network.network import Network
from neuroport.numerics.given import found
from neuroport.sweeps.grid import Axis, Wrong, texts

if TYPE_CHECKING:
    from neuroport.errors import Place

KEEP = ("metrics", "digest", "traces")
"""What can be kept of a run; the first two always are."""
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\s*(<=|>=|<|>)\s*(\S+)\s*")
_CLOCK = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Source(Protocol):
    """Where the network of a sweep comes from."""

    @property
    def name(self) -> str:
        """The file or the name of the network."""

    def load(self, settings: Sequence[tuple[str, Any]]) -> Network:
        """The network with these settings. InvalidInput has all problems."""


@dataclass(frozen=True, slots=True)
class FromFile:
    """A network file."""

    path: Path

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def load(self, settings: Sequence[tuple[str, Any]]) -> Network:
        """See Source."""
        from neuroport.files import network as reader

        return reader.load(self.path, texts(settings))


@dataclass(frozen=True, slots=True)
class FromValue:
    """A network that was loaded or written in Python."""

    network: Network

    @property
    def name(self) -> str:
        """Its name."""
        return self.network.name

    def load(self, settings: Sequence[tuple[str, Any]]) -> Network:
        """See Source."""
        if not settings:
            return self.network
        from neuroport.build.network import Network as Built

        return Built.of(self.network).with_(dict(settings)).build()


@dataclass(frozen=True, slots=True)
class Condition:
    """What a run must come to so that it counts as one that works: its last value of a metric against a number."""

    metric: str
    sign: str
    number: float
    place: Place | None = field(default=None, compare=False)

    @classmethod
    def of(cls, metric: str, text: Any, place: Place | None = None) -> Condition:
        """The condition that a text such as "< 0.03" says. Wrong for another one."""
        said = _CONDITION.fullmatch(text) if isinstance(text, str) else None
        try:
            if said is None:
                raise ValueError
            number = float(said[2])
            if not math.isfinite(number):
                raise ValueError
            return cls(metric, said[1], number, place)
        except ValueError:
            raise Wrong(f"must be a sign and a number, such as '< 0.03' or '>= 0.9'; found {found(text)}") from None

    @classmethod
    def all_of(cls, metric: str, texts: Any, place: Place | None = None) -> list[Condition]:
        """The conditions that a text, or a list of texts, says. Wrong for another one."""
        said = list(texts) if isinstance(texts, list | tuple) and texts else [texts]
        return [cls.of(metric, text, place) for text in said]

    def holds(self, value: Any) -> bool:
        """Whether a value fulfils it; what is no number does not."""
        return isinstance(value, int | float) and COMPARED[self.sign](value, self.number)

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.number:g}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one point may take, building included: seconds by the clock, and bytes of memory of its whole process."""

    seconds: float | None = None
    memory: float | None = None


def seconds(value: Any) -> float:
    """The seconds that a number, or a text such as "10 min", says. Wrong for what is no time above 0."""
    clock = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    number = float(clock[1]) * _SECONDS[clock[2]] if clock else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1e9:
        raise Wrong(f"must be a time by the clock, such as '30 s', '10 min' or '2 h'; found {found(value)}")
    return float(number)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A sweep. `duration`: how long each run lasts instead of the network's protocol."""

    source: Source
    axes: tuple[Axis, ...]
    duration: int | str | None = None
    backend: str = "emulator"
    wanted: tuple[Condition, ...] = ()
    limits: Limits = field(default_factory=Limits)
    traces: bool = False
