"""New files are whole or not there, and what was there before stays: whatever the disk, a link or a signal does."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from neuroport.chips import description as chips
from neuroport.chips import instance as instances
from neuroport.disk.output import HDF5, NewFile, check_output, new_file, new_hdf5, write_bytes
from neuroport.errors import InvalidInput, NotWritten
from neuroport.files import writer
from tests.support.limits import file_size
from tests.support.traces import write as write_trace


def refused(*arguments: object, **options: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        check_output(*arguments, **options)  # type: ignore[arg-type]
    place, _, text = str(caught.value).partition(": ")
    assert place == str(arguments[0])
    return text


def test_names_that_cannot_become_files(tmp_path: Path) -> None:
    there, lost = tmp_path / "there.h5", tmp_path / "no" / "x.h5"
    there.write_text("precious")
    assert refused(there) == "exists already; choose another name, or replace it with --overwrite"
    check_output(there, True)
    assert refused(tmp_path) == "is a folder; give the name of a file"
    assert refused(lost) == f"the folder '{lost.parent}' does not exist; create it or choose another one"
    assert refused(there / "x.h5") == f"'{there}' is no folder; choose another one"
    assert refused(tmp_path / ("n" * 300)) == "cannot be written: File name too long; choose another name"
    assert refused("a\0b") == "is no name that a file can have; choose another one"


def test_devices_and_pipes_are_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "null.h5").symlink_to("/dev/null")
    text = "is a device or a pipe, which is never replaced; give the name of a file"
    for name in ("/dev/null", "/dev/full", tmp_path / "pipe.h5", tmp_path / "null.h5"):
        assert refused(name, True) == text
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_name_says_what_kind_of_file_it_is(tmp_path: Path) -> None:
    for name in ("x.h5", "x.hdf5", "x.H5"):
        check_output(tmp_path / name, False, "a trace", HDF5)
    for name in ("x", "x.txt", "x.yaml"):
        text = f"a trace needs a name that ends in .h5 or .hdf5, such as {name}.h5"
        assert refused(tmp_path / name, False, "a trace", HDF5) == text
    (tmp_path / "net.h5").symlink_to("net.yaml")
    assert refused(tmp_path / "net.h5", True, "a trace", HDF5) == (
        f"leads to '{tmp_path / 'net.yaml'}'; a trace needs a name that ends in .h5 or .hdf5, such as net.yaml.h5"
    )


def test_a_name_that_is_only_an_ending_and_one_of_a_folder(tmp_path: Path) -> None:
    text = "a trace needs a name that ends in .h5 or .hdf5, such as trace.h5"
    assert refused(tmp_path / ".h5", False, "a trace", HDF5) == text
    with pytest.raises(InvalidInput) as caught:
        check_output(f"{tmp_path}/x.h5/", False, "a trace", HDF5)
    assert str(caught.value) == f"{tmp_path}/x.h5: is the name of a folder; give that of a file"


def test_what_is_read_is_not_replaced_by_whatever_name(tmp_path: Path) -> None:
    read = tmp_path / "read.h5"
    read.write_text("precious")
    (tmp_path / "link.h5").symlink_to(read)
    os.link(read, tmp_path / "other.h5")
    text = "is read for this and would be replaced by what comes of it; choose another name"
    for name in ("read.h5", "link.h5", "other.h5"):
        assert refused(tmp_path / name, True, inputs=(tmp_path / "absent", read)) == text


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link, file = tmp_path / "link.h5", tmp_path / "folder" / "file.h5"
    link.symlink_to("folder/file.h5")
    write_bytes(link, b"first")  # it leads nowhere yet
    write_bytes(link, b"second")
    assert link.is_symlink() and file.read_bytes() == b"second"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file.h5", "folder", "link.h5"]


def test_a_link_that_leads_back_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a.h5").symlink_to("b.h5")
    (tmp_path / "b.h5").symlink_to("a.h5")
    text = "is a symbolic link that leads back to itself; remove it or choose another name"
    assert refused(tmp_path / "a.h5", True) == text


def test_a_replaced_file_leaves_its_permissions_and_a_protected_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.h5"
    path.write_text("old")
    path.chmod(0o640)
    write_bytes(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    monkeypatch.setattr(os, "access", lambda name, _: Path(name) != path)
    assert refused(path, True) == (
        "is write-protected and is not replaced; choose another name, or allow writing to it"
    )
    monkeypatch.setattr(os, "access", lambda name, _: Path(name) != tmp_path)
    assert refused(tmp_path / "y.h5") == f"the folder '{tmp_path}' cannot be written to; choose another one"


# ------------------------------------------------------------------------------------------------- every kind of file


def _instance(path: Path) -> None:
    chip = chips.load("generic8_mismatch10")
    instances.save(instances.manufacture(chip, 3), path, overwrite=True)


def _network(path: Path) -> None:
    from dataclasses import replace

    from neuroport import load
    from neuroport.network.values import ArrayValue, Frozen

    network = load("sal_pair")
    cells = network.populations[0]
    values = ArrayValue(Frozen(np.arange(500.0)), "")
    network = replace(network, populations=(replace(cells, size=500, initial=(("x", values),)),))
    writer.write(network, path, overwrite=True)


def _picture(path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from neuroport.trace.pictures.figure import save
    from neuroport.trace.read import open_trace

    save(open_trace(path.parent.parent / "trace.h5").plot(), path)


KINDS: dict[str, Callable[[Path], None]] = {"instance.h5": _instance, "net.yaml": _network, "picture.png": _picture}


@pytest.mark.parametrize(
    ("name", "count"), [("instance.h5", 24), ("net.yaml", 24), pytest.param("picture.png", 3, marks=pytest.mark.dear)]
)
def test_a_full_disk_leaves_what_was_there_and_a_sentence(name: str, count: int, tmp_path: Path) -> None:
    write_trace(tmp_path / "trace.h5")
    folder = tmp_path / "out"
    folder.mkdir()
    KINDS[name](folder / name)
    old = {path.name: path.read_bytes() + b"\0" for path in folder.iterdir()}
    for path in folder.iterdir():
        path.write_bytes(old[path.name])
    largest = max(len(content) for content in old.values()) - 1
    for most in range(1, largest, largest // count):
        with file_size(most), pytest.raises(NotWritten) as caught:
            KINDS[name](folder / name)
        place, _, text = str(caught.value).partition(": ")
        assert Path(place).name in old
        assert text == "cannot be written: it would be larger than this process or file system may make a file"
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == old
    KINDS[name](folder / name)
    assert {path.name for path in folder.iterdir()} == old.keys()


@contextmanager
def handler(raises: type[BaseException]) -> Iterator[None]:
    def told(*_: object) -> None:
        raise raises

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_interrupt_while_hdf5_writes_is_told_afterwards_and_leaves_nothing(tmp_path: Path) -> None:
    path, reached = tmp_path / "x.h5", []

    def interrupted() -> None:
        with new_hdf5(path) as file:
            file["a"] = np.arange(1000)
            signal.raise_signal(signal.SIGTERM)
            file["b"] = np.arange(10**6)
            reached.append(True)

    with handler(KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached and list(tmp_path.iterdir()) == []
    with handler(KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)  # as before


def test_hdf5_meets_no_failure_and_goes_on(tmp_path: Path) -> None:
    def filled() -> None:
        with new_file(tmp_path / "x.h5") as raw, h5py.File(raw, "w") as file:
            for k in range(50):
                file[f"g{k}/a"] = np.arange(500)
                if raw.failure is None:
                    raw.fail(OSError(28, "full"))

    with pytest.raises(NotWritten, match="the disk is full"):
        filled()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_somebody_makes_meanwhile_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("precious")
    with pytest.raises(FileExistsError):
        NewFile(tmp_path / "x")
