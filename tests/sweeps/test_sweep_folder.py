"""The folder of a sweep: whose it is, and lines that are whole or not there."""

from __future__ import annotations

import json
import math
import resource
from pathlib import Path
from typing import Any

import pytest

from neuroport.errors import InvalidInput, NotWritten
from neuroport.sweeps.folder import ABOUT, DAMAGED, RUNS, Folder, mended, opened, read

CHANGES: list[dict[str, Any]] = [
    {"points": None},
    {"axes": 3},
    {"axes": [["a"]]},
    {"yield": {"rate": "banana"}},
    {"yield": [["rate", "banana"]]},
    {"points": [1]},
    {"network": 1},
]
TOLD = {"network": "a", "axes": [], "yield": [], "points": []}


def row(k: int, status: str = "done") -> dict[str, Any]:
    named = {"chip": None, "chip_seed": None, "seed": None}
    row = {"id": f"{k:064x}", "status": status, "point": {"set": {}, **named}, "error": None, "name": "é", **named}
    metrics = {"m": {"measured": 1, "step": 5, "last": 0.5, "lowest": None, "highest": None}}
    done = {"steps": 5, "metrics": metrics, "spikes": {}, "overflows": {}, "not_finite": {}, "digest": "d"}
    return {**row, **done, "build_s": 0.5, "run_s": 0.5, "trace": None}


def made(folder: Path, count: int = 3) -> Path:
    with opened(folder, TOLD) as kept:
        for k in range(count):
            kept.add([row(k)])
    return folder / RUNS


def test_lines_stay(tmp_path: Path) -> None:
    file = made(tmp_path / "new" / "s")
    assert [json.loads(line) for line in file.read_text("utf-8").splitlines()] == [row(k) for k in range(3)]
    with opened(file.parent, TOLD) as kept:
        assert kept.statuses == {row(k)["id"]: "done" for k in range(3)}
        kept.add([row(3), row(1, "failed")])
    assert [found["status"] for found in read(file.parent).values()] == ["done", "failed", "done", "done"]


def test_a_half_line_is_cut_off_wherever_it_was_broken(tmp_path: Path) -> None:
    file = made(tmp_path / "s")
    whole = file.read_bytes()
    start = whole.rstrip(b"\n").rindex(b"\n") + 1
    for cut in (
        *range(start, start + 80, 3),
        *range(start + 80, len(whole) - 3, 17),
        *range(len(whole) - 3, len(whole) + 1),
    ):
        file.write_bytes(whole[:cut])
        kept = 3 if cut >= len(whole) - 1 else 2
        assert len(read(file.parent)) == kept, cut
        assert file.read_bytes() == whole[:cut]
        assert len(mended(file.parent)) == kept
        assert file.read_bytes() == (whole if kept == 3 else whole[:start])


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"id": "x", "status": "done", "point": {}}', "null", "\0", "é"])
def test_damage_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    file = made(tmp_path / "s")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + text.encode() + b"\n" + lines[2])
    before = file.read_bytes()
    with pytest.raises(InvalidInput) as caught, opened(file.parent, TOLD):
        pass
    say = "is damaged and no line of a sweep; restore the file, or delete this line, and its point is run again"
    assert str(caught.value) == f"{file}:2:1: {say}"
    assert file.read_bytes() == before


DAMAGES = [
    (("build_s",), None),
    (("point",), {}),
    (("point", "seed"), "1"),
    (("metrics", "m", "last"), "999"),
    (("metrics", "m", "last"), [1, {}]),
    (("metrics", "m"), None),
    (("metrics",), []),
    (("spikes",), None),
    (("not_finite",), {"p": 0.5}),
    (("status",), ["done"]),
    (("id",), 7),
    (("run_s",), math.nan),
]


@pytest.mark.parametrize(("keys", "value"), DAMAGES)
def test_a_line_of_another_form_is_damaged(tmp_path: Path, keys: tuple[str, ...], value: Any) -> None:
    """As one that was edited, or that another program wrote."""
    file = made(tmp_path / "s")
    rows = [row(k) for k in range(3)]
    where = rows[1]
    for key in keys[:-1]:
        where = where[key]
    where[keys[-1]] = value
    file.write_text("".join(f"{json.dumps(one)}\n" for one in rows), "utf-8")
    with pytest.raises(InvalidInput) as caught:
        read(file.parent)
    assert str(caught.value).startswith(f"{file}:2:1: is damaged and no line of a sweep; ")


@pytest.mark.parametrize("key", [key for key in row(0) if key not in ("name", "error", "status", "id", "point")])
def test_a_line_that_lacks_something_is_damaged(tmp_path: Path, key: str) -> None:
    file = made(tmp_path / "s", 0)
    file.write_text(json.dumps({name: value for name, value in row(0).items() if name != key}) + "\n")
    with pytest.raises(InvalidInput, match="is damaged and no line of a sweep"):
        read(file.parent)


def _add_without_room(kept: Folder, most: int, limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        kept.add([row(1)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_is_full_is_told_with_the_file(tmp_path: Path) -> None:
    """And no second failure comes of what could not be written when the file is closed."""
    file = made(tmp_path / "s", 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(NotWritten) as caught, opened(file.parent, TOLD) as kept:
        _add_without_room(kept, file.stat().st_size + 10, (soft, hard))
    assert str(caught.value).startswith(f"{tmp_path / 's' / RUNS}: cannot be written: it would be larger than")
    assert len(mended(tmp_path / "s")) == 1


def test_without_sweep_json_lines_stay(tmp_path: Path) -> None:
    """As it is said where that is damaged."""
    file = made(tmp_path / "s")
    (file.parent / ABOUT).unlink()
    with opened(file.parent, TOLD) as kept:
        assert len(kept.statuses) == 3
    (file.parent / ABOUT).unlink()
    file.write_text("mine\nand more\n")
    assert "is damaged and no line of a sweep" in refused(file.parent)
    assert not (file.parent / ABOUT).exists()


def refused(folder: Path, told: dict[str, Any] = TOLD) -> str:
    with pytest.raises(InvalidInput) as caught, opened(folder, told):
        pass
    return str(caught.value)


def test_a_folder_that_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    text = "is a folder with other things in it, such as 'notes.txt', and no sweep; give a new one for the results"
    assert refused(folder) == f"{folder}: {text}"
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    file = tmp_path / "file"
    file.write_text("")
    assert refused(file) == f"{file}: is a file; give the name of a folder for the results"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    assert made(folder).exists()


def test_a_second_sweep_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    say = "another sweep is writing into this folder; wait until it ends, or choose another one"
    with opened(folder, TOLD) as kept:
        before = (folder / ABOUT).read_bytes()
        assert refused(folder, {**TOLD, "points": ["x"]}) == f"{folder}: {say}"
        assert (folder / ABOUT).read_bytes() == before
        kept.add([row(1)])
    with opened(folder, TOLD) as kept:
        assert len(kept.statuses) == 1


def test_a_sweep_of_another_network_is_refused(tmp_path: Path) -> None:
    file = made(tmp_path / "s")
    text = "has a sweep of network 'a', and this is one of 'b'; give a new folder for the results"
    assert refused(file.parent, {**TOLD, "network": "b"}) == f"{file.parent}: {text}"
    assert len(read(file.parent)) == 3


@pytest.mark.parametrize(
    ("content", "text"),
    [
        *((json.dumps({"neuroport sweep": 1, **TOLD, **change}), DAMAGED) for change in CHANGES),
        ("{", "is damaged; delete it, and start the sweep again: what is done stays"),
        (
            '{"neuroport sweep": 9}',
            "was written by another version of neuroport, or by something else: its format is 9, and this version "
            "reads 1; give another folder",
        ),
        (
            "[1]",
            "was written by another version of neuroport, or by something else: its format is None, and this version "
            "reads 1; give another folder",
        ),
    ],
)
def test_what_is_no_sweep_is_told(tmp_path: Path, content: str, text: str) -> None:
    folder = made(tmp_path / "s").parent
    (folder / ABOUT).write_text(content)
    assert refused(folder) == f"{folder / ABOUT}: {text}"
