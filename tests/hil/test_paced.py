"""Sessions by the clock: when replies are given, what counts as late, and that content never depends on it."""

from __future__ import annotations

from typing import Any

import pytest

from neuroport.errors import InvalidInput, RunFailed
from neuroport.hil.paced import Clock, Pace, Paced
from neuroport.session.exchange import Write
from tests.support.looped import opened


class Time:
    """A clock that stands still but for sleeping, and for what `works` says that every look at it takes."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, 0.0

    def __call__(self) -> float:
        self.now += 2e-8
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


class Slow:
    """A session that takes some time of the clock for its steps."""

    def __init__(self, time: Time, seconds: float = 0.0) -> None:
        self._session, self._time, self.seconds = opened(), time, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def exchange(self, *given: Any, **more: Any) -> Any:
        self._time.now += self.seconds
        return self._session.exchange(*given, **more)


def paced(mode: Any, late: Any = "slip", seconds: float = 0.0, rate: float = 1.0) -> tuple[Paced, Time, Any]:
    time = Time()
    slow: Any = Slow(time, seconds)
    clock = Clock(0.001 / rate, time, time.sleep)
    return Paced(slow, Pace(mode=mode, late=late, rate=rate), clock), time, slow


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=1e-5)


def test_free_waits_for_nothing() -> None:
    session, time, _ = paced("free", seconds=7.0)
    session.run(100)
    assert (session.step, time.slept, sum(session.stats()["missed_deadlines"])) == (100, 0.0, 0)


def test_locked_gives_its_reply_when_its_last_step_is_over() -> None:
    session, time, _ = paced("locked")
    for n in (1, 10, 4):
        session.exchange((), n)
        assert time.now == near(100 + session.step * 0.001)


def test_a_rate_of_2_is_twice_as_fast_as_the_clock() -> None:
    session, time, _ = paced("locked", rate=2.0)
    session.run(10)
    assert time.now == near(100.005)


def test_a_host_that_comes_late_moves_the_clock_and_misses_nothing() -> None:
    session, time, _ = paced("locked")
    session.run(1)
    time.now += 5.0
    session.run(1)
    assert time.now == near(105.002)
    assert sum(session.stats()["missed_deadlines"]) == 0
    assert session.stats()["slipped_s"] == near(5.0)


@pytest.mark.parametrize(("seconds", "bin_"), [(0.001002, 0), (0.001003, 1), (0.001005, 2), (0.003, 10), (30.0, 23)])
def test_a_late_step_is_counted_by_how_late_it_was(seconds: float, bin_: int) -> None:
    """Of a step of 1 ms: 1.5 us late is bin 0, 2 to 4 us bin 1, and so on; the last bin has all that is more."""
    session, _, _ = paced("locked", seconds=seconds - 0.0000002)
    session.run(1)
    missed = session.stats()["missed_deadlines"]
    assert [k for k, count in enumerate(missed) if count] == [bin_]
    assert sum(missed) == 1


def test_a_step_in_time_is_not_counted() -> None:
    session, _, _ = paced("locked", seconds=0.0009)
    session.run(1)
    assert sum(session.stats()["missed_deadlines"]) == 0


def test_the_clock_slips_by_what_was_late() -> None:
    session, time, slow = paced("locked", seconds=0.003)
    session.run(1)
    slow.seconds = 0.0
    session.run(1)
    assert time.now == near(100.004)
    assert sum(session.stats()["missed_deadlines"]) == 1


def test_a_late_step_in_real_time_is_not_made_up_for() -> None:
    session, _, _ = paced("real_time", seconds=0.003)
    session.tick()
    session.run(1)
    session.tick()
    assert session.step == 1
    assert session.stats()["slipped_s"] == near(0.002)


def test_or_the_session_stops() -> None:
    session, _, _ = paced("locked", "stop", 0.003)
    assert session.exchange((), 1).step == 1
    with pytest.raises(RunFailed) as caught:
        session.run(1)
    assert str(caught.value) == (
        "step 0 was done 2 ms after its time, and the session stopped; "
        "open one with a lower rate, or let the clock slip"
    )
    assert session.step == 1
    assert session.get("cells.v").tolist() == [0.0] * 4


def test_in_real_time_steps_come_while_the_host_says_nothing() -> None:
    session, time, _ = paced("real_time")
    session.tick()
    for seconds, step in ((0.0005, 0), (0.0006, 1), (0.01, 11)):
        time.now += seconds
        session.tick()
        assert session.step == step
    session.exchange([Write("cells.i", [2.0], [0])], 2, ["cells"])
    assert session.spikes("cells")[0].tolist() == [11]
    assert time.now == near(100.013)


def test_in_real_time_it_is_known_when_something_is_to_be_done() -> None:
    session, time, _ = paced("real_time")
    session.tick()
    assert session.wait() == near(0.001)
    time.now += 0.002
    assert session.wait() == 0
    assert paced("locked")[0].wait() == float("inf")


def test_content_does_not_depend_on_pace() -> None:
    digests = set()
    for mode in ("free", "locked"):
        for seconds in (0.0, 0.002):
            session, _, _ = paced(mode, seconds=seconds)
            for k in range(10):
                session.exchange([Write("cells.i", [1.5], [k % 4], hold=2)], 3, ["cells"])
            digests.add(session.digest())
    assert len(digests) == 1


def test_it_says_by_which_pace_it_goes() -> None:
    session, _, _ = paced("locked", "stop")
    assert session.describe()["pace"] == {"mode": "locked", "rate": 1.0, "late": "stop"}


# ------------------------------------------------------------------------------------------------------------ waiting

READS: dict[str, Any] = {
    "take": lambda session, wait: session.take("cells", wait=wait)["cells"],
    "spikes": lambda session, wait: session.spikes("cells", 1, wait=wait),
    "records": lambda session, wait: session.records("cells.v", 21, wait=wait),
}


@pytest.mark.parametrize("read", READS)
def test_in_real_time_what_comes_is_waited_for(read: str) -> None:
    """Cells are given something in step 20; what is read of them is there when that step is over."""
    session, time, _ = paced("real_time")
    session.tick()
    session.exchange([Write("cells.i", 2.0, [0], at=20)], 1)
    steps, _ = READS[read](session, 5.0)
    assert steps.tolist() == [20 if read != "records" else 21]
    assert time.now == near(100 + 0.001 * session.step)
    assert session.step == (21 if read != "records" else 22)


@pytest.mark.parametrize("read", READS)
def test_and_no_longer_than_asked_for(read: str) -> None:
    session, time, _ = paced("real_time")
    session.tick()
    session.run(1)
    session.take("cells.v")
    steps, _ = session.take("cells", wait=0.0105)["cells"] if read == "take" else READS[read](session, 0.0105)
    assert len(steps) == 0
    assert time.now == near(100.001 + 0.0105)
    assert session.step == 11


@pytest.mark.parametrize("mode", ["free", "locked"])
def test_nothing_comes_by_waiting_where_the_chip_waits_for_its_host(mode: str) -> None:
    session, time, _ = paced(mode)
    session.run(1)
    now = time.now
    assert len(session.take("cells", wait=60)["cells"][0]) == 0
    assert (session.step, time.now) == (1, near(now))


@pytest.mark.parametrize("read", ["take", "spikes", "records"])
@pytest.mark.parametrize("wait", [-1, 60.1, float("nan"), "1 s", True, None])
def test_what_is_no_time_to_wait(read: str, wait: Any) -> None:
    session, _, _ = paced("real_time")
    with pytest.raises(InvalidInput) as caught:
        getattr(session, read)("cells", wait=wait)
    assert str(caught.value) == f"wait must be a number of seconds from 0 to 60; found {wait!r}"


@pytest.mark.parametrize("mode", ["free", "locked", "real_time"])
def test_progress_is_told_by_the_clock(mode: str) -> None:
    session, time, _ = paced(mode)
    session.tick()
    told: list[tuple[int, int, float]] = []
    session.run("500 ms", lambda done, total: told.append((done, total, time.now)))
    assert told[-1][:2] == (500, 500)
    assert len(told) > 5
    for done, total, now in told:
        assert total == 500
        assert now == (near(100 + 0.001 * done) if mode != "free" else near(100))
