"""The table of `verify` over all networks and chips: what its rows say, and when it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import verify_all

SAME = {
    "identical": True, "arithmetic": "integer", "steps": 1200, "executors": ["emulator", "reference"], "skipped": {},
    "first_difference": None, "sensitivity": None,
}  # fmt: skip


def answers(monkeypatch: pytest.MonkeyPatch, *found: Any) -> list[list[str]]:
    """Let `verify` answer in turn: an object for --json, or a code and what it says on stderr."""
    asked: list[list[str]] = []
    left = list(found)

    def run(command: list[str], **_: Any) -> Any:
        asked.append(command)
        answer = left.pop(0)
        if isinstance(answer, dict):
            return subprocess.CompletedProcess(command, 0 if answer["identical"] else 1, json.dumps(answer), "")
        return subprocess.CompletedProcess(command, answer[0], "", answer[1])

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_identical_and_refused_pairs_are_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = (2, "a note\nerror: projection 'r' sends in every step\n")
    asked = answers(monkeypatch, SAME, refused)
    assert verify_all.main(["sal_pair", "--chip", "generic8", "--chip", "loihi1", "--workers", "1"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[2] == "| sal_pair | generic8 | 1,200 | emulator, reference | identical | 0 |  |"
    assert printed[3].startswith("| sal_pair | loihi1 |  |  | refused: error: projection 'r' sends in every step | 0 |")
    assert printed[-1] == "1 the same on all executors, 1 refused by the chip, 0 different or failed"
    assert [command[2:6] for command in asked] == [
        ["verify", "sal_pair", "--chip", "generic8"],
        ["verify", "sal_pair", "--chip", "loihi1"],
    ]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (SAME | {"identical": False, "first_difference": {"text": "after step 3: a | b"}}, "different**: after step 3"),
        ((1, "Traceback\nValueError: no\n"), "failed**: ValueError: no"),
        ((-9, ""), "failed**: ended with code -9"),
    ],
)
def test_a_difference_or_a_crash_is_a_failure(
    found: Any, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, SAME, found)
    assert verify_all.main(["sal_pair", "loihi_lif", "--chip", "generic8", "--workers", "1"]) == 1
    printed = capsys.readouterr().out
    assert text in printed and "a | b" not in printed
    assert printed.endswith("1 the same on all executors, 0 refused by the chip, 1 different or failed\n")


def test_what_is_shortened_further_and_which_specimen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answers(monkeypatch, SAME | {"sensitivity": {"text": "little"}})
    assert verify_all.main(["gle_mnist1d", "--chip", "generic8_mismatch10", "--against", "emulator"]) == 0
    assert asked[0][7:] == [
        "--against", "emulator", "--chip-seed", "1", "--steps", "1000", "--steps", "300", "--set", "copies=8",
    ]  # fmt: skip
    printed = capsys.readouterr().out
    assert "| equal within its own sensitivity: little |" in printed and "| --steps 300 --set copies=8 |" in printed


def test_by_default_all_networks_meet_all_integer_chips() -> None:
    from neuroport import networks
    from neuroport.chips import description as chips

    every = verify_all.argparse.Namespace(networks=[], chip=[], against=[], steps=5)
    pairs = list(verify_all.pairs(every))
    integer = [name for name in chips.names() if chips.load(name).integer]
    assert len(integer) == 7 and [(p.network, p.chip) for p in pairs] == [
        (n, c) for n in networks.names() for c in integer
    ]
