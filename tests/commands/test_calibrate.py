"""`neuroport calibrate`: what it shows, what it writes, and what it leaves as it is."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport import networks
from neuroport.cli import main
from tests.support.limits import file_size

LEAKY = """\
# A cell that nobody gave ranges.
neuroport: 1
name: leaky   # as it is
dt: 1 ms
chip: generic16
neurons:
  leaky:
    params: {tau: {default: 20 ms, unit: ms}}
    inputs: {i: {unit: mV}}
    state:
      v: {unit: mV, init: 0 mV}
      g: {init: 0}
    update: |
      v = v * exp(-dt / tau) + i   # leaks
      g = clip(g + 0.01 * v, 0, 5)
    spike: v >= 3
populations:
  n: {size: 3, neuron: poisson, params: {rate: 100 Hz}}
  a:
    size: 2     # two
    neuron: leaky

  # The other one is inhibited.
  b: {size: 1, neuron: leaky}
projections:
  p: {source: n, target: a, input: i, synapse: static, connect: all_to_all, weight: 0.3}
  q: {source: n, target: b, input: i, synapse: static, connect: all_to_all,
      weight: -0.1} # negative
"""
QUICK = ("--backend", "reference", "--for", "200 steps", "--quiet")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["calibrate", *(str(a) for a in arguments)], catch_exceptions=False)


def fails(*arguments: object) -> list[str]:
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr.splitlines()


@pytest.fixture
def leaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("leaky.yaml").write_text(LEAKY)
    return Path("leaky.yaml")


def test_a_table_of_what_was_declared_seen_and_found(leaky: Path) -> None:
    result = call(leaky, *QUICK, "--seed", 1, "--seed", 2)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "leaky: 200 steps in floating point, seeds 1, 2",
        "  array      declared    lowest  highest  range         step on generic16  new step",
        "  n.rate_in  0..1 kHz         0        0  never moved   -                  3.05e-05",
        "  a.v        -                0  3.22204  0..8 mV       -                  3.73e-09",
        "  a.g        -                0  3.43549  0..5          -                  1.86e-09",
        "  a.i        -                0      0.9  0..2 mV       -                  7.63e-06",
        "  b.v        -         -1.07401        0  -2..2 mV      -                  9.31e-10",
        "  b.g        -                0        0  0..5          -                  1.86e-09",
        "  b.i        -             -0.3        0  -0.5..0.5 mV  -                  3.81e-06",
    ]
    assert leaky.read_text() == LEAKY
    assert os.listdir() == ["leaky.yaml"]


WRITTEN = {
    "    neuron: leaky\n\n": "    neuron: leaky\n    ranges: {v: [0 mV, 4 mV], g: [0, 5], i: [0 mV, 1 mV]}\n\n",
    "neuron: leaky}": "neuron: leaky, ranges: {v: [-1 mV, 1 mV], g: [0, 5], i: [-0.25 mV, 0.25 mV]}}",
}


def expected(text: str = LEAKY) -> str:
    for old, new in WRITTEN.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_file_is_written_with_ranges_and_nothing_else(leaky: Path) -> None:
    result = call(leaky, *QUICK, "-o", "new.yaml")
    assert result.stdout.splitlines()[-1] == "written    new.yaml"
    assert Path("new.yaml").read_text() == expected()
    assert leaky.read_text() == LEAKY
    assert sorted(os.listdir()) == ["leaky.yaml", "new.yaml"]
    old, new = neuroport.load("leaky.yaml"), neuroport.load("new.yaml")
    digests = [neuroport.run(n, "reference", "ideal", duration=300).digest for n in (old, new)]
    assert digests[0] == digests[1]
    with pytest.raises(neuroport.InvalidInput, match="as `neuroport calibrate` does"):
        neuroport.compile(old)
    for chip in ("generic16", "generic8"):
        run = neuroport.run(new, "reference", chip, duration=200)
        assert run.overflows == {}
        assert sum(run.spikes.values()) > 0


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_line_ends_byte_order_mark_and_a_missing_end_stay(leaky: Path, newline: str) -> None:
    def written(text: str) -> bytes:
        return b"\xef\xbb\xbf" + text.rstrip().replace("\n", newline).encode()

    leaky.write_bytes(written(LEAKY))
    call(leaky, *QUICK, "-o", "new.yaml")
    assert Path("new.yaml").read_bytes() == written(expected())


def test_again_on_what_was_written_nothing_changes(leaky: Path) -> None:
    call(leaky, *QUICK, "-o", "new.yaml")
    result = call("new.yaml", *QUICK, "-o", "newer.yaml")
    assert [line.split()[0] for line in result.stdout.splitlines() if line.count("kept")] == [
        "a.v",
        "a.g",
        "a.i",
        "b.v",
        "b.i",
    ]
    assert Path("newer.yaml").read_text() == Path("new.yaml").read_text()


def test_the_network_file_itself_is_replaced_only_when_that_is_said(leaky: Path) -> None:
    os.chmod(leaky, 0o640)
    assert fails(leaky, *QUICK, "-o", leaky) == [
        "error: leaky.yaml: exists already; choose another name, or replace it with --overwrite"
    ]
    assert leaky.read_text() == LEAKY
    call(leaky, *QUICK, "-o", leaky, "--overwrite")
    assert leaky.read_text() == expected()
    assert leaky.stat().st_mode & 0o777 == 0o640
    assert os.listdir() == ["leaky.yaml"]


def test_a_link_is_followed(leaky: Path) -> None:
    os.mkdir("real")
    os.rename(leaky, "real/net.yaml")
    os.symlink("real/net.yaml", leaky)
    call(leaky, *QUICK, "-o", leaky, "--overwrite")
    assert leaky.is_symlink()
    assert Path("real/net.yaml").read_text() == expected()


def test_nothing_is_written_when_writing_fails(leaky: Path) -> None:
    with file_size(200):
        result = CliRunner().invoke(main, ["calibrate", "leaky.yaml", *QUICK, "-o", "leaky.yaml", "--overwrite"])
    text = "cannot be written: it would be larger than this process or file system may make a file"
    assert (result.exit_code, result.stderr) == (1, f"error: leaky.yaml: {text}\n")
    assert leaky.read_text() == LEAKY
    assert os.listdir() == ["leaky.yaml"]


def test_outputs_that_are_refused_before_anything_runs(leaky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroport.api.calibrate._runs", lambda *_: pytest.fail("it ran"))
    assert fails(leaky, *QUICK, "-o", "new.h5") == [
        "error: new.h5: a network file needs a name that ends in .yaml or .yml, such as new.h5.yaml"
    ]
    assert fails(leaky, *QUICK, "-o", "nowhere/new.yaml") == [
        "error: nowhere/new.yaml: the folder 'nowhere' does not exist; create it or choose another one"
    ]
    assert fails(leaky, "--backend", "reference") == [
        "error: leaky.yaml:2:1: the network has no protocol; say how long it is to run (on the command line --for "
        "TIME, in Python duration=…)"
    ]


def test_models_of_other_files_are_found_or_it_is_said_where(leaky: Path) -> None:
    head, _, rest = LEAKY.partition("neurons:\n")
    model, _, rest = rest.partition("populations:\n")
    Path("cells.yaml").write_text(f"neurons:\n{model}")
    whole = f"{head}models: [cells.yaml]  # beside this file\npopulations:\n{rest}"
    leaky.write_text(whole)
    os.mkdir("other")
    assert fails(leaky, *QUICK, "-o", "other/new.yaml")[:2] == [
        "error: other/new.yaml: the calibrated file would not be a network there, for the reasons that follow; in the "
        "folder of leaky.yaml it would find them; write it there",
        "error: other/new.yaml:6:10: there is no file 'other/cells.yaml'; check the path",
    ]
    assert fails(leaky, *QUICK, "-o", "cells.yaml", "--overwrite") == [
        "error: cells.yaml: is read for this and would be replaced by what comes of it; choose another name"
    ]
    call(leaky, *QUICK, "-o", "new.yaml")
    assert Path("new.yaml").read_text() == expected(whole)
    assert neuroport.compile(neuroport.load("new.yaml")).integer


def test_a_shipped_network_and_one_with_changes(leaky: Path) -> None:
    result = call("stdp_pair", *QUICK, "--set", "cell.v_th=-60 mV", "-o", "pair.yaml")
    assert result.exit_code == 0
    assert neuroport.load("pair.yaml").population("cell").parameters == ()


def test_what_set_made_cannot_be_written(leaky: Path) -> None:
    made = "populations.c={size: 1, neuron: leaky, init: {v: 1 mV}}"
    assert fails(leaky, *QUICK, "--set", made, "-o", "new.yaml") == [
        "error: leaky.yaml: this file does not have c.v, c.g; calibrate it as it stands, without changes"
    ]
    assert os.listdir() == ["leaky.yaml"]


def test_ranges_of_a_changed_network_that_the_file_does_not_hold(leaky: Path) -> None:
    leaky.write_text(LEAKY.replace("b: {size: 1, neuron: leaky}", "b: {size: 1, neuron: leaky, init: {v: 64 mV}}"))
    sets = ("--set", "b.init.v=0.1 mV", "--set", "n.rate=0 Hz")
    assert fails(leaky, *QUICK, *sets, "-o", "new.yaml") == [
        "error: new.yaml: the calibrated file would not be a network there, for the reasons that follow; calibrate the "
        "file as it stands, without changes",
        "error: new.yaml:25:41: initial 'v' of population 'b' must be from -0.125 to 0.125 mV; found 64 mV",
    ]
    assert os.listdir() == ["leaky.yaml"]


def test_ends_of_distributions_stay_within(leaky: Path) -> None:
    drawn = "init: {v: {uniform: [-20 mV, 90 mV]}, g: {normal: {mean: 0, sd: 0.1, low: -1, high: 7}}}"
    leaky.write_text(LEAKY.replace("    neuron: leaky\n", f"    neuron: leaky\n    {drawn}\n"))
    call(leaky, *QUICK, "-o", "new.yaml")
    ranges = dict(neuroport.load("new.yaml").population("a").ranges)
    assert ranges["v"] == (-20, 128)
    assert ranges["g"] == (-1, 7)


def test_json(leaky: Path) -> None:
    result = call(leaky, *QUICK, "--json", "-o", "new.yaml")
    found = json.loads(result.stdout)
    rows = found.pop("arrays")
    run = neuroport.run(neuroport.load("leaky.yaml"), "reference", "ideal", duration=200)
    assert found == {
        "network": "leaky",
        "chip": "generic16",
        "steps": 200,
        "seeds": [1],
        "digests": [run.digest],
        "problems": [],
        "output": "new.yaml",
    }
    assert rows[3] == {
        "array": "a.i",
        "unit": "mV",
        "declared": None,
        "lowest": 0,
        "highest": 0.6,
        "range": [0, 1],
        "written": True,
        "why": "fitted",
        "step_before": None,
        "step_after": 2**-17,
    }


def test_what_stays_without_a_range_and_what_the_chip_still_refuses(leaky: Path) -> None:
    text = LEAKY.replace("      g: {init: 0}\n", "      g: {init: 0}\n      n: {type: int}\n      c: {}\n")
    leaky.write_text(text.replace("    spike:", "      n = n - 1 if v > 2 else n\n      c = c * v\n    spike:"))
    result = call(leaky, *QUICK)
    refused, add = (
        "note: on generic16 the network is refused all the same: leaky.yaml:",
        "as `neuroport calibrate` does",
    )
    assert result.stderr.splitlines() == [
        "note: a.c, b.n, b.c: never anything but 0, and so without a range; run longer",
        f"{refused}14:7: a.c has no range, so no integer format can be chosen for it on chip 'generic16'; add `range: "
        f"[lowest, highest]` to it in its model, or under `ranges:` in the network file, {add}",
        f"{refused}13:7: b.n is an int without bounds, or with more than 62 bits; declare `range: [lowest, highest]` "
        f"for it in its model, or under `ranges:` in the network file, {add}",
        f"{refused}14:7: b.c has no range, so no integer format can be chosen for it on chip 'generic16'; add `range: "
        f"[lowest, highest]` to it in its model, or under `ranges:` in the network file, {add}",
    ]
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[4:6] for line in lines if line[0] in ("a.n", "b.n")] == [["-16..0", "-"], ["no", "range"]]


def test_states_that_no_text_assigns_get_a_range_too(leaky: Path) -> None:
    """They hold what they begin with, and a chip has to hold that."""
    states = (
        "g: {init: 0}\n      rest: {init: 3}\n      drawn: {init: {uniform: [1, 5]}}\n      k: {type: int, init: 7}\n"
    )
    text = LEAKY.replace("g: {init: 0}\n", states)
    leaky.write_text(text.replace("0.01 * v, 0, 5)", "(rest + k + drawn) * v, 0, 5)"))
    result = call(leaky, *QUICK, "-o", "new.yaml", "--json")
    assert result.exit_code == 0 and result.stderr == ""
    found = {row["array"]: row["range"] for row in json.loads(result.stdout)["arrays"]}
    assert (found["a.rest"], found["a.k"]) == ([0, 4], [0, 16]) and found["a.drawn"][1] >= 5
    assert CliRunner().invoke(main, ["check", "new.yaml"]).exit_code == 0


def test_an_ideal_chip_has_no_steps_and_another_may_be_named(leaky: Path) -> None:
    leaky.write_text(LEAKY.replace("generic16", "ideal"))
    assert call(leaky, *QUICK).stdout.splitlines()[1].split() == ["array", "declared", "lowest", "highest", "range"]
    lines = call(leaky, *QUICK, "--chip", "generic8").stdout.splitlines()
    assert lines[1].endswith("range           step on generic8  new step")


def test_values_that_are_no_numbers_are_told(leaky: Path) -> None:
    leaky.write_text(LEAKY.replace("g = clip(g + 0.01 * v, 0, 5)", "g = exp(1000 * v)"))
    result = call(leaky, *QUICK)
    assert result.stderr.splitlines()[0] == ("note: a.g: infinite or no number on the way; its range stays as it was")


def test_from_python(leaky: Path) -> None:
    found = neuroport.calibrate(leaky, duration="200 ms", backend="reference")
    assert {row.array: row.range for row in found.arrays if row.written} == {
        "a.v": (0, 4),
        "a.g": (0, 5),
        "a.i": (0, 1),
        "b.v": (-1, 1),
        "b.g": (0, 5),
        "b.i": (-0.25, 0.25),
    }


RANGES = re.compile(r",?\s*\branges: *(\*\w+|(&\w+\s+)?\{[^{}]*\})")
SHIPPED = [
    *("sal_pair", "stdp_pair", "gle_lagline"),
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("pal_backward", "izhikevich", "balanced", "gle_lagnet")),
]


@pytest.mark.dear
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_keeps_all_but_its_ranges_and_overflows_nowhere(name: str, tmp_path: Path) -> None:
    before, after = networks.path(name), tmp_path / "new.yaml"
    found = neuroport.calibrate(name, duration=200, output=after)
    old, new = before.read_text(), after.read_text()
    assert re.findall("#.*", old) == re.findall("#.*", new)
    assert re.sub(r"\s+", "", RANGES.sub("", old)) == re.sub(r"\s+", "", RANGES.sub("", new))
    assert (old == new) == (not any(row.written for row in found.arrays))
    written = neuroport.load(after)
    ideal = neuroport.run(written, chip="ideal", duration=200)
    assert (ideal.digest,) == found.digests
    assert found.problems == ()
    run = neuroport.run(written, duration=200)
    assert not {row.array for row in found.arrays if row.why == "fitted"} & set(run.overflows)
