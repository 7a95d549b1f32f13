"""A host in the loop with an emulated chip, in the standard library alone: a socket, and some of msgpack.

    neuroport hil serve sal_sampling --at plain://127.0.0.1:5556
    python examples/raw_client.py 127.0.0.1 5556 [NAME VALUE]

It opens a session, exchanges a hundred times, one step each, and says what spiked; each exchange writes the value to
the port or variable of that name, where one is given. docs/hil.md describes the protocol.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any


def pack(value: Any) -> bytes:
    """A value as msgpack: None, booleans, whole numbers, floats, texts, bytes, lists, and maps with texts as keys."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        return b"\xdb" + struct.pack(">I", len(text)) + text
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack, value))
    parts = b"".join(pack(key) + pack(item) for key, item in value.items())
    return b"\xdf" + struct.pack(">I", len(value)) + parts


NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
"""How the number after each head is written, as `struct` says it."""
LENGTHS = {
    0xC4: ("bytes", ">B"), 0xC5: ("bytes", ">H"), 0xC6: ("bytes", ">I"),
    0xD9: ("text", ">B"), 0xDA: ("text", ">H"), 0xDB: ("text", ">I"),
    0xDC: ("list", ">H"), 0xDD: ("list", ">I"), 0xDE: ("map", ">H"), 0xDF: ("map", ">I"),
}  # fmt: skip
"""What comes after each head, and how its length is written."""


class Reader:
    """Values of msgpack, read one after the other."""

    def __init__(self, frame: bytes) -> None:
        self.frame, self.at = frame, 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        self.at += size
        return self.frame[self.at - size : self.at]

    def number(self, form: str) -> Any:
        """The next number of a form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self) -> Any:
        """The next value."""
        head = self.number(">B")
        if head < 0x80 or head >= 0xE0:
            return head if head < 0x80 else head - 256
        if head < 0xC0:
            kind, mask = ("map", 0x0F) if head < 0x90 else ("list", 0x0F) if head < 0xA0 else ("text", 0x1F)
            return self.several(kind, head & mask)
        if head in NUMBERS:
            return self.number(NUMBERS[head])
        if head in LENGTHS:
            kind, form = LENGTHS[head]
            return self.several(kind, self.number(form))
        return {0xC0: None, 0xC2: False, 0xC3: True}[head]

    def several(self, kind: str, size: int) -> Any:
        """Bytes, a text, a list or a map of so many."""
        if kind == "map":
            return {self.value(): self.value() for _ in range(size)}
        if kind == "list":
            return [self.value() for _ in range(size)]
        content = self.take(size)
        return content.decode() if kind == "text" else content


def numbers(array: dict[str, Any]) -> list[Any]:
    """The numbers of an array of the protocol, in the order of its bytes."""
    letter = {"<i4": "i", "<i8": "q", "<u4": "I", "<u8": "Q", "<f4": "f", "<f8": "d", "|u1": "B", "|b1": "?"}[
        array["t"]
    ]
    return [number for (number,) in struct.iter_unpack("<" + letter, array["b"])]


class Connection:
    """Messages to a server or a session, and their answers."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self.socket = socket.create_connection((host, port), timeout=60)
        except OSError as error:
            raise SystemExit(f"nobody answers at {host}:{port}: {error}") from None
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, **message: Any) -> dict[str, Any]:
        """The answer to a message; SystemExit with its sentence where it was refused."""
        frame = pack(message)
        self.socket.sendall(struct.pack("<I", len(frame)) + frame)
        (size,) = struct.unpack("<I", self.exactly(4))
        answer: dict[str, Any] = Reader(self.exactly(size)).value()
        if not answer["ok"]:
            raise SystemExit(f"refused: {answer['error']['code']}: {answer['error']['text']}")
        return answer

    def exactly(self, size: int) -> bytes:
        """So many bytes of what comes."""
        got = b""
        while len(got) < size:
            piece = self.socket.recv(size - len(got))
            if not piece:
                raise SystemExit("the server closed the connection")
            got += piece
        return got


def main(host: str, port: int, name: str = "", value: str = "0") -> None:
    """Greet, open a session, exchange, and say goodbye."""
    writes = [{"port": name, "values": float(value)}] if name else []
    server = Connection(host, port)
    hello = server.ask(id=1, op="hello", protocol=[1], client="raw")
    opened = server.ask(id=2, op="open")
    print(f"{hello['server']}: {opened['describe']['kind']} of {opened['describe']['network']}")

    session = Connection(host, int(opened["address"].rpartition(":")[2]))
    session.ask(id=0, op="hello", token=opened["token"])
    output = opened["describe"]["recorded"][0]
    spikes = 0
    for number in range(1, 101):
        answer = session.ask(**{"id": number, "op": "exchange", "in": writes, "run": 1, "out": [output]})
        spikes += len(numbers(answer["out"][output]["steps"]))
    digest = session.ask(id=101, op="digest")["digest"]
    session.ask(id=102, op="bye")
    print(f"{spikes} spikes of {output} in {answer['step']} steps, digest {digest}")


def given(arguments: list[str]) -> tuple[str, int, str, str]:
    """Host, port, name and value on the command line; SystemExit with the usage where that is none."""
    try:
        host, port, name, value = (*arguments, "", "0") if len(arguments) == 2 else arguments
        float(value)
        return host, int(port), name, value
    except ValueError:
        print("usage: python examples/raw_client.py HOST PORT [NAME VALUE]", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main(*given(sys.argv[1:]))
