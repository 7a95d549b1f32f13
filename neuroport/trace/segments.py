"""The folder of closed segments that a trace consists of while it is written, and whose it is."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from neuroport.disk.findings import DAMAGE
from neuroport.disk.output import HDF5, TEMPORARY, check_output, new_hdf5, not_made, target
from neuroport.disk.paths import MISSING
from neuroport.errors import InvalidInput, NotWritten, Place

LOCK, CHECKPOINT = "lock", "checkpoint.h5"
RECORDED = "recorded"
"""The group of a checkpoint that has what was recorded until then and is in no segment before it."""
_SEGMENT = re.compile(r"(\d{6,})\.h5")
_UNFINISHED = re.compile(r"(\d{6,}|joined)\.tmp|" + re.escape(TEMPORARY).replace(r"\*", "[0-9a-f]+"))
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, getattr(errno, "ENOTSUP", 0), getattr(errno, "EOPNOTSUPP", 0)}
_TRIES, _PAUSE = 10, 0.02
"""Somebody who only looks whether a folder is in use holds its lock for a moment."""


def parts_folder(path: str | Path) -> Path:
    """Where the segments of the trace `path` lie while it is being written: beside the file, where a link leads."""
    return Path(f"{target(path)}.part")


def segment(folder: Path, number: int) -> Path:
    """The segment of that number."""
    return folder / f"{number:06d}.h5"


def segments(folder: Path) -> list[Path]:
    """The complete segments in order; empty if the first, which says what the others are, is missing."""
    found = sorted((int(name[1]), path) for path in folder.glob("*.h5") if (name := _SEGMENT.fullmatch(path.name)))
    return [path for _, path in found] if found and found[0][0] == 0 else []


def how_to_join(folder: Path) -> str:
    """The command that makes a trace of the parts."""
    there = folder.with_suffix("").exists()
    return f"'neuroport join {folder}{' -o OTHER.h5' if there else ''}'"


def how_to_resume(path: str | Path) -> str:
    """The command that goes on with the run of the trace `path`."""
    return f"'neuroport run --resume {path}'"


def has_checkpoint(folder: Path) -> bool:
    """Whether a folder of parts has something to go on from; one of a run that was resumed has it in its beginning."""
    import h5py

    if (folder / CHECKPOINT).exists():
        return True
    try:
        with h5py.File(segment(folder, 0), "r") as opened:
            return "checkpoint" in opened
    except DAMAGE:
        return False


def take_out(folder: Path) -> None:
    """Make the segment that follows those before the checkpoint, if there is none, of what the checkpoint has of it."""
    import h5py

    saved = folder / CHECKPOINT
    if not saved.exists():
        return
    with h5py.File(saved, "r") as file:
        if RECORDED not in file:
            return
        out = segment(folder, int(file.attrs["segments"]))
        if not out.exists():
            with new_hdf5(out, folder) as new:
                for kind in file[RECORDED]:
                    file.copy(f"{RECORDED}/{kind}", new)


def has_ended(path: str | Path) -> bool:
    """Whether the parts beside the trace `path` are all in it: their run was ended while it removed them."""
    import h5py

    try:
        with h5py.File(target(path), "r") as trace, h5py.File(segments(parts_folder(path))[-1], "r") as last:
            of_trace, of_parts = trace["neuroport"].attrs, last["end"].attrs
            names = ("complete", "digest", "steps", "build_s", "run_s")
            return bool(of_trace["complete"]) and all(of_trace[name] == of_parts[name] for name in names)
    except (IndexError, *DAMAGE):
        return False


def left(path: str | Path) -> str:
    """What to say of the parts that a run of the trace `path` left; "" if there are none."""
    folder = parts_folder(path)
    if has_ended(path):
        return f"'{path}' is complete; remove '{folder}', of which it was made"
    if not _recorded(folder):
        empty = folder.is_dir() and {*folder.iterdir()} == {*_own(folder)}
        return f"'{folder}' holds nothing that was recorded; remove it" if empty else ""
    if not segments(folder):
        return ""
    resume = f"go on with {how_to_resume(path)}, or " if has_checkpoint(folder) else ""
    return f"what was recorded lies in '{folder}': {resume}join it with {how_to_join(folder)}"


class Lock:
    """An advisory lock on a parts folder that ends with the process that holds it, however that ends.

    `supported` says, once it is taken, whether this system and this file system have such locks.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._file = self._path.open("a")
        self.supported, self.is_held = True, False

    def take(self) -> bool:
        """Whether the folder is ours now; true also where there are no advisory locks."""
        for _ in range(_TRIES):
            self.is_held = self._take()
            if self.is_held:
                return True
            time.sleep(_PAUSE)
        return False

    def _take(self, shared: bool = False) -> bool:
        try:
            import fcntl
        except ImportError:
            self._file.close()  # such a system does not remove a file that is open
            self.supported = False
            return True
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            self.supported = error.errno not in _NO_LOCKS
            return not self.supported
        return True

    def is_free(self) -> bool:
        """Whether nobody holds it; to be released at once."""
        return self._take(shared=True)

    def is_ours(self) -> bool:
        """Whether it is held, and still that of the folder, which somebody may have removed and made anew."""
        if not self.is_held or self._file.closed:
            return self.is_held
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def release(self) -> None:
        """Give the folder back."""
        self.is_held = False
        self._file.close()


class Parts:
    """The folder where the segments of the trace `path` lie, this process's alone from `claim` to `release`."""

    def __init__(self, path: Path, folder: Path, lock: Lock) -> None:
        self.path, self.folder, self._lock = path, folder, lock

    @classmethod
    def claim(cls, path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> Parts:
        """Make the folder and lock it. InvalidInput where no trace may be written, see check_trace; NotWritten where
        the disk is full.
        """
        check_file(path, overwrite, inputs)
        _check_foreign(path)
        folder = parts_folder(path)
        try:
            lock = _locked(folder, Place(str(path)))
        except OSError as error:
            raise not_made(Place(str(path)), error) from None
        parts = cls(Path(path), folder, lock)
        try:
            check_file(path, overwrite, inputs)  # again: a run may have ended until the lock was ours
            _check_left(path, overwrite)
        except InvalidInput:
            parts.let_go()
            raise
        return parts

    @classmethod
    def resume(cls, path: str | Path) -> Parts:
        """The folder of a run that is to be gone on with, made if its trace was joined, locked as by `claim`."""
        _check_foreign(path)
        place, folder = Place(str(path)), parts_folder(path)
        if not target(path).parent.is_dir():
            raise InvalidInput.one(place, MISSING)
        try:
            return cls(Path(path), folder, _locked(folder, place))
        except OSError as error:
            raise not_made(place, error) from None

    @classmethod
    def left(cls, folder: Path) -> Parts:
        """The folder that a run left. InvalidInput if that run is still going on."""
        lock = Lock(folder)
        if lock.take():
            return cls(folder, folder, lock)
        lock.release()
        raise InvalidInput.one(Place(str(folder)), "a run is still writing these parts; wait until it ends")

    def number(self, number: int) -> Path:
        """Where a segment belongs. NotWritten if the folder is not ours any more."""
        if not self._lock.is_ours():
            text = f"cannot be written: its parts in '{self.folder}' were removed while the run went on"
            raise NotWritten(Place(str(self.path)), text)
        return segment(self.folder, number)

    @property
    def checkpoint(self) -> Path:
        """Where the last checkpoint belongs. NotWritten if the folder is not ours any more."""
        return self.number(0).with_name(CHECKPOINT)

    def drop(self, number: int) -> None:
        """Remove the segments from that number on."""
        for path in segments(self.folder):
            if int(path.stem) >= number:
                path.unlink()

    def clear(self) -> None:
        """Remove what an earlier run left."""
        for path in _own(self.folder):
            if path.name != LOCK:
                path.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Release the lock, and remove the folder if it holds nothing that was recorded; what is not ours stays."""
        if not self._lock.is_ours():
            self.release()
        elif not _recorded(self.folder):
            self.remove()
        else:
            self.release()

    def remove(self) -> None:
        """Remove the folder and release the lock."""
        with suppress(OSError):
            if self._lock.is_ours():
                self.clear()
                (self.folder / LOCK).unlink()
                self.folder.rmdir()
        self.release()

    def release(self) -> None:
        """Leave the folder to whoever joins it."""
        self._lock.release()


def check_trace(path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> None:
    """Raise InvalidInput if no run can write the trace `path`; nothing is made.

    Besides what `check_output` refuses, these are: a file that is no trace, parts of a run that was killed (both with
    `overwrite` only the former), and a trace that another run is writing.
    """
    check_file(path, overwrite, inputs)
    _check_foreign(path)
    folder, place = parts_folder(path), Place(str(path))
    if folder.is_dir() and (folder / LOCK).is_file():
        lock = Lock(folder)
        free = lock.is_free()
        lock.release()
        if not free:
            raise InvalidInput.one(place, _in_use(folder))
    _check_left(path, overwrite)


def check_file(path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> None:
    """Raise InvalidInput if a trace cannot have this name, whoever writes it; see `check_output`.

    With `overwrite`, only a trace is replaced.
    """
    check_output(path, overwrite, "a trace", HDF5, inputs, may_be_trace)


def _check_foreign(path: str | Path) -> None:
    """InvalidInput if what has the name of the parts folder is not that of a run."""
    folder, text = parts_folder(path), ""
    if not folder.is_dir():
        if folder.exists():
            text = f"'{folder}', where the parts of the trace would lie, is no folder; move it away"
    elif foreign := sorted({entry.name for entry in folder.iterdir()} - {own.name for own in _own(folder)}):
        shown = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
        text = f"'{folder}', where the parts of the trace would lie, holds other files ({shown}); move them away"
    if text:
        raise InvalidInput.one(Place(str(path)), text)


def _check_left(path: str | Path, overwrite: bool) -> None:
    """InvalidInput if there are parts of a run that was killed, and nobody said that they may go."""
    folder = parts_folder(path)
    kept = _recorded(folder) if folder.is_dir() and not overwrite else []
    if kept and segments(folder) and (len(segments(folder)) > 1 or has_checkpoint(folder)):
        resume = f"go on with {how_to_resume(path)}, " if has_checkpoint(folder) else ""
        text = f"the run that was writing this file did not end; {resume}join its parts with {how_to_join(folder)}, "
        raise InvalidInput.one(Place(str(path)), f"{text}or replace them with --overwrite")
    if kept:
        text = f"'{folder}' holds {kept[0].name}, a part of a run without a beginning that can be read; "
        raise InvalidInput.one(Place(str(path)), f"{text}move it away, or replace it with --overwrite")


def _recorded(folder: Path) -> list[Path]:
    """The segments that may hold what a run recorded, which is all but a sound first one, and what is named like it;
    and its checkpoint.
    """
    there = folder.iterdir() if folder.is_dir() else ()
    found = sorted(path for path in there if _SEGMENT.fullmatch(path.name) or path.name == CHECKPOINT)
    return [path for path in found if path != segment(folder, 0) or not _is_header(path)]


def _is_header(path: Path) -> bool:
    """Whether a file is the beginning of a trace, which holds nothing recorded unless it was resumed, or empty."""
    import h5py

    if not path.stat().st_size:
        return True
    try:
        with h5py.File(path, "r") as opened:
            return "neuroport" in opened and "checkpoint" not in opened
    except DAMAGE:
        return False


def may_be_trace(path: Path) -> bool:
    """False for a file that certainly is none; one that is absent, empty or damaged may be."""
    import h5py

    try:
        if not path.exists() or not path.stat().st_size:
            return True
        with path.open("rb") as file:
            if file.read(8) != b"\x89HDF\r\n\x1a\n":
                return False
        with h5py.File(path, "r") as opened:
            return "neuroport" in opened
    except DAMAGE:
        return True


def _own(folder: Path) -> list[Path]:
    """The files of a parts folder that a run makes."""
    names = (_SEGMENT, _UNFINISHED)
    known = (LOCK, CHECKPOINT)
    return [path for path in folder.iterdir() if path.name in known or any(n.fullmatch(path.name) for n in names)]


def _in_use(folder: Path) -> str:
    return f"another run is writing this file, with its parts in '{folder}'; wait until it ends, or choose another name"


def _locked(folder: Path, place: Place) -> Lock:
    """The lock of a folder, made if need be. InvalidInput if another process has it."""
    while True:
        is_new = True
        try:
            folder.mkdir()
        except FileExistsError:
            is_new = False
        try:
            lock = Lock(folder)
        except FileNotFoundError:  # whoever had the folder removed it in this moment
            continue
        except OSError:
            if is_new:
                folder.rmdir()
            raise
        if not lock.take():
            lock.release()
            raise InvalidInput.one(place, _in_use(folder))
        if not lock.supported and not is_new:
            lock.release()
            raise InvalidInput.one(place, _no_locks(folder))
        if lock.is_ours():
            return lock
        lock.release()


def _no_locks(folder: Path) -> str:
    return (
        f"'{folder}' is there, and this file system has no locks that would say whether a run is still writing it; "
        f"when none is, join its parts with {how_to_join(folder)}, or remove it"
    )
