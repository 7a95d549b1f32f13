"""Errors between processes."""

from __future__ import annotations

import copy
import pickle

import pytest

from neuroport import errors
from neuroport.errors import Place, Problem

PLACE = Place("net.yaml", 3, 4)
ERRORS = (
    errors.InvalidInput([Problem(PLACE, "one"), Problem(None, "two")]),
    errors.TooLarge.one(PLACE, "it does not fit"),
    errors.UnknownName.one(None, "there is no 'a'"),
    errors.UnknownKey.one(PLACE, "there is no 'a'"),
    errors.Unsupported("not here"),
    errors.RunFailed("ended"),
    errors.NotWritten(PLACE, "the disk is full", (1, 2)),
    errors.InternalError("a fault"),
)


def test_all_kinds_are_here() -> None:
    def kinds(kind: type[errors.NeuroportError]) -> set[type[errors.NeuroportError]]:
        return {kind}.union(*map(kinds, (k for k in kind.__subclasses__() if k.__module__ == errors.__name__)))

    assert kinds(errors.NeuroportError) == {errors.NeuroportError, *map(type, ERRORS)}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_in_another_process(error: errors.NeuroportError) -> None:
    error.add_note("a note")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(other), str(other), other.__dict__) == (type(error), str(error), error.__dict__)
        assert other.exit_code == error.exit_code
