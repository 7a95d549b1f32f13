"""Where generated modules are kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from neuroport.backends.emulator import cache
from neuroport.backends.genn import cache as genn
from neuroport.errors import RunFailed
from tests.support.limits import file_size


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with file_size(100), pytest.raises(RunFailed) as caught:
        cache._write("module.py", "x = 1\n" * 100)
    assert str(caught.value) == (
        f"{tmp_path / 'cache'}: generated code cannot be kept here: [Errno 27] File too large. "
        "Set NEUROPORT_CACHE to another folder"
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def no_room() -> str:
    raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")


@pytest.mark.parametrize("keep", [lambda: cache._write("module.py", "x = 1\n"), lambda: genn.place("key")])
def test_without_room_for_temporary_files_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Callable[[], Path]
) -> None:
    """They are only looked for where the folder of generated code cannot be written."""
    monkeypatch.setattr(tempfile, "gettempdir", no_room)
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path / "cache"))
    assert tmp_path in keep().parents
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path / "file"))
    with pytest.raises(RunFailed, match=r"file: generated code cannot be kept here.* NEUROPORT_CACHE to another"):
        keep()
