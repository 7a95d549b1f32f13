"""What stands before a session, and does nothing to it, does with a program what the session does."""

from __future__ import annotations

from typing import Any

import pytest

from neuroport.backends.reference import Reference
from neuroport.hil.link import Link
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
