"""Izhikevich's simple neurons (2003): rates of the types of cells, and the network's rates and rhythm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.oracles import published_izhikevich as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row
from tests.support.published.running import ran

TYPES = ("RS", "IB", "CH", "FS", "LTS", "TC", "RZ")
STEPS, LONG = 10_100, 100_100
"""Steps of the network, and of the seven cells."""
CHAOTIC = "chaotic as printed (1 ms): 1e-9 more in u changes ten-second rates by 1 to 2 %"
CHATTERING = "periodic after a minute, but a changed by 1e-6 gives 41 to 42.5; `types.b` has 24 bits (6e-8)"

WHY = {"CH": CHATTERING}


def rhythm(per_ms: NDArray[np.float64]) -> float:
    """Hz of the strongest rhythm from 4 to 30 Hz: windows of one second, averaged."""
    windows = per_ms[: len(per_ms) // 1000 * 1000].reshape(-1, 1000)
    power = (np.abs(np.fft.rfft(windows - windows.mean(axis=1, keepdims=True), axis=1)) ** 2).mean(axis=0)
    return 4.0 + float(np.argmax(power[4:31]))


def numbers(types: NDArray[np.bool_], exc: NDArray[np.float64], inh: NDArray[np.float64]) -> Numbers:
    """The rows, of the spikes of the seven cells (steps, cells) and the numbers of spikes in every ms."""
    found = {f"{name}: rate at a current of 10 (Hz)": rate for name, rate in zip(TYPES, rates(types), strict=True)}
    found["network: rate of excitatory cells (Hz)"] = float(exc.sum()) / 800 / (STEPS / 1000)
    found["network: rate of inhibitory cells (Hz)"] = float(inh.sum()) / 200 / (STEPS / 1000)
    found["network: strongest rhythm (Hz)"] = rhythm(exc[100:])
    return found


def rates(types: NDArray[np.bool_]) -> list[float]:
    """Hz after the first 100 ms."""
    return [float(count) / ((len(types) - 100) / 1000) for count in types[100:].sum(axis=0)]


def alone(chip: str, steps: int) -> NDArray[np.bool_]:
    """The spikes of the seven cells, (steps, cells), without most of the network."""
    small = ("populations.exc.size=1", "populations.inh.size=1", f"protocol.0.run={steps} ms")
    types = np.zeros((steps, 7), bool)
    types[ran("published/izhikevich", chip, sets=small).spikes("types")] = True
    return types


def measure(chip: str, seed: int) -> Numbers:
    session = ran("published/izhikevich", chip, seed, (f"seed={seed}", f"protocol.0.run={STEPS} ms"))
    counts = [np.bincount(session.spikes(name)[0], minlength=STEPS).astype(float) for name in ("exc", "inh")]
    return numbers(alone(chip, LONG), *counts)


def independent(seed: int) -> Numbers:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((STEPS, 1000)) * np.repeat([5.0, 2.0], [800, 200])
    spikes = oracle.run(oracle.network(rng), noise)
    types = oracle.run(oracle.TYPES, oracle.step_current(LONG))
    return numbers(types, spikes[:, :800].sum(1).astype(float), spikes[:, 800:].sum(1).astype(float))


MODEL = Model(
    name="published/izhikevich",
    source="Izhikevich, IEEE Trans. Neural Networks 14 (2003) 1569",
    rows=(
        *(Row(f"{name}: rate at a current of 10 (Hz)", why=WHY.get(name, CHAOTIC)) for name in TYPES),
        Row("network: rate of excitatory cells (Hz)", "about 8", CHANCE),
        Row("network: rate of inhibitory cells (Hz)", why=CHANCE),
        Row("network: strongest rhythm (Hz)", "about 10 (alpha)"),
    ),
    measure=measure,
    independent=independent,
    seeds=3,
)
