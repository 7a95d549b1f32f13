"""Words of C, C++, CUDA, HIP, GLSL, Python, their libraries and GeNN are names like any other, on every executor."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Any

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.language.names import BUILT_IN
from neuroport.language.syntax import SENDS, calls
from tests.support.words import network, words

TAKEN = {*BUILT_IN, *calls(), *SENDS, "pre", "post", "twin", "target", "spiked", *keyword.kwlist}
"""Words of the model language itself."""
FREE = [word for word in words() if word not in TAKEN]
WORST = ("NULL", "errno", "friend", "constexpr", "long", "threadIdx", "gl_Position", "scalar", "__debug__", "print")


def computed(names: Sequence[str], backend: str, chip: str) -> list[Any]:
    """All values and overflows at the end of a run, in the order of the program."""
    with neuroport.open(reader.loads(network(names, chip), "words.yaml"), backend) as session:
        session.run_protocol()
        assert sum(session.spike_counts().values()) > 0
        return [*(values.tolist() for values in session.final().values()), list(session.overflows().values())]


def check(names: Sequence[str], backend: str, chip: str = "generic16") -> None:
    """Whether names make no difference."""
    harmless = [f"h{k}h" for k in range(len(names))]
    assert computed(names, backend, chip) == computed(harmless, "reference", chip)


def test_there_are_many_words() -> None:
    assert len(FREE) > 450
    assert {"NULL", "NAN", "INFINITY", "errno", "co_await", "__global__", "varying", "numNeurons", "self"} - {
        *FREE
    } == {"numNeurons"}
    assert set(WORST) - {"class_"} <= set(FREE)


def test_words_of_the_language_are_refused_by_a_sentence_each() -> None:
    names = sorted(TAKEN)
    text = "neuroport: 1\nname: n\ndt: 1 ms\nneurons:\n  m:\n    state:\n" + "".join(
        f'      "{n}": {{}}\n' for n in names
    )
    with pytest.raises(InvalidInput) as caught:
        reader.loads(f"{text}populations: {{a: {{size: 1, neuron: m}}}}\n", "n.yaml")
    assert len(caught.value.problems) == len(names)
    for name, problem in zip(names, sorted(caught.value.problems, key=lambda p: p.text.split("'")[1]), strict=True):
        assert problem.text.startswith((f"'{name}' is a word of the model language", f"'{name}' is a word of Python's"))


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_some_words_are_names_in_the_reference(chip: str) -> None:
    check(list(dict.fromkeys([*WORST, *FREE[::9]])), "reference", chip)


@pytest.mark.parametrize("backend", ["emulator", "genn"])
def test_the_worst_words_are_names(backend: str) -> None:
    check(WORST[:3], backend)


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_all_words_are_names_in_the_reference(chip: str) -> None:
    check(FREE, "reference", chip)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(25))
@pytest.mark.parametrize("backend", ["emulator", "genn"])
def test_all_words_are_names(backend: str, first: int) -> None:
    check(FREE[first::25], backend, "ideal" if first % 5 == 0 else "generic16")
