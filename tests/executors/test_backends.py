"""The table of backends and its plug-ins."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest

from neuroport import backends
from neuroport.errors import Unsupported


def point(name: str, value: str) -> metadata.EntryPoint:
    return metadata.EntryPoint(name, value, backends.GROUP)


@pytest.fixture
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> list[metadata.EntryPoint]:
    """The entry points that seem to be installed."""
    installed: list[metadata.EntryPoint] = []

    def entry_points(group: str) -> Any:
        assert group == "neuroport.backends"
        return metadata.EntryPoints(installed)

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    return installed


def test_built_in_backends(plug_ins: list[metadata.EntryPoint]) -> None:
    assert backends.names() == ("emulator", "genn", "reference")
    for name in backends.names():
        assert backends.load(name).name == name


def test_importing_the_table_imports_no_backend() -> None:
    code = (
        "import sys, neuroport.backends; "
        "print([m for m in sys.modules if m.startswith('neuroport.backends.') or m == 'numba'])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_plug_in(plug_ins: list[metadata.EntryPoint]) -> None:
    plug_ins.append(point("mine", "neuroport.backends.reference:Reference"))
    assert backends.names() == ("emulator", "genn", "mine", "reference")
    assert backends.load("mine").check is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "referense",
            "there is no backend 'referense'; the backends are emulator, genn, reference; did you mean 'reference'?",
        ),
        ("xyz", "there is no backend 'xyz'; the backends are emulator, genn, reference; choose one of these"),
    ],
)
def test_unknown_name(plug_ins: list[metadata.EntryPoint], name: str, message: str) -> None:
    with pytest.raises(Unsupported) as error:
        backends.load(name)
    assert str(error.value) == message


def test_a_plug_in_cannot_take_a_built_in_name(plug_ins: list[metadata.EntryPoint]) -> None:
    plug_ins.append(point("reference", "other.module:Thing"))
    for call in (backends.names, lambda: backends.load("reference"), lambda: backends.load("emulator")):
        with pytest.raises(Unsupported) as error:
            call()
        assert str(error.value) == (
            "the backend name 'reference' of an unnamed package (other.module:Thing) is already that of a backend of "
            "neuroport itself; uninstall one of the two or rename the entry point"
        )


def test_two_plug_ins_cannot_share_a_name(plug_ins: list[metadata.EntryPoint]) -> None:
    plug_ins += [point("fast", "one:Backend"), point("fast", "two:Backend")]
    with pytest.raises(Unsupported) as error:
        backends.names()
    assert str(error.value) == (
        "the backend name 'fast' is claimed by an unnamed package (one:Backend) and by an unnamed package "
        "(two:Backend); uninstall one of the two or rename one entry point"
    )


def test_a_plug_in_that_cannot_be_imported(plug_ins: list[metadata.EntryPoint]) -> None:
    plug_ins.append(point("broken", "neuroport_no_such_module:Backend"))
    with pytest.raises(Unsupported) as error:
        backends.load("broken")
    assert str(error.value) == (
        "the backend 'broken' of an unnamed package (neuroport_no_such_module:Backend) cannot be imported: "
        "No module named 'neuroport_no_such_module'; reinstall that package"
    )
