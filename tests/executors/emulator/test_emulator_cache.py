"""Where generated modules are kept."""

from __future__ import annotations

import sys
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


COMPILED = """
from numba import njit

@njit(cache=True)
def doubled(x):
    return 2 * x
"""


@pytest.mark.dear
@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("kept", ["nothing", "some", "all but the end", "zeros"])
def test_compiled_code_that_is_cut_off_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, kept: str
) -> None:
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path))
    text = f"{COMPILED}\nMARK = '{kind} {kept}'\n"
    name = cache.load(text).__name__
    assert sys.modules.pop(name).doubled(3) == 6
    (file,) = (tmp_path / "__pycache__").glob(f"*.{kind}")
    whole = file.read_bytes()
    zeros = bytes(len(whole))
    damaged = {"nothing": b"", "some": whole[: len(whole) // 2], "all but the end": whole[:-1], "zeros": zeros}[kept]
    file.write_bytes(damaged)
    again = cache.load(text)
    assert sys.modules.pop(name) is again and again.doubled(4) == 8 and again.doubled.stats.cache_misses
    assert len(file.read_bytes()) >= len(whole) - 8
    sound = cache.load(text)
    assert sys.modules.pop(name) is sound and sound.doubled(5) == 10 and not sound.doubled.stats.cache_misses
