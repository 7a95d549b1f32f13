"""Voltage-based STDP: one burst of pairs at each rate of the paper's figure, onto the library's neuron for it."""

from __future__ import annotations

from collections.abc import Sequence

import neuroport
from neuroport.session.session import Session
from tests.oracles import standard_voltage as oracle
from tests.support.given_spikes import listed
from tests.support.published.model import Model, Numbers, Row

DT = 0.1  # ms
END = 700.0  # ms
CASES = [(rate, lag) for lag in (10.0, -10.0) for rate in (10, 20, 40, 50)]
"""Rates of pairing (Hz), and how many ms later the postsynaptic spike comes."""

NETWORK = """
neuroport: 1
name: bursts
dt: {dt} ms
synapses: {{kick: {{state: {{w: {{weight: true, init: 100, range: [0, 100]}}}}}}}}
populations:
  pre: {{size: {size}, neuron: spike_source}}
  electrode: {{size: {size}, neuron: spike_source}}
  post: {{size: {size}, neuron: clopath_adex}}
projections:
  kicks: {{source: electrode, target: post, input: jump, synapse: kick, connect: one_to_one}}
  s:
    source: pre
    target: post
    input: i
    synapse: stdp_voltage
    connect: one_to_one
    ranges: {{w: [-1, 1]}}
    params: {{w_min: -1}}
    weight: 0
stimuli:
  to_pre: {{spikes: {pre}, population: pre, input: spike_in}}
  to_electrode: {{spikes: {kicks}, population: electrode, input: spike_in}}
"""


def trains(rate: float, lag: float) -> tuple[list[float], list[float]]:
    """Presynaptic spikes and kicks (ms) of a burst of five pairs."""
    pre = [50 + max(-lag, 0) + k * 1000 / rate for k in range(5)]
    return pre, [time + lag for time in pre]


def opened(chip: str, pre: Sequence[Sequence[float]], kicks: Sequence[Sequence[float]]) -> Session:
    """Neurons that hear their synapses, which begin at 0, as currents of less than a pA."""
    steps = [listed([[round(time / DT) for time in times] for times in every]) for every in (pre, kicks)]
    text = NETWORK.format(dt=DT, size=len(pre), pre=steps[0], kicks=steps[1])
    return neuroport.open(neuroport.loads(text), "emulator", chip)


def name(rate: float, lag: float) -> str:
    return f"change by five pairs at {rate} Hz, presynaptic spike 10 ms {'before' if lag > 0 else 'after'}"


def measure(chip: str, _: int) -> Numbers:
    bursts = [trains(*case) for case in CASES]
    with opened(chip, [pre for pre, _ in bursts], [kicks for _, kicks in bursts]) as session:
        session.run(round(END / DT))
        return {name(*case): float(w) for case, w in zip(CASES, session.get("s.w"), strict=True)}


def independent(_: int) -> Numbers:
    return {name(*case): oracle.change(*trains(*case), END)[0] for case in CASES}


WHY = "Euler steps of 0.1 ms; of 0.02 ms: about a ninth; on chips, amplitudes that can be set have 10 bits"

MODEL = Model(
    name="stdp_voltage",
    source="Clopath et al., Nature Neurosci. 13 (2010) 344",
    rows=tuple(Row(name(*case), why=WHY) for case in CASES),
    measure=measure,
    independent=independent,
)
