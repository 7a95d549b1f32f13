"""What tells a point from others, in whatever sweep and on whatever machine: its id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from neuroport.network.network import Network
from neuroport.network.values import FileValue, Frozen
from neuroport.program import fixed as arithmetic
from neuroport.sweeps.grid import Point
from neuroport.version import __version__

UNTOLD = ("title",)
"""Fields that change nothing of what is computed."""


def canonical(value: Any) -> str:
    """Plain data as JSON of one form: keys in order, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(value: Any, folder: str = "") -> str:
    """The SHA-256 of all that a network or chip says, models and arrays included, wherever it was read from.

    `folder`: where the paths of files in it start; of these, the contents count.
    """
    found = hashlib.sha256()
    for part in _parts(value, Path(folder)):
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()


def of_network(network: Network) -> str:
    """The fingerprint of a network."""
    return fingerprint(network, network.folder)


def _parts(value: Any, folder: Path) -> Iterator[bytes]:
    if isinstance(value, Frozen):
        yield f"{value.array.dtype.str}{value.array.shape}".encode()
        yield value.array.tobytes()
    elif is_dataclass(value):
        yield type(value).__name__.encode()
        for field in fields(value):
            if field.compare and field.name not in UNTOLD:
                yield field.name.encode()
                yield from _parts(getattr(value, field.name), folder)
        if isinstance(value, FileValue):
            yield _content(folder / value.file)
    elif isinstance(value, tuple):
        yield f"tuple {len(value)}".encode()
        for inner in value:
            yield from _parts(inner, folder)
    else:
        yield repr(value).encode()


def _content(path: Path) -> bytes:
    """What tells the content of a file; that it cannot be read is told where it is run."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def point_id(point: Point, network: str, chip: str, duration: str | None, backend: str) -> str:
    """The SHA-256 of a point's canonical JSON, of the fingerprints of its network and chip, and of versions."""
    told = {
        "point": point.plain(),
        "network": network,
        "chip": chip,
        "for": duration,
        "backend": backend,
        "neuroport": __version__,
        "arithmetic": arithmetic.VERSION,
    }
    return hashlib.sha256(canonical(told).encode()).hexdigest()
