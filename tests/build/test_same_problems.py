"""What is wrong is said of calls in the words in which it is said of a file; only the places differ."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.yaml import nodes
from tests.support.broken_yaml import WAYS, WRONG, changed, paths
from tests.support.checkout import NETWORKS
from tests.support.rebuilt import plain, rebuilt

PATH = NETWORKS / "everything.yaml"
TREE = plain(nodes.parse(PATH.read_bytes(), str(PATH)))
HELD = [p for p in paths(TREE) if len(p) > 3 or (len(p) == 3 and p[0] not in ("populations", "projections", "stimuli"))]
VALUES = [value for value in WRONG if not isinstance(value, float) or abs(value) < 1e307]
"""Python writes infinities in its own way."""
CALL = re.compile(r"\w+\([^\n]*\)(:\d+:\d+)?")


def told(network: Callable[[], Network]) -> Network | list[str]:
    try:
        return network()
    except InvalidInput as error:
        return sorted(problem.text for problem in error.problems)


def is_possible(tree: Any) -> bool:
    """Whether both a file and Python can say it."""
    if isinstance(tree, dict):
        return all(isinstance(key, str) and key != "\0" and is_possible(value) for key, value in tree.items())
    if isinstance(tree, list):
        return all(is_possible(item) for item in tree)
    return tree not in ("\0", 10**400) and tree == tree


def mutant(seed: int) -> Any:
    """The tree of a network in which something is wrong."""
    rng = random.Random(seed)
    while True:
        tree = changed(TREE, rng.choice(HELD), rng.choice(VALUES), rng.choice(WAYS))
        if is_possible(tree):
            return tree


def check(seed: int) -> None:
    tree = mutant(seed)
    text = yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    of_calls = told(lambda: rebuilt(tree, str(PATH.parent)).build())
    assert of_calls == told(lambda: reader.loads(text, "file", str(PATH.parent))), seed


def test_a_file_and_calls_have_the_same_problems() -> None:
    for seed in range(40):
        check(seed)


@pytest.mark.slow
def test_many_files_and_calls_have_the_same_problems() -> None:
    for seed in range(40, 3000):
        check(seed)


def test_every_problem_has_its_call() -> None:
    for seed in range(40):
        try:
            rebuilt(mutant(seed), str(PATH.parent)).build()
        except InvalidInput as error:
            for problem in error.problems:
                assert problem.place is not None
                assert CALL.fullmatch(str(problem.place)), problem
