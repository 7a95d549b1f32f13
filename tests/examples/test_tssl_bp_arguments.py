"""What examples/tssl_bp.py says of wrong arguments, of servers that are none, and at Ctrl-C."""

from __future__ import annotations

import sys

import pytest

from neuroport import hil
from tests.support.examples import example

pytestmark = pytest.mark.dear
HOST = example("tssl_bp")
NOBODY = "tcp://127.0.0.1:9"


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    """What a run says on standard error that ends with that exit code and has printed nothing else."""
    monkeypatch.setattr(sys, "argv", ["tssl_bp.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        HOST.main()
    out, said = capsys.readouterr()
    assert ended.value.code == code
    assert out == ""
    assert "Traceback" not in said
    return said.strip()


def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained from now on."""
    monkeypatch.setattr(HOST, "train", None)
    monkeypatch.setattr(HOST, "percent", None)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("--chip nosuch", "there is no chip 'nosuch'"),
        ("--data nosuch", "invalid choice: 'nosuch'"),
        ("--layers 64-x-10", "--layers: '64-x-10' is not cells of two layers or more"),
        ("--layers 64", "--layers: '64' is not cells of two layers or more"),
        ("--layers=", "--layers: '' is not cells of two layers or more"),
        ("--layers 64-0-10", "--layers: '64-0-10' is not cells of two layers or more"),
        ("--layers 64--5-10", "--layers: '64--5-10' is not cells of two layers or more"),
        ("--layers 32-10", "--layers 32-10: digits needs 64 cells first and 10 last"),
        ("--layers 64-10-5", "--layers 64-10-5: digits needs 64 cells first and 10 last"),
        ("--data yin_yang", "--layers 64-100-10: yin_yang needs 4 cells first and 3 last"),
        ("--seeds 0", "--seeds: '0' is not a whole number of at least 1"),
        ("--steps -3", "--steps: '-3' is not a whole number of at least 2"),
        ("--steps 0", "--steps: '0' is not a whole number of at least 2"),
        ("--epochs -1", "--epochs: '-1' is not a whole number of at least 0"),
        ("--repair -1", "--repair: '-1' is not a whole number of at least 0"),
        ("--rate nan", "--rate: 'nan' is not a number from 0 to 1"),
        ("--rate -1", "--rate: '-1' is not a number from 0 to 1"),
        ("--seed -1", "--seed: a seed must be a whole number from 0"),
        ("--mismatch weight=abc", "'weight=abc' is no deviation"),
        ("--mismatch foo=20%", "is of kind foo; its kinds are weight, threshold"),
        ("--chip loihi1 --mismatch weight=20%", "on loihi1 all are whole numbers, which do not deviate"),
        ("--chip-seed 3", "all specimens of chip 'ideal' are alike"),
        (f"--connect {NOBODY} --mismatch weight=20%", "--connect takes the server's"),
        ("--connect nowhere", "nowhere"),
        (f"--connect {NOBODY}", "nobody listens there"),
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str, word: str
) -> None:
    if "--connect" in arguments:
        pytest.importorskip("zmq", reason="a connection needs msgpack and pyzmq: pip install 'neuroport[hil]'")
    untrained(monkeypatch)
    said = refused(monkeypatch, capsys, *arguments.split()).splitlines()
    assert word in said[-1]
    assert len(said) <= 2


def test_a_server_of_other_layers_is_told_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for needed in ("msgpack", "zmq"):
        pytest.importorskip(needed, reason="serving needs msgpack and pyzmq: pip install 'neuroport[hil]'")
    untrained(monkeypatch)
    with hil.serve("tssl_bp") as address:
        said = refused(monkeypatch, capsys, "--connect", address, "--layers", "64-50-10")
    assert said.endswith("serves 'tssl_bp', which has layers of 64-100-10 cells; asked for are 64-50-10")


def test_ctrl_c_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(HOST, "train", pressed)
    assert refused(monkeypatch, capsys, code=130) == "tssl_bp.py: interrupted"


def test_a_run_of_few_epochs_on_a_specimen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = "--layers 64-10 --epochs 1 --repair 0 --chip generic8 --mismatch weight=20% --chip-seed 3 --rate 0"
    monkeypatch.setattr(sys, "argv", ["tssl_bp.py", *arguments.split()])
    HOST.main()
    one, mean = capsys.readouterr().out.splitlines()
    assert one.startswith("seed 1: ")
    assert mean.startswith("mean: ")
