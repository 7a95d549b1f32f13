"""Where generated modules are kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.backends.emulator import Emulator, cache, emit
from neuroport.backends.emulator.native.kinds import array_of
from neuroport.backends.genn import cache as genn
from neuroport.errors import RunFailed
from tests.support.checkout import ROOT
from tests.support.limits import file_size


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with file_size(100), pytest.raises(RunFailed) as caught:
        cache._keep("module.o", b"x" * 600)
    assert str(caught.value) == (
        f"{tmp_path / 'cache'}: generated code cannot be kept here: [Errno 27] File too large. "
        "Set NEUROPORT_CACHE to another folder"
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def no_room() -> str:
    raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")


@pytest.mark.parametrize("keep", [lambda: cache._keep("module.o", b"x"), lambda: genn.place("key")])
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


TEXT = """
def doubled(x, values):
    values[0] = 2 * x
    return values[0]
"""
CALLED = (cache.Called("doubled", 1, (array_of(np.zeros(1)),)),)


def doubled(text: str, x: int) -> float:
    """Twice a number, by machine code that is not in memory yet."""
    cache._load.cache_clear()
    values = np.zeros(1)
    table = np.array([values.ctypes.data, 1], np.int64)
    cache.load(text, CALLED).function("doubled", 1, returns=False)(x, table.ctypes.data)
    return float(values[0])


@pytest.mark.dear
@pytest.mark.parametrize("kept", ["nothing", "some", "all but the end", "zeros"])
def test_machine_code_that_is_damaged_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path))
    made: list[str] = []
    compiled = cache.machine_code
    monkeypatch.setattr(cache, "machine_code", lambda text: (made.append(text), compiled(text))[1])
    assert doubled(TEXT, 3) == 6
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    damaged = {
        "nothing": b"",
        "some": whole[: len(whole) // 2],
        "all but the end": whole[:-1],
        "zeros": bytes(len(whole)),
    }
    file.write_bytes(damaged[kept])
    assert doubled(TEXT, 4) == 8 and len(made) == 2
    assert doubled(TEXT, 5) == 10 and len(made) == 2
    assert file.read_bytes() == whole and list(tmp_path.iterdir()) == [file]


@pytest.mark.dear
def test_threads_that_need_the_same_code_build_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path))
    cache._load.cache_clear()
    made: list[str] = []

    def seen(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def slowly(*arguments: Any) -> Any:
            made.append(what)
            time.sleep(0.05)
            return function(*arguments)

        return slowly

    monkeypatch.setattr(emit, "emit", seen("text", emit.emit))
    monkeypatch.setattr(cache, "machine_code", seen("code", cache.machine_code))
    backend, program = Emulator(), neuroport.compile(neuroport.load("sal_pair"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: backend.open(program, seed, []), range(4)))
    assert made == ["text", "code"]


SLOWLY = f"""
import sys, time
import numpy as np
from neuroport.backends.emulator import cache
from neuroport.backends.emulator.native.kinds import array_of
compile, seen = cache.machine_code, []
def slowly(text):
    seen.append(text)
    time.sleep(0.5)
    return compile(text)
cache.machine_code = slowly
print("ready", flush=True)
sys.stdin.readline()
cache.load({TEXT!r}, (cache.Called("doubled", 1, (array_of(np.zeros(1)),)),))
print(len(seen))
"""


@pytest.mark.dear
def test_processes_that_want_the_same_at_once_compile_it_once(tmp_path: Path) -> None:
    environment = {**os.environ, "NEUROPORT_CACHE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    processes = [subprocess.Popen([sys.executable, "-c", SLOWLY], **streams) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    counts = [process.communicate(timeout=60)[0] for process in processes]
    assert sorted(counts) == ["0\n", "0\n", "1\n"]
    assert [path.suffix for path in tmp_path.iterdir()] == [".o"]
