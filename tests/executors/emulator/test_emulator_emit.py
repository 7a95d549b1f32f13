"""The text that the emulator generates, and what must not change it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from neuroport.backends import generated
from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.emit import emit, module_text
from neuroport.backends.emulator.layout import held, power_of_two
from neuroport.backends.emulator.prelude import prelude
from neuroport.backends.generated import Identifiers, integer_dtype
from neuroport.program.ir import Int, Read, Store
from neuroport.program.machine import Population, Program
from tests.support.batches import layers
from tests.support.programs import array, c, call, program, sampling


def own_part(p: Program) -> str:
    """The generated text without the part that all modules share."""
    return module_text(p)[len(prelude(p.precision)) :]


def test_sampling_module(golden: Callable[..., None]) -> None:
    golden(own_part(sampling()))


def test_module_of_several_copies(golden: Callable[..., None]) -> None:
    text = module_text(layers((1, 3, 2), 4))
    golden(text[text.index("# Indices of the control words.") :])


def test_sizes_parameters_and_seeds_are_not_in_the_text() -> None:
    p = sampling()
    other = sampling(12, seed=99)
    tau = replace(other.arrays["units.tau"], initial=np.array(20))
    other = replace(other, seed=5, name="another", arrays={**other.arrays, "units.tau": tau})
    assert module_text(p) == module_text(other)


@pytest.mark.dear
@pytest.mark.parametrize("name", ["for", "range", "np", "t", "i", "float", "min", "slot", "9", "real"])
def test_model_names_cannot_collide(name: str) -> None:
    word = Int(0, 100)
    body = (Store(f"p.{name}", call("min", Read(f"p.{name}", "own", word), c(7), lo=0, hi=7)),)
    p = program(
        arrays=(array(f"p.{name}", "neuron", "state", word, [9, 3]),),
        populations=(Population("p", 2, body, (), False, 0),),
    )
    ast.parse(module_text(p))
    machine = Emulator().open(p, 1, [])
    machine.advance(1)
    assert machine.read(f"p.{name}").tolist() == [7, 3]


def test_every_argument_is_named_once() -> None:
    module = emit(sampling())
    for entry in (module.run, *module.events):
        names = [a.ident for a in entry.arguments]
        assert len(names) == len(set(names))


def test_names() -> None:
    names = Identifiers({"x"})
    assert names("x", "a") == "x_2"
    assert names("x", "a") == "x_2"
    assert names.fresh("x") == "x_3"
    assert names.fresh("a-b") == "a_b"
    assert names.fresh("if") == "_if"


def test_words_without_a_sign_take_half_of_the_bytes() -> None:
    p = program()
    ranges = [(0, 127), (0, 255), (-1, 255), (0, 256), (0, 65535), (-1, 65535), (0, 65536)]
    held_in = [str(held(array("p.w", "synapse", "weight", Int(*r), [0]), p)) for r in ranges]
    assert held_in == ["int8", "uint8", "int16", "int16", "uint16", "int32", "int32"]
    assert str(held(array("p.i", "neuron", "input", Int(0, 255), [0]), p)) == "int32"
    assert str(held(array("p.n", "neuron", "state", Int(0, 255), [0]), program(integer=False))) == "int64"


def test_formats() -> None:
    assert [power_of_two(n) for n in (0, 1, 2, 3, 8, 9)] == [1, 1, 2, 4, 8, 16]
    ranges = [(-128, 127), (0, 128), (-(2**15), 0), (-(2**15) - 1, 0), (0, 2**31)]
    assert [str(integer_dtype(*r)) for r in ranges] == ["int8", "int16", "int16", "int32", "int64"]


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROPORT_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert str(generated.folder()) == "/a"
    monkeypatch.delenv("NEUROPORT_CACHE")
    assert str(generated.folder()) == "/b/neuroport"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/c")
    assert str(generated.folder()) == "/c/.cache/neuroport"
