"""What GeNN is said to take for synapses."""

from __future__ import annotations

from neuroport.backends.genn.room import ORDERED, PLACE, room
from tests.support.reaching import forked


def test_every_part_of_a_projection_to_several_inputs_is_counted() -> None:
    program, many = forked(), 10**6
    told: dict[str, list[float]] = {}
    for part in room(program, {p.name: float(many) for p in program.projections}):
        told.setdefault(part.what, []).append(part.size)
    assert not any("~" in what for what in told)
    assert any(sum(size > many * (ORDERED + PLACE) for size in sizes) > 1 for sizes in told.values())
