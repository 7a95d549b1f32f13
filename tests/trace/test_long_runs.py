"""Memory does not grow with the number of steps: that of 10^9 is in docs/traces.md."""

from __future__ import annotations

from pathlib import Path

import pytest

import neuroport
from neuroport.trace import write
from tests.support.memory import peak

EPOCH = 5000
"""Steps of a round of the protocol."""


@pytest.mark.dear
def test_a_run_takes_the_memory_of_a_piece_however_long_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All spikes and weights of more than a million steps go to the disk in pieces, and from there into one file."""
    monkeypatch.setattr(write, "SEGMENT_BYTES", 2**15)

    def run(epochs: int) -> int:
        network = neuroport.load("sal_pair", [f"protocol.1.repeat={epochs}", "record.spikes=all"])
        with neuroport.open(network, trace=tmp_path / f"{epochs}.h5", keep=False) as session:
            taken = peak(lambda: session.run_protocol(chunk=lambda step: EPOCH))
            taken = max(taken, peak(lambda: session.finish("")))
            assert session.step == epochs * EPOCH
            return taken

    run(1)  # what is loaded and kept once
    short, long = run(60), run(240)
    assert long < short + 50_000
