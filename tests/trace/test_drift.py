"""How two runs part: arrays as they grow apart, and what two traces have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuroport.program.executor import Capture
from neuroport.trace import drift
from neuroport.trace.drift import Course, Drift, Gap, Growth, between, is_compared, next_shown, until_compared
from neuroport.trace.read import open_trace
from neuroport.trace.trains import Other
from neuroport.trace.write import Writer
from tests.support.traces import SOURCE, write


def grown(unit: float | None, *rows: tuple[int, list[float], list[float]]) -> Course:
    growth = Growth("a.v", unit)
    for steps, a, b in rows:
        growth.take(np.array([steps]), np.array([a], float), np.array([b], float))
    return growth.course()


def test_the_largest_difference_is_seen_between_the_steps_that_are_shown() -> None:
    course = grown(None, *((steps, [0.0], [7.0 if steps == 3 else 1.0]) for steps in range(12)))
    assert [gap.steps for gap in course.gaps] == [0, 1, 2, 5, 10, 11]
    assert course.largest == 7


def test_where_an_array_parts_and_how_far() -> None:
    course = grown(0.5, (0, [1, -8], [1, -8]), (1, [1, 2], [1, 2.25]), (2, [1, 2], [1.5, 2]), (3, [0, 0], [3, 4]))
    assert replace(course, gaps=()) == Course("a.v", 8, 0.5, 1, 2, (), 4)
    assert [(gap.steps, gap.largest) for gap in course.gaps] == [(0, 0), (1, 0.25), (2, 0.5), (3, 4)]
    assert [gap.rms for gap in course.gaps] == pytest.approx([0, 0.25 / 2**0.5, 0.5 / 2**0.5, 12.5**0.5])
    assert grown(None, (0, [1], [2])).beyond is None, "reals have no unit"


def test_gaps_are_kept_after_1_2_5_and_at_the_end_or_at_the_next_that_was_seen() -> None:
    every = grown(None, *((k, [0], [k]) for k in range(124)))
    assert [gap.steps for gap in every.gaps] == [0, 1, 2, 5, 10, 20, 50, 100, 123]
    assert [gap.largest for gap in every.gaps] == [0, 1, 2, 5, 10, 20, 50, 100, 123]
    seventh = grown(None, *((k, [0], [k]) for k in range(7, 124, 7)))
    assert [gap.steps for gap in seventh.gaps] == [7, 14, 21, 56, 105, 119]
    again = grown(None, (5, [0], [1]), (5, [0], [2]))
    assert again.gaps == (Gap(5, 2, 2),), "an event after the last step may have changed it"


def test_infinite_differences_and_those_that_are_none() -> None:
    nan, inf = float("nan"), float("inf")
    assert grown(None, (1, [nan, inf, -inf, 1], [nan, inf, -inf, 1])).differs is None
    for a, b in (([inf], [-inf]), ([nan], [1.0]), ([1e308], [-1e308])):
        assert grown(None, (1, a, b)).gaps == (Gap(1, inf, inf),)
    assert grown(None, (1, [1e-200, 0], [0, 0])).gaps[0].rms == pytest.approx(1e-200 / 2**0.5)
    assert grown(None, (1, [1e200, 0], [0, 0])).gaps[0].rms == pytest.approx(1e200 / 2**0.5)
    assert grown(1.0, (1, [], [])).gaps == (Gap(1, 0, 0),)


def test_arrays_are_compared_wherever_gaps_are_shown() -> None:
    step, compared = 0, [0]
    while step < 10**5:
        step += until_compared(step)
        compared.append(step)
    assert compared[:1000] == list(range(1000)) and compared[1000:1003] == [1000, 1010, 1020]
    assert [k for k in range(10**5 + 1) if is_compared(k)] == compared
    shown = [0]
    while shown[-1] < 10**5:
        shown.append(next_shown(shown[-1]))
    assert shown[:8] == [0, 1, 2, 5, 10, 20, 50, 100] and set(shown) <= set(compared)


# ------------------------------------------------------------------------------------------------------------- traces


def of(tmp_path: Path, change: Callable[[Capture], None] | None = None) -> Drift:
    a, b = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", change)
    found = between(open_trace(a), open_trace(b))
    assert found is not None
    return found


def test_equal_traces_do_not_part(tmp_path: Path) -> None:
    found = of(tmp_path)
    assert (found.first, found.first_beyond, found.first_spikes) == (None, None, None)
    assert [course.array for course in found.arrays] == ["a.v", "ab.w", "b.v"]
    assert [(d.population, d.van_rossum, d.coincidence) for d in found.trains] == [("a", 0, 1), ("b", 0, 1)]
    assert found.metrics["dkl"] == [(100, 0.5, 0.5), (200, 0.25, 0.25)]
    assert found.overflows == {"a.v": (3, 3)}


def test_what_traces_sampled_grows_apart(tmp_path: Path) -> None:
    def change(capture: Capture) -> None:
        steps, values = capture.records["a.v"]
        capture.records["a.v"] = (steps, values + np.arange(len(values))[:, np.newaxis] * [0, 0, 4])

    found = of(tmp_path, change)
    course = found.arrays[0]
    assert (course.unit, course.differs, course.beyond) == (1 / 16, 120, 120)
    assert [(gap.steps, gap.largest) for gap in course.gaps] == [(10, 0), (20, 0), (50, 0), (100, 0), (200, 0)]
    assert found.first is course, "the final values are equal, and stand for the last sample, after the same step"


def test_large_samples_are_compared_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(capture: Capture) -> None:
        steps, values = capture.records["a.v"]
        capture.records["a.v"] = (steps, values + np.array([0, 0, 4]))

    whole = of(tmp_path, change)
    monkeypatch.setattr(drift, "BLOCK", 4)
    assert of(tmp_path, change) == whole


def test_the_first_other_spike(tmp_path: Path) -> None:
    def change(capture: Capture) -> None:
        steps, neurons = capture.spikes["b"]
        at = int(np.searchsorted(steps, 150))
        capture.spikes["b"] = (np.insert(steps, at, 150), np.insert(neurons, at, 1))

    distance = of(tmp_path, change).first_spikes
    assert distance is not None
    assert (distance.population, distance.first) == ("b", Other(150, 1, 1))
    assert distance.spikes[1] == distance.spikes[0] + 1 == distance.equal + 1
    assert distance.van_rossum == pytest.approx(0.5 / 2)


def test_what_cannot_be_compared_is_left_out(tmp_path: Path) -> None:
    a = open_trace(write(tmp_path / "a.h5"))
    with Writer(tmp_path / "b.h5", SOURCE) as writer:
        writer.weights("ab.w", 24, np.zeros(6, np.int64))
        writer.close(steps=100, final={"a.v": np.zeros(3, np.int64)})
    found = between(a, open_trace(tmp_path / "b.h5"))
    assert found is not None
    assert [(course.array, course.gaps) for course in found.arrays] == [("ab.w", ())], "sampled at other steps"
    assert found.steps == 100, "the shorter one"
    assert found.metrics == {}
    assert between(a, replace(a, dt=1.0)) is None
    assert between(a, replace(a, populations={"a": 4, "b": 2})).trains[0].population == "b"  # type: ignore[union-attr]
