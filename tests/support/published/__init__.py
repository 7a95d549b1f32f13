"""What is measured of each published model: one module per model with a `MODEL`; the table finds them by itself."""

from __future__ import annotations

import importlib
import pkgutil

from tests.support.published.model import Model, Numbers, Row

__all__ = ["Model", "Numbers", "Row", "models"]


def models() -> list[Model]:
    """All of them, sorted by the names of their networks."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return sorted((module.MODEL for module in modules if hasattr(module, "MODEL")), key=lambda model: model.network)
