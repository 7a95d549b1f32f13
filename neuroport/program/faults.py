"""Faults of neuroport itself, told with the statement in which they were noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from neuroport.errors import InternalError
from neuroport.program.ir import Stmt
from neuroport.program.printer import statement


@contextmanager
def inside(where: str, stmt: Stmt) -> Iterator[None]:
    """While a statement is translated: an InternalError names it."""
    try:
        yield
    except InternalError as error:
        raise InternalError(f"{where}, `{statement(stmt)}`: {error.text}") from error
