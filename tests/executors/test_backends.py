"""The table of backends and its plug-ins."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from neuroport import backends
from neuroport.cli import main
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
        "print([m for m in sys.modules if m.startswith('neuroport.backends.') or m == 'llvmlite'])"
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
            "there is no backend 'referense'; the backends are emulator, genn, reference, and 'auto' for a run; "
            "did you mean 'reference'?",
        ),
        (
            "xyz",
            "there is no backend 'xyz'; the backends are emulator, genn, reference, and 'auto' for a run; "
            "choose one of these",
        ),
        (
            "auto",
            "the backend 'auto' is chosen where a network is run or a session opened, and not here; name one of "
            "emulator, genn, reference",
        ),
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


ODD = """
import os
def exits(): raise SystemExit(3)
def fails(): raise KeyError("odd")
def none(): return None
class Lacks:
    name = "odd"
class Asks:
    name = "odd"
    def missing(self): raise RuntimeError("no\\nlicence")
    def check(self, program): return ()
    def open(self, *_): raise RuntimeError
"""
OF = "the backend 'odd' of an unnamed package (odd_plug_in:{})"
PLUG_INS = {
    "exits": f"{OF} cannot be imported: 3; reinstall that package",
    "fails": f"{OF} cannot be imported: 'odd'; reinstall that package",
    "nothing": f"{OF} cannot be imported: module 'odd_plug_in' has no attribute 'nothing'; reinstall that package",
    "none": f"{OF} is none: it lacks name, missing, check, open; what a backend has stands in "
    "neuroport.program.executor; install another version of that package",
    "Lacks": f"{OF} is none: it lacks missing, check, open; what a backend has stands in neuroport.program.executor; "
    "install another version of that package",
    "Asks": "the backend 'odd' fails when it is asked what it needs: no licence",
}


@pytest.mark.parametrize("thing", PLUG_INS)
def test_an_odd_plug_in_is_a_sentence(
    thing: str, plug_ins: list[metadata.EntryPoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_plug_in.py").write_text(ODD)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "odd_plug_in", raising=False)
    plug_ins.append(point("odd", f"odd_plug_in:{thing}"))
    sentence = PLUG_INS[thing].format(thing)
    assert backends.missing("odd") == sentence
    assert "odd" not in backends.ready() and "reference" in backends.ready()
    listed = CliRunner().invoke(main, ["list", "backends", "--json"], catch_exceptions=False)
    assert {row["name"]: row["missing"] for row in json.loads(listed.stdout)["backends"]}["odd"] == sentence
    found = CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
    assert "note  backend odd" in found.stdout and sentence in found.stdout
    if thing != "Asks":
        ran = CliRunner().invoke(main, ["run", "sal_pair", "--backend", "odd"], catch_exceptions=False)
        assert (ran.exit_code, ran.stderr.splitlines()[-1]) == (2, f"error: {sentence}")
