"""Where an HDF5 file keeps its texts: libhdf5 walks there from text to text, for ever if a length is damaged."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroport.disk.findings import DAMAGE

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"GCOL\x01"
HEAD = 16
"""Bytes before the first text, and before each."""
LEAST = 4096


def broken_heap(path: Path, file: h5py.File) -> bool:
    """Whether a collection of texts in the file does not end where its lengths lead."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(_broken(data, at) for at in _heaps(data, _raw(file)))


def _raw(file: h5py.File) -> list[tuple[int, int]]:
    """Where the numbers lie, which need not be searched: start and end; nothing if that cannot be read."""
    import h5py

    found: list[tuple[int, int]] = []

    def note(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.id.get_offset() is not None:
            found.append((item.id.get_offset(), item.id.get_offset() + item.id.get_storage_size()))

    try:
        file.visititems(note)
    except DAMAGE:
        return []
    return sorted(found)


def _heaps(data: mmap.mmap, skipped: list[tuple[int, int]]) -> Iterator[int]:
    """Where collections start."""
    start = 0
    for begin, end in [*skipped, (len(data), len(data))]:
        at = data.find(SIGNATURE, start, max(begin, start))
        while at >= 0:
            yield at
            at = data.find(SIGNATURE, at + 1, max(begin, start))
        start = max(start, min(end, len(data)))


def _broken(data: mmap.mmap, at: int) -> bool:
    """Whether the lengths in a collection lead past its end."""
    size = _number(data, at + 8)
    if size < LEAST or at + size > len(data):
        return False  # libhdf5 says so itself
    here, end = at + HEAD, at + size
    while end - here >= HEAD:
        length = _number(data, here + 8)
        if not _number(data, here, 2):
            return length != end - here
        here += HEAD + (length + 7) // 8 * 8
    return here > end


def _number(data: mmap.mmap, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")
