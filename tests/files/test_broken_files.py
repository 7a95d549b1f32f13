"""However broken a network file is, the reader answers with InvalidInput or a network, never with another exception."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neuroport.errors import InvalidInput, Problem
from neuroport.files import network as reader
from neuroport.yaml import nodes as yamlfile
from tests.support.broken_yaml import WAYS, WRONG, changed, dumped, paths
from tests.support.checkout import NETWORKS

TEXT = (NETWORKS / "everything.yaml").read_text()
COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def answered(text: str | bytes, sets: tuple[str, ...] = ()) -> str:
    """What the reader says; "" if the text is a network. Any other exception fails the test."""
    problems: tuple[Problem, ...] = ()
    try:
        reader.loads(text, "net.yaml", str(NETWORKS), sets)
    except InvalidInput as error:
        problems = error.problems or (Problem(None, ""),)
    for problem in problems:
        assert problem.place is not None
        assert problem.text
        assert "\n" not in problem.text
    return "\n".join(str(problem) for problem in problems)


TREE = yaml.safe_load(TEXT)
PATHS = paths(TREE)[1:]


@pytest.mark.parametrize("how", WAYS)
@settings(COMMON, max_examples=60)
@given(path=st.sampled_from(PATHS), value=st.sampled_from(WRONG))
def test_one_wrong_node(how: str, path: tuple[Any, ...], value: Any) -> None:
    answered(dumped(changed(TREE, path, value, how)))


@settings(COMMON, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(WRONG)), min_size=2, max_size=6))
def test_several_wrong_nodes(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    tree = copy.deepcopy(TREE)
    for path, value in changes:
        holder = tree
        for key in path[:-1]:
            try:
                holder = holder[key]
            except (KeyError, IndexError, TypeError):
                break
        if isinstance(holder, dict) or (
            isinstance(holder, list) and isinstance(path[-1], int) and path[-1] < len(holder)
        ):
            holder[path[-1]] = value
    answered(dumped(tree))


@settings(COMMON, max_examples=60)
@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 30),
    st.text(max_size=10) | st.sampled_from(["\t", ": ", "- ", "{", "&a ", "*a", "|", "#"]),
)
def test_text_that_was_cut_and_pasted(start: int, length: int, inserted: str) -> None:
    answered(TEXT[:start] + inserted + TEXT[start + length :])


@settings(COMMON, max_examples=60)
@given(st.binary(max_size=200))
@example(b"")
@example(b"\xef\xbb\xbfname: x")
@example(b"\x89HDF\r\n\x1a\n" + bytes(64))
@example(b"? {a: b}\n: c")
@example(b"- " * 5000)
@example(b"{" * 100_000)
@example(b"a: " * 3)
def test_any_bytes(data: bytes) -> None:
    assert answered(data)


@settings(COMMON, max_examples=40)
@given(st.integers(0, len(TEXT)), st.binary(min_size=1, max_size=5))
def test_bytes_inside_a_valid_file(start: int, inserted: bytes) -> None:
    data = TEXT.encode()
    answered(data[:start] + inserted + data[start:])


names = st.sampled_from(
    ["units", "recurrent", "drive", "goal", "dkl", "protocol", "record", "seed", "neurons", "unit", "x", "0", "2"]
)
keys = names | st.sampled_from(
    ["size", "params", "tau", "weight", "delay", "connect", "init", "do", "repeat", "", "é", "spikes"]
)


@settings(COMMON, max_examples=60)
@given(st.lists(keys, min_size=1, max_size=4), st.sampled_from(WRONG) | st.text(max_size=8))
def test_any_change(parts: list[str], value: Any) -> None:
    answered(
        TEXT,
        (
            ".".join(parts)
            + "="
            + (value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True)),
        ),
    )


@pytest.mark.dear
def test_nan_is_allowed_nowhere_but_in_free_text() -> None:
    for path in PATHS:
        answer = answered(dumped(changed(TREE, path, float("nan"), "replace")))
        assert bool(answer) != (path[-1] == "title"), path


def test_the_parser_answers_for_pure_noise() -> None:
    with pytest.raises(InvalidInput):
        yamlfile.parse(b"\xfe\xff\x00a", "x")
