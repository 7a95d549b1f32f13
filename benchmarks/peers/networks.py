"""The networks that are measured: what neuroport runs, and the same as plain arrays for everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport.network.network import Network
from neuroport.program.ir import Int
from neuroport.program.machine import Program

DECAY_U, DECAY_V, THRESHOLD = 3353, 3896, 1000
"""Of a step of 1 ms, in 4096ths: currents decay with 5 ms, voltages with 20 ms; spikes above 64 times the threshold."""
BIAS = {4_000: 4600, 20_000: 14_000}
"""What makes about ten spikes per second, by size; other networks have 400 synapses per neuron, as 20,000 have."""

WORDS = Path(__file__).parent / "words16.yaml"
"""A chip whose learned weights have 16 bits."""


def bias(size: int) -> int:
    """The bias of so many neurons."""
    return BIAS.get(size, BIAS[20_000])


@dataclass(frozen=True)
class Balanced:
    """Excitatory and inhibitory neurons as the parts of one population: the first `excitatory` ones, and the rest.

    `indptr`, `post`, `weight` and `delay` are rows by presynaptic neuron, in the order of the program's projections.
    """

    size: int
    excitatory: int
    bias: int
    v: NDArray[np.int64]
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    weight: NDArray[np.int64]
    delay: NDArray[np.int64]

    @property
    def indptr(self) -> NDArray[np.int64]:
        """Where the rows begin."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.pre, minlength=self.size))])


def balanced(
    size: int, longest_delay: int = 1, biases: NDArray[np.int64] | None = None, connected: float = 0.02
) -> Network:
    """Loihi-form neurons, 80 % of them excitatory, 2 % connected, 8-bit weights; delays 1..8 are dendritic.

    `biases` are one number for each neuron, the excitatory ones first.
    """
    excitatory = 4 * size // 5
    sizes = {"exc": excitatory, "inh": size - excitatory}
    net = neuroport.Network(dt="1 ms", chip="loihi1", seed=1, name=f"balanced_{size}")
    draw = np.random.default_rng(1)
    params = {"du": 4095 - DECAY_U, "dv": 4096 - DECAY_V, "vth": THRESHOLD, "bias": bias(size), "refractory": "1 step"}
    for name, count in sizes.items():
        if biases is not None:
            params["bias"] = (biases[:excitatory] if name == "exc" else biases[excitatory:]).tolist()
        net.population(name, count, "loihi_lif", params=params, init={"v": draw.integers(0, 64 * THRESHOLD, count)})
    for source, low, high in (("exc", 4, 12), ("inh", -120, -60)):
        for target in sizes:
            more: dict[str, Any] = (
                {} if longest_delay == 1 else {"dendritic_delay": {"uniform": ["0 ms", f"{longest_delay - 1} ms"]}}
            )
            net.project(
                source, target, "loihi_static", input="a_in", connect={"fixed_probability": connected},
                weight={"uniform": [low, high]}, ranges={"w": [min(low, 0), max(high, 0)]}, **more,
            )  # fmt: skip
    return net.build()


def plain(program: Program, size: int) -> Balanced:
    """The arrays of a compiled `balanced`."""
    first = {"exc": 0, "inh": 4 * size // 5}
    parts: list[tuple[NDArray[Any], ...]] = []
    for p in program.projections:
        weight = program.arrays[f"{p.name}.w"].initial
        late = np.full(p.synapses, p.delay) + (0 if p.dendritic is None else p.dendritic)
        parts.append((p.pre + first[p.source], p.post + first[p.target], weight, late))
    pre, post, weight, delay = (np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True))
    order = np.lexsort((post, pre))
    v = np.concatenate([program.arrays[f"{name}.v"].initial for name in first]).astype(np.int64)
    return Balanced(size, first["inh"], bias(size), v, pre[order], post[order], weight[order], delay[order])


def spikes(captured: dict[str, Any], size: int) -> NDArray[np.int64]:
    """Recorded spikes as sorted rows (step, neuron) of the one population."""
    offsets = {"exc": 0, "inh": 4 * size // 5}
    steps = np.concatenate([captured[name][0] for name in offsets])
    neurons = np.concatenate([captured[name][1] + first for name, first in offsets.items()])
    return np.array(sorted(zip(steps.tolist(), neurons.tolist(), strict=True)), np.int64).reshape(-1, 2)


def plastic(size: int, connected: float = 0.02, *, rests: bool = False) -> Network:
    """Leaky neurons of the library on 16-bit words, 80 % excitatory, 2 % connected; pair STDP on their synapses.

    `rests`: where they would go, they do not spike.
    """
    excitatory = 4 * size // 5
    sizes = {"exc": excitatory, "inh": size - excitatory}
    net = neuroport.Network(dt="1 ms", chip=str(WORDS), seed=1, name=f"plastic_{size}")
    driven = "-49 mV" if size < 10_000 else "-47 mV"
    params = {"v_rest": "-60 mV" if rests else driven, "v_th": "-50 mV", "v_reset": "-60 mV", "t_ref": "2 ms"}
    for name, count in sizes.items():
        v = {"uniform": ["-60 mV", "-50 mV"]}
        net.population(name, count, "lif", params=params, init={"v": v}, ranges={"v": ["-90 mV", "-40 mV"]})
    k = 1.0 if size < 10_000 else 0.25
    for target in sizes:
        net.project(
            "exc", target, "stdp_pair", input="jump", connect={"fixed_probability": connected},
            weight={"uniform": [0.2 * k, 0.6 * k]}, ranges={"w": [0, k * 127 / 128]},
            params={"a_plus": 0.004 * k, "a_minus": 0.0042 * k, "w_max": k * 127 / 128},
        )  # fmt: skip
        net.project(
            "inh", target, "static", input="jump", connect={"fixed_probability": connected}, weight=-3 * k,
            ranges={"w": [-4 * k, 0]},
        )  # fmt: skip
    return net.build()


@dataclass(frozen=True)
class Plastic:
    """The arrays and numbers of a compiled `plastic`, as one population; raw integers, shifts by what they bring.

    Rows of both kinds by presynaptic neuron: `plastic` ones are of the excitatory neurons, `fixed` ones of the others.
    """

    size: int
    excitatory: int
    v: NDArray[np.int64]
    plastic: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
    fixed: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
    number: dict[str, int]


def plain_plastic(program: Program, size: int) -> Plastic:
    """The arrays of a compiled `plastic`."""
    first = {"exc": 0, "inh": 4 * size // 5}
    rows = []
    for source in first:
        chosen = [p for p in program.projections if p.source == source]
        pre = np.concatenate([p.pre + first[source] for p in chosen])
        post = np.concatenate([p.post + first[p.target] for p in chosen])
        weight = np.concatenate([program.arrays[f"{p.name}.w"].initial for p in chosen])
        order = np.lexsort((post, pre))
        rows.append((pre[order].astype(np.int64), post[order].astype(np.int64), weight[order].astype(np.int64)))
    values = {name: int(a.initial) for name, a in program.arrays.items() if a.at == "scalar"}
    w, a = _frac(program, "exc_exc.w"), _frac(program, "exc_exc.a_plus") + _frac(program, "exc_exc.x")
    number = {
        "rest": values["exc.v_rest"], "reset": values["exc.v_reset"], "threshold": values["exc.v_th"],
        "pause": values["exc.t_ref"], "decay_v": values["exc.decay"], "decay": values["exc.$const1"],
        "plus": values["exc_exc.a_plus"], "minus": values["exc_exc.a_minus"],
        "w_shift": a - w, "w_max": values["exc_exc.w_max"] << (a - _frac(program, "exc_exc.w_max")),
        "jump": 40 - _frac(program, "exc.jump"), "inh": _frac(program, "exc.jump") - _frac(program, "inh_exc.w"),
    }  # fmt: skip
    v = np.concatenate([program.arrays[f"{name}.v"].initial for name in first]).astype(np.int64)
    return Plastic(size, first["inh"], v, rows[0], rows[1], number)


def _frac(program: Program, name: str) -> int:
    type_ = program.arrays[name].type
    return type_.frac if isinstance(type_, Int) else 0
