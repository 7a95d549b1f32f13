"""Files that say what a sweep is: all problems at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroport.errors import InvalidInput
from neuroport.sweeps.asked import Condition, Limits
from neuroport.sweeps.reading import is_sweep, read

GOOD = """\
network: sal_sampling
grid:
  set.recurrent.eta_s: [0, 0.02]
  units.tau: 50 steps
  chip: [generic8_mismatch10, own.yaml]
  chip_seed: {range: [0, 100]}
  seed: [1, 2]
for: 10 s
backend: reference
yield: {dkl: ["< 0.03", ">= 0"]}
limits: {time: 10 min, memory: 2 GiB}
keep: [metrics, digest, traces]
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(GOOD)
    asked = read(file)
    assert [(one.column, list(one.values)[:3]) for one in asked.axes] == [
        ("recurrent.eta_s", [0, 0.02]),
        ("units.tau", ["50 steps"]),
        ("chip", ["generic8_mismatch10", str(tmp_path / "own.yaml")]),
        ("chip_seed", [0, 1, 2]),
        ("seed", [1, 2]),
    ]
    assert asked.source.load(()).name == "sal_sampling"
    assert (asked.duration, asked.backend, asked.traces) == ("10 s", "reference", True)
    assert asked.wanted == (Condition("dkl", "<", 0.03), Condition("dkl", ">=", 0.0))
    assert asked.limits == Limits(600.0, 2.0 * 2**30)


BAD = """\
network: nosuch
grid:
  seed: 5:1
  chip_seed: {from: 3}
  chip: 7
  a..b: 1
  seed2: []
  set.seed2: 4
for: 0.5
yield: {dkl: "about 3", x: 3}
limits: {time: 10, memory: much, more: 1}
keep: [weights]
grids: 1
"""


def test_all_problems_are_told_with_their_places(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(BAD)
    with pytest.raises(InvalidInput) as caught:
        read(file)
    seeds = "seeds are whole numbers from 0 to 2**63 - 1, such as 3, [1, 2] or 0:100"
    assert str(caught.value).replace(f"{file}:", "").splitlines() == [
        f"1:10: there is no file '{tmp_path / 'nosuch'}', and no network of that name comes with neuroport; check the "
        "path",
        "3:3: 'seed' in grid has no seed from 5 to before 1, as the last number is not one; give one above the first",
        f"4:3: 'chip_seed' in grid holds {{'from': 3}}; {seeds}",
        "5:3: 'chip' in grid holds 7; give names of chips, or paths of their descriptions",
        "6:3: 'a..b' in grid is no path; write that of a setting, such as recurrent.eta_s, or chip, chip_seed or seed",
        "7:3: 'seed2' in grid has no values; give at least one",
        "9:6: for must be a number of steps or a time, such as 500 or '2 s'",
        "10:14: 'dkl' in yield must be a sign and a number, such as '< 0.03' or '>= 0.9'; found 'about 3'",
        "10:28: 'x' in yield must be a sign and a number, such as '< 0.03' or '>= 0.9'; found 3",
        "11:28: memory in limits is 'much'; give a number and one of MiB, GiB, TiB, MB, GB, TB, such as 40GiB",
        "11:34: unknown key 'more' in limits; did you mean 'memory'? allowed are time, memory",
        "12:8: keep cannot be 'weights'; allowed are metrics, digest, traces",
        "13:1: unknown key 'grids' in a sweep; did you mean 'grid'? allowed are network, grid, for, backend, yield, "
        "limits, keep",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "the file is empty; a sweep needs at least `network` and `grid`"),
        ("a: 1", "lacks 'network'; add it"),
        ("network: sal_pair\ngrid: 3", "grid must be a mapping from settings to their values"),
        ("[]", "a sweep must be a mapping with the keys network, grid"),
        ("network: sal_pair\ngrid: {a.b: 1, set.a.b: 2}", "2:16: 'a.b' is given twice"),
        ("network: [", "this is not YAML"),
    ],
)
def test_what_is_no_sweep_is_told(tmp_path: Path, text: str, found: str) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read(file)
    assert found in str(caught.value)


def test_a_sweep_is_told_from_a_network(tmp_path: Path) -> None:
    for name, text, is_one in (("a", GOOD, True), ("b", "neuroport: 1\npopulations: {}\n", False), ("c", "", False)):
        file = tmp_path / f"{name}.yaml"
        file.write_text(text)
        assert is_sweep(file) is is_one


def test_a_network_beside_the_file_goes_first(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.yaml").write_text("neuroport: 1\n")
    file = tmp_path / "sweep.yaml"
    file.write_text("network: sub/net.yaml\ngrid: {}\n")
    assert read(file).source.name == str(tmp_path / "sub" / "net.yaml")
