"""Short-term plasticity: what each spike releases at 20 Hz, and half a second later."""

from __future__ import annotations

import numpy as np

from tests.oracles.standard_tsodyks_markram import released
from tests.support.given_spikes import Trains, opened
from tests.support.published.model import Model, Numbers, Row

TIMES = [*range(100, 1100, 50), 1550]  # ms
KINDS = {"depressing": (0.5, 800.0, 0.0), "facilitating": (0.03, 130.0, 530.0)}
SPIKES = {"first spike": 0, "spike 4": 3, "spike 20": 19, "half a second later": 20}


def rows(every: dict[str, list[float]]) -> Numbers:
    return {f"{kind}, 20 Hz: {name}": found[k] for kind, found in every.items() for name, k in SPIKES.items()}


def heard(kind: str, chip: str) -> list[float]:
    """What arrives after each spike."""
    use, recovery, facilitation = KINDS[kind]
    steps = np.array(TIMES)
    more = f", params: {{U: {use}, tau_rec: {recovery} ms, tau_facil: {facilitation} ms}}"
    with opened("tsodyks_markram", Trains((steps,), (steps[:1],)), chip, more) as session:
        sums = []
        for step in TIMES:
            session.run(step + 2 - session.step)
            sums.append(float(session.get("post.sum")[0]))
    return np.diff(sums, prepend=0).tolist()


def measure(chip: str, _: int) -> Numbers:
    return rows({kind: heard(kind, chip) for kind in KINDS})


def independent(_: int) -> Numbers:
    return rows({kind: released(TIMES, *numbers) for kind, numbers in KINDS.items()})


MODEL = Model(
    name="tsodyks_markram",
    source="Tsodyks & Markram, PNAS 94 (1997) 719; Tsodyks, Pawelzik & Markram, Neural Comput. 10 (1998) 821",
    rows=tuple(Row(f"{kind}, 20 Hz: {name}") for kind in KINDS for name in SPIKES),
    measure=measure,
    independent=independent,
)
