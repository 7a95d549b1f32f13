"""An outer product that is formed once per pattern is that which every step could form, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuroport
from benchmarks import once_per_pattern
from benchmarks.once_per_pattern import Setting


def test_once_per_pattern_gives_what_every_step_gives(backend: Any) -> None:
    def learned(way: str) -> tuple[Any, Any]:
        network = once_per_pattern.network(way, Setting(inputs=40, outputs=2, hold=20, patterns=8))
        with neuroport.open(network, backend=backend.name) as session:
            session.run_protocol()
            return session.get("up.w"), session.results["right"]

    (once, right), (every, _) = learned("once"), learned("every")
    assert np.array_equal(once, every)
    assert np.abs(once).max() > 0.01
    assert right[0][1] >= 50
