"""What `neuroport run` says of the executor: with --backend auto, and of one that is a bad choice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from neuroport.api import executor
from neuroport.api.costs import Better
from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import Genn, devices
from neuroport.cli import main

NOTE = (
    "note: emulator would be at least 5 times as fast as reference here, by 40.0 s or more; take it with --backend "
    "emulator\n"
)


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["run", "loihi_lif", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is chosen, something else is better."""
    monkeypatch.setattr(executor, "better", lambda *given: Better("emulator", 5.9, 40.0))
    monkeypatch.setattr(executor, "WORTH", 0.0)


@pytest.fixture(autouse=True)
def no_genn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "default", lambda: "cpu")
    monkeypatch.setattr(Genn, "missing", lambda self: "GeNN needs PyGeNN, which is not installed")


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator can do nothing, so that nothing is compiled."""
    monkeypatch.setattr(Emulator, "check", lambda self, program: ("it is too odd",))


@pytest.mark.usefixtures("odd")
def test_auto_says_which_and_why() -> None:
    told = call("--backend", "auto")
    assert told.stderr == "note: backend auto takes reference: the emulator cannot: it is too odd\n"
    assert "backend reference, seed 1" in told.stdout
    assert call("--backend", "auto", "-q").stderr == ""
    assert call("--backend", "auto", "--copies", "2").stderr == told.stderr


@pytest.mark.dear
def test_auto_takes_the_emulator_without_a_gpu() -> None:
    told = call("--backend", "auto")
    assert told.stderr == "note: backend auto takes emulator: there is no GPU here that GeNN can use\n"
    assert "backend emulator, seed 1" in told.stdout
    assert call().stderr == ""


@pytest.mark.usefixtures("bad")
def test_a_bad_choice_is_told_once() -> None:
    assert call("--backend", "reference").stderr == NOTE
    assert call("--backend", "reference", "--copies", "2").stderr == NOTE
    assert call("--backend", "reference", "-q").stderr == ""


@pytest.mark.usefixtures("bad")
def test_a_device_is_named_as_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "better", lambda *given: Better("genn on cuda", 3.2, 100.0))
    monkeypatch.setattr(executor, "_others", lambda *given: [("genn on cuda", Genn(device="cuda"))])
    monkeypatch.setattr(executor, "_fault", lambda *given: None)
    assert call("--backend", "reference").stderr == (
        "note: genn on cuda would be at least 3 times as fast as reference here, by 1 min 40 s or more; take it with "
        "--backend genn --device cuda\n"
    )


def test_a_good_choice_is_not_told() -> None:
    assert call("--backend", "reference").stderr == ""


def found(*arguments: str) -> dict[str, Any]:
    result = call("--json", *arguments)
    assert result.stderr == ""
    read: dict[str, Any] = json.loads(result.stdout)
    return read


@pytest.mark.usefixtures("bad", "odd")
def test_json_has_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = found("--backend", "auto", "--copies", "2")["copies"]
    assert [(copy["choice"]["backend"], copy["choice"]["better"]) for copy in copies] == [("reference", None)] * 2
    assert copies[0]["choice"]["reason"] == "the emulator cannot: it is too odd"
    monkeypatch.setattr(Emulator, "check", lambda self, program: ())
    choice = found("--backend", "reference")["choice"]
    assert (choice["backend"], choice["device"], choice["reason"]) == ("reference", None, None)
    assert choice["better"] == {"executor": "emulator", "factor": 5.9, "saved": 40.0}
    assert set(choice["seconds"]) == {"reference", "emulator"}
