"""What is measured of each published model: one module per model with a `MODEL`; the table finds them by itself."""

from __future__ import annotations

from tests.support.published.model import Model, Numbers, Row, entries

__all__ = ["Model", "Numbers", "Row", "models"]


def models() -> list[Model]:
    """All of them, sorted by the names of their networks."""
    return entries(__name__)
