"""Shifts and whole numbers that go too far are refused where the text is read, on every arithmetic."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program.executor import Backend
from tests.support.planning import open_session

REMEDY = (
    "shifts go from 0 to 62: take such a literal, declare `range:` inside 0 … 62 for what the count is computed from, "
    "or write min(max(COUNT, 0), 62)"
)
BEYOND = (
    "by the ranges of what it is computed from, which 64 bits do not hold; narrow the ranges, limit an operand with "
    "clip, or compute with real numbers"
)


def network(update: str, chip: str = "ideal") -> Network:
    """One neuron that does this in a step."""
    lines = "".join(f"      {line}\n" for line in update.split("\n"))
    text = f"""neuroport: 1
name: whole
dt: 1 ms
chip: {chip}
neurons:
  m:
    params:
      few: {{type: int, default: 3, range: [0, 20]}}
      many: {{type: int, default: 70, range: [0, 100]}}
      free: {{type: int, default: 4}}
      now: {{type: int, default: 2, range: [0, 10], dynamic: true}}
    state:
      n: {{type: int, init: 5, range: [-100, 100]}}
      k: {{type: int, init: 2, range: [0, 7]}}
      f: {{type: int, init: 9}}
      o: {{type: int, init: 0, range: [-1152921504606846976, 1152921504606846975]}}
    update: |
{lines}populations: {{p: {{neuron: m, size: 1}}}}
protocol: [{{run: 1 step}}]
"""
    return reader.loads(text.encode(), "whole.yaml")


@pytest.mark.parametrize("chip", ["ideal", "ideal32", "generic16"])
@pytest.mark.parametrize(
    ("update", "found"),
    [
        ("o = 1 << 100000000000", f"a shift by 100000000000 bits; {REMEDY}"),
        ("o = n << 70", f"a shift by 70 bits; {REMEDY}"),
        ("o = n >> 63", f"a shift by 63 bits; {REMEDY}"),
        ("o = n << -1", f"a shift by -1 bits; {REMEDY}"),
        ("o = n >> many", f"a shift by 0..100 bits; {REMEDY}"),
        ("o = 1 << n", f"a shift by -100..100 bits; {REMEDY}"),
        ("o = 1 << (k + 60)", f"a shift by 60..67 bits; {REMEDY}"),
        ("o = 1 << free", f"a shift by any number of bits; {REMEDY}"),
        ("o = 1 << (f + 1)", f"a shift by any number of bits; {REMEDY}"),
        ("x = n * 2\no = 1 << x", f"a shift by -200..200 bits; {REMEDY}"),
        (
            "o = n * n * 1000000000000000000",
            f"this int can be -{10**22}..{10**22} {BEYOND}",
        ),
        (
            "x = (n + 900) << 45\no = x * x",
            f"this int can be {800 * 800 << 90}..{1000 * 1000 << 90} {BEYOND}",
        ),
        ("o = n ** 7 * n ** 3", f"this int can be -{10**20}..{10**20} {BEYOND}"),
        (
            "o = n << 62",
            f"this int can be {-100 << 62}..{100 << 62} {BEYOND}",
        ),
        ("o = min(n, 10000000000000000000)", f"{10**19} is no int of 64 bits; write it as a real number (1e+19)"),
    ],
)
def test_what_goes_too_far_is_refused_with_its_place_and_a_remedy(update: str, found: str, chip: str) -> None:
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(network(update, chip))
    problem, *more = error.value.problems
    assert more == []
    assert problem.text == found
    assert problem.place is not None
    assert problem.place.line == 18 + update.count("\n")


ALLOWED = {
    "o = n << few": 40,
    "o = n << now": 20,
    "o = -n >> k": -2,
    "o = 1 << (k * 8 + 5)": 2**21,
    "o = 1 << min(max(f, 0), 62)": 2**9,
    "o = 1 << (f % 20)": 2**9,
    "o = (1 if n > 3 else 0) << 59": 2**59,
    "o = f * f * 1000000": 81000000,
    "o = t * 3 + n": 5,
    "x = n << 3\ny = x + x\nz = y + y\no = z * 2": 320,
}
"""What is allowed on `ideal`, and what comes out."""


def test_variable_shifts_are_exact_without_formats(backend: Backend) -> None:
    for update, value in ALLOWED.items() if backend.name == "reference" else list(ALLOWED.items())[:3]:
        made = network(update)
        with open_session(made, neuroport.compile(made), backend) as session:
            session.run(1)
            assert session.get("p.o").tolist() == [value], update


def test_a_count_that_leaves_its_range_means_the_same_everywhere(backend: Backend) -> None:
    """`ideal` keeps no variable inside its range: the count is limited to 0 ... 62 where it is used."""
    made = network("o = 1 << k\nk = k + 100")
    with open_session(made, neuroport.compile(made), backend) as session:
        session.run(2)
        assert session.get("p.o").tolist() == [2**62]


def test_names_that_are_used_twice_take_no_time() -> None:
    lines = [f"x{i + 1} = x{i} + x{i}" for i in range(40)]
    neuroport.compile(network("\n".join(["x0 = n", *lines, "o = x40"])))
