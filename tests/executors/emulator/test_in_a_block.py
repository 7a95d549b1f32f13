"""Full matrices between parts of populations need no list of targets: numbers and draws are those of the reference."""

from __future__ import annotations

import pytest

from neuroport.backends.emulator import Emulator, emit
from neuroport.program.machine import Program
from tests.support import one_rule
from tests.support.executors import computes_as_the_reference


def program(source: str = "1:9:3, 40", target: str = "50:85") -> Program:
    return one_rule.program(90, "all_to_all", f"p[{source}]", f"p[{target}]")


def without_targets(made: Program) -> bool:
    return "_first_column" in emit.module_text(made)


@pytest.mark.dear
def test_every_part_is_computed_as_by_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "LONG", 2)
    for target in ("0:35", "50:85", "88:90"):
        made = program(target=target)
        assert without_targets(made)
        computes_as_the_reference(Emulator(boundscheck=True), made, 12, ("m.w", "p.x"))


@pytest.mark.dear
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_have_pieces_of_them(threads: int) -> None:
    one_rule.is_computed_by_threads(program(), threads)


@pytest.mark.parametrize(
    ("target", "without"), [("50:82", True), ("50:81", False), ("0:80:2", False), ("0:20, 30:60", False), (":", True)]
)
def test_only_long_rows_of_neighbours_are(target: str, without: bool) -> None:
    assert without_targets(program(target=target)) is without


def test_their_targets_take_no_memory() -> None:
    (ours,), (theirs,) = (Emulator().memory(program(target=target)) for target in ("50:82", "49:81:1, 84"))
    assert ours.each < theirs.each
