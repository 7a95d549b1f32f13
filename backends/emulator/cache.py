"""Keep generated modules as files, so that Numba's own disk cache finds their compiled code in the next process."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pickletools
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from neuroport.backends.generated import folder, folders
from neuroport.errors import RunFailed

_LOADING = threading.Lock()


def load(text: str) -> ModuleType:
    """Import a generated module. Its file name is the hash of its text, so equal texts share compiled code."""
    with _LOADING:
        return _load(text)


def _load(text: str) -> ModuleType:
    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    name = f"neuroport_generated_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    path = _write(f"{name}.py", text)
    _remove_damaged(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RunFailed(f"{path}: the generated module cannot be imported. Set NEUROPORT_CACHE to another folder")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _remove_damaged(path: Path) -> None:
    """Remove compiled code of a module that is cut off, as after a power cut: Numba does not look, and would fail."""
    for kind, count in (("nbi", 2), ("nbc", 1)):
        for file in (path.parent / "__pycache__").glob(f"{path.stem}.*.{kind}"):
            with suppress(OSError):
                if not _is_whole(file, count):
                    file.unlink()


def _is_whole(file: Path, count: int) -> bool:
    """Whether a file is so many pickles; nothing of them is executed."""
    with file.open("rb") as stream:
        try:
            for _ in range(count):
                for _ in pickletools.genops(stream):
                    pass
        except (ValueError, IndexError, OverflowError):
            return False
        return not stream.read(1)


def _write(file: str, text: str) -> Path:
    """Put the text into the cache folder, or into a temporary one when that cannot be written."""
    problem: OSError | None = None
    for place in folders():
        path = place / file
        try:
            if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
                return path
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=place, prefix=".new-", suffix=".py")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(text)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
            return path
        except OSError as error:
            problem = error
    raise RunFailed(f"{folder()}: generated code cannot be kept here: {problem}. Set NEUROPORT_CACHE to another folder")
