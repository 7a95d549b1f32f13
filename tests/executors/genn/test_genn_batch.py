"""Which copies are GeNN's batch on a GPU, and what is generated for them; nothing here needs a GPU, or PyGeNN."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport import networks
from neuroport.api import copies as of_copies
from neuroport.api.compile import lower, specimen
from neuroport.api.executor import BATCH, WRITTEN_OUT, batch_of, form_of_copies
from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import Genn, batch, emit
from neuroport.backends.genn.shared import contributed
from neuroport.backends.reference import Reference
from neuroport.cli import main
from neuroport.copies import stack
from neuroport.copies.axis import sum_over_copies, with_copies
from neuroport.copies.rolled import Rolled, Tallies
from neuroport.copies.stack import obstacle, stacked
from neuroport.copies.unroll import copy_name, unroll
from neuroport.errors import InternalError, InvalidInput
from neuroport.program.executor import Executor
from neuroport.program.ir import Random
from neuroport.program.machine import Program
from tests.support import random_programs
from tests.support import small_programs as small

SHARING = [name for name in networks.names() if "\ncopies:" in networks.path(name).read_text()]
GPU = Genn(device="cuda")


def chips(name: str, count: int, chip: str = "generic8_mismatch10") -> list[Program]:
    network = neuroport.load(name)
    return [lower(network, *specimen(network, chip, k)) for k in range(count)]


# ------------------------------------------------------------------------------------------------- which form it is


@pytest.mark.parametrize("name", [n for n in SHARING if n not in ("gle_mnist1d", "ekdaa_yinyang")])
def test_the_copies_of_shipped_networks_are_a_batch(name: str) -> None:
    network = neuroport.load(name)
    assert batch.obstacle(lower(network, *specimen(network))) is None


@pytest.mark.parametrize("name", ["sal_sampling", "stdp_pair", "pal_backward"])
def test_chips_are_a_batch(name: str) -> None:
    made = batch_of(chips(name, 3), GPU)
    assert isinstance(made, Program) and made.copies == 3
    assert form_of_copies(made) == BATCH


def test_copies_are_stacked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Program] = []
    told: list[str | None] = []

    def counted(programs: list[Program]) -> Program:
        made.append(stacked(programs))
        return made[-1]

    def opens(self: Genn, batch: Program, *others: object) -> None:
        assert batch is made[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "stacked", counted)
    monkeypatch.setattr(Genn, "batches", lambda self: True)
    monkeypatch.setattr(Genn, "missing", lambda self: None)
    monkeypatch.setattr(Genn, "open_batch", opens)
    network, tell = neuroport.load("sal_pair"), lambda made: told.append(made.copies)
    with pytest.raises(KeyboardInterrupt):
        of_copies.run_copies(network, [1, 2], "genn", duration="5 ms", choice=tell)
    assert told == [BATCH] and len(made) == 1


def test_a_processor_has_no_batch() -> None:
    programs = chips("sal_pair", 2)
    processor = Genn(device="cpu")
    assert not processor.batches() and processor.batched(programs) == batch.NO_GPU
    assert batch_of(programs, processor) is batch_of(programs, Emulator()) is batch_of(programs[:1], GPU) is None
    assert form_of_copies(None) is None


def test_what_copies_must_have_in_common() -> None:
    one, other = chips("sal_pair", 2)
    projection = one.projections[0]
    wiring = replace(projection, dendritic=np.ones(projection.synapses, np.int64))
    assert obstacle([one, other]) is None
    assert obstacle([one, replace(other, projections=(wiring,))]) == (
        f"copy 1 has other connections, of '{projection.name}', than copy 0"
    )
    first = next(a for a in other.arrays.values() if a.role == "state")
    wider = other.arrays | {first.name: replace(first, history=9)}
    assert obstacle([one, one, replace(other, arrays=wider)]) == (
        f"copy 2 has other formats, of '{first.name}', than copy 0"
    )
    told = replace(one, populations=tuple(replace(p, count=first.name) for p in one.populations))
    assert obstacle([told, told]) == "their neurons spike several times in a step"
    assert form_of_copies(batch_of([told, told], GPU)) == f"{WRITTEN_OUT}: their neurons spike several times in a step"


def test_the_table_of_compile_tells_the_form() -> None:
    done = CliRunner().invoke(main, ["compile", "two_routes", "--set", "copies=4"])
    assert done.exit_code == 0 and re.search(r"copies +genn on a GPU\n +4 +all are one batch", done.stdout)


# --------------------------------------------------------------------------------------------------- what is generated


def test_the_models_do_not_grow_with_copies() -> None:
    models = [emit.emit(batch.parted(stacked(chips("sal_sampling", n))).program, keyed=True) for n in (2, 5)]
    texts = [[(type(g), g.name, vars_of(g)) for g in model.groups()] for model in models]
    assert texts[0] == texts[1] and [m.copies for m in models] == [2, 5]
    codes = [re.sub(r"\d+", "N", repr(model.neurons + model.synapses)) for model in models]  # type: ignore[operator]
    assert codes[0] == codes[1]


def vars_of(group: object) -> list[str]:
    return [v.ident for v in getattr(group, "variables", ())]


def test_what_copies_have_for_themselves_is_duplicated() -> None:
    model = emit.emit(batch.parted(stacked(chips("sal_sampling", 3))).program, keyed=True)
    held = {v.name: v.each for n in model.neurons + model.synapses for v in n.variables if v.holds == "array"}
    assert held["units.b"] and held["recurrent.w"]
    keys = [a for g in model.groups() for a in g.arrays if a.kind == "keys"]
    assert keys and all(a.each for a in keys)
    assert any("+ batch]" in n.code for n in model.neurons)


def test_copies_that_share_draw_by_their_element() -> None:
    program = random_programs.batched(4, 3)
    model = emit.written_out(program)
    keys = [a for g in model.groups() for a in g.arrays if a.kind == "keys"]
    assert keys and not any(a.each for a in keys)
    assert any("(uint64_t)batch * ((uint64_t)1 << 40)" in n.code for n in model.neurons)


def test_text_of_a_batch_is_shown_for_a_gpu() -> None:
    network = neuroport.load("two_routes", ["copies=4"])
    whole = lower(network, *specimen(network))
    assert len(GPU.source(whole)) < len(Genn(device="cpu").source(whole)) / 2


# ---------------------------------------------------------------------------------------------------- contributions


@pytest.mark.parametrize("seed", range(4, 8))
def test_contributions_add_up_to_what_was_shared(seed: int) -> None:
    program = random_programs.batched(seed, 3)
    made = contributed(program)
    assert not made.summed() and program.summed()
    for name in program.summed():
        assert sum_over_copies(made.arrays[name].initial).tolist() == program.arrays[name].initial.tolist()
    assert contributed(with_copies(small.rich(), 3)).arrays.keys() == small.rich().arrays.keys()


# ------------------------------------------------------------------------------------------- under names of copies


class Counting:
    """The reference's executor of a batch, with nothing counted for each copy."""

    def __init__(self, program: Program) -> None:
        self.executor = Reference().open(program, 1, [p.name for p in program.populations if p.spiking])

    def __getattr__(self, name: str) -> object:
        return getattr(self.executor, name)

    def tallies(self) -> Tallies:
        return Tallies({}, {}, {})

    def count_on(self, tallies: Tallies) -> None:
        pass


def drawless(count: int) -> list[Program]:
    programs = chips("gle_lagline", count)
    assert not any(isinstance(part, Random) for p in programs for part in _parts(p))
    return programs


def _parts(program: Program) -> Sequence[object]:
    from neuroport.program.ir import parts

    return [part for owned in program.bodies() for part in parts(owned.body)]


def rolled(programs: list[Program]) -> tuple[Executor, Rolled]:
    whole, together = unroll(programs, [1] * len(programs)), stacked(programs)
    return Reference().open(whole, 1, []), Rolled(Counting(together), together)  # type: ignore[arg-type]


def same(program: Program, one: Executor, other: Executor) -> None:
    for name in program.arrays:
        assert one.read(name).tolist() == other.read(name).tolist(), name


def test_a_batch_is_what_is_written_out() -> None:
    programs = drawless(3)
    whole, machines = unroll(programs, [1] * 3), rolled(programs)
    for turn in range(3):
        for machine in machines:
            machine.advance(7)
        same(whole, *machines)
        name = next(a.name for a in programs[0].arrays.values() if a.role == "weight")
        for machine in machines:
            for k in (0, 2):
                machine.write(copy_name(name, k), machine.read(copy_name(name, k)) // (turn + 2))
        same(whole, *machines)
    for machine in machines:
        for k in range(3):
            machine.reset(copy_name(programs[0].populations[1].name, k))
        machine.advance(3)
    same(whole, *machines)
    states = [machine.save() for machine in machines]
    assert states[0].arrays.keys() == states[1].arrays.keys()
    for machine, state in zip(machines, reversed(states), strict=True):
        machine.load(state)
        machine.advance(2)
    same(whole, *machines)


def test_what_only_some_copies_ask_for_is_no_state_of_a_batch() -> None:
    _, machine = rolled(drawless(2))
    machine.reset("x#0")
    with pytest.raises(InternalError, match="only some of 2 copies"):
        machine.advance(1)


def test_copies_cannot_give_different_values_to_what_they_share() -> None:
    programs = drawless(2)
    _, machine = rolled(programs)
    shared = next(a for a in stacked(programs).arrays.values() if not a.own and a.owner[0] != "$")
    machine.write(copy_name(shared.name, 0), shared.initial)
    with pytest.raises(InvalidInput, match="have this in common, and are given different"):
        machine.write(copy_name(shared.name, 1), shared.initial + 1)
