"""What is no file, or cannot be read, gets a sentence from every command that is given it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from neuroport.cli import main
from neuroport.yaml import nodes

SPECIAL = "is a pipe, a socket or a device; save what comes from it, and give"
LOOP = "cannot be read: it is a symbolic link that leads to itself"
TRACE, YAML, INSTANCE = "the name of a trace", "a YAML file", "the name of a chip instance"


def said(*arguments: object) -> str:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 2, done.output
    return done.stderr


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


TRACES: list[tuple[Callable[[Path], None], str]] = [
    (os.mkfifo, f"{SPECIAL} {TRACE}"),
    (_loop, LOOP),
    (_folder, f"is a folder; give {TRACE}"),
    (_empty, "cannot be read as a trace (it is empty); it is damaged, cut off, or another kind of file"),
    (lambda _: None, "there is no such file"),
]  # fmt: skip
KINDS = ["pipe", "loop", "folder", "empty", "nothing"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("make", "text"), TRACES, ids=KINDS)
def test_commands_that_read_traces(tmp_path: Path, make: Callable[[Path], None], text: str) -> None:
    path, out = tmp_path / "x.h5", tmp_path / "out"
    make(path)
    expected = f"error: {path}: {text}\n"
    assert said("compare", path, path) == expected
    assert said("plot", path, "-o", f"{out}.png") == expected
    if path.exists() or path.is_symlink():
        assert said("show", path) == expected
    if not path.is_dir():
        assert said("export", path, "-o", f"{out}.yaml") == expected


NETWORKS: list[tuple[Callable[[Path], None], str]] = [
    (os.mkfifo, f"'PATH' {SPECIAL} {YAML}"),
    (_loop, f"'PATH' {LOOP}"),
    (_folder, f"'PATH' is a folder; give {YAML}"),
    (_empty, "this file is empty; a network file starts with 'neuroport: 1'"),
    (lambda _: None, "there is no file 'PATH'; check the path"),
]
DESCRIPTIONS = [
    *NETWORKS[:3],
    (_empty, "the chip description is empty; it needs at least `name` and `words`"),
    NETWORKS[4],
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("make", "text"), NETWORKS, ids=KINDS)
def test_commands_that_read_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path("x.yaml"))
    expected = f"error: x.yaml: {text.replace('PATH', 'x.yaml')}\n"
    for command in (("run",), ("check",), ("show",), ("export", "-o", "y.yaml")):
        if command != ("show",) or not Path("x.yaml").is_dir():  # a folder may be the parts of a trace
            assert said(command[0], "x.yaml", *command[1:]) == expected, command


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("make", "text"), DESCRIPTIONS, ids=KINDS)
def test_commands_that_read_descriptions_of_chips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path("x.yaml"))
    expected = f"error: x.yaml: {text.replace('PATH', 'x.yaml')}\n"
    for command in ("run", "check"):
        assert said(command, "sal_pair", "--chip", "x.yaml") == expected, command


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("make", "text"), TRACES, ids=KINDS)
def test_commands_that_read_chip_instances(tmp_path: Path, make: Callable[[Path], None], text: str) -> None:
    make(tmp_path / "x.h5")
    text = text.replace(TRACE, INSTANCE).replace("as a trace", "as a chip instance")
    assert said("run", "sal_pair", "--chip-instance", tmp_path / "x.h5") == f"error: {tmp_path / 'x.h5'}: {text}\n"


NUMBERS = """
neuroport: 1
name: n
dt: 1 ms
populations:
  a: {size: 2, neuron: lif, init: {v: {file: x.h5, dataset: /v, unit: mV}}}
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("make", "text"), TRACES, ids=KINDS)
def test_networks_that_name_files_of_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n.yaml").write_text(NUMBERS)
    make(Path("x.h5"))
    text = text.replace(TRACE, "the name of a file of numbers").replace("as a trace", "as a file of numbers")
    text = (
        "there is no file 'x.h5'; paths start at the folder of the network file" if "such" in text else f"'x.h5' {text}"
    )
    assert said("check", "n.yaml") == f"error: n.yaml:6:46: initial 'v' of population 'a': {text}\n"


def test_a_name_too_long_for_a_file() -> None:
    name = "x" * 300
    shown = f"error: {name}: there is no such file, and nothing of that name comes with neuroport; "
    assert said("show", name).startswith(shown)
    for command in (
        ("run", f"{name}.yaml"),
        ("compare", f"{name}.h5", "b.h5"),
        ("run", "sal_pair", "--chip", f"{name}.yaml"),
    ):
        assert " must be the path of a file; found " in said(*command)
    assert said("join", f"{name}.part") == f"error: {name}.part: File name too long\n"


def test_text_that_is_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_bytes("name: Grüße\n".encode("latin-1"))
    for command in (("run", "x.yaml"), ("show", "x.yaml"), ("check", "sal_pair", "--chip", "x.yaml")):
        assert said(*command) == "error: x.yaml:1:9: byte 0xfc is not UTF-8 text; save the file as UTF-8\n"


def test_yaml_of_more_bytes_than_anybody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("x.yaml").open("wb") as file:
        file.truncate(nodes.MAX_BYTES + 1)
    assert said("run", "x.yaml") == (
        "error: x.yaml: 'x.yaml' has more than 268,435,456 bytes, which is too much for YAML; put large arrays into an "
        "HDF5 file\n"
    )
