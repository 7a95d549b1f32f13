"""What a host does with a session in a program of its own, on every executor."""

from __future__ import annotations

import pytest

from neuroport import backends
from neuroport.session.session import Session, open_session
from tests.support.surface import Opening, Surface, made


class TestLocal(Surface):
    """A session in this process."""

    @pytest.fixture(params=["reference", "emulator", "genn"])
    def opening(self, request: pytest.FixtureRequest) -> Opening:
        backend = backends.load(request.param)
        missing = backend.missing()
        if missing:
            pytest.skip(missing)

        def opened(**options: object) -> Session:
            return open_session(*made(), backend, **options)  # type: ignore[arg-type]

        return opened
