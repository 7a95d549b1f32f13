"""Addresses: what they say, and what must not be listened at without keys."""

from __future__ import annotations

import pytest

from neuroport.errors import InvalidInput
from neuroport.hil.address import Address, allowed, parsed

FORMS = "tcp://HOST:PORT and ipc:///PATH for ZeroMQ, plain://HOST:PORT and unix:///PATH for plain sockets"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://127.0.0.1:5555", Address("tcp", "127.0.0.1", 5555)),
        ("tcp://[::1]:0", Address("tcp", "::1", 0)),
        ("plain://localhost:65535", Address("plain", "localhost", 65535)),
        ("ipc:///tmp/chip", Address("ipc", path="/tmp/chip")),
        ("unix:///tmp/chip", Address("unix", path="/tmp/chip")),
    ],
)
def test_an_address_is_read_and_written(text: str, address: Address) -> None:
    assert parsed(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"is no address; addresses are {FORMS}"),
        ("127.0.0.1:5555", f"is no address; addresses are {FORMS}"),
        ("udp://127.0.0.1:5555", f"is no address; addresses are {FORMS}"),
        ("tcp://127.0.0.1", "needs a host and a port from 0 to 65535, such as tcp://127.0.0.1:5555"),
        ("tcp://:5555", "needs a host and a port from 0 to 65535, such as tcp://127.0.0.1:5555"),
        ("plain://localhost:65536", "needs a host and a port from 0 to 65535, such as plain://127.0.0.1:5555"),
        ("plain://localhost:x", "needs a host and a port from 0 to 65535, such as plain://127.0.0.1:5555"),
        ("tcp://localhost:²", "needs a host and a port from 0 to 65535, such as tcp://127.0.0.1:5555"),
        ("unix://chip", "needs the whole path of a socket in at most 100 bytes, such as unix:///tmp/chip"),
        ("ipc:///" + "x" * 100, "needs the whole path of a socket in at most 100 bytes, such as ipc:///tmp/chip"),
    ],
)
def test_what_is_no_address(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(text)
    assert str(caught.value) == f"{text}: {said}"


@pytest.mark.parametrize("text", ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://[::1]:1", "plain://localhost:1"])
def test_this_machine_is_served_without_keys(text: str) -> None:
    allowed(parsed(text), keys=False)


@pytest.mark.parametrize("text", ["ipc:///tmp/x", "unix:///tmp/x"])
def test_paths_are_this_machine(text: str) -> None:
    allowed(parsed(text), keys=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "[::]", "example.org", "127.0.0.1.example.org", "*"])
def test_other_machines_are_served_with_keys_alone(host: str) -> None:
    address = parsed(f"tcp://{host}:5555")
    allowed(address, keys=True)
    with pytest.raises(InvalidInput) as caught:
        allowed(address, keys=False)
    assert str(caught.value) == (
        f"{address}: can be reached from other machines; "
        "make keys with `neuroport hil keys FOLDER` and give --keys FOLDER"
    )


@pytest.mark.parametrize("keys", [False, True])
def test_plain_sockets_never_serve_other_machines(keys: bool) -> None:
    with pytest.raises(InvalidInput) as caught:
        allowed(parsed("plain://0.0.0.0:5555"), keys=keys)
    assert str(caught.value) == (
        "plain://0.0.0.0:5555: can be reached from other machines, and plain sockets know no keys; "
        "use plain://127.0.0.1:PORT, or tcp://"
    )
