"""Short-term plasticity (Tsodyks, Pawelzik & Markram 1998): figure 1, and stationary amplitudes against the rate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

import neuroport
from tests.oracles import published_tsodyks_markram as oracle
from tests.support.published.model import Model, Numbers, Row

RATES = (5, 10, 20, 30, 50, 100)
PERIODS = (200.0, 100.0, 50.0, 33.3, 20.0, 10.0)
SYNAPSES = {"depressing": oracle.DEPRESSING, "facilitating": oracle.FACILITATING}
CELLS = {"depressing": "pyramidal", "facilitating": "interneuron"}
DT = 0.1

Values = NDArray[np.float64]


def times(k: int) -> Values:
    """The spikes of source k, in ms."""
    return np.append(50 + PERIODS[k] * np.arange(round(1000 / PERIODS[k])), 1550.0)


def numbers(released: Mapping[str, list[Values]], peaks: Mapping[str, Values]) -> Numbers:
    """All rows: of the active resources just after every spike of the six sources, and of voltages at 20 Hz."""
    found: dict[str, float] = {}
    for kind in SYNAPSES:
        at_20_hz = released[kind][2]
        found[f"{kind}, 20 Hz: resources of spike 1"] = at_20_hz[0]
        found[f"{kind}, 20 Hz: resources of spike 20"] = at_20_hz[19]
        found[f"{kind}, 20 Hz: half a second later"] = at_20_hz[20]
        found[f"{kind}, 20 Hz: largest voltage (mV)"] = float(peaks[kind].max())
        stationary = [one[-2] for one in released[kind]]
        found[f"{kind}: stationary at 100 Hz / at 50 Hz"] = stationary[5] / stationary[4]
        found[f"{kind}: rate of the largest stationary response (Hz)"] = RATES[int(np.argmax(stationary))]
    return found


def measure(chip: str, _: int) -> Numbers:
    at = {k: set(np.round(times(k) / DT).astype(int) + 2) for k in range(6)}
    released: dict[str, list[list[float]]] = {kind: [[] for _ in range(6)] for kind in SYNAPSES}
    with neuroport.open(neuroport.load("published/tsodyks_markram"), "emulator", chip) as session:
        for step in sorted(set().union(*at.values())):
            session.run(step - session.step)
            for kind in SYNAPSES:
                active = session.get(f"{kind}.e")
                for k in range(6):
                    if step in at[k]:
                        released[kind][k].append(float(active[k]))
        session.run(16000 - session.step)
        voltages = {kind: session.records(f"{cell}.v")[1][:, 2] for kind, cell in CELLS.items()}
    return numbers({kind: [np.array(one) for one in each] for kind, each in released.items()}, voltages)


def independent(_: int) -> Numbers:
    released = {kind: [oracle.released(synapse, times(k)) for k in range(6)] for kind, synapse in SYNAPSES.items()}
    fine = np.arange(0, 1600, DT)
    return numbers(released, {kind: oracle.voltage(synapse, times(2), fine) for kind, synapse in SYNAPSES.items()})


MODEL = Model(
    name="published/tsodyks_markram",
    source="Tsodyks, Pawelzik & Markram, Neural Comput. 10 (1998) 821",
    rows=(
        Row("depressing, 20 Hz: resources of spike 1", "0.5 (U)"),
        Row("depressing, 20 Hz: resources of spike 20"),
        Row("depressing, 20 Hz: half a second later"),
        Row("depressing, 20 Hz: largest voltage (mV)"),
        Row("depressing: stationary at 100 Hz / at 50 Hz", "about 0.5 (1 / rate)"),
        Row("depressing: rate of the largest stationary response (Hz)", "the lowest"),
        Row("facilitating, 20 Hz: resources of spike 1", "0.03 (U)"),
        Row("facilitating, 20 Hz: resources of spike 20"),
        Row("facilitating, 20 Hz: half a second later"),
        Row("facilitating, 20 Hz: largest voltage (mV)"),
        Row("facilitating: stationary at 100 Hz / at 50 Hz"),
        Row("facilitating: rate of the largest stationary response (Hz)", "22 (1 / sqrt(U tau_facil tau_rec))"),
    ),
    measure=measure,
    independent=independent,
)
