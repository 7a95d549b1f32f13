"""What works on this machine: versions, backends, the compiled-code cache, optional parts."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import asdict, dataclass
from typing import Any

OPTIONAL = {"matplotlib": "plot", "sklearn": "data", "mnist1d": "data", "libsonata": "test"}
NEEDED = ("emulator", "reference")
REQUIRED = ("numpy", "llvmlite", "yaml", "click", "h5py", "rich")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `level` is ok, note (something optional is absent) or bad (something needed is)."""

    level: str
    what: str
    text: str


def examine() -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    return [_python(), *_packages(), *_backends(), _cache(), *_optional()]


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """The findings as plain values; `ok` is false when something needed is missing."""
    return {"ok": all(f.level != "bad" for f in findings), "findings": [asdict(f) for f in findings]}


def _python() -> Finding:
    from neuroport.numerics.processors import processors

    version = platform.python_version()
    where = f"{platform.system()} {platform.machine()}, {processors()} processors"
    return Finding("ok", "Python", f"{version} on {where}")


def _packages() -> list[Finding]:
    from importlib import metadata

    found = []
    for module in REQUIRED:
        name = "pyyaml" if module == "yaml" else module
        if importlib.util.find_spec(module) is None:
            found.append(Finding("bad", name, f"is not installed; install it with: pip install {name}"))
        else:
            found.append(Finding("ok", name, metadata.version(name)))
    return found


def _backends() -> list[Finding]:
    """The backends, and what they need besides, each with what to do when it is absent."""
    from neuroport import backends
    from neuroport.program.executor import Part

    found, parts = list[Finding](), list[Part]()
    for name in backends.names():
        missing = backends.missing(name)
        try:
            parts += getattr(backends.load(name), "examine", tuple)()
        except Exception as error:  # a plug-in may do anything; one that cannot be loaded was told
            missing = missing or f"fails when it is examined: {error}"
        level = "ok" if missing is None else "bad" if name in NEEDED else "note"
        found.append(Finding(level, f"backend {name}", missing or "ready"))
    return found + [Finding("ok" if part.found else "note", part.name, part.text) for part in parts]


def _cache() -> Finding:
    """Whether compiled code can be kept, so that a second process starts without compiling."""
    from neuroport.backends import generated

    folder = generated.folder()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return Finding("note", "cache", f"{folder} cannot be written; every process compiles anew")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.exists() else 0
    return Finding("ok", "cache", f"{folder}, {size / 2**20:.1f} MiB; remove it whenever you like")


def _optional() -> list[Finding]:
    found = []
    for module, extra in OPTIONAL.items():
        if importlib.util.find_spec(module) is not None:
            found.append(Finding("ok", module, "installed"))
        else:
            text = f"is not installed; install it with: pip install 'neuroport[{extra}]'"
            found.append(Finding("note", module, text))
    return found
