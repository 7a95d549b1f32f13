"""What a host gave for steps to come, saved before some step and held by another session from there on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroport.backends.reference import Reference
from neuroport.errors import InvalidInput
from neuroport.session.exchange import Write
from neuroport.session.session import Session, open_session
from tests.support.surface import made

SCHEDULE = [
    Write("events", [0.5, 1.25], [2, 0], at=3, hold=6),
    Write("events", 0.1, at=5, hold=2),
    Write("drive", [1.5], [1], at=4, hold=5),
    Write("drive", 0.3, at=11),
    Write("cells.n", 3, [0, 1], at=6, hold=3),
    Write("cells.gain", 0.5, at=7),
    Write("across.w", [1, 0.5], [1, 4], at=8),
]


def opened(**options: Any) -> Session:
    return open_session(*made(), Reference(), **options)


def moved(session: Session) -> Session:
    """Another session that holds what this one does: its executor is taken over, the rest is held as plain arrays."""
    other = opened()
    other.executor.load(session.executor.save())
    held, there = session._controls, other._controls
    there.switchboard = other._parts.switchboard = held.switchboard
    there.given = dict(held.given)
    there.hold(held.pending, held.injections.injected, held.tally)
    other._recorder.begin_keeping()
    return other


@pytest.mark.parametrize("stop", range(13))
def test_what_waits_is_held_by_another_session(stop: int) -> None:
    with opened() as whole, opened() as first:
        for session in (whole, first):
            session.exchange(SCHEDULE, 0)
        whole.run(15)
        first.run(stop)
        with moved(first) as rest:
            assert rest.stats()["waiting"] == first.stats()["waiting"]
            rest.run(15 - stop)
            for name in ("cells.v", "cells.drive", "cells.count", "across.w", "others.v"):
                assert rest.get(name).tolist() == whole.get(name).tolist(), name
            assert rest.stats()["injected"] == whole.stats()["injected"]
            spikes = [part[whole.spikes("cells")[0] >= stop].tolist() for part in whole.spikes("cells")]
            assert [part.tolist() for part in rest.spikes("cells")] == spikes


@pytest.mark.parametrize("stop", [3, 5])
def test_what_was_injected_and_what_waits_still_bounds_what_may_be(stop: int) -> None:
    with opened() as first:
        first.exchange(SCHEDULE, stop)
        with moved(first) as rest:
            for at in (None, 6):
                with pytest.raises(InvalidInput, match=r"all that was injected for this step: .* outside -8 .. 8"):
                    rest.inject("events", [2], [7.6], at=at)


def test_what_waits_is_plain_arrays() -> None:
    with opened() as session:
        session.exchange(SCHEDULE, 4)
        for one in session._controls.pending:
            assert isinstance(one.name, str) and (type(one.first), type(one.end)) == (int, int)
            assert one.first > 4 and one.values.dtype in (np.int64, np.float64)
            assert one.cells is None or one.cells.dtype == np.int64
