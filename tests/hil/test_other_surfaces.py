"""What stands before a session, and does nothing to it, does with a program what the session does."""

from __future__ import annotations

from typing import Any

import pytest

from neuroport.backends.reference import Reference
from neuroport.hil.link import Direction, Link
from neuroport.hil.linked import Linked
from neuroport.hil.paced import Pace, Paced
from neuroport.session.session import open_session
from tests.support.surface import Opening, Surface, made


class TestBehind(Surface):
    """A session behind a link that is no further than a wire, and one that waits for no clock."""

    @pytest.fixture(params=["link", "pace", "both"])
    def opening(self, request: pytest.FixtureRequest) -> Opening:
        def opened(**options: object) -> Any:
            session = open_session(*made(), Reference(), **options)  # type: ignore[arg-type]
            linked = Linked(session, Link()) if request.param != "pace" else session
            return Paced(linked, Pace()) if request.param != "link" else linked

        return opened

    @pytest.fixture(autouse=True)
    def _kept(self, request: pytest.FixtureRequest) -> None:
        linked = request.node.callspec.params["opening"] != "pace"
        if linked and request.node.originalname in KEPT:
            pytest.skip("what is on a link is there until it is taken, whatever the session keeps")


KEPT = (
    "test_what_is_taken_is_given_once_and_what_was_lost_is_counted",
    "test_without_keep_an_exchange_still_answers",
)


def test_what_is_between_is_shown() -> None:
    here = open_session(*made(), Reference())
    there, back = Direction(latency=2, drop=0.1), Direction(latency=1)
    with Paced(Linked(here, Link(to_chip=there, from_chip=back)), Pace(mode="real_time", rate=2.0)) as session:
        assert repr(session) == (
            "<Paced of hosted on generic16 (integer), backend reference, seed 1\n"
            "  step 0 of 1 ms (0 s)\n"
            "  populations cells (3), others (2)\n"
            "  ports events, drive, action, level\n"
            "  records cells, others, cells.count\n"
            "  link of 2 steps to the chip, 1 from it; 10 % and 0 % are lost\n"
            "  pace real_time, rate 2>"
        )
    with Linked(open_session(*made(), Reference()), Link(to_chip=Direction(latency=1))) as plain:
        assert repr(plain).endswith("\n  link of 1 step to the chip, 0 from it>")
