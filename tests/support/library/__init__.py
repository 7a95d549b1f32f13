"""What is measured of the models of the library: one module per model with a `MODEL`; found by the table."""

from __future__ import annotations

from tests.support.published.model import Model, entries

__all__ = ["models"]


def models() -> list[Model]:
    """All of them, sorted by name."""
    return entries(__name__)
