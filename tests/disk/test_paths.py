"""What stands at a path is said before anything is read from it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from neuroport.disk.paths import exists, unreadable

POSIX = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
SPECIAL = "is a pipe, a socket or a device; save what comes from it, and give a text"


def test_a_file_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "link").symlink_to("a")
    assert [unreadable(tmp_path / name, "a text") for name in ("a", "link")] == ["", ""]
    assert exists(tmp_path / "link")


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "broken").symlink_to("nowhere")
    assert unreadable(tmp_path, "a text") == "is a folder; give a text"
    for name in ("none", "file/below", "broken"):
        assert unreadable(tmp_path / name, "a text") == "there is no such file"
        assert not exists(tmp_path / name)


def test_a_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert unreadable(tmp_path / "a", "a text") == "cannot be read: it is a symbolic link that leads to itself"
    assert exists(tmp_path / "a")


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    assert unreadable(tmp_path / ("x" * 300), "a text") == "cannot be read: file name too long"
    assert unreadable(tmp_path / "a\0b", "a text") == "cannot be read: no file can have this name"
    assert not exists(tmp_path / ("x" * 300)) and not exists("a\0b")


@POSIX
def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert unreadable(tmp_path / "pipe", "a text") == SPECIAL
    assert unreadable("/dev/zero", "a text") == SPECIAL


@POSIX
def test_sockets_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("s")
        assert unreadable("s", "a text") == SPECIAL


def test_a_file_that_others_alone_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("x")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert unreadable(tmp_path / "a", "a text") == "cannot be read: permission denied"


def test_a_folder_into_which_others_alone_may_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    assert unreadable(tmp_path / "a", "a text") == "cannot be read: permission denied"
    assert exists(tmp_path / "a")
