"""One direction of a link: when messages arrive, to the step, and which do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroport.hil.link import Direction, Jitter
from neuroport.hil.wire import LOST, Message, Wire

L = LOST


def wire(whole: bool = True, seed: int = 1, name: str = "to_chip", **way: Any) -> Wire:
    return Wire(Direction(**way), name, seed, whole)


def sent(made: Wire, step: int, events: int = 1, number: int | None = None, port: str = "p") -> list[int]:
    return made.send(Message(port, step if number is None else number, step, events)).tolist()


def test_without_a_link_everything_arrives_in_the_step_in_which_it_is_sent() -> None:
    assert sent(wire(), 7, 3) == [7, 7, 7]
    assert sent(wire(whole=False), 7, 3) == [7, 7, 7]


def test_latency_is_that_many_steps() -> None:
    assert sent(wire(latency=4), 7) == [11]


def test_a_message_without_events_takes_its_time_too() -> None:
    assert sent(wire(latency=4, bandwidth=1), 7, 0) == []


def test_jitter_has_both_its_ends() -> None:
    made = wire(latency=2, jitter=Jitter((1, 2, 3), (1 / 3,) * 3), order="free")
    delays = np.array([sent(made, step)[0] - step for step in range(3000)])
    counts = np.bincount(delays)
    assert counts[:3].tolist() == [0, 0, 0] and len(counts) == 6
    assert all(abs(count - 1000) < 100 for count in counts[3:])


def test_jitter_of_a_table_has_its_probabilities() -> None:
    made = wire(jitter=Jitter((0, 5), (0.9, 0.1)), order="free")
    delays = [sent(made, step)[0] - step for step in range(5000)]
    assert set(delays) == {0, 5}
    assert abs(delays.count(5) / 5000 - 0.1) < 0.02


def test_a_row_of_probability_0_never_comes() -> None:
    made = wire(jitter=Jitter((0, 1, 9), (0.5, 0.5, 0.0)), order="free")
    assert {sent(made, step)[0] - step for step in range(500)} == {0, 1}


def test_order_keep_never_overtakes_and_free_does() -> None:
    jitter = Jitter((0, 9), (0.5, 0.5))
    free = [sent(wire(jitter=jitter, order="free"), step)[0] for step in range(200)]
    made = wire(jitter=jitter)
    kept = [sent(made, step)[0] for step in range(200)]
    assert free != sorted(free)
    assert kept == np.maximum.accumulate(free).tolist()


def test_order_holds_between_the_events_of_a_message() -> None:
    made = wire(whole=False, jitter=Jitter((0, 9), (0.5, 0.5)))
    arrivals = sent(made, 0, 50)
    assert set(arrivals) == {0, 9}
    assert arrivals == sorted(arrivals)


def test_order_holds_between_ports() -> None:
    made = wire(jitter=Jitter((0, 9), (0.5, 0.5)))
    arrivals = [sent(made, step, port="ab"[step % 2])[0] for step in range(200)]
    assert arrivals == sorted(arrivals)


@pytest.mark.parametrize(("drop", "lost"), [(0.0, 0), (1.0, 100)])
def test_probabilities_0_and_1_are_never_and_always(drop: float, lost: int) -> None:
    made = wire(drop=drop)
    assert sum(sent(made, step) == [L] for step in range(100)) == lost == made.dropped


def test_a_message_is_lost_whole() -> None:
    made = wire(drop=0.5)
    found = [sent(made, step, 4) for step in range(100)]
    assert all(len(set(one)) == 1 for one in found)
    assert 30 < made.dropped / 4 < 70
    assert made.dropped == sum(one.count(L) for one in found)


def test_or_each_event_by_itself() -> None:
    made = wire(whole=False, drop=0.5, jitter=Jitter((0, 1), (0.5, 0.5)), order="free")
    found = [sent(made, step, 40) for step in range(10)]
    assert all(set(one) == {L, step, step + 1} for step, one in enumerate(found))
    assert made.dropped == sum(one.count(L) for one in found)
    assert 150 < made.dropped < 250


def test_losses_come_in_bursts() -> None:
    made = wire(drop=0.2, burst=5.0)
    lost = np.array([sent(made, step)[0] == L for step in range(20000)])
    assert abs(lost.mean() - 0.2) < 0.03
    starts = np.count_nonzero(lost[1:] & ~lost[:-1]) + lost[0]
    assert abs(lost.sum() / starts - 5) < 0.5


def test_bursts_of_each_port_are_its_own() -> None:
    made, alone = wire(drop=0.3, burst=5.0), wire(drop=0.3, burst=5.0)
    both = [(sent(made, step, port="a"), sent(made, step, port="b")) for step in range(50)]
    assert [a for a, _ in both] == [sent(alone, step, port="a") for step in range(50)]
    assert [a for a, _ in both] != [b for _, b in both]


def test_what_is_lost_depends_on_seed_direction_port_and_number_and_on_nothing_else() -> None:
    def lost(made: Wire, port: str = "p", first: int = 0) -> list[bool]:
        return [sent(made, 5, number=first + k, port=port) == [L] for k in range(64)]

    base = lost(wire(drop=0.5))
    assert base == lost(wire(drop=0.5, latency=3, bandwidth=1, queue=100))
    others = [lost(wire(drop=0.5, seed=2)), lost(wire(drop=0.5, name="from_chip")), lost(wire(drop=0.5), "q")]
    assert all(other != base for other in others)
    assert lost(wire(drop=0.5), first=32)[:32] == base[32:]


def test_surplus_waits_in_order() -> None:
    made = wire(whole=False, bandwidth=2)
    assert sent(made, 0, 5) == [0, 0, 1, 1, 2]
    assert sent(made, 0, 2) == [2, 3]
    assert sent(made, 1, 1) == [3]
    assert sent(made, 9, 3) == [9, 9, 10]


def test_a_message_arrives_with_its_last_event() -> None:
    made = wire(bandwidth=2)
    assert sent(made, 0, 5) == [2] * 5
    assert sent(made, 0, 1) == [2]
    assert sent(made, 0, 1) == [3]


def test_the_queue_holds_exactly_so_many_and_the_newest_is_dropped() -> None:
    made = wire(whole=False, bandwidth=2, queue=3)
    assert sent(made, 4, 7) == [4, 4, 5, 5, 6, L, L]
    assert made.dropped == 2
    assert sent(made, 4, 1) == [L]
    assert sent(made, 5, 3) == [6, 7, L]  # in step 5 two leave, so that one waits and two more may
    assert sent(made, 6, 2) == [7, 8]


def test_a_queue_of_0_lets_nothing_wait() -> None:
    made = wire(whole=False, bandwidth=2, queue=0)
    assert sent(made, 0, 3) == [0, 0, L]
    assert sent(made, 1, 1) == [1]


def test_a_message_that_does_not_fit_whole_is_dropped_whole_and_takes_no_place() -> None:
    made = wire(bandwidth=2, queue=3)
    assert sent(made, 0, 6) == [L] * 6
    assert made.dropped == 6
    assert sent(made, 0, 5) == [2] * 5


def test_what_is_lost_on_the_way_has_taken_its_place_at_the_door() -> None:
    made = wire(whole=False, bandwidth=1, drop=0.5, seed=3)
    arrivals = [sent(made, 0, 1, number=k)[0] for k in range(20)]
    assert L in arrivals
    assert all(arrival in (L, k) for k, arrival in enumerate(arrivals))


def test_it_goes_on_from_what_was_saved() -> None:
    way = {"drop": 0.3, "burst": 3.0, "bandwidth": 2, "queue": 5, "jitter": Jitter((0, 4), (0.5, 0.5))}
    whole, half, other = wire(False, **way), wire(False, **way), wire(False, **way)
    expected = [sent(whole, k // 2, k % 4) for k in range(100)]
    first = [sent(half, k // 2, k % 4) for k in range(37)]
    other.restore(half.saved())
    assert first + [sent(other, k // 2, k % 4) for k in range(37, 100)] == expected
    assert other.dropped == whole.dropped
