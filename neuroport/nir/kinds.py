"""The classes of nodes of nir 1.0.8: what each must have, and what is wrong with one that has not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.nir.tree import Raw
from neuroport.numerics.units import suggestion

Array = NDArray[Any]
LARGEST = 1e30
"""The magnitude of numbers, and of the reciprocals of times, that are taken for meant."""
MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Neuron:
    """A class of neurons: its model here, its parameters, and whether it sends spikes.

    `times`: parameters that are times; `rate`: whether `r` is per unit of time; `zero`: parameters of 0 without one.
    """

    model: str
    params: tuple[str, ...]
    spikes: bool = True
    times: tuple[str, ...] = ()
    rate: bool = False
    optional: tuple[tuple[str, float], ...] = ()
    options: tuple[str, ...] = ()

    @property
    def defaults(self) -> dict[str, float]:
        """What a parameter is that a file may leave out."""
        return dict(self.optional)


RESET, W_IN = ("v_reset", 0.0), ("w_in", 1.0)
NEURONS = {
    "I": Neuron("nir_i", ("r",), spikes=False, rate=True),
    "IF": Neuron("nir_if", ("r", "v_threshold", "v_reset"), rate=True, optional=(RESET,), options=("reset",)),
    "LI": Neuron("nir_li", ("tau", "r", "v_leak"), spikes=False, times=("tau",), options=("integrate",)),
    "LIF": Neuron(
        "nir_lif",
        ("tau", "r", "v_leak", "v_threshold", "v_reset"),
        times=("tau",),
        optional=(RESET,),
        options=("integrate", "reset"),
    ),
    "CubaLI": Neuron(
        "nir_cuba_li",
        ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
        spikes=False,
        times=("tau_syn", "tau_mem"),
        optional=(W_IN,),
        options=("integrate", "current"),
    ),
    "CubaLIF": Neuron(
        "nir_cuba_lif",
        ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
        times=("tau_syn", "tau_mem"),
        optional=(RESET, W_IN),
        options=("integrate", "current", "reset"),
    ),
    "Threshold": Neuron("nir_threshold", ("threshold",)),
}
ENDS = ("Input", "Output")
LINEAR = {
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Conv1d": ("weight", "bias", "stride", "padding", "dilation", "groups"),
    "Conv2d": ("weight", "bias", "stride", "padding", "dilation", "groups"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": ("start_dim", "end_dim"),
    "Delay": ("delay",),
}
ALL = (*ENDS, *NEURONS, *LINEAR, "NIRGraph")
OPTIONAL = {"start_dim": 1, "end_dim": -1}
"""Fields that nir gives a value where a file has none."""
SINGLE = ("groups", "start_dim", "end_dim")
LEAST = {"stride": 1, "dilation": 1, "groups": 1, "kernel_size": 1, "padding": 0}
RANKS = {"weight": {"Affine": 2, "Linear": 2, "Conv1d": 3, "Conv2d": 4}}


def problems(kind: str, fields: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the fields of a node, each as the rest of a sentence about it."""
    if kind not in ALL:
        yield f"NIR 1.0.8 has no such kind of node; {suggestion(kind, list(ALL))}kinds are {', '.join(ALL)}"
        return
    wanted = _wanted(kind)
    missing = [name for name in wanted if name not in fields and name not in _may_lack(kind)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        yield f"{' and '.join(missing)} {verb} missing; write it again with a tool that knows NIR 1.0.8"
        return
    for name in wanted:
        if name in fields:
            text = _wrong(kind, name, fields[name])
            if text:
                yield text
    if kind in NEURONS and not list(_texts(wanted, fields)):
        yield from _unlike(NEURONS[kind], fields)


def _wanted(kind: str) -> tuple[str, ...]:
    if kind in NEURONS:
        return NEURONS[kind].params
    return ("shape",) if kind in ENDS else LINEAR.get(kind, ())


def _may_lack(kind: str) -> set[str]:
    return set(NEURONS[kind].defaults) if kind in NEURONS else set(OPTIONAL)


def _texts(names: tuple[str, ...], fields: dict[str, Any]) -> Iterator[str]:
    yield from (name for name in names if isinstance(fields.get(name), str))


def _wrong(kind: str, name: str, value: Any) -> str:
    """What is wrong with a field."""
    if isinstance(value, str):
        if name == "padding" and value in ("same", "valid"):
            return ""
        say = "same, valid or whole numbers" if name == "padding" else "numbers"
        return f"{name} is the text '{value[:40]}'; it must be {say}"
    array = np.asarray(value)
    if array.dtype.kind not in "iufb":
        return f"{name} is of kind {array.dtype}; it must be numbers"
    if not array.size:
        return f"{name} has no numbers"
    if name in SINGLE and array.size > 1:
        return f"{name} has {array.size} numbers; it must be one"
    rank = RANKS.get(name, {}).get(kind)
    if rank is not None and array.ndim != rank:
        return f"{name} has the shape {shown(array.shape)}; it must have {rank} dimensions"
    if name == "bias" and array.ndim != 1:
        return f"{name} has the shape {shown(array.shape)}; it must be one number for each {_rows(kind)}"
    wanted, fits = _check(kind, name)
    wrong = ~fits(array)
    if np.any(wrong):
        at = tuple(int(k) for k in np.argwhere(wrong)[0]) if array.ndim else ()
        where = f" at {shown(at)}" if at and array.size > 1 else ""
        return f"{name} is {array[at]:g}{where}; it must be {wanted}; correct it where the file was made"
    return ""


def _rows(kind: str) -> str:
    return "channel" if kind.startswith("Conv") else "row of weight"


def _check(kind: str, name: str) -> tuple[str, Callable[[Array], Array]]:
    if kind in NEURONS and name in NEURONS[kind].times:
        return f"above {1 / LARGEST:g}, and no larger than {LARGEST:g}", lambda a: (a > 1 / LARGEST) & (a <= LARGEST)
    if name == "delay":
        return f"from 0 to {LARGEST:g}", lambda a: (a >= 0) & (a <= LARGEST)
    if name == "shape":
        return f"whole numbers from 1 to {MOST:,}", lambda a: _is_whole(a) & (a >= 1) & (a <= MOST)
    if name in LEAST:
        least = LEAST[name]
        return f"a whole number from {least} to {MOST:,}", lambda a: _is_whole(a) & (a >= least) & (a <= MOST)
    if name in OPTIONAL:
        return "a whole number", lambda a: _is_whole(a) & (np.abs(a) <= MOST)
    return f"a number from {-LARGEST:g} to {LARGEST:g}", lambda a: np.abs(a) <= LARGEST


def _is_whole(array: Array) -> Array:
    whole: Array = np.isfinite(array) & (np.floor(array) == array)
    return whole


def _unlike(neuron: Neuron, fields: dict[str, Any]) -> Iterator[str]:
    """Parameters of several shapes; one number for all is of any."""
    shapes = {n: np.shape(fields[n]) for n in neuron.params if n in fields and np.shape(fields[n]) not in ((), (1,))}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} {shown(shape)}" for name, shape in shapes.items())
        yield f"its parameters have different shapes: {told}; they must have that of the neurons"


def shown(shape: tuple[int, ...] | Array) -> str:
    """A shape or place: (3, 4)."""
    numbers = [str(int(n)) for n in np.asarray(shape).reshape(-1)]
    return f"({', '.join(numbers)}{',' if len(numbers) == 1 else ''})"


def unknown(raw: Raw) -> list[str]:
    """Fields that nir 1.0.8 does not know."""
    if raw.kind not in ALL:
        return []
    known = {*_wanted(raw.kind), *_may_lack(raw.kind), "input_shape", "input_type", "output_type", "shape"}
    return [name for name in raw.fields if name not in known]
