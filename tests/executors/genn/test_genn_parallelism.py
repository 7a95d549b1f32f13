"""How a GPU deals out spikes: the rule by which it is chosen, and what may be asked for instead."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport import backends
from neuroport.backends.genn import Genn
from neuroport.backends.genn.emit import written_out
from neuroport.backends.genn.parallelism import LAUNCHED, asked, by_rule, shared, spans, spread
from neuroport.cli import main
from neuroport.copies.unbatch import unbatch
from neuroport.errors import InvalidInput, Unsupported
from tests.support.executors import needs_genn
from tests.support.small_programs import rich

WAYS = "parallelism is auto, post, pre or pre:T with T threads for each spike, 1 to 1024"


def projection(sources: int, row: int, longest: int) -> Any:
    """Rows of equally many synapses, and the last one of as many as the longest has."""
    indptr = np.append(np.arange(sources) * row, (sources - 1) * row + longest)
    return SimpleNamespace(source_size=sources, synapses=int(indptr[-1]), indptr=indptr)


@pytest.mark.parametrize(
    ("sources", "row", "longest", "dt", "way"),
    [
        (100, 10, 20, 1.0, "post"),
        (200, 10, 15, 1.0, "pre:8"),
        (1_000, 4, 8, 1.0, "pre:4"),
        (1_000, 4, 80, 1.0, "post"),
        (3_200, 32, 40, 1.0, "pre:32"),
        (3_200, 32, 40, 0.01, "post"),
        (100_000, 1, 1, 1.0, "pre:1"),
        (150_000, 9, 9, 1.0, "pre:8"),
    ],
)
def test_the_rule(sources: int, row: int, longest: int, dt: float, way: str) -> None:
    assert str(by_rule(projection(sources, row, longest), dt)) == way


def test_a_row_is_shared_by_a_power_of_two_and_few_threads_are_launched() -> None:
    for sources, row in ((1, 1), (7, 3), (400, 300), (70_000, 20), (3_000_000, 2)):
        threads, most = shared(projection(sources, row, row)), max(1, min(32, row, LAUNCHED // sources))
        assert threads in (1, 2, 4, 8, 16, 32) and threads <= most < 2 * threads


def test_what_is_asked_for() -> None:
    assert asked(()) == ()
    settings = ("parallelism=pre:32", "a.b.parallelism=post", "up.parallelism=auto", "parallelism=pre")
    found = [(one.owner, one.way, one.threads) for one in asked(settings)]
    assert found == [("", "pre", 32), ("a.b", "post", None), ("up", None, None), ("", "pre", None)]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("parallelism", "a setting of GeNN is parallelism=WAY, or PROJECTION.parallelism=WAY for one projection"),
        ("", "a setting of GeNN is parallelism=WAY, or PROJECTION.parallelism=WAY for one projection"),
        ("up.threads=3", "GeNN has no setting 'threads'; it has parallelism"),
        ("parallelism=post:3", WAYS),
        ("parallelism=pre:0", WAYS),
        ("parallelism=pre:1025", WAYS),
        ("parallelism=pre:-1", WAYS),
        ("parallelism=", WAYS),
    ],
)
def test_what_cannot_be_asked_for(setting: str, said: str) -> None:
    with pytest.raises(InvalidInput) as told:
        backends.load("genn", genn=["parallelism=post", setting, "x=1"])
    assert str(told.value) == f"'{setting}': {said}\n'x=1': GeNN has no setting 'x'; it has parallelism"


def test_of_several_settings_the_last_one_holds_and_that_of_one_projection() -> None:
    program = neuroport.compile(neuroport.load("balanced"))

    def ways(*settings: str) -> list[str]:
        found = spans(program, asked(settings))
        return [str(found[name]) for name in ("exc_to_exc", "exc_to_inh", "inh_to_exc", "inh_to_inh")]

    assert ways() == ways("parallelism=auto") == ways("parallelism=pre") == ["pre:32", "pre:16", "pre:32", "pre:16"]
    assert ways("parallelism=post") == ["post"] * 4
    given = ("exc_to_inh.parallelism=post", "exc_to_inh.parallelism=pre:3", "inh_to_inh.parallelism=auto")
    assert ways("parallelism=pre:8", *given, "parallelism=post") == ["post", "pre:3", "post", "pre:16"]


def test_a_projection_that_there_is_not() -> None:
    with pytest.raises(InvalidInput) as told:
        spans(neuroport.compile(neuroport.load("sal_pair")), asked(["recurent.parallelism=post"]))
    assert str(told.value).startswith(
        "'recurent.parallelism': there is no such projection; did you mean 'recurrent'? there are: "
    )


def test_copies_and_parts_of_a_projection_have_its_way() -> None:
    network = neuroport.load("gle_lagline_batch", ["copies=2"])
    program = unbatch(neuroport.compile(network, "generic16"))
    name = next(p.name for p in program.projections)
    assert "#" in name
    spans(program, asked([f"{name.partition('#')[0]}.parallelism=post"]))
    parted = neuroport.compile(neuroport.load("stdp_pair"))
    model = written_out(parted)
    spread(model, parted, asked(["together_to_cell.parallelism=pre:4"]))
    assert {group.owner: str(group.span) for group in model.synapses} == {
        "relay": "post", "together_to_cell": "pre:4", "alone_to_cell": "post",
    }  # fmt: skip


def test_only_genn_has_settings() -> None:
    with pytest.raises(Unsupported, match=r"has no settings of GeNN, and parallelism=post is one; leave"):
        backends.load("emulator", genn=["parallelism=post"])
    kept = backends.load("genn", "hip", genn=["parallelism=post"])
    assert isinstance(kept, Genn) and (kept.device, kept.settings) == ("hip", ("parallelism=post",))


@needs_genn
def test_a_processor_has_no_parallelism() -> None:
    with pytest.raises(Unsupported) as told:
        backends.load("genn", "cpu", genn=["parallelism=post"]).open(rich(), 1, ())
    assert str(told.value) == (
        "backend 'genn': parallelism says how a GPU deals out spikes, and this runs on the device cpu; leave it out, "
        "or take another device"
    )


def told(*words: str) -> Any:
    return CliRunner().invoke(main, words)


def test_the_report_tells_it() -> None:
    lines = told("compile", "balanced", "--genn", "parallelism=post", "--genn", "inh_to_inh.parallelism=pre:4").output
    rows = {
        line.split()[0]: line.split()[-1] for line in lines.splitlines() if line.startswith(("  exc_to", "  inh_to"))
    }
    assert rows["exc_to_exc"] == "post" and rows["inh_to_inh"] == "pre:4"
    assert "spikes on a GPU" in lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compile", "sal_pair", "--emit", "program"), "--genn says what genn does on a GPU"),
        (("verify", "sal_pair", "--against", "emulator"), "--genn is for backends that have"),
        (("run", "sal_pair", "--copies", "2"), "--genn goes with one run, or with copies that share"),
        (("run", "sal_pair", "--profile"), "leave --genn out."),
    ],
)  # fmt: skip
def test_where_it_is_out_of_place(words: tuple[str, ...], said: str) -> None:
    done = told(*words, "--genn", "parallelism=post")
    assert done.exit_code == 2 and said in done.output
