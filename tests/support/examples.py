"""The programs in examples/ as modules."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.support.checkout import ROOT


def example(name: str) -> ModuleType:
    """The program of that name, not run."""
    key = f"examples_{name}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, ROOT / "examples" / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[key]
