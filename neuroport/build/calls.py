"""Calls that write a part of a network, as the places of what stands in them."""

from __future__ import annotations

from dataclasses import dataclass

from neuroport.errors import Place
from neuroport.numerics.given import found


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a method, and the arguments that tell it from others: `population('exc', …)`."""

    method: str
    given: tuple[object, ...] = ()

    @property
    def whole(self) -> Place:
        """The call."""
        return Place(self._with("…"))

    @property
    def alone(self) -> Place:
        """The call, where nothing else is in it: `neuron('leaky')`."""
        return Place(self._with())

    def argument(self, name: str, *path: str | int) -> Place:
        """An argument of it, or what stands inside of that: `stimulus('drive', spikes['times']=…)`."""
        inside = "".join(f"[{found(key)}]" for key in path)
        return Place(self._with(f"{name}{inside}=…"))

    def _with(self, *more: str) -> str:
        return f"{self.method}({', '.join([*map(found, self.given), *more])})"
