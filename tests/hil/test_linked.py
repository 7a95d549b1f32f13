"""A session behind a link: in which step writes act, in which reply spikes are, and what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.disk import tree
from neuroport.errors import InvalidInput
from neuroport.hil.checkpoints import UNDER_WAY, UnderWay
from neuroport.hil.link import Direction, Jitter, Link
from neuroport.hil.linked import Linked
from neuroport.session.exchange import Exchange, Write
from tests.support.looped import opened

KICK = Write("cells.i", [2.0], [1])
"""Has cell 1 spike in the step in which it acts."""


def linked(seed: int = 1, whole: bool = True, back: Direction | None = None, **to: Any) -> Linked:
    link = Link(seed=seed, to_chip=Direction(**to), from_chip=back or Direction(), whole_messages=whole)
    return Linked(opened(), link)


def seal(saved: UnderWay) -> str:
    """What tells two states of a link from each other."""
    return tree.seal(UNDER_WAY.write(saved))  # type: ignore[arg-type]


def acted(session: Linked, *writes: Write, steps: int = 20) -> tuple[list[int], Exchange]:
    """The steps in which cells spiked, as the bench sees it, and the reply to the writes."""
    reply = session.exchange(writes, steps, ["cells"])
    return session.spikes("cells")[0].tolist(), reply


def heard(session: Linked, steps: Sequence[int]) -> list[list[int]]:
    """The steps of spikes in the replies to exchanges of so many steps."""
    return [session.exchange((), n, ["cells"]).outputs["cells"][0].tolist() for n in steps]


# ------------------------------------------------------------------------------------------------------ to the chip


def test_a_link_that_does_nothing_changes_nothing() -> None:
    with linked() as session, opened() as bare:
        for inputs in ([KICK], [], [Write("cells.drive", [0.0, 1.0, 2.0, 0.0])], []):
            one, other = (
                session.exchange(inputs, 3, ["cells", "cells.v"]),
                bare.exchange(inputs, 3, ["cells", "cells.v"]),
            )
            assert (one.step, one.late, one.dropped) == (other.step, other.late, other.dropped)
            for name in ("cells", "cells.v"):
                assert [a.tolist() for a in one.outputs[name]] == [a.tolist() for a in other.outputs[name]]
        assert session.digest() == bare.digest()


@pytest.mark.parametrize(
    ("latency", "at", "acts", "late"),
    [
        (0, None, 5, 0),
        (4, None, 9, 0),
        (4, 9, 9, 0),
        (4, 8, 9, 1),
        (4, 10, 10, 0),
        (0, 5, 5, 0),
        (0, 4, 5, 1),
    ],
)
def test_a_write_of_step_5_acts_when_it_arrives_or_at_its_stamp(
    latency: int, at: int | None, acts: int, late: int
) -> None:
    """max(at, 5 + latency); late is what acts after its stamp, and what has no stamp is never late."""
    with linked(latency=latency) as session:
        session.run(5)
        spikes, reply = acted(session, Write("cells.i", [2.0], [1], at=at))
        assert spikes == [acts]
        assert reply.late == late == session.stats()["late"]


def test_jitter_counts_as_lateness_like_latency() -> None:
    with linked(latency=1, jitter=Jitter((2,), (1.0,))) as session:
        assert acted(session, Write("cells.i", [2.0], [1], at=3))[1].late == 0
    with linked(latency=1, jitter=Jitter((2,), (1.0,))) as session:
        assert acted(session, Write("cells.i", [2.0], [1], at=2))[1].late == 1


def test_lateness_is_counted_in_numbers() -> None:
    with linked(latency=3) as session:
        assert acted(session, Write("cells.i", [2.0, 2.0], [1, 2], at=1))[1].late == 2


def test_a_write_holds_as_long_as_without_a_link() -> None:
    with linked(latency=2) as session:
        assert acted(session, Write("cells.i", [2.0], [1], hold=3))[0] == [2, 3, 4]


def test_a_variable_is_written_when_its_write_arrives() -> None:
    with linked(latency=2) as session:
        seen = []
        session.exchange([Write("cells.drive", [1.0, 0.0, 0.0, 0.0])], 0)
        for _ in range(4):
            session.run(1)
            seen.append(session.get("cells.drive")[0])
        assert seen == [0, 1, 1, 1]  # it acts in step 2, and stands there before it


def test_the_last_write_that_was_sent_stays_where_order_is_kept() -> None:
    def last(order: Any) -> float:
        with linked(jitter=Jitter((0, 5), (0.5, 0.5)), order=order, seed=3) as session:
            for k in range(20):
                session.exchange([Write("cells.drive", k / 20)], 1)
            session.run(10)
            return float(session.get("cells.drive")[0])

    assert last("keep") == pytest.approx(19 / 20, abs=1e-3)


def test_a_lost_write_never_acts_and_is_counted_in_numbers() -> None:
    with linked(drop=1.0) as session:
        spikes, reply = acted(session, KICK, Write("cells.drive", [1.0, 1.0, 1.0, 1.0]))
        assert (spikes, reply.dropped) == ([], 5)
        assert session.stats()["dropped"] == 5
        assert session.get("cells.drive").tolist() == [0, 0, 0, 0]


def test_what_is_lost_is_refused_like_what_arrives() -> None:
    with linked(drop=1.0) as session:
        with pytest.raises(InvalidInput) as caught:
            session.exchange([Write("cells.drive", 99.0)])
        assert str(caught.value).startswith("'cells.drive': 99")
        assert session.stats()["dropped"] == 0
        assert session.step == 0


def test_numbers_are_lost_by_themselves_where_the_link_says_so() -> None:
    with linked(drop=0.5, whole=False) as session:
        reply = session.exchange([Write("cells.drive", [1.0] * 4)] * 5, 1)
        lost = 4 - int(session.get("cells.drive").sum())
        assert 0 < reply.dropped < 20
        assert 0 <= lost < 4
    with linked(drop=0.5, whole=False) as session:
        first = session.exchange([Write("cells.drive", [1.0] * 4)], 1)
        assert first.dropped == 4 - int(session.get("cells.drive").sum())


def test_surplus_of_a_narrow_link_acts_later_number_by_number() -> None:
    with linked(bandwidth=1, queue=2, whole=False) as session:
        reply = session.exchange([Write("cells.i", [2.0] * 4, [0, 1, 2, 3])], 6, ["cells"])
        assert [a.tolist() for a in reply.outputs["cells"]] == [[0, 1, 2], [0, 1, 2]]
        assert reply.dropped == 1


def test_what_is_refused_changes_nothing_of_the_link() -> None:
    with linked(drop=0.5, latency=1) as session:
        session.exchange([KICK], 1, ["cells"])
        before = seal(session.saved())
        for writes, steps, out in (([Write("cells.i", [99.0], [1])], 1, []), ([], -1, []), ([KICK], 1, ["nobody"])):
            with pytest.raises(InvalidInput):
                session.exchange([KICK, *writes], steps, out)
        assert seal(session.saved()) == before
        assert session.step == 1


# ---------------------------------------------------------------------------------------------------- from the chip


@pytest.mark.parametrize("latency", [0, 1, 3])
def test_a_spike_of_step_2_is_in_the_reply_at_step_3_and_latency(latency: int) -> None:
    with linked(back=Direction(latency=latency)) as session:
        session.exchange([Write("cells.i", [2.0], [1], at=2)], 1, ["cells"])
        replies = heard(session, [1] * 8)
        assert replies.index([2]) == 1 + latency  # the replies are given at steps 2, 3, 4 ...
        assert sum(map(len, replies)) == 1


def test_pieces_do_not_change_what_arrives() -> None:
    back = Direction(latency=2, jitter=Jitter((0, 1, 4), (0.4, 0.3, 0.3)), drop=0.3, burst=2.0, bandwidth=3, queue=4)

    def run(pieces: list[int]) -> tuple[list[Any], int]:
        with linked(back=back) as session:
            session.set("cells.drive", [0.5, 1.0, 2.0, 0.3])
            got = [session.exchange((), n, ["cells", "others", "cells.v"]).outputs for n in pieces]
            rows = {name: np.concatenate([one[name][0] for one in got]) for name in got[0]}
            values = {name: np.concatenate([one[name][1] for one in got]) for name in got[0]}
            return [sorted(zip(rows[n].tolist(), values[n].tolist(), strict=True)) for n in rows], session.stats()[
                "dropped"
            ]

    ones, tens, mixed = run([1] * 60), run([10] * 6), run([7, 13, 1, 39])
    assert ones == tens == mixed
    assert ones[1] > 0


def test_spikes_of_one_reply_are_sorted_by_step_whatever_came_first() -> None:
    back = Direction(jitter=Jitter((0, 6), (0.5, 0.5)), order="free")
    with linked(back=back) as session:
        session.set("cells.drive", 1.0)
        for _ in range(10):
            steps, neurons = session.exchange((), 5, ["cells"]).outputs["cells"]
            assert list(zip(steps, neurons, strict=True)) == sorted(zip(steps, neurons, strict=True))


def test_values_arrive_later_too() -> None:
    with linked(back=Direction(latency=2)) as session:
        session.set("cells.drive", 1.0)
        got = [session.exchange((), 1, ["cells.drive"]).outputs["cells.drive"] for _ in range(4)]
        assert [steps.tolist() for steps, _ in got] == [[], [], [0], [1]]


def test_what_nobody_asked_for_waits_until_it_is_taken() -> None:
    with linked(back=Direction(latency=1)) as session:
        session.exchange([KICK], 1, ["cells"])
        session.run(5)
        assert session.take("cells")["cells"][0].tolist() == [0]
        assert session.take("cells")["cells"][0].tolist() == []


def test_take_of_nothing_named_is_all_that_is_recorded() -> None:
    with linked() as session:
        session.exchange([KICK], 4)
        assert {name: steps.tolist() for name, (steps, _) in session.take().items()} == {
            "cells": [0],
            "others": [2, 2],
            "cells.v": [0, 1, 2, 3],
        }


# ------------------------------------------------------------------------------------------------------------- whole


def test_a_lossy_session_is_the_same_again_and_another_seed_gives_another() -> None:
    way: dict[str, Any] = {"latency": 1, "jitter": Jitter((0, 1, 2), (0.5, 0.25, 0.25)), "drop": 0.3}

    def digest(seed: int) -> str:
        with linked(seed, back=Direction(**way), **way) as session:
            for k in range(40):
                reply = session.exchange([Write("cells.i", [2.0], [k % 4])], 1, ["others"])
                if len(reply.outputs["others"][0]):
                    session.inject("cells.i", [3], [1.5])
            return str(session.digest())

    assert digest(1) == digest(1) != digest(2)


def test_it_says_which_link_it_has() -> None:
    with linked(latency=3) as session:
        described = session.describe()
        assert described["kind"] == "emulator"
        assert described["link"]["to_chip"]["latency"] == 3


def test_a_session_and_its_link_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    way: dict[str, Any] = {"latency": 3, "jitter": Jitter((0, 1, 2), (0.5, 0.25, 0.25)), "drop": 0.3, "burst": 2.0}
    way |= {"bandwidth": 3, "queue": 4}

    def go_on(session: Linked) -> list[Any]:
        replies = [session.exchange([KICK], 1, ["cells"]) for _ in range(20)]
        rows = [[a.tolist() for a in reply.outputs["cells"]] for reply in replies]
        return [rows, [(reply.late, reply.dropped) for reply in replies], session.digest(), session.stats()["dropped"]]

    with linked(back=Direction(**way), **way) as session, linked(back=Direction(**way), **way) as other:
        session.set("cells.drive", 0.7)
        session.exchange([KICK, Write("cells.i", 1.0, at=25)], 10, ["cells"])
        saved = session.checkpoint(tmp_path / "c.h5")
        expected = go_on(session)
        for checkpoint in (saved, tmp_path / "c.h5"):
            other.exchange([KICK], 7, ["cells"])
            other.restore(checkpoint)
            assert go_on(other) == expected


def test_what_nobody_asked_for_yet_is_under_way_in_a_checkpoint_too(tmp_path: Path) -> None:
    def go_on(session: Linked) -> list[Any]:
        reply = session.exchange((), 2, ["cells", "cells.v"])
        return [[part.tolist() for part in train] for train in reply.outputs.values()] + [reply.dropped]

    with linked(back=Direction(latency=4)) as session:
        session.set("cells.drive", 1.5)
        session.exchange({}, 8)
        saved = session.checkpoint(tmp_path / "c.h5")
        with session.fork()[0] as fork:
            found = [go_on(fork)]
            expected = go_on(session)
            for checkpoint in (saved, tmp_path / "c.h5"):
                session.restore(checkpoint)
                found.append(go_on(session))
        assert found == [expected] * 3
        assert sorted(set(expected[0][0])) == list(range(6))


def test_a_checkpoint_without_a_link_is_none_of_a_session_behind_one(tmp_path: Path) -> None:
    with linked() as session, opened() as bare:
        for checkpoint in (bare.checkpoint(tmp_path / "c.h5"), tmp_path / "c.h5"):
            with pytest.raises(InvalidInput) as caught:
                session.restore(checkpoint)
            assert str(caught.value) == (
                "this session is behind a link, and the checkpoint is of one that is not; open one without a link"
            )


# ---------------------------------------------------------------------------------- what is set, and runs that are told


def test_what_is_set_passes_no_link() -> None:
    with linked(latency=3, drop=1.0) as session:
        session.set("cells.drive", 1.5)
        assert session.get("cells.drive").tolist() == [1.5] * 4
        assert session.stats()["dropped"] == 0


@pytest.mark.parametrize("name", ["cells.drive", "cells.gain", "across.w"])
def test_but_where_the_link_says_so_it_is_sent(name: str) -> None:
    """And acts, whole, in the step in which it arrives."""
    link = Link(to_chip=Direction(latency=3), configure=True)
    with Linked(opened(), link) as session:
        before = session.get(name).tolist()
        session.set(name, 0.5)
        for _ in range(3):
            assert session.get(name).tolist() == before
            session.run(1)
        session.run(1)
        assert (session.get(name) == 0.5).all()


def test_and_can_be_lost_and_clipped_and_refused() -> None:
    with Linked(opened(), Link(to_chip=Direction(drop=1.0), configure=True)) as session:
        session.set("cells.drive", [0.5, 0.5, 0.5, 0.5])
        session.run(1)
        assert session.get("cells.drive").tolist() == [0.0] * 4
        assert session.stats()["dropped"] == 4
        with pytest.raises(InvalidInput) as caught:
            session.set("cells.drive", 9)
        assert str(caught.value).startswith("'cells.drive': 9 of neuron 0 is outside -2 .. 2, its declared range")
    with Linked(opened(), Link(configure=True)) as session:
        session.set("cells.drive", 9, clip=True)
        assert session.get("cells.drive").tolist() == pytest.approx([2.0] * 4)


def test_a_run_whose_progress_is_told_passes_the_link_like_any_other() -> None:
    ends, told = [], list[tuple[int, int]]()
    for progress in (None, lambda done, total: told.append((done, total))):
        back = Direction(latency=2, drop=0.3, bandwidth=2)
        with linked(back=back, latency=2, drop=0.3) as session:
            session.exchange([Write("cells.drive", 1.0, hold=50)], 1, ["cells"])
            session.run("200 ms", progress)
            arrived = session.exchange((), 3, ["cells"]).outputs["cells"]
            ends.append(([values.tolist() for values in arrived], session.digest(), session.stats()["dropped"]))
    assert ends[0] == ends[1]
    assert told[-1] == (200, 200)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert len(told) > 1


def test_what_cannot_be_run_is_refused_before_anything_is() -> None:
    with linked() as session, pytest.raises(InvalidInput) as caught:
        session.run(-1, print)
    assert str(caught.value) == "a run cannot last -1 steps; give a number of steps from 0 to 2**62"


def test_a_run_that_is_interrupted_has_sent_what_it_sent() -> None:
    """What has acted is not taken back: its draws and counts are not those of the next message."""
    with linked(drop=0.5) as session, linked(drop=0.5) as other:

        def stop() -> bool:
            raise KeyboardInterrupt

        session.end_when(stop)
        with pytest.raises(KeyboardInterrupt):
            session.exchange([KICK] * 4, 5_000)
        session.end_when(lambda: False)
        other.exchange([KICK] * 4, session.step)
        assert session.stats()["dropped"] == other.stats()["dropped"] > 0
        for one in (session, other):
            one.exchange([KICK] * 4, 3, ["cells"])
        assert session.digest() == other.digest()
        assert seal(session.saved()) == seal(other.saved())


@pytest.mark.parametrize("odd", [None, 3, "link.yaml", {}])
def test_what_is_no_link_is_refused(odd: Any) -> None:
    with opened() as session, pytest.raises(InvalidInput) as error:
        Linked(session, odd)
    assert str(error.value) == f"link must be a link, as neuroport.hil.link.load(FILE, dt) gives it; found {odd!r}"
