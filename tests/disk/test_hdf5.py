"""What is in an HDF5 file is looked at before it is used, and everything that is wrong with it is told at once."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from neuroport.disk.findings import DAMAGE, Kind
from neuroport.disk.hdf5 import NUMBERS, TEXT, WHOLE, Group, opened
from neuroport.disk.output import LONG_TEXT, new_hdf5, write_text
from neuroport.errors import InvalidInput

KIND = Kind("letter", "write it again")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with something of every kind."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs.update(word="a", count=3, share=0.5, good=True, list=[1, 2], none=h5py.Empty("f8"))
        file.attrs["minus"], file.attrs["nan"], file.attrs["latin"] = -1, math.nan, np.bytes_(b"\xe4")
        file["inner/numbers"] = np.arange(6.0).reshape(2, 3)
        file["inner/whole"] = np.array([3, 1, 2])
        file["texts"], file["text"], file["empty"] = ["a", "b"], "a text", h5py.Empty("i4")
        file["soft"], file["far"] = h5py.SoftLink("/text"), h5py.ExternalLink("y.h5", "/x")
        file["type"] = np.dtype("f8")
        file.create_group(b"\xff")
    return tmp_path / "x.h5"


def told(path: Path, look: Callable[[Group], Any]) -> list[str]:
    """What is said about a file, without what is the same in every sentence."""
    with pytest.raises(InvalidInput) as caught, opened(path, KIND) as root:
        look(root)
    start, end = "this letter is damaged: ", "; write it again"
    assert all(str(problem.place) == str(path) for problem in caught.value.problems)
    texts = [problem.text for problem in caught.value.problems]
    assert all(text.startswith(start) and text.endswith(end) for text in texts)
    return [text.removeprefix(start).removesuffix(end) for text in texts]


def test_what_is_as_it_must_be_is_read(path: Path) -> None:
    with opened(path, KIND) as root:
        assert (root.text("word"), root.whole("count"), root.real("share"), root.flag("good")) == ("a", 3, 0.5, True)
        assert (root.text("x", "-"), root.whole("x", default=7), root.real("x", 0.25)) == ("-", 7, 0.25)
        assert root.groups("nothing") == {} and list(root.group("inner").names()) == ["numbers", "whole"]
        assert (root.content("text"), root.texts("texts")) == ("a text", ["a", "b"])
        array = root.group("inner").array("numbers", NUMBERS, (None, 3))
        assert array.shape == (2, 3) and array.real_numbers()[1].tolist() == [3, 4, 5]
        assert root.group("inner").array("whole", WHOLE, (3,)).whole_numbers(0, 3).tolist() == [3, 1, 2]


WRONG: list[tuple[Callable[[Group], Any], str]] = [
    (lambda r: r.text("x"), "the attribute 'x' of / is missing"),
    (lambda r: r.text("count"), "the attribute 'count' of / is of kind int64; it must be a text"),
    (lambda r: r.text("list"), "the attribute 'list' of / is of kind int64 and shape (2,); it must be a text"),
    (lambda r: r.text("word", longest=0), "the attribute 'word' of / has 1 characters; it must have 0 at most"),
    (lambda r: r.text("latin"), "the attribute 'latin' of / is no UTF-8 text"),
    (lambda r: r.whole("word"), "the attribute 'word' of / is of kind text; it must be a whole number"),
    (lambda r: r.whole("share"), "the attribute 'share' of / is of kind float64; it must be a whole number"),
    (lambda r: r.whole("none"), "the attribute 'none' of / is empty; it must be a whole number"),
    (lambda r: r.whole("count", 4), "the attribute 'count' of / is 3; it must be 4 or more"),
    (lambda r: r.whole("count", 0, 2), "the attribute 'count' of / is 3; it must be from 0 to 2"),
    (lambda r: r.real("minus"), "the attribute 'minus' of / is -1; it must be a finite number that is not negative"),
    (lambda r: r.real("nan"), "the attribute 'nan' of / is nan; it must be a finite number that is not negative"),
    (lambda r: r.flag("count"), "the attribute 'count' of / is of kind int64; it must be true or false"),
    (lambda r: r.group("x"), "/x is missing"),
    (lambda r: r.group("text"), "/text is no group"),
    (lambda r: r.group("type"), "/type is no group"),
    (lambda r: r.group("soft"), "/soft is a link to something else; it must be in the file itself"),
    (lambda r: r.group("far"), "/far is a link to something else; it must be in the file itself"),
    (lambda r: r.names(), "/ has something whose name is no UTF-8 text"),
    (lambda r: r.content("inner"), "/inner is no data set"),
    (lambda r: r.content("texts"), "/texts has the shape (2,); it must be ()"),
    (lambda r: r.texts("text"), "/text has the shape (); it must be (n,)"),
    (lambda r: r.array("empty", WHOLE, (None,)), "/empty is empty; it must hold whole numbers"),
    (lambda r: r.array("texts", NUMBERS, (2,)), "/texts is of kind text and shape (2,); it must hold numbers"),
    (lambda r: r.group("inner").array("whole", TEXT, (3,)),
     "/inner/whole is of kind int64 and shape (3,); it must hold text"),
    (lambda r: r.group("inner").array("numbers", WHOLE, (2, 3)),
     "/inner/numbers is of kind float64 and shape (2, 3); it must hold whole numbers"),
    (lambda r: r.group("inner").array("whole", WHOLE, (2,), (None, 3)),
     "/inner/whole has the shape (3,); it must be (2,) or (n, 3)"),
    (lambda r: r.group("inner").array("whole", WHOLE, (3,)).whole_numbers(2, 9),
     "/inner/whole holds 1; it must hold numbers from 2 to 9"),
    (lambda r: r.group("inner").array("whole", WHOLE, (3,)).whole_numbers(0, 2),
     "/inner/whole holds 3; it must hold numbers from 0 to 2"),
    (lambda r: r.group("inner").array("whole", WHOLE, (3,)).whole_numbers(0, 3, ascending=True),
     "/inner/whole is not in ascending order"),
]  # fmt: skip


@pytest.mark.parametrize(("look", "text"), WRONG, ids=[text for _, text in WRONG])
def test_what_is_not_as_it_must_be(path: Path, look: Callable[[Group], Any], text: str) -> None:
    assert told(path, look) == [text]


def test_everything_is_told_at_once_and_each_thing_once(path: Path) -> None:
    found = told(path, lambda r: [r.text("x"), r.group("x").group("below").text("y"), r.text("x"), r.whole("word")])
    assert found == [
        "the attribute 'x' of / is missing",
        "/x is missing",
        "the attribute 'word' of / is of kind text; it must be a whole number",
    ]


def test_of_very_many_faults_the_first_are_told(path: Path) -> None:
    found = told(path, lambda r: [r.text(f"x{k}") for k in range(50)])
    assert len(found) == 21 and found[-1] == "30 more things are wrong in it"


def test_numbers_that_are_missing_end_the_reading(path: Path) -> None:
    found = told(path, lambda r: [r.text("x"), r.array("y", WHOLE, (3,)).numbers(), r.text("z")])
    assert found == ["the attribute 'x' of / is missing", "/y is missing"]


@pytest.mark.parametrize("options", [{"chunks": (1000,)}, {}], ids=["in chunks", "in one piece"])
def test_a_data_set_that_declares_more_than_the_file_holds_takes_no_memory(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(10**15,), dtype="f8", **options)
    assert path.stat().st_size < 4000
    tracemalloc.start()
    found = told(path, lambda r: r.array("x", NUMBERS, (None,)).numbers())
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()
    assert found == ["/x declares 1,000,000,000,000,000 values, and the file holds 0 bytes of them"]


def test_packed_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "packed.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.zeros(10**7), compression="gzip", compression_opts=9)
    assert path.stat().st_size < 10**6
    with opened(path, KIND) as root:
        assert root.array("x", NUMBERS, (None,)).numbers().sum() == 0


def test_numbers_in_another_order_of_bytes_are_made_native(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.arange(3, dtype=">i4")
    with opened(tmp_path / "x.h5", KIND) as root:
        values = root.array("x", WHOLE, (3,)).numbers()
    assert values.dtype == np.dtype("i4") and values.dtype.isnative and values.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"text", "file signature not found"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), None),
    ],
)
def test_files_that_are_not_hdf5(tmp_path: Path, content: bytes, why: str | None) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught, opened(path, KIND):
        pass
    start, end = f"{path}: cannot be read as a letter (", "); it is damaged, cut off, or another kind of file"
    assert str(caught.value).startswith(start) and str(caught.value).endswith(end)
    assert why is None or str(caught.value) == f"{start}{why}{end}"


def test_a_length_in_the_heap_of_texts_that_would_have_libhdf5_walk_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.attrs["a"], file.attrs["b"] = "one", "two"
        file["numbers"] = np.arange(1000.0)
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16 + 8  # the length of the first text
    data[at : at + 8] = (2**64 - 16).to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as caught, opened(path, KIND) as root:
        root.text("a")
    text = "cannot be read as a letter (what leads to its texts is broken)"
    assert str(caught.value) == f"{path}: {text}; it is damaged, cut off, or another kind of file"


@pytest.mark.parametrize("error", DAMAGE)
def test_whatever_h5py_raises_is_a_sentence(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: Any) -> Any:
        raise error("Can't read data (wrong checksum)")

    monkeypatch.setattr(h5py.Dataset, "__getitem__", fail)
    found = told(path, lambda r: r.group("inner").array("whole", WHOLE, (3,)).numbers())
    assert found == ["/inner/whole cannot be read (wrong checksum)"]


def test_attributes_that_h5py_does_not_even_offer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> Any:
        raise KeyError("Unable to open object (unable to determine object type)")

    monkeypatch.setattr(h5py.File, "attrs", property(fail))
    for look in (lambda r: r.text("word"), lambda r: r.attribute_names()):
        found = told(path, look)
        assert found[0] == "the attributes of / cannot be read (unable to determine object type)"


def test_a_link_that_leads_nowhere_is_told_as_one(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["lost"] = h5py.SoftLink("/nothing")
    assert told(path, lambda r: r.find("/lost", NUMBERS)) == ["'/lost' is a link to '/nothing', where nothing is"]
    assert told(path, lambda r: r.find("far", NUMBERS)) == ["'far' is a link to '/x' in 'y.h5', where nothing is"]
    with opened(path, KIND) as root:
        assert root.find("/nothing", NUMBERS) is None and root.find("inner", NUMBERS) is None


def test_a_long_text_comes_back(path: Path) -> None:
    long = "ä" * (LONG_TEXT + 1)  # 32 MiB and more, from where on HDF5 2.0 gives the next text instead
    with new_hdf5(path) as file:
        write_text(file, "long", long)
        write_text(file, "short", "ä short one")
    with opened(path, KIND) as root:
        assert root.content("short") == "ä short one"
        assert root.content("long") == long
