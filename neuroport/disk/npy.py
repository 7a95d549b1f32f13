"""Arrays in files of NumPy, .npy and .npz, and sparse matrices of SciPy in .npz: nothing is trusted that they declare.

Objects of Python are never loaded, and no more memory is taken than the numbers in the file need.
"""

from __future__ import annotations

import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from neuroport.disk.hdf5 import DENSEST, SMALL
from neuroport.disk.stored import Entries, Stored, Wrong, whole
from neuroport.numerics.units import quoted

DAMAGE = (
    *(OSError, ValueError, TypeError, SyntaxError, EOFError, KeyError, OverflowError, MemoryError, RecursionError),
    *(RuntimeError, NotImplementedError, struct.error, tokenize.TokenError, zlib.error, zipfile.BadZipFile),
)
"""What reading raises where a file is not what it was when it was written."""
HEADERS: dict[tuple[int, int], Callable[[Any], Any]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
PARTS = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "coo": ("data", "row", "col"),
}
"""The arrays of a sparse matrix by the format in which it was saved."""
SPARSE = {"format", "shape", "data"}
LARGEST = 2**62
"""Places of a sparse matrix."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What an array declares of itself; `size`: the bytes of its numbers."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    size: int


def of_npy(path: Path) -> Stored:
    """The array of a .npy file. Raises Wrong."""

    def read() -> NDArray[Any]:
        with _opened(path) as file:
            return _numbers(file, _header(file, path.stat().st_size))

    with _opened(path) as file:
        return Stored(_checked(_header(file, path.stat().st_size)).shape, read)


def of_npz(path: Path, name: str) -> Stored:
    """The array of that name in a .npz file, the only one, or the sparse matrix that it is. Raises Wrong."""
    with _archive(path) as archive:
        members = _members(archive)
        if members.keys() >= SPARSE:
            return _sparse(path, archive, members, name)
        chosen = _chosen(name, members)
        with archive.open(members[chosen]) as file:
            shape = _checked(_header(file, members[chosen].file_size)).shape

    def read() -> NDArray[Any]:
        with _archive(path) as archive:
            return _member(archive, _members(archive)[chosen])

    return Stored(shape, read)


# -------------------------------------------------------------------------------------------------------- one array


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with _damaged(), path.open("rb") as file:
        yield file


@contextmanager
def _damaged() -> Iterator[None]:
    """Wrong for whatever reading raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a header of Python 2 is as good
            yield
    except Wrong:
        raise
    except DAMAGE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise Wrong(f"cannot be read ({why[:100]}); it is damaged, cut off, or another kind of file") from None


def _header(file: IO[bytes], size: int) -> _Header:
    """What is declared at the start of an array of `size` bytes, header and all."""
    version = npy.read_magic(file)
    if version not in HEADERS:
        raise Wrong("is of another version of the format of NumPy; save it again by np.save")
    shape, fortran, dtype = HEADERS[version](file)
    return _Header(dtype, tuple(shape), bool(fortran), size - file.tell())


def _checked(header: _Header) -> _Header:
    """A header, if it declares numbers that are there."""
    dtype, shape = header.dtype, header.shape
    if dtype.hasobject:
        raise Wrong("holds objects of Python, which are never loaded; save an array of numbers")
    if dtype.kind not in "iuf" or dtype.subdtype is not None or dtype.itemsize > 8:
        raise Wrong(f"is of kind {dtype if dtype.names is None else 'record'}; it must hold numbers of at most 64 bits")
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != header.size:
        declared = f"{' x '.join(map(str, shape)) or 'one'} of {dtype.itemsize} bytes"
        raise Wrong(f"declares {declared}, and has {header.size:,} bytes of numbers; write it again")
    return header


def _numbers(file: IO[bytes], header: _Header) -> NDArray[Any]:
    """The numbers that a checked header declares, as float64 or int64."""
    data = file.read(_checked(header).size)
    if len(data) != header.size:
        raise Wrong(f"ends after {len(data):,} of {header.size:,} bytes of numbers; write it again")
    flat = np.frombuffer(data, header.dtype)
    return whole(flat.reshape(header.shape, order="F" if header.fortran else "C"))


# ------------------------------------------------------------------------------------------------------------ several


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    with _damaged(), zipfile.ZipFile(path) as archive:
        yield archive


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The arrays by their names, none larger than what it is packed in can hold."""
    members: dict[str, zipfile.ZipInfo] = {}
    size = _size(archive)
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise Wrong(f"has two arrays of the name {quoted(name)}; write it again")
        if info.compress_type not in METHODS or info.flag_bits & 1:
            raise Wrong(f"has {quoted(name)} packed in a way that NumPy does not; save it by np.savez_compressed")
        packed = min(info.compress_size, size)
        if info.file_size > SMALL + DENSEST * packed:
            raise Wrong(f"declares {info.file_size:,} bytes in {quoted(name)}, more than {packed:,} hold")
        members[name] = info
    return members


def _size(archive: zipfile.ZipFile) -> int:
    """The bytes of an archive."""
    assert archive.fp is not None
    return os.fstat(archive.fp.fileno()).st_size


def _chosen(name: str, members: dict[str, zipfile.ZipInfo]) -> str:
    """The array that is meant: the only one where none is named."""
    known = ", ".join(list(members)[:20]) or "none"
    if name in members or (not name and len(members) == 1):
        return name or next(iter(members))
    if name:
        raise Wrong(f"has no array {quoted(name)}; there are: {known}")
    raise Wrong(f"has {len(members)} arrays; name one of them as `dataset`: {known}")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as file:
        numbers = _numbers(file, _header(file, info.file_size))
        file.read(1)  # the checksum is looked at where a member ends
        return numbers


def _sparse(path: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str) -> Stored:
    """A sparse matrix as SciPy saves it."""
    if name:
        raise Wrong("is a sparse matrix; leave `dataset` out")
    kind = _text(archive, members["format"])
    if kind not in PARTS:
        raise Wrong(f"is a sparse matrix of the format {quoted(kind)}; save it as one of {', '.join(PARTS)}")
    ends = _member(archive, members["shape"])
    shape = tuple(int(n) for n in ends.reshape(-1)[:3])
    if ends.dtype != np.int64 or len(shape) != 2 or min(shape) < 0 or math.prod(shape) > LARGEST:
        raise Wrong(f"is a sparse matrix of the shape {shape}; it must have two dimensions, of 2**62 places at most")

    def entries() -> Entries:
        with _archive(path) as archive:
            found = _members(archive)
            held = {key: _member(archive, found[key]) for key in PARTS[kind]}
            return _entries(kind, (shape[0], shape[1]), held)

    return Stored(shape, lambda: entries().dense(), entries)


def _text(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    """A short text that is stored as an array."""
    with archive.open(info) as file:
        header = _header(file, info.file_size)
        if header.dtype.kind not in "SU" or header.shape not in ((), (1,)) or header.size != header.dtype.itemsize:
            raise Wrong("is no sparse matrix as SciPy saves it: its format is no text")
        found = np.frombuffer(file.read(header.size), header.dtype)[0]
    return found.decode("ascii") if isinstance(found, bytes) else str(found)


def _entries(kind: str, shape: tuple[int, int], held: dict[str, NDArray[Any]]) -> Entries:
    """The stored values of a matrix with their rows and columns, in the order of these."""
    data = held["data"].reshape(-1)
    if kind == "coo":
        rows, columns = held["row"].reshape(-1), held["col"].reshape(-1)
    else:
        rows, columns = _unpacked(held, shape[0] if kind == "csr" else shape[1], len(data))
        if kind == "csc":
            rows, columns = columns, rows
    for numbers, size in ((rows, shape[0]), (columns, shape[1])):
        if len(numbers) != len(data) or numbers.dtype != np.int64:
            raise Wrong("is no sparse matrix as SciPy saves it: its values and places are not as many")
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < size:
            raise Wrong(f"has a value outside of its shape {shape}; write it again")
    order = np.lexsort((columns, rows))
    found = Entries(shape, rows[order], columns[order], data[order])
    twice = found.twice()
    if twice is not None:
        raise Wrong(f"has several values at {list(twice)}; add them up by its sum_duplicates() before it is saved")
    return found


def _unpacked(held: dict[str, NDArray[Any]], lines: int, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lines and places in them of packed rows or columns."""
    starts = held["indptr"].reshape(-1)
    steps = np.diff(starts)
    if len(starts) != lines + 1 or starts[0] != 0 or starts[-1] != count or np.any(steps < 0):
        raise Wrong("is no sparse matrix as SciPy saves it: its rows do not begin where they must")
    return np.repeat(np.arange(lines), steps), held["indices"].reshape(-1)
