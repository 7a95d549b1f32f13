"""neuroport hil: what is said of wrong use, keys, and that it serves until it is told to end."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from neuroport.cli import main
from tests.support.checkout import ROOT
from tests.support.looped import TEXT
from tests.support.signals import hearing


def hil(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["hil", *map(str, arguments)])


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "looped.yaml"
    path.write_text(TEXT, "utf-8")
    return path


@pytest.fixture
def extra() -> None:
    for name in ("msgpack", "zmq"):
        pytest.importorskip(name, reason="serving needs pyzmq and msgpack: pip install 'neuroport[hil]'")


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (("serve", "sal_pair"), "msgpack and pyzmq"),
        (("serve", "sal_pair", "--at", "plain://127.0.0.1:0"), "msgpack"),
        (("bench",), "msgpack and pyzmq"),
        (("keys", "folder"), "msgpack and pyzmq"),
        (("replay", "r.hil"), "msgpack"),
    ],
)
def test_without_the_extra_it_is_said_what_to_install(
    command: tuple[str, ...], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroport.hil.endpoints.find_spec", lambda name: None)
    done = hil(*command)
    assert (done.exit_code, done.output) == (
        2,
        f"error: the chip in the loop needs {missing}; install with `pip install 'neuroport[hil]'`\n",
    )


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--at", "here"), "here: is no address; addresses are tcp://HOST:PORT and ipc:///PATH for ZeroMQ, "
                           "plain://HOST:PORT and unix:///PATH for plain sockets"),
        (("--at", "tcp://0.0.0.0:1"), "tcp://0.0.0.0:1: can be reached from other machines; make keys with "
                                      "`neuroport hil keys FOLDER` and give --keys FOLDER"),
        (("--at", "plain://127.0.0.1:0", "--keys", "x"), "plain sockets know no keys; leave the keys out, or listen at "
                                                         "tcp:// not plain://127.0.0.1:0"),
        (("--keys", "none"), "none/server.key_secret: there is no such file; `neuroport hil keys FOLDER` makes the "
                             "keys of a server and its clients"),
        (("--link", "none.yaml"), "none.yaml: there is no file 'none.yaml'; check the path"),
        (("--record", "r.h5"), "r.h5: a record needs a name that ends in .hil, such as r.h5.hil"),
        (("--save", "none"), "none: --save takes a folder that is there; create it, or give another one"),
        (("--chip", "genric8"), None),
        (("--backend", "none"), None),
        (("--keep", "much"), None),
    ],
)  # fmt: skip
def test_wrong_use_is_told_before_anything_is_served(
    net: Path, options: tuple[str, ...], said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroport.hil.server.Server.serve", lambda self: None)
    done = hil("serve", net, *options)
    assert done.exit_code == 2
    assert said is None or done.output == f"error: {said}\n"
    assert done.output.startswith("error: ")


@pytest.mark.usefixtures("extra")
def test_keys_are_made_for_a_server_and_its_clients(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    done = hil("keys", folder, "--client", "ann", "--client", "bob")
    assert done.exit_code == 0
    names = [
        "server.key_secret",
        "server.key",
        "clients/ann.key",
        "ann.key_secret",
        "clients/bob.key",
        "bob.key_secret",
    ]
    assert done.output.splitlines() == [str(folder / name) for name in names]
    secret = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.key_secret")}
    assert secret == dict.fromkeys(["server.key_secret", "ann.key_secret", "bob.key_secret"], 0o600)
    before = {path: path.read_bytes() for path in folder.rglob("*.key*")}
    again = hil("keys", folder, "--client", "ann")
    assert again.exit_code == 2
    text = "is there already, and no key is replaced; choose another name, or remove what has this one"
    assert again.output == f"error: {folder / 'clients/ann.key'}: {text}\n"
    more = hil("keys", folder, "--client", "eve")
    assert more.output.splitlines() == [str(folder / "clients/eve.key"), str(folder / "eve.key_secret")]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize("name", ["", "server", "a/b", "../x", "a b"])
def test_what_is_no_name_of_a_client(tmp_path: Path, name: str) -> None:
    done = hil("keys", tmp_path, "--client", name)
    assert (done.exit_code, done.output) == (
        2,
        f"error: '{name}' is no name of a client; names have letters, digits and _, and 'server' is the server's\n",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.dear
@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(net: Path, number: int) -> None:
    from neuroport.hil import connect

    command: list[Any] = [sys.executable, "-m", "neuroport", "hil", "serve", net, "--at", "plain://127.0.0.1:0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command += ["--backend", "reference"]
    with subprocess.Popen(command, env=environment, preexec_fn=hearing, **streams) as server:
        assert server.stdout is not None
        banner = server.stdout.readline().split()
        assert banner[:3] == ["emulator:", "looped", "at"]
        with connect(banner[3]) as session:
            session.run(2)
            assert session.step == 2
        server.send_signal(number)
        out, err = server.communicate(timeout=30)
    assert (server.returncode, out, err) == (0, "", "")


@pytest.mark.dear
@pytest.mark.usefixtures("extra")
def test_bench_is_a_table_and_json(net: Path) -> None:
    done = hil("bench", "--net", net, "--backend", "reference", "--messages", "10", "--blocks", "1")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].split() == ["network", "transport", "what", "us", "x", "echo", "here", "us"]
    assert len(lines) == 1 + 2 * 5
