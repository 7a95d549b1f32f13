"""New files: written under another name beside their place, and given their own when they are whole and on the disk.

Until then what was there before stays, and whatever goes wrong leaves nothing behind. Every file that neuroport makes
for its user is made here. HDF5 can crash where the disk is full, and so never meets a disk: it writes to `NewFile`,
which keeps the first failure to itself and tells it when HDF5 is done.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.signals import told_to

if TYPE_CHECKING:
    import h5py

HDF5 = (".h5", ".hdf5")
"""The endings of HDF5 files."""
LONG_TEXT = 2**24
"""Bytes of a text that HDF5 can be trusted with as it is."""
TEMPORARY = ".neuroport-*.tmp"
"""The names of files that are not whole yet."""
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "it would be larger than this process or file system may make a file",
    errno.EMFILE: "this process has too many open files",
}


def target(path: str | Path) -> Path:
    """The file that a name stands for: where symbolic links lead, which stay."""
    path = Path(path)
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def check_output(
    path: str | Path,
    overwrite: bool = False,
    what: str = "the output",
    endings: Iterable[str] = (),
    inputs: Iterable[str | Path] = (),
    replaces: Callable[[Path], bool] = lambda _: True,
) -> None:
    """Raise InvalidInput if `path` cannot become a new file: said before anything is computed, not after it.

    `what` ("a trace") is to be written, under a name that has one of the `endings`, if there are any. None of the
    `inputs`, the files that are read for it, is ever replaced; nor, with `overwrite`, a file of which `replaces` says
    that it is none of the kind.
    """
    out = Path(path)
    try:
        text = _folder(path) or _kind(out) or _ending(out, what, tuple(endings)) or _place(out, overwrite, inputs)
        if not text and out.exists() and not replaces(target(out)):
            text = f"is no {what.partition(' ')[2]}, and only {what} is replaced; "
            text += "choose another name, or remove it yourself"
    except OSError as error:
        text = f"cannot be written: {reason(error)}; choose another name"
    except ValueError:
        text = "is no name that a file can have; choose another one"
    if text:
        raise InvalidInput.one(Place(str(out)), text)


def check_ending(path: str | Path, what: str, endings: Iterable[str]) -> None:
    """Raise InvalidInput for a name that others are made of, if it has none of the endings of `what`."""
    text = _folder(path) or _ending(Path(path), what, tuple(endings))
    if text:
        raise InvalidInput.one(Place(str(path)), text)


def _folder(path: str | Path) -> str:
    """What is wrong with a name that is that of a folder, which Path forgets."""
    text = os.fspath(path)
    return "is the name of a folder; give that of a file" if text.endswith(("/", os.sep)) else ""


def _kind(out: Path) -> str:
    """What is wrong with what is there already."""
    try:
        mode = out.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is a symbolic link that leads back to itself; remove it or choose another name"
        raise
    if stat.S_ISDIR(mode):
        return "is a folder; give the name of a file"
    if not stat.S_ISREG(mode):
        return "is a device or a pipe, which is never replaced; give the name of a file"
    return ""


def _ending(out: Path, what: str, endings: tuple[str, ...]) -> str:
    for name in (out, target(out)):
        if endings and name.suffix.lower() not in endings:
            link = "" if name == out else f"leads to '{name}'; "
            stem = name.name if name.name not in endings else what.rpartition(" ")[2]
            return f"{link}{what} needs a name that ends in {' or '.join(endings)}, such as {stem}{endings[0]}"
    return ""


def _place(out: Path, overwrite: bool, inputs: Iterable[str | Path]) -> str:
    there = target(out)
    if any(_same(there, Path(name)) for name in inputs):
        return "is read for this and would be replaced by what comes of it; choose another name"
    if there.exists() and not overwrite:
        return "exists already; choose another name, or replace it with --overwrite"
    if there.exists() and not os.access(there, os.W_OK):
        return "is write-protected and is not replaced; choose another name, or allow writing to it"
    if there.parent.exists() and not there.parent.is_dir():
        return f"'{there.parent}' is no folder; choose another one"
    if not there.parent.is_dir():
        return f"the folder '{there.parent}' does not exist; create it or choose another one"
    if not os.access(there.parent, os.W_OK):
        return f"the folder '{there.parent}' cannot be written to; choose another one"
    return ""


def _same(out: Path, read: Path) -> bool:
    try:
        return out.samefile(read)
    except OSError:
        return False


def reason(error: OSError) -> str:
    """Why the system did not do something, without what a library adds."""
    known = _REASONS.get(error.errno or 0)
    return known or (os.strerror(error.errno) if error.errno else str(error))


def not_made(place: Place, error: OSError) -> InvalidInput | NotWritten:
    """What is said where nothing can be made: of a full disk and its like NotWritten, of a wrong place InvalidInput."""
    text = f"cannot be written: {reason(error)}"
    return NotWritten(place, text) if error.errno in _REASONS else InvalidInput.one(place, text)


class NewFile(io.FileIO):
    """A file that HDF5 can write to: no failure and no interrupt reaches the library, and `settle` tells the first.

    What follows a failure is not written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "x+")
        self.failure: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Note a failure, if it is the first."""
        self.failure = self.failure or error

    def check(self) -> None:
        """Raise the failure, if there is one."""
        if self.failure is not None:
            raise self.failure

    def write(self, data: Any) -> int:
        """Write all of it, or note why not; how many bytes were given."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self.failure is None and done < len(view):
                done += super().write(view[done:]) or 0
        except OSError as error:
            self.fail(error)
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        """Give the file another size, or note why not."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.fail(error)
            return self.tell() if size is None else size

    def settle(self) -> None:
        """Put all on the disk; raise what went wrong until then."""
        self.check()
        os.fsync(self)


@contextmanager
def new_file(path: str | Path, folder: Path | None = None) -> Iterator[NewFile]:
    """A file that is given the name `path` when the block ends well; until then it is another one in `folder`.

    `folder` must be on the same file system; the default is the one where the file will be. An existing file is
    replaced and leaves its permissions to the new one. NotWritten when the system does not take it all.
    """
    out = target(path)
    temporary = (folder or out.parent) / TEMPORARY.replace("*", os.urandom(6).hex())
    try:
        with NewFile(temporary) as file:
            yield file
            with suppress(OSError):
                os.chmod(temporary, stat.S_IMODE(out.stat().st_mode))
            file.settle()
        os.replace(temporary, out)
        _settle_folder(out.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise NotWritten(Place(str(path)), f"cannot be written: {reason(error)}") from None
        raise


@contextmanager
def hdf5_in(file: NewFile) -> Iterator[h5py.File]:
    """The new file as one of HDF5; signals wait until HDF5 is left, or are told by `file.check`."""
    import h5py

    with told_to(file.fail):  # raised by `check` or `settle`
        try:
            with h5py.File(file, "w", libver="v110") as hdf5:
                yield hdf5
        except Exception:
            file.check()  # what HDF5 misses after a failure is no news
            raise


@contextmanager
def new_hdf5(path: str | Path, folder: Path | None = None) -> Iterator[h5py.File]:
    """A new HDF5 file; see new_file."""
    with new_file(path, folder) as file, hdf5_in(file) as hdf5:
        yield hdf5


def write_text(group: h5py.Group, name: str, text: str) -> None:
    """A data set that is one text: a long one of fixed length, because HDF5 2.0 gives another text for one that is not.

    (It does from 32 MiB on, in files of libver v110.)
    """
    import h5py

    data = text.encode()
    if len(data) <= LONG_TEXT:
        group[name] = text
    else:
        kind = h5py.string_dtype("utf-8", len(data))
        group.create_dataset(name, data=np.array(data, kind), dtype=kind)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all; see new_file."""
    with new_file(path) as file:
        file.write(content)


def _settle_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
