"""What NIR leaves open, and what is taken: what a caller says, what the file says, or a guess with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from neuroport.errors import InvalidInput
from neuroport.nir.graph import Graph, Node
from neuroport.nir.kinds import NEURONS
from neuroport.nir.tree import OWN
from neuroport.numerics import units
from neuroport.numerics.given import found
from neuroport.numerics.units import Quantity

ALLOWED = {
    "time_unit": ("s", "ms"),
    "integrate": ("euler", "exact"),
    "current": ("previous", "updated"),
    "reset": ("value", "subtract"),
    "input": ("values", "spikes"),
}
NAMES = ("dt", *ALLOWED)
ALIKE = 1e-5
"""How far steps that follow from different neurons may be apart, relative to each other; files have 32-bit numbers."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the `NAMES`, what was taken, and why; `guessed` where neither caller nor file said it."""

    name: str
    value: str
    why: str
    guessed: bool = True


@dataclass(slots=True)
class Choices:
    """What was taken for a graph. `dt` is in ms; `unit` is the time of the file in ms."""

    said: Mapping[str, Any]
    dt: float = 1.0
    unit: float = 1.0
    taken: dict[str, Choice] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.taken[name].value

    @property
    def step(self) -> str:
        """Dt as it is written in a network file."""
        return self.taken["dt"].value

    @property
    def guesses(self) -> list[Choice]:
        """What nobody said."""
        return [choice for choice in self.taken.values() if choice.guessed]


def checked(said: Mapping[str, Any], of: str = "") -> dict[str, Any]:
    """What a caller, or a file, says of these names; InvalidInput for what cannot be."""
    given = {name: value for name, value in said.items() if value is not None and name in NAMES}
    for name, allowed in ALLOWED.items():
        if name in given and given[name] not in allowed:
            raise InvalidInput.one(None, f"{of}{name} must be {' or '.join(allowed)}; found {found(given[name])}")
    if "dt" in given:
        given["dt"] = _time(given["dt"], f"{of}dt")
    return given


def _time(value: Any, what: str) -> Quantity:
    try:
        made = value if isinstance(value, Quantity) else units.parse(str(value))
        if units.convert(made, "ms") > 0 and not units.is_step(made.unit):
            return made
    except units.UnitError:
        pass
    raise InvalidInput.one(None, f"{what} must be a time above 0, such as '0.1 ms'; found {found(value)}")


def choices(graph: Graph, said: Mapping[str, Any], metadata: Mapping[str, Any], file: str = "") -> Choices:
    """Choose for a graph. `said`: by the caller; `metadata`: by the file, if it has one of that name."""
    own = metadata.get(OWN)
    named = f"{file}: {OWN}" if file else OWN
    stored = (
        checked({k: _text(v) for k, v in own.items()}, f"{named} of the metadata: ") if isinstance(own, Mapping) else {}
    )
    made = Choices(checked(said) | {})
    neurons = [node for node in graph.nodes.values() if node.is_neuron and node.name not in graph.refused]
    for name, guess in (("time_unit", _unit), ("dt", _step)):
        _take(made, stored, name, lambda guess=guess: guess(neurons, made))
        if name == "time_unit":
            made.unit = {"s": 1000.0, "ms": 1.0}[made["time_unit"]]
    made.dt = float(units.convert(units.parse(made["dt"]), "ms"))
    used = {option for node in neurons for option in NEURONS[node.kind].options}
    whys = {
        "integrate": ("euler", "NIR has differential equations; most tools take Euler's step"),
        "current": ("previous", "v takes the current from before the step; some tools take the one of the step"),
        "reset": ("value", "v becomes v_reset, as in the equations of NIR; some tools subtract the threshold"),
    }
    for name, (value, why) in whys.items():
        if name in used:
            _take(made, stored, name, lambda value=value, why=why: (value, why))
    _take(made, stored, "input", lambda: ("values", "values can be spikes as well, 1 in a step and 0 in others"))
    return made


def _text(value: Any) -> Any:
    """What metadata hold: a text, or a number in an array."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _take(made: Choices, stored: Mapping[str, Any], name: str, guess: Any) -> None:
    for source, why in ((made.said, "as it was asked for"), (stored, "the metadata of the file say so")):
        if name in source:
            value = source[name]
            made.taken[name] = Choice(name, units.show(value) if isinstance(value, Quantity) else value, why, False)
            return
    made.taken[name] = Choice(name, *guess())


def _times(nodes: list[Node]) -> Iterator[float]:
    for node in nodes:
        for name in NEURONS[node.kind].times:
            yield float(np.min(node.fields[name]))


def _unit(nodes: list[Node], made: Choices) -> tuple[str, str]:
    shortest = min(_times(nodes), default=None)
    if shortest is None:
        return "ms", "no node has a time constant; a step is one unit of time"
    if shortest < 0.5:
        return "s", f"the shortest time constant is {shortest:g}, which is short for one in ms"
    return "ms", f"the shortest time constant is {shortest:g}, which is long for one in s"


def _step(nodes: list[Node], made: Choices) -> tuple[str, str]:
    """Dt by what tools make of it, or by the shortest time constant."""
    if not list(_times(nodes)):
        return _written(made.unit), "no node has a time constant; in a step v moves by r x"
    told = [x for node in nodes for x in _told_by(node, 1.0)]
    but = ""
    if told and _alike(told):
        value = float(np.median(told)) * made.unit
        step = float(f"{value:.2g}")
        if abs(step - value) <= ALIKE * value:
            others = [node.name for node in nodes if not _alike([*told, *_told_by(node, -np.inf)])]
            if not others:
                return _written(step), "tau / r and tau_syn / w_in are this everywhere, as tools write them"
            but = f"; neurons with gains above 1 would make it {_written(step)}, and '{others[0]}' is not so"
    shortest = min(_times(nodes)) * made.unit
    value = 10.0 ** math.floor(math.log10(shortest / 10) + 1e-9)
    return _written(value), f"the power of ten below a tenth of the shortest time constant, {shortest:.6g} ms{but}"


def _alike(steps: list[float]) -> bool:
    return max(steps) - min(steps) <= ALIKE * max(steps)


def _told_by(node: Node, above: float) -> Iterator[float]:
    """The steps that tools have which write r = tau / dt and w_in = tau_syn / dt, of gains that are all above a one."""
    pairs = {"LIF": (("tau", "r"),), "CubaLIF": (("tau_mem", "r"), ("tau_syn", "w_in")), "LI": (("tau", "r"),)}
    pairs["CubaLI"] = pairs["CubaLIF"]
    for time, gain in pairs.get(node.kind, ()):
        gains = np.asarray(node.fields.get(gain, 1.0), np.float64)
        if np.all(gains > above):
            with np.errstate(divide="ignore"):
                ratio = np.asarray(node.fields[time], np.float64) / gains
            yield from (float(ratio.min()), float(ratio.max()))


def _written(ms: float) -> str:
    if ms >= 1000 and Fraction(ms) % 1000 == 0:
        return f"{ms / 1000:.17g} s"
    return f"{ms:.12g} ms"
