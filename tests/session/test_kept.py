"""What was recorded and is kept: found by step, numbered, let go of, and in memory that does not grow."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from neuroport.backends.reference import Reference
from neuroport.session import kept
from neuroport.session.kept import Trail
from neuroport.session.session import open_session
from tests.support.memory import peak
from tests.support.surface import made


@pytest.mark.parametrize("large", [0, kept.LARGE], ids=["large", "small"])
@pytest.mark.parametrize("seed", range(20))
def test_a_trail_is_a_list_of_rows_of_which_the_first_go(
    seed: int, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LARGE", large)
    draw = np.random.default_rng(seed)
    trail, rows, step, keep = Trail((2,), np.int64), [], 0, int(draw.integers(0, 60))
    for _ in range(300):
        more = draw.integers(0, 5)
        steps = np.sort(step + draw.integers(0, 3, more))
        step = int(steps.max(initial=step)) + int(draw.integers(0, 2))
        values = draw.integers(-9, 9, (more, 2))
        oldest = max(0, step - keep)
        if draw.random() < 0.02:
            trail.skip(int(more))
            rows += [(-1, []) for _ in range(more)]
            rows[:] = [(-1, [])] * len(rows)
        else:
            trail.add(steps, values, oldest)
            rows += zip(steps.tolist(), values.tolist(), strict=True)
        assert trail.count == len(rows)
        since = int(draw.integers(oldest, step + 2))
        found = trail.since(since)
        assert list(zip(*(part.tolist() for part in found), strict=True)) == [r for r in rows if r[0] >= max(since, 0)]
        number = int(draw.integers(0, len(rows) + 1))
        taken, gone = trail.after(number, oldest)
        wanted = [r for r in rows[number:] if r[0] >= oldest]
        assert list(zip(*(part.tolist() for part in taken), strict=True)) == wanted
        assert gone == len(rows) - number - len(wanted)


def test_what_is_kept_is_hardly_more_than_its_rows() -> None:
    trail = Trail((10_000,), np.float64)

    def kept_all() -> None:
        for step in range(0, 1_000, 10):
            trail.add(np.arange(step, step + 10), np.ones((10, 10_000)), 0)

    assert peak(kept_all) < 1.25 * 80_000 * 1_000


def test_what_is_found_is_a_copy() -> None:
    trail = Trail((), np.int64)
    trail.add(np.arange(5), np.arange(5), 0)
    trail.since(2)[1][:] = -1
    assert trail.since(0)[1].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("asked", [(), ("cells", "cells.count")], ids=["unheard", "taken"])
def test_memory_does_not_grow_where_only_what_is_recent_is_kept(asked: tuple[str, ...]) -> None:
    """Three neurons that spike in every step, and a sampled variable, for thirty times as long as they are kept.

    All that a session has allocated and not let go of is counted, but for the open block of the digest.
    """
    sizes = []
    tracemalloc.start()
    try:
        with open_session(*made(), Reference(), keep="50 ms") as session:
            session.exchange({"drive": 1.5}, 900, ["cells"])
            for _ in range(4):
                for _ in range(10):
                    session.exchange([], 30, asked)
                blocks = sum(len(chain.links.rest) for chain in session._recorder._chains.values())
                sizes.append(tracemalloc.get_traced_memory()[0] - blocks)
            assert len(session.spikes("cells")[0]) == 150
    finally:
        tracemalloc.stop()
    assert max(sizes) - sizes[0] < 20_000, sizes


def test_reading_costs_the_answer() -> None:
    """What is copied to read one step is the same after thirty times as many."""
    with open_session(*made(), Reference()) as session:
        session.exchange({"drive": 1.5}, 100)
        peaks = []
        for steps in (0, 3_000):
            session.run(steps)
            tracemalloc.start()
            try:
                assert len(session.spikes("cells", session.step - 1)[0]) == 3
                assert len(session.records("cells.count", session.step - 2)[0]) == 1
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
        assert peaks[1] < 2 * peaks[0] + 1000, peaks
