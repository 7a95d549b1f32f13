"""What threads have of synapses comes in the order of these, and not all at once."""

from __future__ import annotations

import numpy as np
import pytest

import neuroport
from neuroport.backends.emulator.threads import Threads
from neuroport.program import fingerprint
from tests.support.memory import peak

pytestmark = pytest.mark.dear

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
populations:
  a: {size: 1000, neuron: poisson, params: {rate: 50 Hz}}
  b: {size: 1500, neuron: lif}
projections:
  p: {source: a, target: b, input: jump, synapse: static, weight: WEIGHT, connect: CONNECT}
"""
CONNECT = {
    "rows": "{fixed_probability: 0.1}",
    "pairs": "{fixed_in_degree: 20}",
    "all": "all_to_all",
    "few": "{pairs: [[999, 1499], [0, 3], [7, 200]]}",
    "not stored": "{fixed_probability: 0.1, stored: false}",
}


def threads(connect: str, weight: str = "{uniform: [0, 1]}") -> Threads:
    text = TEXT.replace("WEIGHT", "0.5" if "stored: false" in connect else weight).replace("CONNECT", connect)
    program = neuroport.compile(neuroport.loads(text))
    return Threads(program, 1, (), 3)


@pytest.mark.parametrize("size", [7, 2**16])
@pytest.mark.parametrize("what", CONNECT)
def test_pieces_on_threads_are_what_is_read(what: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "PIECE", size if what == "few" else max(size, 1000))
    machine = threads(CONNECT[what])
    machine.advance(3)
    read, pieces = machine.read("p.w"), list(machine.pieces("p.w"))
    assert np.array_equal(np.concatenate(pieces), read)
    assert {piece.dtype for piece in pieces} == {read.dtype}
    machine.close()


@pytest.mark.parametrize("connect", ["{fixed_probability: 0.5}", "{fixed_probability: 0.5, stored: false}"])
def test_a_digest_does_not_gather_all_synapses(connect: str) -> None:
    text = TEXT.replace("WEIGHT", "0.5").replace("CONNECT", connect).replace("1000", "3000").replace("1500", "3000")
    with neuroport.open(neuroport.loads(text), threads=2, keep=False) as session:
        session.run(2)
        assert peak(session.digest) < 2**24 < 8 * 0.5 * 3000**2
