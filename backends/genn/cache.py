"""Where generated GeNN code is kept: the user's cache folder, one folder per content."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from neuroport.backends.generated import folder, folders
from neuroport.backends.genn import ending, watch
from neuroport.backends.genn.devices import TOOLKITS
from neuroport.backends.genn.flags import Flags
from neuroport.errors import RunFailed, Unsupported

LOG = "build.log"
LIBRARIES = ("librunner.so", "runner.dll")


def place(key: str) -> Path:
    """The folder of this content; it exists and can be written."""
    problem: OSError | None = None
    for root in folders("genn"):
        try:
            path = root / key
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(path, os.W_OK):
                return path
        except OSError as error:
            problem = error
    raise RunFailed(
        f"{folder()}: generated code cannot be kept here ({problem}); set NEUROPORT_CACHE to another folder"
    )


def build(path: Path, compile_there: Callable[[], None], flags: Flags) -> None:
    """Generate and compile in a folder, one process at a time; what compilers say goes into its build.log."""
    log = path / LOG
    with _locked(path / "lock"):
        try:
            with _into(log, "built"), _make_flags(flags):
                compile_there()
        except MemoryError as error:
            raise Unsupported(NO_MEMORY) from error
        except Exception as error:
            if compiler := NOT_RUN.search(_read(log)):
                raise Unsupported(NO_COMPILER.format(compiler[1], NEEDED[compiler[2]])) from error
            found = first_error(log) or f"{type(error).__name__}: {error}"
            raise RunFailed(
                f"the code generated for GeNN could not be compiled: {found}; the text is in {path} "
                f"and what the compiler said in its {LOG}"
            ) from error


NOT_RUN = re.compile(r"(\S*?(nvcc|hipcc|g\+\+)): (?:\d+: )?(?:command )?(?:not found|No such file|Permission denied)")
NO_COMPILER = "'{}', which compiles what is generated for GeNN, cannot be run; see that {}"
NEEDED = {"nvcc": TOOLKITS["cuda"], "hipcc": TOOLKITS["hip"], "g++": "a C++ compiler is on the PATH"}
NO_MEMORY = "there is too little memory for the network with GeNN; take fewer neurons, synapses or copies"


def load(path: Path, own: Path, load_it: Callable[[], None]) -> None:
    """Load what was compiled in a folder, and put it on the device. own: a folder for what is said meanwhile."""
    try:
        with _into(own / "load.log", "loaded"):
            load_it()
    except MemoryError as error:
        raise Unsupported(NO_MEMORY) from error
    except Exception as error:  # of the loader, or of a driver
        reason = " ".join(str(error).split()) or type(error).__name__
        if said := watch.reason(reason):
            raise Unsupported(f"the GPU failed while the network was loaded: {said}; {watch.remedy(said)}") from error
        raise RunFailed(
            f"the code compiled for GeNN could not be loaded: {reason}; it is in {path}; remove that folder to have it "
            f"compiled again"
        ) from error


def _ended(log: Path, what: str) -> str:
    """Why GeNN has ended the process, by its last words."""
    reason = watch.reason(_read(log)) or "it does not say why"
    return f"GeNN ended the program while the network was {what}: {reason}; {watch.remedy(reason)}"


@contextlib.contextmanager
def copied(compiled: Path) -> Iterator[Path]:
    """A folder with a copy of the library in a folder of compiled code, while it is loaded.

    A library that one process loads twice from the same file is loaded once: two networks would share their memory.
    """
    with tempfile.TemporaryDirectory(dir=compiled.parent, ignore_cleanup_errors=True) as folder_:
        own = Path(folder_, compiled.name)
        own.mkdir()
        for library in (file for file in compiled.iterdir() if file.name in LIBRARIES):
            shutil.copy(library, own)
        yield Path(folder_)


def first_error(log: Path) -> str | None:
    """The first line of a log that speaks of an error."""
    found = re.search(r"^.*\b(?:error|Error)\b.*$", _read(log), re.MULTILINE)
    return found.group().strip() if found else None


def _read(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows: two processes that build the same network at the same time are on their own
        yield
        return
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _make_flags(flags: Flags) -> Iterator[None]:
    """Let `make` add compiler flags after those of the makefile: PyGeNN has no setting for it."""
    before = os.environ.get("MAKEFLAGS")
    if flags.added:
        rule = f"%.o: {flags.variable} += {flags.added}".replace(" ", "\\ ")
        os.environ["MAKEFLAGS"] = f"--eval={rule}"
    try:
        yield
    finally:
        if flags.added and before is None:
            del os.environ["MAKEFLAGS"]
        elif before is not None:
            os.environ["MAKEFLAGS"] = before


@contextlib.contextmanager
def _into(log: Path, what: str) -> Iterator[None]:
    """Send what this process and its children print into a file: GeNN has no other way to be silent.

    what: what is done meanwhile with the network, for the sentence that is told when GeNN ends the process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    try:
        with log.open("wb") as handle, ending.told(lambda: _ended(log, what), saved[1]):
            os.dup2(handle.fileno(), 1)
            os.dup2(handle.fileno(), 2)
            yield
    finally:
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        for descriptor in saved:
            os.close(descriptor)
