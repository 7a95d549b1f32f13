"""What is GeNN's own about what reaches others: its text, its limits, constants of copies."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from neuroport.backends.genn import emit, reach
from neuroport.copies.unbatch import unbatch
from neuroport.errors import InvalidInput
from neuroport.program.ir import Int, Read, Store
from neuroport.program.machine import Event, Population
from tests.support import small_programs
from tests.support.executors import GENN, beside_the_reference, difference, everywhere, executable, needs_genn
from tests.support.programs import array, program
from tests.support.reaching import (
    WORD,
    copies,
    kept,
    shown,
    twins,
    twins_of,
)


def test_what_twins_need_is_open_to_others() -> None:
    p = twins()
    assert reach.open_to_others(p, set()) == {f"{name}.{v}" for name in ("up", "down", "thin") for v in ("w", "m")}
    text = emit.text(p)
    change = text.partition("update up2_change_ of up2")[2].partition("update ")[0]
    assert "array twin_w_: int8_t, up.w of up" in change and "twin_w_[id_syn]" in change
    change = text.partition("update down_change_ of down")[2].partition("update ")[0]
    assert "[id_post * 4 + id_pre]" in change
    assert "variable twin_: uint16_t, twin back (constant)" in text


def test_a_twin_that_is_read_and_assigned_is_a_sentence() -> None:
    p = twins()
    forward = p.projection("up2")
    loop = replace(twins_of(forward, forward, False), twin=np.arange(12)[::-1])
    itself = Event("flip", "up2", "synapse", (kept("up2.w", Read("up2.w", "twin", WORD)),))
    p = replace(p, projections=(*p.projections[:1], loop, *p.projections[2:]), events=(itself,))
    assert GENN.check(p) == (
        "event flip of up2: reads 'up2.w' of the twin and assigns it too; on a GPU all synapses do so at the same "
        "time. Assign it in an event of its own.",
    )


@needs_genn
def test_wide_constants_that_differ_between_copies() -> None:
    wide = Int(-(2**60), 2**60)
    names = [f"x#{k}" for k in range(3)]
    p = program(
        arrays=[
            a
            for k, n in enumerate(names)
            for a in (
                array(f"{n}.c", "scalar", "parameter", wide, (-1) ** k * (2**40 + 7 * k)),
                array(f"{n}.v", "neuron", "state", wide, [0] * 3),
            )
        ],
        populations=[Population(n, 3, (Store(f"{n}.v", Read(f"{n}.c", "scalar", wide)),), (), False, 0) for n in names],
    )
    machines = beside_the_reference(p)
    everywhere(machines, "advance", 2)
    assert difference(machines) is None


@needs_genn
def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        GENN.open(shown(), 1, ()).load_series("wave", np.zeros((3, 2), np.int64))
    assert str(error.value) == "wave: the new table has shape (3, 2); the series has (4, 2)"


# ------------------------------------------------------------------------------------------- copies that share


def test_too_many_copies_are_a_sentence() -> None:
    assert GENN.check(small_programs.learning(128, real=False)) == ()
    assert GENN.check(small_programs.learning(129, real=False)) == (
        "the network has 129 copies that share what they learn; with GeNN each is made of groups of its own, and at "
        "most 128 are accepted. Take fewer (--set copies=4), or another backend.",
    )


def test_the_models_of_copies_can_be_read() -> None:
    text = emit.text(small_programs.learning(3, real=False))
    assert [line for line in text.split("\n") if line.startswith("update")] == [
        "update up_copy0_each_step_ of up#0, after every step and on its event",
        "update down_copy0_each_step_ of down#0, after every step and on its event",
        "update up_copy0_forget_ of up#0, on its event",
    ]


def test_nothing_is_shared_that_threads_write_for_others() -> None:
    """What belongs to another group is written at the place of this thread's own neuron or synapse only."""
    written = set()
    for p in (twins(), copies(), unbatch(executable(0))):
        for group in emit.written_out(p).groups():
            arrays = {a.ident for a in group.arrays if a.kind == "array"} | {
                b.ident for b in getattr(group, "borrowed", ())
            }
            code = "\n".join(getattr(group, part, "") for part in ("code", "step", "arrive", "post_code"))
            for ident, index in re.findall(r"\b(\w+)\[([^\]]+)\] \+?= ", code):
                if ident in arrays:
                    written.add((type(group).__name__, getattr(group, "over", ""), index))
    assert written == {
        ("Neurons", "", "id"),
        ("Synapses", "", "id_syn"),
        ("Update", "neuron", "id"),
        ("Update", "synapse", "id_syn"),
    }
