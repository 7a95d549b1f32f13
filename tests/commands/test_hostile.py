"""The command line with odd options, streams and files: sentences and exit code 2, never a traceback or the guard."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport.cli import main
from neuroport.commands import guard
from neuroport.version import __version__
from tests.support.checkout import ROOT

HOSTILE = [
    *(
        "",
        " ",
        "-1",
        "0",
        "1",
        "nan",
        "inf",
        "1e999",
        "1e300 s",
        "9" * 30,
        str(2**63),
        str(2**64),
        "0:10",
        "5:",
        ":",
        "1:x",
    ),
    *(
        "x",
        "none.yaml",
        "none.h5",
        "/",
        ".",
        "..",
        "/dev/null",
        "no/where.h5",
        "a" * 300,
        "é",
        "−1",
        "\udcff",
        "a\nb",
        "%s",
    ),
    *(
        "a=b",
        "=",
        "a=",
        "seed=x",
        "units.tau=",
        "units.tau=[",
        "units.tau=1e300 s",
        "units.x.y.z=1",
        "weight=nan",
        "a.b.c",
    ),
    *("pair.h5", "net.yaml", "weight=10%", "chip.h5", "text.txt", "--", "-", "--help", "generic8_mismatch10", "genn"),
]
SAMPLE = 60
"""How many calls of all the usual run makes."""
VALID = {
    "run": ["net.yaml", "--backend", "reference", "--for", "3 steps", "-q"],
    "check": ["net.yaml"],
    "show": ["net.yaml"],
    "compile": ["net.yaml"],
    "verify": ["net.yaml", "--against", "reference", "--steps", "2"],
    "compare": ["pair.h5", "pair.h5"],
    "export": ["pair.h5", "-o", "out.yaml"],
    "plot": ["pair.h5", "-o", "out.png"],
    "report": ["pair.h5", "-o", "out.html"],
    "drift": ["net.yaml", "--chip", "generic16", "--backend", "reference", "--for", "3 steps", "-q"],
    "calibrate": ["net.yaml", "--chip", "generic16", "--backend", "reference", "--for", "3 steps", "-q"],
    "join": ["none.h5.part"],
    "list": ["chips"],
    "doctor": [],
}
"""Short calls of commands; others are called with nothing."""


def cases() -> list[tuple[str, ...]]:
    """Every option of every command with every hostile value, and every argument in place of what is valid."""
    found: list[tuple[str, ...]] = [(text,) for text in HOSTILE]
    for name, command in main.commands.items():
        valid = VALID.get(name, [])
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                values = [()] if parameter.is_flag else [(text,) for text in HOSTILE]
                found += [(name, *valid, parameter.opts[-1], *value) for value in values]
        found += [(name, *valid[:k], text, *valid[k + 1 :]) for k in range(len(valid)) for text in HOSTILE]
        found += [(name, *valid, text) for text in HOSTILE]
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short network, a trace of it, a chip instance and a text."""
    folder = tmp_path_factory.mktemp("hostile")
    text = (ROOT / "networks" / "stdp_pair.yaml").read_text()
    (folder / "net.yaml").write_text(text)
    (folder / "text.txt").write_text("hello\n")
    network = neuroport.load(folder / "net.yaml")
    neuroport.run(network, "reference", duration=20, trace=folder / "pair.h5")
    CliRunner().invoke(main, ["show", "generic8_mismatch10", "--chip-seed", "1", "-o", str(folder / "chip.h5")])
    return folder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False, env={"COLUMNS": "100"})


def wrong(arguments: tuple[str, ...]) -> str:
    """What is wrong with how a call ends; "" if nothing is."""
    result = call(*arguments)
    said = f"{arguments}: {result.exit_code}, {result.output[-400:]}"
    if "fault of neuroport" in result.output or "Traceback" in result.output:
        return said
    allowed = (0, 1, 2) if arguments[0] in ("compare", "verify", "doctor", "drift") else (0, 2)
    if result.exit_code not in allowed:
        return said
    return said if result.exit_code == 2 and not result.stderr.strip() else ""


def all_wrong(chosen: list[tuple[str, ...]], files: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(files)
    monkeypatch.setattr(guard, "debugging", lambda: True)  # what is not foreseen is raised
    return [said for arguments in chosen if (said := wrong(arguments))]


@pytest.mark.dear
def test_a_sample_of_odd_calls(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all_wrong(random.Random(1).sample(cases(), SAMPLE), files, monkeypatch) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_odd_calls(part: int, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all_wrong(cases()[part::10], files, monkeypatch) == []


@pytest.mark.parametrize("text", ["", "/", "a" * 300])
@pytest.mark.parametrize("command", ["run", "check", "show", "compile", "verify"])
def test_a_network_that_cannot_be_a_file_is_refused(command: str, text: str, tmp_path: Path) -> None:
    result = call(command, text)
    assert result.exit_code == 2 and result.stderr.startswith("error: ")


def test_a_command_that_there_is_not() -> None:
    assert call("chek", "x").stderr.splitlines()[-1] == (
        f"Error: There is no command 'chek'; did you mean 'check'? commands are {', '.join(sorted(main.commands))}."
    )
    assert call("x").stderr.splitlines()[-1] == (
        f"Error: There is no command 'x'; commands are {', '.join(sorted(main.commands))}."
    )


def test_the_nearest_network_is_named() -> None:
    assert call("check", "sal_pai").stderr.startswith(
        "error: sal_pai: there is no such file, and no network of that name comes with neuroport; did you mean "
        "'sal_pair'? there are: "
    )
    assert call("check", "").stderr == "error: the name of the network is empty; give a network file, or a name\n"
    assert call("check", "sal_pair", "--chip", "").stderr == (
        "error: chip must be a chip or the name of one, or None; found ''\n"
    )


class Defect(click.Command):
    """A command that fails as nothing may."""

    def __init__(self) -> None:
        super().__init__("defect", callback=self.fail)

    def fail(self) -> None:
        raise ZeroDivisionError("a\nline")


@pytest.fixture
def defect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where what fails is written."""
    monkeypatch.setitem(main.commands, "defect", Defect())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_nobody_foresaw_ends_in_a_sentence_and_a_file(defect: Path) -> None:
    result = call("defect")
    (path,) = defect.glob("neuroport-fault-*.txt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: this is a fault of neuroport, not of what you wrote: ZeroDivisionError: a line\n"
        f"error: please report it, with what is in {path}; NEUROPORT_DEBUG=1 shows the traceback at once\n"
    )
    text = path.read_text()
    assert text.startswith(f"neuroport {__version__}, Python 3.") and "in fail\n" in text


def test_what_nobody_foresaw_where_no_file_can_be_written(defect: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(defect / "none"))
    assert call("defect").stderr.splitlines()[1:] == [
        "error: please report it, with the traceback that NEUROPORT_DEBUG=1 shows"
    ]
    monkeypatch.setenv("NEUROPORT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        call("defect")


def shell(line: bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell in which $NEUROPORT is the command."""
    command = f'"{sys.executable}" "{ROOT / "cli.py"}"'.encode()
    line = line.replace(b"$NEUROPORT", command)
    return subprocess.run([b"bash", b"-c", line], capture_output=True, env={**os.environ, **environment})


@pytest.mark.skipif(os.name != "posix", reason="file names are text there")
def test_names_and_streams_of_other_bytes(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.yaml"
    Path(os.fsdecode(name)).write_text((ROOT / "networks" / "stdp_pair.yaml").read_text().replace("dt:", "dtt:", 1))
    done = shell(b"$NEUROPORT check '" + name + b"'; $NEUROPORT check '" + name + b"' --json | grep -c dtt")
    assert (done.returncode, done.stdout) == (0, b"1\n")
    assert b"\\udcff.yaml:" in done.stderr and b"Traceback" not in done.stderr
    done = shell(b"$NEUROPORT show pal_teacher", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr.count(b"Traceback")) == (0, 0)
    done = shell(b"$NEUROPORT show pal_teacher > /dev/full; echo $?")
    assert (done.stdout, done.stderr.count(b"Traceback")) == (b"1\n", 0)
    done = shell(b"$NEUROPORT list networks | head -1; echo ${PIPESTATUS[0]}")
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("arguments", [b"--help", b"run --help", b"--version", b"list chips"])
def test_a_full_device_takes_no_help_and_says_so(arguments: bytes) -> None:
    done = shell(b"$NEUROPORT " + arguments + b" > /dev/full; echo $?")
    assert (done.stdout, done.stderr) == (b"1\n", b"error: standard output: No space left on device\n")
