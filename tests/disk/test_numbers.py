"""Files of numbers that are not HDF5: what they hold, what is said of others, and of damaged ones."""

from __future__ import annotations

import random
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.disk import csv, stored
from neuroport.disk.csv import SEPARATORS
from neuroport.disk.numbers import found
from neuroport.disk.stored import Wrong
from neuroport.errors import InvalidInput

sparse = pytest.importorskip("scipy.sparse", reason="sparse matrices need SciPy")
RNG = np.random.default_rng(1)
DENSE = np.where(RNG.random((30, 40)) < 0.2, RNG.random((30, 40)), 0)
ARRAYS: dict[str, Any] = {
    "reals": DENSE,
    "fortran": np.asfortranarray(DENSE),
    "singles": DENSE.astype(np.float32),
    "halves": np.arange(5).astype(np.float16),
    "big-endian": DENSE.astype(">f8"),
    "whole": np.arange(24).reshape(2, 3, 4),
    "bytes": np.arange(7, dtype=np.uint8),
    "one": np.array(2.5),
    "none": np.zeros((0, 2), np.int32),
}


def looked_at(path: Path, name: str) -> None:
    """Read all that a file holds."""
    held = found(path, name)
    held.read()
    (held.entries or held.read)()


def told(path: Path, name: str = "") -> str:
    """What is said of a file, at the latest when it is read."""
    with pytest.raises((InvalidInput, Wrong)) as error:
        looked_at(path, name)
    return str(error.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_come_back(kind: str, tmp_path: Path) -> None:
    array, path = ARRAYS[kind], tmp_path / "a.npy"
    np.save(path, array)
    np.savez(tmp_path / "a.npz", only=array)
    np.savez_compressed(tmp_path / "b.npz", first=array, second=np.zeros(3))
    for held in (found(path, ""), found(tmp_path / "a.npz", ""), found(tmp_path / "b.npz", "first")):
        numbers = held.read()
        assert held.shape == array.shape == numbers.shape and np.array_equal(numbers, array)
        assert numbers.dtype == (np.float64 if array.dtype.kind == "f" else np.int64)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("packed", [True, False])
def test_sparse_matrices_come_back(form: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    sparse.save_npz(path, sparse.coo_array(DENSE).asformat(form), compressed=packed)
    held = found(path, "")
    assert held.shape == DENSE.shape and np.array_equal(held.read(), DENSE)
    assert held.entries is not None
    entries = held.entries()
    assert np.array_equal(np.stack([entries.rows, entries.columns]), np.stack(np.nonzero(DENSE)))
    assert np.array_equal(entries.at(entries.rows[::-1], entries.columns[::-1]), entries.values[::-1])


TABLES = {
    "commas": ("1,2\n3,4\n", "", [[1, 2], [3, 4]]),
    "named": ("# made by hand\n\ni,j,w\n0,1,0.5\r\n1,2,-1e-3\n", "", [[0.0, 1.0, 0.5], [1.0, 2.0, -1e-3]]),
    "a column": ('"i","w"\n0, 0.5\n1, 2.\n', "w", [0.5, 2.0]),
    "texts beside": ("label,w\nx,0.5\ny,2\n", "w", [0.5, 2.0]),
    "whole numbers": ("i,w\n7,0.5\n8,.5\n", "i", [7, 8]),
    "semicolons": ("1;2\n3;4", "", [[1, 2], [3, 4]]),
    "tabs": ("1\t2\n3\t4", "", [[1, 2], [3, 4]]),
    "a list": ("1.5\n+2.5\n", "", [1.5, 2.5]),
    "a mark of bytes": ("\ufeff1\n2\n", "", [1, 2]),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_come_back(kind: str, tmp_path: Path) -> None:
    text, name, wanted = TABLES[kind]
    path = tmp_path / "t.CSV"
    path.write_bytes(text.encode())
    numbers = found(path, name).read()
    assert numbers.tolist() == wanted and numbers.dtype == np.array(wanted).dtype
    assert found(path, name).shape == numbers.shape


CELLS = ("1", "-2", "+3", "0.5", ".5", "5.", "1e3", "1E-3", " 4", "9" * 17, "1e308", "-0")
ODD = ("x", "", "1e999", "1 2", "9" * 30, "1e", "+-1", '"7"')


@pytest.mark.parametrize("seed", range(60))
def test_a_table_is_read_the_quick_way_as_the_other_way(
    seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rng, path = random.Random(seed), tmp_path / "t.csv"
    cells = [*CELLS[seed % 3 * 3 :], *ODD[seed % 17 :]] if seed % 2 else CELLS[: 3 if seed % 4 else None]
    mark = rng.choice(SEPARATORS)
    rows = [mark.join(rng.choice(cells) for _ in range(3)) for _ in range(4)]
    path.write_text("\n".join([mark.join("abc"), *rows]))
    for name in ("", "b"):
        results: list[Any] = []
        for quick in (True, False):
            with monkeypatch.context() as patch:
                if not quick:
                    patch.setattr(csv, "_quick", lambda *_: None)
                try:
                    numbers = found(path, name).read()
                    results.append((numbers.dtype, numbers.tolist()))
                except InvalidInput as error:
                    results.append(str(error))
        assert results[0] == results[1]


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "", "has no numbers in it"),
        ("# 1\n\n", "", "has no numbers in it"),
        ("a,b\n", "", "has no numbers in it"),
        ("1,2\n3\n", "", "has 1 values in line 2, and 2 in the first"),
        ("# x\n1,2\n\n3,x\n", "", "has 'x' in line 4, column 2, which is no number"),
        ("1,x\n3,4\n", "", "has 'x' in line 1, column 2, which is no number"),
        ("1\n1_0\n", "", "has '1_0' in line 2, column 1, which is no number"),
        ("1\nnan\n", "", "has 'nan' in line 2, column 1, which is no number"),
        ("1\n1e999\n", "", "has '1e999' in line 2, column 1, which is no number"),
        ("1;2\n1,5;2\n", "", "has '1,5' in line 2, column 1, which is no number"),
        ("a,b\n1,2\n", "c", "has no column 'c'; there are: a, b"),
        ("1,2\n", "c", "has no column 'c'; there are: it has no line with names"),
        ("a,a\n1,2\n", "a", "has several columns of the name 'a'; give them names of their own"),
        ("9" * 30, "", "holds a whole number of more than 63 bits"),
    ],
)
def test_what_is_no_table_says_why(text: str, name: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    assert told(path, name) == said


def test_a_table_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"1\n\xff\n")
    assert told(path) == "is no text of numbers: byte 2 is not UTF-8"
    monkeypatch.setattr("neuroport.disk.csv.MOST_BYTES", 3)
    assert told(path) == "has 4 bytes, too many for text; save the numbers as .npy or in HDF5"


def saved(array: Any, path: Path) -> None:
    np.save(path, array, allow_pickle=True)


def cut(path: Path) -> None:
    np.save(path, DENSE)
    path.write_bytes(path.read_bytes()[:-3])


def text(path: Path) -> None:
    path.write_text("hello")


def third(path: Path) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array(file, DENSE, version=(3, 0))


NOT_NPY: dict[str, tuple[Callable[[Path], None], str]] = {
    "objects": (
        partial(saved, np.array([{}, 1], object)),
        "holds objects of Python, which are never loaded; save an array of numbers",
    ),
    "records": (
        partial(saved, np.zeros(2, [("a", "i4"), ("b", "f8")])),
        "is of kind record; it must hold numbers of at most 64 bits",
    ),
    "texts": (partial(saved, np.array(["ab"])), "is of kind <U2; it must hold numbers of at most 64 bits"),
    "truth": (partial(saved, np.array([True])), "is of kind bool; it must hold numbers of at most 64 bits"),
    "complex": (partial(saved, np.ones(2, complex)), "is of kind complex128; it must hold numbers of at most 64 bits"),
    "too large": (
        partial(saved, np.array([2**63], np.uint64)),
        "holds 9223372036854775808; whole numbers must be below 2**63",
    ),
    "cut": (cut, "declares 30 x 40 of 8 bytes, and has 9,597 bytes of numbers; write it again"),
    "text": (
        text,
        "cannot be read (EOF: reading magic string, expected 8 bytes got 5); it is damaged, cut off, or another kind "
        "of file",
    ),
    "version": (third, "is of another version of the format of NumPy; save it again by np.save"),
}


@pytest.mark.parametrize("kind", NOT_NPY)
def test_what_is_no_array_says_why(kind: str, tmp_path: Path) -> None:
    write, said = NOT_NPY[kind]
    write(tmp_path / "a.npy")
    assert told(tmp_path / "a.npy") == said


def zipped(path: Path, method: int = zipfile.ZIP_STORED, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)


def test_what_is_no_archive_of_arrays_says_why(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=np.zeros(3), b=np.zeros(4))
    assert told(path) == "has 2 arrays; name one of them as `dataset`: a, b"
    assert told(path, "c") == "has no array 'c'; there are: a, b"
    zipped(path, zipfile.ZIP_LZMA, a=b"x")
    assert told(path) == "has 'a' packed in a way that NumPy does not; save it by np.savez_compressed"
    path.write_text("hello")
    assert told(path) == "cannot be read (File is not a zip file); it is damaged, cut off, or another kind of file"
    np.save(tmp_path / "a.npy", np.zeros(3))
    assert told(tmp_path / "a.npy", "x") == "holds one array; leave `dataset` out"
    (tmp_path / "folder.npy").mkdir()
    assert told(tmp_path / "folder.npy") == "is a folder; give the name of a file of numbers"


def test_what_is_packed_is_no_larger_than_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    zipped(path, a=b"\x93NUMPY" + bytes(100))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 20
    data[at : at + 8] = (2**31).to_bytes(4, "little") + (2**32 - 2).to_bytes(4, "little")
    path.write_bytes(data)
    assert told(path) == "declares 4,294,967,294 bytes in 'a', more than 214 hold"


def matrix(path: Path, form: str = "csr", **parts: Any) -> None:
    """A sparse matrix with other parts than it has."""
    given = sparse.coo_array(DENSE).asformat(form)
    names = ("row", "col") if form == "coo" else ("indices", "indptr")
    held = {name: getattr(given, name) for name in names} | {"data": given.data, "shape": given.shape}
    np.savez(path, **({"format": form.encode()} | held | parts))


MISMADE: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"format": b"bsr"}, "is a sparse matrix of the format 'bsr'; save it as one of csr, csc, coo"),
    "no text": ({"format": 3}, "is no sparse matrix as SciPy saves it: its format is no text"),
    "shape": (
        {"shape": (30, 40, 1)},
        "is a sparse matrix of the shape (30, 40, 1); it must have two dimensions, of 2**62 places at most",
    ),
    "vast": (
        {"form": "coo", "shape": (2**40, 2**40)},
        f"is a sparse matrix of the shape {(2**40, 2**40)}; it must have two dimensions, of 2**62 places at most",
    ),
    "rows": (
        {"indptr": np.arange(31)},
        "is no sparse matrix as SciPy saves it: its rows do not begin where they must",
    ),
    "lengths": (
        {"form": "coo", "row": [1, 2]},
        "is no sparse matrix as SciPy saves it: its values and places are not as many",
    ),
    "outside": ({"shape": (30, 3)}, "has a value outside of its shape (30, 3); write it again"),
    "twice": (
        {"form": "coo", "row": [1, 1], "col": [2, 2], "data": [1.0, 2.0]},
        "has several values at [1, 2]; add them up by its sum_duplicates() before it is saved",
    ),
}


@pytest.mark.parametrize("kind", MISMADE)
def test_what_is_no_sparse_matrix_says_why(kind: str, tmp_path: Path) -> None:
    parts, said = MISMADE[kind]
    matrix(tmp_path / "w.npz", **parts)
    assert told(tmp_path / "w.npz") == said


def test_a_sparse_matrix_is_not_written_out_where_it_is_vast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix(tmp_path / "w.npz")
    assert told(tmp_path / "w.npz", "data") == "is a sparse matrix; leave `dataset` out"
    monkeypatch.setattr(stored, "LARGEST_DENSE", 1000)
    said = "has 30 x 40 values when it is written out; use it in projections"
    assert told(tmp_path / "w.npz") == said


# ------------------------------------------------------------------------------------------------------------ mutants


def sources(folder: Path) -> dict[str, bytes]:
    """Whole files of every kind."""
    matrix(folder / "csr.npz")
    sparse.save_npz(folder / "csc.npz", sparse.csc_array(DENSE))
    sparse.save_npz(folder / "coo.npz", sparse.coo_array(DENSE))
    np.savez(folder / "z.npz", a=DENSE, b=np.arange(300))
    np.savez_compressed(folder / "zc.npz", a=DENSE, b=np.arange(300))
    np.save(folder / "a.npy", DENSE)
    np.save(folder / "i.npy", np.arange(50, dtype=np.int16))
    (folder / "t.csv").write_text("a,b,c\n" + "1,2.5,-3e-2\n" * 30)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def mutant(data: bytes, rng: random.Random) -> bytes:
    """A file in which a few bytes are others, or not there, or too many; most often near its ends, where it says what
    it is.
    """
    changed, how = bytearray(data), rng.randrange(6)
    for _ in range(rng.choice([1, 1, 2, 5])):
        near = rng.choice([140, 10**9])
        at = rng.randrange(min(len(changed), near))
        at = len(changed) - 1 - at if rng.random() < 0.3 else at
        match how:
            case 0:
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                changed[at] = rng.choice([0, 255, 128, 32, 48, 57])
            case 2:
                del changed[at:]
            case 3:
                del changed[at : at + rng.randrange(1, 9)]
            case 4:
                changed[at:at] = rng.randbytes(rng.randrange(1, 9))
            case _:
                changed[at : at + 8] = b"\xff" * 8
        if not changed:
            break
    return bytes(changed)


def hunt(folder: Path, first: int, count: int) -> list[str]:
    """What went wrong with so many mutants."""
    (folder / "whole").mkdir()
    whole, wrong = sources(folder / "whole"), []
    for seed in range(first, first + count):
        rng = random.Random(seed)
        name = rng.choice(list(whole))
        path = folder / name
        path.write_bytes(mutant(whole[name], rng))
        try:
            held = found(path, {"z.npz": "a", "zc.npz": "b", "t.csv": rng.choice(["", "b"])}.get(name, ""))
            numbers = held.read()
            if numbers.shape != held.shape or numbers.dtype not in (np.float64, np.int64):
                wrong.append(f"{seed}: {name} has {numbers.dtype} {numbers.shape}, not {held.shape}")
            (held.entries or held.read)()
        except (InvalidInput, Wrong) as error:
            if len(str(error)) > 400 + len(str(path)):
                wrong.append(f"{seed}: {name}: {error}")
        except Exception as error:  # what is looked for
            wrong.append(f"{seed}: {name}: {type(error).__name__}: {error}")
    return wrong


@pytest.mark.filterwarnings("error")
def test_a_damaged_file_ends_in_a_sentence(tmp_path: Path) -> None:
    tracemalloc.start()
    assert hunt(tmp_path, 0, 300) == []
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_every_damaged_file_ends_in_a_sentence(tmp_path: Path) -> None:
    assert hunt(tmp_path, 300, 20_000) == []
