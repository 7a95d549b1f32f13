"""What an executor gives of an array in pieces is what it gives of it at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.copies.axis import with_copies
from neuroport.copies.views import Unbatched
from neuroport.program import fingerprint
from neuroport.program.executor import Backend
from neuroport.program.machine import Program
from tests.support import small_programs as small
from tests.support.everything import everything, real_program
from tests.support.executors import start
from tests.support.reaching import twins

PROGRAMS: dict[str, Callable[[], Program]] = {
    "integers": small.rich,
    "all roundings": everything,
    "twins": twins,
    "real": real_program,
    "float32": lambda: replace(real_program(), precision="float32"),
    "real copies": lambda: small.learning(3, real=True),
    "integer copies": lambda: with_copies(everything(), 3),
}


@pytest.mark.parametrize("size", [1, 7, 2**16])
@pytest.mark.parametrize("name", PROGRAMS)
def test_pieces_are_what_is_read(backend: Backend, name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "PIECE", size)
    p = PROGRAMS[name]()
    if backend.check(p):
        pytest.skip("\n".join(backend.check(p)))
    (machine,) = start(p, backend)
    if isinstance(machine, Unbatched):
        pytest.skip("what copies hold beside each other is put together as a whole")
    machine.advance(5)
    for array in (a for a in p.arrays.values() if a.role != "input"):
        read, pieces = machine.read(array.name), list(machine.pieces(array.name))
        whole: Any = np.concatenate([piece.reshape(-1, *read.shape[1:]) for piece in pieces]).reshape(read.shape)
        assert (whole.dtype, whole.tolist()) == (read.dtype, read.tolist()), array.name
        assert max(piece.size for piece in pieces) <= max(size, p.copies), array.name
