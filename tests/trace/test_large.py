"""What a trace has of each of many synapses is written in pieces."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.api.compile import lower, specimen
from neuroport.api.run import trace_writer
from neuroport.trace.write import LARGE
from tests.support.memory import peak

TEXT = """\
neuroport: 1
name: large
dt: 1 ms
chip: generic8
populations: {{a: {{size: 3300, neuron: lif}}}}
projections:
  p: {{source: a, target: a, input: jump, synapse: static, weight: {weight}, connect: {{fixed_probability: 0.1{more}}}}}
"""


@pytest.mark.parametrize(
    "how", [{"weight": "{uniform: [0, 1]}", "more": ""}, {"weight": "1", "more": ", stored: false"}]
)
def test_a_trace_begins_with_little_memory(how: dict[str, str], tmp_path: Path) -> None:
    network = neuroport.loads(TEXT.format(**how))
    chip, _ = specimen(network)
    program = lower(network, chip, None)
    synapses = program.projections[0]
    assert synapses.synapses > LARGE
    path = tmp_path / "t.h5"

    def begun() -> None:
        writer = trace_writer(network, program, chip, None, "emulator", 1, path, False)
        assert writer is not None
        writer.close(steps=0)

    assert peak(begun) < 16 * synapses.synapses / 2
    with h5py.File(path) as file:
        for end in ("pre", "post"):
            assert np.array_equal(file["neuroport/projections/p"][end], getattr(synapses, end))


@pytest.mark.dear
def test_large_arrays_at_the_end_of_a_run(tmp_path: Path) -> None:
    network = neuroport.loads(TEXT.format(weight="{uniform: [0, 1]}", more=""))
    neuroport.run(network, duration=2, trace=tmp_path / "t.h5")
    weights = neuroport.compile(network).arrays["p.w"].initial
    with h5py.File(tmp_path / "t.h5") as file:
        final = file["neuroport/final/p.w"]
        assert final.dtype.itemsize <= 2
        assert np.array_equal(final, weights)
