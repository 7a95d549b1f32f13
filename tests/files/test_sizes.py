"""Sizes, times and counts of any magnitude: a network is built or refused with a sentence, without hang or traceback.

Huge numbers take the place of every number of a file, each in a process of its own with limited memory and time.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import neuroport
from neuroport.errors import NeuroportError
from neuroport.files import network as reader

FILE = Path(__file__).parent.parent / "networks" / "sizes.yaml"
TEXT = FILE.read_text("utf-8")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?!\w)")
HUGE = (
    "1000000000",
    "1000000000000",
    "1000000000000000",
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    "1" + "0" * 30,
    "1e30",
)
BYTES, SECONDS = 4 * 2**30, 20
PLACES = [m for m in NUMBER.finditer(TEXT) if m.start() > TEXT.index("dt:")]


def mutant(place: int, number: str) -> tuple[str, str]:
    """The file with a number instead of that of a place, and what it is called."""
    found = PLACES[place]
    line = TEXT.count("\n", 0, found.start()) + 1
    return TEXT[: found.start()] + number + TEXT[found.end() :], f"line {line}, {found.group()} -> {number}"


def outcome(text: str, folder: Path) -> str:
    """What became of a network in a process of its own: "" or what is wrong."""
    result = folder / "result"
    result.write_text("it was ended by the system: too much memory, or too long")
    child = os.fork()
    if child == 0:
        _tried(text, result)
    os.waitpid(child, 0)
    return result.read_text()


def _tried(text: str, result: Path) -> None:
    """Build the network and end the process."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            neuroport.compile(reader.loads(text, "sizes.yaml"))
        result.write_text("")
    except NeuroportError as error:
        result.write_text("" if str(error).startswith("sizes.yaml:") else f"a sentence without place: {error}")
    except BaseException:
        result.write_text(traceback.format_exc())
    finally:
        os._exit(0)


def chosen(step: int) -> Iterator[tuple[int, str]]:
    """Every place with every number, or one in `step` of them."""
    every = [(place, number) for place in range(len(PLACES)) for number in HUGE]
    yield from every[::step]


def faults(step: int, folder: Path) -> list[str]:
    """What is wrong with any of them."""
    outcomes = [(name, outcome(text, folder)) for text, name in (mutant(*one) for one in chosen(step))]
    return [f"{name}: {text}" for name, text in outcomes if text]


def test_the_network_itself_is_built(tmp_path: Path) -> None:
    assert outcome(TEXT, tmp_path) == ""


def test_a_hang_and_a_traceback_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neuroport, "compile", lambda _: 1 // 0)
    assert outcome(TEXT, tmp_path).endswith("ZeroDivisionError: integer division or modulo by zero\n")
    monkeypatch.setattr(neuroport, "compile", lambda _: bytearray(2 * BYTES))
    assert outcome(TEXT, tmp_path).endswith("MemoryError\n")
    monkeypatch.setattr(signal, "alarm", lambda _: signal.setitimer(signal.ITIMER_REAL, 0.2))
    monkeypatch.setattr(neuroport, "compile", lambda _: signal.pause())
    assert outcome(TEXT, tmp_path) == "it was ended by the system: too much memory, or too long"


def test_some_numbers_of_any_magnitude_end_in_sentences(tmp_path: Path) -> None:
    assert faults(53, tmp_path) == []


@pytest.mark.slow
def test_numbers_of_any_magnitude_end_in_sentences(tmp_path: Path) -> None:
    assert faults(1, tmp_path) == []
