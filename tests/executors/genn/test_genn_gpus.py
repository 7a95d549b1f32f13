"""What is asked of the runtime library of a GPU, of libraries that answer in their place."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from neuroport.backends.genn import devices, gpus
from tests.support.gpu_libraries import answering


def put(monkeypatch: pytest.MonkeyPatch, device: str, library: Path) -> None:
    """Let PyGeNN's library for a device be this one."""
    module = ModuleType(f"pygenn.{device}_backend")
    module.__file__ = str(library)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_code_is_compiled_for_the_architectures_of_all_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for device, found in {"cuda": ("sm_80", "sm_90"), "hip": ("9.0 Card", "9.1 Card")}.items():
        put(monkeypatch, device, answering(tmp_path / f"{device}.so", device, count=2))
        assert devices.architectures(device) == gpus.architectures(device) == found
        put(monkeypatch, device, answering(tmp_path / f"{device}_without.so", device, code=35))
        assert gpus.architectures(device) == ()
        put(monkeypatch, device, answering(tmp_path / f"other_{device}.so", "other"))
        assert gpus.architectures(device) == ()
    (machine,) = devices.architectures("single_threaded_cpu")
    assert machine
