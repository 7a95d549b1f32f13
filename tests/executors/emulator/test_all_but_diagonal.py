"""Matrices without a diagonal need no indices: numbers, draws and counts are those of the reference."""

from __future__ import annotations

import pytest

from neuroport.backends.emulator import Emulator, emit
from neuroport.program.machine import Program
from tests.support import one_rule
from tests.support.executors import computes_as_the_reference


def program(size: int) -> Program:
    return one_rule.program(size, "{all_to_all: {self: false}}")


@pytest.mark.dear
def test_every_size_is_computed_as_by_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "LONG", 2)
    for size in (2, 3, 8, 9, 33):
        made = program(size)
        assert "for nth in range(i):" in emit.module_text(made)
        computes_as_the_reference(Emulator(boundscheck=True), made, 12, ("m.w", "p.x"))


@pytest.mark.dear
@pytest.mark.parametrize("threads", [2, 3])
def test_blocks_of_them_have_indices(threads: int) -> None:
    one_rule.is_computed_by_threads(program(40), threads)


@pytest.mark.parametrize(("size", "without"), [(31, False), (32, True)])
def test_only_long_rows_are(size: int, without: bool) -> None:
    assert ("for nth in range(i):" in emit.module_text(program(size))) is without
