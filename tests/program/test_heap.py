"""What passes let go of is not kept."""

from __future__ import annotations

import ctypes
import gc
import weakref

import pytest

from neuroport.program.heap import tidy


class Ring:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_what_holds_itself_is_let_go_of() -> None:
    gc.disable()
    try:
        known = weakref.ref(Ring())
        assert known() is not None
        tidy()
        assert known() is None
    finally:
        gc.enable()


def test_c_libraries_that_cannot_give_memory_back_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    tidy()
