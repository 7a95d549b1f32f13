"""Where generated modules are kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from neuroport.backends.emulator import cache
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
