"""Keep the machine code of generated modules as files, so that the next process need not compile them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from neuroport.backends.emulator.building import ALONE
from neuroport.backends.emulator.native.build import Library, described, loaded, machine_code
from neuroport.backends.emulator.native.kinds import Array
from neuroport.backends.emulator.native.translate import Module
from neuroport.backends.generated import folder, folders
from neuroport.errors import RunFailed

SEAL = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Called:
    """A function that is called from Python: its name, how many numbers come first, and the types of its arrays."""

    name: str
    numbers: int
    arrays: tuple[Array, ...]


def load(text: str, called: tuple[Called, ...], checked: bool = False) -> Library:
    """The machine code of a generated module, which is compiled unless it was before."""
    with ALONE:
        return _load(text, called, checked)


@lru_cache(maxsize=64)
def _load(text: str, called: tuple[Called, ...], checked: bool) -> Library:
    key = hashlib.sha256(repr((text, called, checked, described())).encode()).hexdigest()[:32]
    file = f"neuroport_{key}.o"
    code = _kept(file)
    if code is None:
        with _one_process(file):
            code = _kept(file)
            if code is None:
                code = _compiled(text, called, checked)
                _keep(file, code)
    return loaded(code)


def _compiled(text: str, called: tuple[Called, ...], checked: bool) -> bytes:
    module = Module(text, checked)
    for function in called:
        module.entry(function.name, function.arrays, function.numbers)
    return machine_code(module.ir())


@contextmanager
def _one_process(file: str) -> Iterator[None]:
    """Have other processes that want the same machine code wait until it is there; where there are locks of files."""
    try:
        import fcntl

        place = next(folders())
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = (place / file).with_suffix(".lock").open("w")
    except (ImportError, OSError):
        yield
        return
    with handle:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        with suppress(OSError):
            os.unlink(handle.name)


def _kept(file: str) -> bytes | None:
    """The machine code in a file of the cache; none where there is no such file, or one that is damaged."""
    for place in folders():
        try:
            sealed = (place / file).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(sealed[SEAL:]).digest() == sealed[:SEAL]:
            return sealed[SEAL:]
    return None


def _keep(file: str, code: bytes) -> Path:
    """Put machine code into the cache folder, or into a temporary one when that cannot be written."""
    problem: OSError | None = None
    for place in folders():
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=place, prefix=".new-", suffix=".o")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(hashlib.sha256(code).digest() + code)
                os.replace(temporary, place / file)
            except BaseException:
                os.unlink(temporary)
                raise
            return place / file
        except OSError as error:
            problem = error
    raise RunFailed(f"{folder()}: generated code cannot be kept here: {problem}. Set NEUROPORT_CACHE to another folder")
