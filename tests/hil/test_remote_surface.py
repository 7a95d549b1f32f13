"""What a host does with a session that is spoken to by messages: the suite that sessions here pass."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from neuroport.backends.reference import Reference
from neuroport.hil.client import Remote
from neuroport.session.session import open_session
from tests.support.looped import answering
from tests.support.surface import Opening, Surface, made

pytest.importorskip("msgpack", reason="serving needs msgpack: pip install 'neuroport[hil]'")


class TestRemote(Surface):
    """A session that is spoken to by messages."""

    @pytest.fixture(params=["tcp", "plain"])
    def opening(self, request: pytest.FixtureRequest) -> Opening:
        if request.param == "tcp":
            pytest.importorskip("zmq", reason="ZeroMQ needs pyzmq: pip install 'neuroport[hil]'")

        def opened(**options: object) -> AbstractContextManager[Remote]:
            session = open_session(*made(), Reference(), **options)  # type: ignore[arg-type]
            return answering(session, f"{request.param}://127.0.0.1:0")

        return opened
