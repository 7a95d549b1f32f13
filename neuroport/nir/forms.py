"""What neurons of library models are in NIR: which nodes, what weights are multiplied by at inputs, and what is lost.

NIR has no unit and no step. Voltages and currents keep the numbers that they have here (mV and nA, or none); times are
in seconds, as in all files that other tools have published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Unsupported

Reals = NDArray[np.float64]
MS = 1e-3
"""A millisecond in seconds."""
MEANINGS = {
    "exact": ("integrate", "euler", "exact"),
    "updated": ("current", "previous", "updated"),
    "subtract": ("reset", "value", "subtract"),
}
"""For parameters of the models of NIR: what they say of, and which of two words."""
EXACT = {"integrate": "exact", "current": "updated", "reset": "value"}
"""How the other models of the library are stepped."""
MAIN = ""
"""The node that has a population's name, and that tells others what its neurons do."""


def nir() -> Any:
    """The package nir. Unsupported, with what to install, where it is not there."""
    try:
        return import_module("nir")
    except ImportError:
        text = "this needs the package nir; install it with: pip install 'neuroport[nir]'"
        raise Unsupported(text) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Neurons as nodes of NIR, which are called after their population and, all but one, after an input.

    `edges`: between these nodes. `inputs`: of each input of the model, the node that it leads to, and what every weight
    there is multiplied by, one number per neuron (None: 1). `bias`: what is added to the one input in each step.
    `sends`: what others get: "" for spikes, or the variable that the node gives. `meaning`: what NIR leaves open.
    `lost`: what another tool does not see, each the end of a sentence that begins with the population.
    """

    nodes: Mapping[str, Any]
    inputs: Mapping[str, tuple[str, Reals | None]]
    edges: tuple[tuple[str, str], ...] = ()
    bias: Reals | None = None
    sends: str = ""
    meaning: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """The parameters of a population, one number per neuron in coherent units, and the inputs that are reached."""

    values: Mapping[str, Reals]
    size: int
    dt: float
    used: frozenset[str]

    def __getitem__(self, name: str) -> Reals:
        return self.values[name]

    def of(self, *names: str) -> tuple[Reals, ...]:
        """Several of them."""
        return tuple(self.values[name] for name in names)

    def kept(self, time: str) -> Reals:
        """What is left after a step of what decays with a time constant."""
        kept: Reals = np.exp(-self.dt / self[time])
        return kept


def _of_nir(given: Given, node: Any, sends: str = "") -> Form:
    lost = []
    if np.any(given.values.get("subtract", 0)):
        lost.append("is reset by its threshold, which NIR has no word for: another tool resets it to v_reset")
    if np.any(given.values.get("start", 0)):
        lost.append(f"begins in step {_told(given['start'])}, and in another tool in the first")
    return Form(
        nodes={MAIN: node},
        inputs={"x": (MAIN, None)},
        bias=given["bias"] if np.any(given["bias"]) else None,
        sends=sends,
        meaning=_meaning(given),
        lost=tuple(lost),
    )


def _meaning(given: Given) -> Mapping[str, str]:
    """What the parameters of 0 or 1 say, in the words of `neuroport import`, where they are alike for all neurons."""
    found = {}
    for name, (option, of_0, of_1) in MEANINGS.items():
        values = given.values.get(name)
        if values is not None and np.all(values == values[0]):
            found[option] = of_1 if values[0] else of_0
    return found


def _nir_i(given: Given) -> Form:
    return _of_nir(given, nir().I(r=given["r"] / MS), "v")


def _nir_if(given: Given) -> Form:
    threshold, reset = given.of("v_threshold", "v_reset")
    return _of_nir(given, nir().IF(r=given["r"] / MS, v_threshold=threshold, v_reset=reset))


def _nir_li(given: Given) -> Form:
    r, leak = given.of("r", "v_leak")
    return _of_nir(given, nir().LI(tau=given["tau"] * MS, r=r, v_leak=leak), "v")


def _nir_lif(given: Given) -> Form:
    r, leak, threshold, reset = given.of("r", "v_leak", "v_threshold", "v_reset")
    node = nir().LIF(tau=given["tau"] * MS, r=r, v_leak=leak, v_threshold=threshold, v_reset=reset)
    return _of_nir(given, node)


def _nir_cuba_li(given: Given) -> Form:
    return _of_nir(given, nir().CubaLI(**_cuba(given)), "v")


def _nir_cuba_lif(given: Given) -> Form:
    threshold, reset = given.of("v_threshold", "v_reset")
    return _of_nir(given, nir().CubaLIF(**_cuba(given), v_threshold=threshold, v_reset=reset))


def _cuba(given: Given) -> dict[str, Reals]:
    syn, mem = given["tau_syn"] * MS, given["tau_mem"] * MS
    return {"tau_syn": syn, "tau_mem": mem, **{name: given[name] for name in ("r", "v_leak", "w_in")}}


def _nir_threshold(given: Given) -> Form:
    return _of_nir(given, nir().Threshold(threshold=given["threshold"]))


def _membrane(given: Given) -> Any:
    r, leak, threshold, reset = given.of("r_m", "v_rest", "v_th", "v_reset")
    return nir().LIF(tau=given["tau_m"] * MS, r=r, v_leak=leak, v_threshold=threshold, v_reset=reset)


def _of_library(given: Given) -> tuple[str, ...]:
    lost = ["spikes where v is at its threshold, and in NIR only above it"]
    if np.any(given["t_ref"]):
        lost.append(
            f"is refractory for {_told(given['t_ref'] * given.dt)} ms, which NIR has no word for: another tool "
            "lets it spike again at once"
        )
    return tuple(lost)


def _told(values: Reals) -> str:
    low, high = np.min(values, initial=np.inf), np.max(values, initial=-np.inf)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _lif(given: Given) -> Form:
    lost = _of_library(given)
    if "jump" in given.used:
        lost += (f"gets jumps of its voltage, written as currents that last a step of {given.dt:g} ms",)
    jump = 1 / (given["r_m"] * (1 - given.kept("tau_m")))
    return Form(
        nodes={MAIN: _membrane(given)}, inputs={"i": (MAIN, None), "jump": (MAIN, jump)}, meaning=EXACT, lost=lost
    )


def _cuba_lif(given: Given) -> Form:
    """One node where one synaptic current is used; else two integrators that give their currents to a membrane."""
    lost = (
        *_of_library(given),
        f"gets weights as steps of its synaptic currents, written for a step of {given.dt:g} ms",
    )
    currents: list[str] = [name for name in ("exc", "inh") if name in given.used]
    if len(currents) == 1 and "i" not in given.used:
        [name] = currents
        time = f"tau_{name}"
        leak, threshold, reset = given.of("v_rest", "v_th", "v_reset")
        node = nir().CubaLIF(
            tau_syn=given[time] * MS, tau_mem=given["tau_m"] * MS, r=given["r_m"], v_leak=leak, v_threshold=threshold,
            v_reset=reset, w_in=1 / (1 - given.kept(time)),
        )  # fmt: skip
        return Form(nodes={MAIN: node}, inputs={name: (MAIN, None)}, meaning=EXACT, lost=lost)
    held = {
        name: nir().LI(
            tau=given[f"tau_{name}"] * MS, r=1 / (1 - given.kept(f"tau_{name}")), v_leak=np.zeros(given.size)
        )
        for name in currents
    }
    return Form(
        nodes={MAIN: _membrane(given), **held},
        inputs={"i": (MAIN, None), **{name: (name, None) for name in currents}},
        edges=tuple((name, MAIN) for name in currents),
        meaning=EXACT,
        lost=lost,
    )


def _source(given: Given) -> Form:
    """An input of the graph; where something arrives, a threshold of what does."""
    if not given.used:
        return Form(nodes={MAIN: nir().Input(input_type=np.array([given.size]))}, inputs={})
    return Form(nodes={MAIN: nir().Threshold(threshold=np.zeros(given.size))}, inputs={"spike_in": (MAIN, None)})


def _rates(given: Given) -> Form:
    return _values(given, "r_in", "r")


def _nir_value(given: Given) -> Form:
    bias = given["bias"]
    return replace(_values(given, "x", "v", bool(bias.any())), bias=bias if bias.any() else None)


def _values(given: Given, to: str, sends: str, is_moved: bool = False) -> Form:
    """An input of the graph; where something arrives or is added, what does."""
    if not (given.used or is_moved):
        return Form(nodes={MAIN: nir().Input(input_type=np.array([given.size]))}, inputs={}, sends=sends)
    return Form(nodes={MAIN: nir().Scale(scale=np.ones(given.size))}, inputs={to: (MAIN, None)}, sends=sends)


FORMS: Mapping[str, Callable[[Given], Form]] = {
    "cuba_lif": _cuba_lif,
    "lif": _lif,
    "nir_cuba_li": _nir_cuba_li,
    "nir_cuba_lif": _nir_cuba_lif,
    "nir_i": _nir_i,
    "nir_if": _nir_if,
    "nir_li": _nir_li,
    "nir_lif": _nir_lif,
    "nir_threshold": _nir_threshold,
    "nir_value": _nir_value,
    "rate_source": _rates,
    "spike_source": _source,
}
"""The library models that NIR has a form of, by their names."""
SOURCES = ("nir_value", "rate_source", "spike_source")
"""Those that, where nothing else arrives, are inputs of the graph themselves."""
