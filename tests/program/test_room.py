"""How much memory there is: of the machine, of the process and of its container."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from neuroport.errors import InvalidInput, Place
from neuroport.program import room
from neuroport.program.room import Part, Room, available, require

MACHINE = Room(64.0 * room.GIB, "this machine has")
CONTAINER = "the container (control group) of this process has"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 64 GiB without limits for the process."""
    monkeypatch.setattr(room, "_machine", lambda: MACHINE)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def seen(folder: Path, files: dict[str, str]) -> Room:
    written(folder, files)
    return available(folder / "proc", folder / "groups")


V1 = "9:name=systemd:/\n4:cpuset,memory:/docker/abc\n3:cpu:/other\n0::/\n"
UNLIMITED = "9223372036854771712\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, MACHINE),
        ({"proc/cgroup": "0::/a/b\n", "groups/a/b/memory.max": "2147483648\n"}, Room(2.0**31, CONTAINER)),
        ({"proc/cgroup": "0::/a/b\n", "groups/a/b/memory.max": "max\n"}, MACHINE),
        (
            {"proc/cgroup": "0::/a/b\n", "groups/a/b/memory.max": "max\n", "groups/a/memory.max": "1073741824\n"},
            Room(2.0**30, CONTAINER),
        ),
        ({"proc/cgroup": "0::/\n", "groups/memory.max": "1073741824\n"}, Room(2.0**30, CONTAINER)),
        (
            {"proc/cgroup": V1, "groups/memory/docker/abc/memory.limit_in_bytes": "4294967296\n"},
            Room(2.0**32, CONTAINER),
        ),
        ({"proc/cgroup": V1, "groups/memory/memory.limit_in_bytes": "4294967296\n"}, Room(2.0**32, CONTAINER)),
        ({"proc/cgroup": V1, "groups/memory/memory.limit_in_bytes": UNLIMITED}, MACHINE),
        ({"proc/cgroup": "no such line\n\n", "groups/memory.max": "1\n"}, MACHINE),
    ],
)
@pytest.mark.usefixtures("machine")
def test_the_limit_of_a_container_counts(tmp_path: Path, files: dict[str, str], expected: Room) -> None:
    assert seen(tmp_path, files) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (resource.RLIMIT_AS, "of its limit (address space, ulimit -v) this process has left 3.0 GiB"),
        (resource.RLIMIT_DATA, "of its limit (data, ulimit -d) this process has left 3.5 GiB"),
    ],
)
def test_the_limits_of_the_process_count_less_what_it_has_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, expected: str
) -> None:
    monkeypatch.setattr(room, "_machine", lambda: MACHINE)
    limits = {limit: (4 * room.GIB, resource.RLIM_INFINITY)}
    none = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits.get(which, none))
    pages = room.GIB // resource.getpagesize()
    assert str(seen(tmp_path, {"proc/statm": f"{pages} 9 9 9 9 {pages // 2} 0\n"})) == expected


def test_a_limit_that_is_set_is_seen() -> None:
    code = (
        "import resource; from neuroport.program.room import available; "
        "resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)); print(available())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("of its limit (address space, ulimit -v) this process has left ")
    assert 1 < float(printed.split()[-2]) <= 8


@pytest.mark.usefixtures("machine")
def test_what_does_not_fit_names_its_largest_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available", lambda: Room(2.0**30, "this machine has"))
    parts = (Part("spikes", 2.0**29), Part("delays", 2.0**31, Place("n.yaml", 3, 4)), Part("weights", 2.0**20))
    require("a run", parts[::2])
    require("a run", ())
    with pytest.raises(InvalidInput) as caught:
        require("a run", parts, Place("n.yaml", 1, 1))
    assert str(caught.value) == (
        "n.yaml:3:4: a run needs about 2.5 GiB of memory, most of it for delays, and this machine has 1.0 GiB; "
        f"{room.REMEDY}"
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [("40GiB", 40 * 2.0**30), ("1.5 TiB", 1.5 * 2**40), (" 800 MB ", 8e8), ("512MiB", 2.0**29), ("2GB", 2e9)],
)
def test_sizes_are_read(text: str, size: float) -> None:
    assert room.read(text, "it") == size


@pytest.mark.parametrize("text", ["", "40", "GiB", "-1 GiB", "0 GiB", "1e3 GiB", "4 gib", "4 GiB more"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^it is '.*'; give a number and one of MiB, GiB, TiB, MB, GB, TB, such as"):
        room.read(text, "it")


@pytest.mark.usefixtures("machine")
def test_what_is_allowed_stands_for_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(room.ALLOWED, raising=False)
    with room.allowing("100 GiB"):
        assert str(available()) == "it may take 100.0 GiB"
        with room.allowing("1 GiB"):
            assert str(available()) == "it may take 1.0 GiB"
        assert str(available()) == "it may take 100.0 GiB"
    assert room.ALLOWED not in os.environ
