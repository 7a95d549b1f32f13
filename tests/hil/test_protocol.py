"""Messages: what a frame may hold, arrays in it, and what is said of the rest."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from neuroport.errors import (
    InternalError,
    InvalidInput,
    NotWritten,
    Place,
    Problem,
    RunFailed,
    UnknownName,
    Unsupported,
)
from neuroport.hil.limits import Limits
from neuroport.hil.messages import Refused, array, decode, encode, raised, refusal, scan, unpacked

msgpack = pytest.importorskip("msgpack", reason="messages need msgpack: pip install 'neuroport[hil]'")

LIMITS = Limits()
NO_MESSAGE = "this is no message of msgpack: "
"""What msgpack says after it depends on its version."""


def refused(frame: bytes, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        decode(frame, limits)
    return caught.value.code, caught.value.text


def test_a_message_comes_back_as_it_was() -> None:
    message = {
        "id": 3,
        "op": "exchange",
        "in": [{"port": "ö", "values": [1, 2.5]}],
        "b": b"\0\xff",
        "n": None,
        "t": True,
    }
    assert decode(encode(message), LIMITS) == message


@pytest.mark.parametrize("kind", ["<i4", "<i8", "<u4", "<u8", "<f4", "<f8", "|u1", "|b1"])
def test_arrays_of_every_type(kind: str) -> None:
    values = np.arange(6).astype(kind).reshape(2, 3)
    found = array({"t": kind, "n": [2, 3], "b": values.tobytes()}, "")
    assert found.dtype == np.dtype(kind)
    assert found.tolist() == values.tolist()


@pytest.mark.parametrize(
    "values",
    [
        np.arange(3),
        np.array([0.5]),
        np.array([True]),
        np.zeros((0, 4)),
        np.arange(3, dtype=np.uint32),
        np.array(7),
        np.zeros(2, np.uint8),
        np.zeros(2, np.float16),
        np.zeros(2, np.int16),
        np.arange(6, dtype=">i8").reshape(2, 3).T,
    ],
    ids=str,
)
def test_arrays_that_are_sent_come_back(values: Any) -> None:
    back = unpacked(decode(encode({"x": [values]}), LIMITS))["x"][0]
    assert np.array_equal(back, values)
    assert back.flags.writeable


def test_numbers_of_numpy_are_sent_as_numbers() -> None:
    assert decode(encode({"a": np.int64(3), "b": np.float64(0.5), "c": (1, 2)}), LIMITS) == {
        "a": 3,
        "b": 0.5,
        "c": [1, 2],
    }


@pytest.mark.parametrize(
    ("frame", "code", "said"),
    [
        (b"", "bad_message", NO_MESSAGE),
        (b"\xc1", "bad_message", NO_MESSAGE),
        (b"\x81", "bad_message", NO_MESSAGE),
        (b"\x80\x80", "bad_message", NO_MESSAGE),
        (b"\x90", "bad_message", "a message is a map; found []"),
        (b"\x81\x01\x01", "bad_message", NO_MESSAGE),
        (b"\x81\xc4\x01a\x01", "bad_message", "keys are texts; found b'a'"),
        (b"\x81\xa1\xff\x01", "bad_message", NO_MESSAGE),
        (
            msgpack.packb({"a": msgpack.ExtType(5, b"")}),
            "bad_message",
            "a message holds no extension types; found ExtType(code=5, data=b'')",
        ),
        (msgpack.packb({"a": msgpack.ExtType(5, b"xyz")}), "bad_message", NO_MESSAGE),
        (msgpack.packb({"a": msgpack.Timestamp(1)}), "bad_message", NO_MESSAGE),
    ],
)
def test_what_is_no_message(frame: bytes, code: str, said: str) -> None:
    found = refused(frame)
    assert (found[0], found[1][: len(said)]) == (code, said)
    assert said == NO_MESSAGE or found[1] == said


def test_bounds_are_exact() -> None:
    small = Limits(message_bytes=50, nesting=3, items=8, text_bytes=4)
    assert decode(encode({"a": b"x" * 44}), small)
    assert (
        refused(encode({"a": b"x" * 46}))
        if False
        else refused(encode({"a": b"x" * 46}), small)
        == (
            "too_large",
            "a message has at most 50 bytes; this one has 51",
        )
    )
    assert decode(encode({"a": [[1]]}), small)
    assert refused(encode({"a": [[[1]]]}), small) == ("bad_message", "maps and lists are nested at most 3 deep")
    assert decode(encode({"a": "xxxx"}), small)
    assert refused(encode({"a": "xxxxx"}), small)[1].startswith(NO_MESSAGE)
    assert decode(encode({"a": [0] * 8}), small)
    assert refused(encode({"a": [0] * 9}), small)[1].startswith(NO_MESSAGE)


def test_a_frame_of_too_many_items_is_refused_before_any_is_made() -> None:
    few = Limits(items=1000)
    bomb = b"\x81\xa1a\xdd" + (900).to_bytes(4, "big") + (b"\x91" * 30_000 + b"\xc0") * 3
    assert refused(bomb + b"\xc0" * 90_000, few)[0] == "too_large"
    said = ("too_large", "a message has at most 1,000 items; send long lists as arrays")
    assert refused(msgpack.packb({"a": [[]] * 1000 + ["x" * 5000]}), few) == said
    assert decode(msgpack.packb({"a": [[]] * 996 + ["x" * 5000]}), few)


def test_a_deep_frame_is_refused() -> None:
    for depth in (65, 600, 5000, 90_000):
        assert refused(b"\x81\xa1a" + b"\x91" * depth + b"\xc0")[0] == "bad_message"


def some(draw: random.Random, depth: int = 3) -> Any:
    """Any value that a message can hold."""
    kind = draw.randrange(10 if depth else 6)
    if kind == 9:
        return [None] * draw.choice([15, 16, 65535, 65536])
    if kind >= 6:
        inner = [some(draw, depth - 1) for _ in range(draw.choice([0, 1, 3, 16]))]
        return inner if kind < 8 else {f"k{k}": one for k, one in enumerate(inner)}
    length = draw.choice([0, 1, 31, 32, 255, 256, 65535])
    ends = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, -1, -32, -33, -129, -40000, -(2**40)]
    return [None, True, draw.choice(ends), draw.random(), "x" * length, b"y" * length][kind]


@pytest.mark.parametrize("seed", range(20))
def test_items_are_counted_as_msgpack_counts_them(seed: int) -> None:
    """The scan ends where the message does, on any message, and finds every one that is cut."""
    frame = msgpack.packb(some(random.Random(seed)))
    free = Limits(items=10**9)
    scan(memoryview(frame), free)
    if len(frame) > 1:
        cut = random.Random(seed).randrange(1, len(frame))
        assert _cut(frame[:cut], free)


def _cut(frame: bytes, free: Limits) -> bool:
    """Whether a frame is found to end in the middle: an array of bytes may be cut behind what the scan has to read."""
    try:
        scan(memoryview(frame), free)
        msgpack.unpackb(frame)
    except (Refused, ValueError) as error:
        return "it ends in the middle" in str(error) or "incomplete" in str(error)
    return False


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "an array is a map of t, n and b; found one of nothing"),
        ({"t": "<i8", "n": [1]}, "an array is a map of t, n and b; found one of t, n"),
        ({"t": "O", "n": [1], "b": b"12345678"}, "t is one of <i4, <i8, <u4, <u8, <f4, <f8, |u1, |b1; found 'O'"),
        ({"t": [], "n": [1], "b": b"12345678"}, "t is one of <i4, <i8, <u4, <u8, <f4, <f8, |u1, |b1; found []"),
        ({"t": "<i8", "n": 1, "b": b"12345678"}, "n is a list of at most 4 lengths; found 1"),
        ({"t": "<i8", "n": [-1], "b": b""}, "n is a list of at most 4 lengths; found [-1]"),
        ({"t": "<i8", "n": [True], "b": b"12345678"}, "n is a list of at most 4 lengths; found [True]"),
        ({"t": "<i8", "n": [1] * 5, "b": b"12345678"}, "n is a list of at most 4 lengths; found [1, 1, 1, 1, 1]"),
        ({"t": "<i8", "n": [2], "b": b"12345678"}, "b has the 16 bytes of [2] numbers <i8; found 8 bytes"),
        ({"t": "<i8", "n": [2**60, 2**60], "b": b""}, f"b has the {2**123:,} bytes of {[2**60] * 2} numbers <i8; "
                                                      "found 0 bytes"),
        ({"t": "<i8", "n": [1], "b": "12345678"}, "b has the 8 bytes of [1] numbers <i8; found '12345678'"),
    ],
)  # fmt: skip
def test_what_is_no_array(value: Any, said: str) -> None:
    with pytest.raises(Refused) as caught:
        array(value, "in[0].values")
    assert (caught.value.code, caught.value.text, caught.value.where) == ("bad_value", said, "in[0].values")


@pytest.mark.parametrize("value", [3, 2.5, [1, 2.5], [], "1 mV", None, True, [[1], None]], ids=str)
def test_what_is_no_map_is_left_to_the_session(value: Any) -> None:
    assert array(value, "") is value


def test_a_map_that_only_has_the_names_of_an_array_is_a_map() -> None:
    assert unpacked({"t": {}, "n": {}, "b": {}}) == {"t": {}, "n": {}, "b": {}}


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UnknownName.one(None, "no"), "unknown_name", "no"),
        (InvalidInput.one(None, "no"), "bad_value", "no"),
        (Unsupported("no"), "failed", "no"),
        (RunFailed("no"), "failed", "no"),
        (MemoryError(), "too_large", "the server has not enough memory for it; ask for less at once"),
        (
            InvalidInput([Problem(Place("/a b/c/n.yaml", 3, 5), "no"), Problem(Place("d/m.yaml"), "no, too/1: 2")]),
            "bad_value",
            "n.yaml:3:5: no\nm.yaml: no, too/1: 2",
        ),
        (UnknownName.one(Place("/a/n.yaml", 3, 1), "no"), "unknown_name", "n.yaml:3:1: no"),
        (NotWritten(Place("/a/r.hil"), "no"), "failed", "r.hil: no"),
        (
            RunFailed("/a b/n.yaml:3:5 and d/m.yaml:1:1: 1/2 is no\nx/y: no"),
            "failed",
            "n.yaml:3:5 and m.yaml:1:1: 1/2 is no\nx/y: no",
        ),
        (InvalidInput.one(Place("tcp://a:1"), "no"), "bad_value", "tcp://a:1: no"),
        (KeyError("x"), "failed", "this is a fault of neuroport, not of the message: KeyError: 'x'"),
        (InternalError("no"), "failed", "no\nThis is a fault of neuroport, not of the network: please report it"),
    ],
)
def test_errors_have_codes(error: Exception, code: str, text: str) -> None:
    assert refusal(error, "x").plain() == {"code": code, "text": text, "where": "x"}


def test_errors_come_back_as_the_session_raised_them() -> None:
    assert type(raised("unknown_name", "no")) is UnknownName
    assert type(raised("bad_value", "no")) is InvalidInput
    assert type(raised("failed", "no")) is RunFailed
    assert str(raised("wrong_step", "no")) == "no"
