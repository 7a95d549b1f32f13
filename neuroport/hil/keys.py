"""Keys for servers that other machines reach: a folder with the server's, and those of the clients that it lets in.

    FOLDER/server.key_secret    stays where the server runs
    FOLDER/server.key           goes to clients
    FOLDER/clients/NAME.key     whom the server lets in
    FOLDER/NAME.key_secret      goes to that client, to nobody else

Each is one line, 40 characters of Z85 (a secret file: two lines, public and secret).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from neuroport.disk.output import check_output, new_file
from neuroport.disk.paths import unreadable
from neuroport.errors import InvalidInput, Place
from neuroport.network.identifiers import IDENTIFIER

_KEY = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


def make(folder: Path, clients: list[str]) -> list[Path]:
    """Make the keys of a server, where it has none yet, and of clients; the files that were written.

    InvalidInput, and nothing is written, for a client that has keys already.
    """
    for name in clients:
        if not IDENTIFIER.fullmatch(name) or name == "server":
            text = f"'{name}' is no name of a client; names have letters, digits and _, and 'server' is the server's"
            raise InvalidInput.one(None, text)
    files: dict[Path, tuple[bytes, bool]] = {}
    if not (folder / "server.key_secret").exists():
        public, secret = _pair()
        files[folder / "server.key_secret"] = (public + b"\n" + secret + b"\n", True)
        files[folder / "server.key"] = (public + b"\n", False)
    for name in dict.fromkeys(clients):
        public, secret = _pair()
        files[folder / "clients" / f"{name}.key"] = (public + b"\n", False)
        files[folder / f"{name}.key_secret"] = (public + b"\n" + secret + b"\n", True)
    (folder / "clients").mkdir(parents=True, exist_ok=True)
    for path in files:
        if path.exists():
            text = "is there already, and no key is replaced; choose another name, or remove what has this one"
            raise InvalidInput.one(Place(str(path)), text)
        check_output(path)
    for path, (content, private) in files.items():
        _write(path, content, private)
    return list(files)


def _pair() -> tuple[bytes, bytes]:
    import zmq

    if not zmq.has("curve"):
        text = "the libzmq that pyzmq uses here was built without CURVE; install pyzmq as a wheel"
        raise InvalidInput.one(None, text)
    public, secret = zmq.curve_keypair()
    return public, secret


def _write(path: Path, content: bytes, private: bool) -> None:
    with new_file(path) as file:
        if private:
            os.fchmod(file.fileno(), 0o600)
        file.write(content)


def server_keys(folder: Path) -> tuple[bytes, bytes]:
    """The public and the secret key of a server."""
    public, secret = _read(folder / "server.key_secret", 2)
    return public, secret


def accepted(folder: Path) -> frozenset[bytes]:
    """The keys of the clients that a server lets in."""
    keys = frozenset(_read(path, 1)[0] for path in sorted((folder / "clients").glob("*.key")))
    if not keys:
        text = f"'{folder / 'clients'}' lists no client; make keys for one there with `neuroport hil keys`"
        raise InvalidInput.one(Place(str(folder)), text)
    return keys


def client_keys(folder: Path) -> tuple[bytes, bytes, bytes]:
    """The public key of the server, and the public and the secret one of the client, from what the client was given."""
    (server,) = _read(folder / "server.key", 1)
    own = [path for path in sorted(folder.glob("*.key_secret")) if path.name != "server.key_secret"]
    if len(own) != 1:
        text = f"a client's folder has server.key and one NAME.key_secret; found {len(own)} of these"
        raise InvalidInput.one(Place(str(folder)), text)
    public, secret = _read(own[0], 2)
    return server, public, secret


def _read(path: Path, lines: int) -> tuple[bytes, ...]:
    """The keys in a file."""
    wrong = unreadable(path, "a key")
    if wrong:
        text = f"{wrong}; `neuroport hil keys FOLDER` makes the keys of a server and its clients"
        raise InvalidInput.one(Place(str(path)), text)
    with path.open("rb") as file:
        found = tuple(file.read(1000).split())
    if len(found) != lines or not all(_KEY.fullmatch(key) for key in found):
        many = f"{lines} lines" if lines > 1 else "one line"
        text = f"is no key; it has {many} of 40 characters, as `neuroport hil keys` makes it"
        raise InvalidInput.one(Place(str(path)), text)
    return found
