"""Statements and arrays know the line that they came from, through all passes; messages and generated code name it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import neuroport
from neuroport import backends
from neuroport.api import run as api
from neuroport.backends.emulator.emit import module_text
from neuroport.backends.generated import uncommented
from neuroport.backends.genn.emit import emit as genn_model
from neuroport.backends.genn.emit import text as genn_text
from neuroport.backends.genn.split import split
from neuroport.backends.reference import Reference
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, Limits
from neuroport.cli import main
from neuroport.copies.unbatch import unbatch
from neuroport.copies.unroll import unroll
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput, Place, RunFailed
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program import printer
from neuroport.program.ir import REAL, Apply, Body, Bool, Const, Int, Let, Send, Spike, Stmt, Store
from neuroport.program.machine import Program
from neuroport.program.names import RUN
from neuroport.quantise.program import quantise
from tests.support.planning import verify

BACKENDS = ("reference", "emulator", "genn")
SHIPPED = tuple(sorted(path.stem for path in (Path(neuroport.__file__).parent / "networks").glob("*.yaml")))
TEXT = """\
neuroport: 1
name: places
dt: 1 ms
neurons:
  m:
    params:
      k: {default: 2, range: [0, 4], dynamic: true}
    inputs:
      u: {range: [-1, 1]}
    state:
      x: {init: 0.75, range: [0, 1]}
      n: {type: int, init: 10, range: [0, 100]}
    update: |
      # what a neuron does in a step
      x = x + u

      if x > 0.25:
        n = n + 1
    spike: x > 0.5
synapses:
  s:
    state:
      w: {init: 0.1, range: [0, 1], weight: true}
    on_pre: |
      send(target, w)
      w = 0.5 * w
populations:
  a: {size: 3, neuron: m}
projections:
  p: {source: a, target: a, input: u, synapse: s, connect: all_to_all, delay: 1 ms}
"""


def network(*edits: tuple[str, str], file: str = "n.yaml") -> Network:
    """The small network with edits of its text."""
    return reader.loads(edited(*edits).encode(), file)


def edited(*edits: tuple[str, str]) -> str:
    """The text of the small network with edits."""
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


# ----------------------------------------------------------------------------------------------------- through passes


@pytest.mark.parametrize(
    "stmt",
    [Let("x", Const(1.0, REAL)), Store("a.x", Const(1.0, REAL)), Send("a.u", Const(1.0, REAL)), Spike(Const(1, Int()))],
    ids=lambda stmt: type(stmt).__name__,
)
def test_a_place_does_not_count_when_statements_are_compared(stmt: Stmt) -> None:
    placed = replace(stmt, place=Place("m.yaml", 3, 7, "x = 1"))
    assert placed == stmt and hash(placed) == hash(stmt)


def passes(net: Network) -> Iterator[tuple[str, Program]]:
    """A network after every pass."""
    chip = replace(chips.load("generic16"), mismatch=chips.load("generic8_mismatch10").mismatch)
    real = elaborate(net, chip)
    for title, program in (("elaborate", real), ("quantise", quantise(real, chip))):
        yield title, program
        copies = unbatch(program) if program.copies > 1 else unroll([program, program], [1, 2])
        yield f"{title}, copies", copies
        yield f"{title}, copies, split", split(copies).program


def check_lines(net: Network) -> None:
    """Every statement and array has its line after every pass."""
    for title, program in passes(net):
        for array in program.arrays.values():
            assert array.owner == RUN or names(array.place, array.name), (title, array.name, array.place)
        for owned in program.bodies():
            for stmt in owned.body:
                assert stands(stmt), (title, stmt, stmt.place)


@pytest.mark.dear
@pytest.mark.parametrize("name", SHIPPED)
def test_every_statement_and_array_of_a_shipped_network_has_its_line(name: str) -> None:
    net = neuroport.load(name)
    check_lines(net if net.copies == 1 else neuroport.load(name, sets=("copies=2",)))


PASSES = (
    ("      u: {range: [-1, 1]}\n", "      u: {range: [-1, 1]}\n      i: {range: [-1, 1]}\n"),
    ("    spike: x > 0.5\n", ""),
    ("x = x + u\n", "x = x + u + i\n      x = 1000000000000 * n\n"),  # more bits than its format can be shifted by
    ("        n = n + 1\n", "        n = n + 1\n      else:\n        n = n - 1\n"),
    (
        "range: [0, 1], weight: true}",
        "range: [0, 1], weight: true, kind: weight, over_copies: shared}\n      z: {init: 0.1, range: [0, 1]}",
    ),
    (
        "    on_pre: |\n      send(target, w)\n      w = 0.5 * w\n",
        "    step: |\n      y = w * pre.x\n      send(u, y)\n      send(i, w)\n      z = 0.5 * z\n"
        "    on_event:\n      each_step: |\n        y = 0.5 * w\n"
        "        if y > 0.1:\n          w = w - mean_copies(y * z)\n",
    ),
)
"""What shipped networks have not: a weight in a local name that is sent, sends to two inputs, an else."""


@pytest.mark.parametrize("copies", [1, 2])
def test_every_pass_keeps_the_lines(copies: int, tmp_path: Path) -> None:
    (tmp_path / "n.yaml").write_text(edited(*PASSES))
    check_lines(replace(neuroport.load(tmp_path / "n.yaml"), copies=copies))


def test_a_model_that_sends_nothing_sends_from_the_line_of_its_name() -> None:
    net = network(("    on_pre: |\n      send(target, w)\n      w = 0.5 * w\n", ""))
    (send,) = elaborate(net, chips.load("ideal")).projections[0].arrive
    assert send.place is not None and send.place.quoted == "n.yaml:21  send(target, w)"


def test_what_stands_under_else_has_the_line_of_its_if() -> None:
    body = elaborate(network(*PASSES), chips.load("ideal")).populations[0].body
    assert [stmt.place and stmt.place.line for stmt in body if isinstance(stmt, Let)] == [19, 19]


def stands(stmt: Stmt) -> bool:
    """Whether the place of a statement is a line that assigns, sends, names or spikes as it does."""
    if stmt.place is None:
        return False
    text = stmt.place.text.removeprefix("trace ").removeprefix("input ")  # of a declaration
    match stmt:
        case Store(array=array) if not array.endswith(".spiked"):
            return names(stmt.place, array) and text in line_at(stmt.place)
        case _:
            return bool(text) and text in line_at(stmt.place)


def names(place: Place | None, array: str) -> bool:
    """Whether a line has the name of an array, or made an array without a name in the text."""
    variable = array.split(".")[1].removesuffix("$circuit")
    made = variable.startswith(("$", "spiked"))
    return place is not None and (bool(place.text) if made else variable in line_at(place))


def line_at(place: Place) -> str:
    """The line of a file."""
    path = Path(place.file)
    path = path if path.is_absolute() else Path(neuroport.__file__).parent / path
    return path.read_text("utf-8").splitlines()[place.line - 1]


# ----------------------------------------------------------------------------------------------------------- messages

LOW = "of a value that can be as small as 0; keep it above 0, for example with max(x, 0.001)"
REFUSED: dict[str, tuple[tuple[tuple[str, str], ...], str, list[str]]] = {
    "no range": (
        (("x: {init: 0.75, range: [0, 1]}", "x: {init: 0.75}"),),
        "generic16",
        [
            "n.yaml:11:7: a.x has no range, so no integer format can be chosen for it on chip 'generic16'; add "
            "`range: [lowest, highest]` to it in its model, or under `ranges:` in the network file, "
            "as `neuroport calibrate` does"
        ],
    ),
    "an int without a range": (
        (("init: 10, range: [0, 100]", "init: 10"),),
        "generic16",
        [
            "n.yaml:12:7: a.n is an int without bounds, or with more than 62 bits; declare `range: [lowest, highest]` "
            "for it in its model, or under `ranges:` in the network file, as `neuroport calibrate` does"
        ],
    ),
    "the same on two lines": (
        (("x = x + u\n", "x = log(x)\n      x = x + log(x)\n"),),
        "generic16",
        [f"n.yaml:15:7: a.update: log(a.x) {LOW}", f"n.yaml:16:7: a.update: log(a.x) {LOW}"],
    ),
    "under a condition": (
        (("n = n + 1", "x = x + log(x - 2)"),),
        "generic8",
        [
            "n.yaml:18:9: a.update: log((a.x - 2.0)) of a value that can be as small as -2; keep it above 0, for "
            "example with max(x, 0.001)"
        ],
    ),
    "a divisor": (
        (("x = x + u", "x = u / k"),),
        "generic16",
        [
            "n.yaml:15:7: a.update: in (1.0 / a.k) the divisor, in 0..4, can be 0; keep it away from 0, for example "
            "with max(x, 0.001), or write a / b if b > 0.001 else ..."
        ],
    ),
    "a constant of literals": (
        (("x = x + u", "x = x + log(0.0 - 1)"),),
        "generic16",
        ["n.yaml:15:7: a constant part of the model of 'a' is not finite; correct the numbers in it"],
    ),
    "a constant of parameters": (
        (("x = x + u", "x = x + 1 / (k - k)"),),
        "generic16",
        ["n.yaml:15:7: a constant part of the model of 'a' is not finite; check the parameters that it is made of"],
    ),
    "a derived constant": (
        (("    inputs:", "    derived: {r: 1 / k}\n    inputs:"), ("x = x + u", "x = r")),
        "generic16",
        [
            "n.yaml:8:18: a.r = (1.0 / a.k) can become infinite within the ranges of the parameters that it follows "
            "from; narrow their ranges"
        ],
    ),
    "a spike": (
        (("spike: x > 0.5", "spike: log(x) > 0"),),
        "generic16",
        [f"n.yaml:19:12: a.update: log(a.x) {LOW}"],
    ),
    "a synapse": ((("w = 0.5 * w", "w = log(w)"),), "generic16", [f"n.yaml:26:7: p.arrive: log(p.w) {LOW}"]),
    "its send": (
        (("send(target, w)", "send(target, log(w))"),),
        "generic16",
        [f"n.yaml:25:7: p.arrive: log(p.w.visible) {LOW}"],
    ),
    "a readout": (
        (
            (
                "populations:",
                "readouts:\n  r: {histogram: {population: a, state: log(x) > 0, every: 1 step, phase: 0 steps}}\n"
                "populations:",
            ),
        ),
        "generic16",
        [f"n.yaml:28:41: readout r: log(a.x) {LOW}"],
    ),
    "what a chip has not": (
        (),
        "loihi1",
        [
            "n.yaml:30:3: projection 'p' changes p.w; chip 'loihi1' has static synapses only. Use the synapse model "
            "'static' or another chip"
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_chip_cannot_represent_is_told_with_its_line(case: str) -> None:
    edits, chip, messages = REFUSED[case]
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(network(*edits), chip)
    assert [str(problem) for problem in caught.value.problems] == messages


def test_what_does_not_fit_on_a_chip_is_told_with_its_place() -> None:
    limits = Limits(neurons_per_core=1, cores=2, max_refractory=3)
    chip = replace(chips.load("generic16"), limits=limits)
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(network(("k: {default: 2", "t_ref: {default: 4")), chip)
    assert str(caught.value) == (
        "n.yaml:1:1: the network has 3 neurons, which need 3 cores of 1; chip 'generic16' has 2 cores. Make it smaller "
        "or choose another chip\n"
        "n.yaml:7:7: a.t_ref is 4 steps; chip 'generic16' allows at most 3. Shorten it or use a longer dt"
    )


# -------------------------------------------------------------------------------------------------------------- runs

SEVERAL = (("n = n + 1", "n = n + 1\n        n = n + 2"),)
FAILED = {
    (): "n.yaml:18:9: ",
    SEVERAL: "n.yaml:18:9 and n.yaml:19:9: ",
    (("    spike:", "      n = min(n, 100)\n    spike:"),): "n.yaml:18:9: ",  # the last line cannot have done it
}
LEFT = {
    "emulator": "a.n: the value of element 0 left its range in step {step}, and the overflow rule is `error`. Widen "
    "the range, or choose a chip that saturates",
    "reference": "step {step}: a value for 'a.n' lies outside 0..100, and this chip has no rule for that; give the "
    "variable a larger range",
}
LEFT["genn"] = LEFT["reference"]


def strict() -> Chip:
    """A chip on which a state that leaves its range ends the run."""
    chip = chips.load("generic16")
    words = tuple((k, replace(rule, overflow="error") if k == "state" else rule) for k, rule in chip.words)
    return replace(chip, words=words)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("edits", FAILED, ids=["one line", "two lines", "one of two lines"])
def test_a_run_that_fails_names_the_lines_that_can_have_done_it(
    backend: str, edits: tuple[tuple[str, str], ...]
) -> None:
    if missing := backends.load(backend).missing():
        pytest.skip(missing)
    with pytest.raises(RunFailed) as caught:
        api.run(network(*edits, ("x = x + u", "x = x")), backend, strict(), duration=100)
    step = 30 if edits == SEVERAL else 90
    assert str(caught.value) == FAILED[edits] + LEFT[backend].format(step=step)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_switch_that_fails_names_the_declaration(backend: str) -> None:
    if missing := backends.load(backend).missing():
        pytest.skip(missing)
    net = network(("n = n + 1", "x = x + k"))
    with api.open(net, backend, "generic16") as session, pytest.raises(InvalidInput) as caught:
        session.set("a.k", 5)
    assert str(caught.value) == (
        "n.yaml:7:7: a.k = 5 is outside 0 .. 4, its declared range; give a value inside, or widen the range"
    )


def test_what_only_the_declaration_could_allow_names_it() -> None:
    net = network(("n = n + 1", "x = x + k"), (", range: [0, 4], dynamic: true", ""))
    with api.open(net, "reference") as session, pytest.raises(InvalidInput) as caught:
        session.set("a.k", 3)
    assert str(caught.value) == (
        "n.yaml:7:7: 'a.k' is fixed while the network runs; declare the parameter `dynamic: true` with a range"
    )


class Wrong(Reference):
    """An executor of another program: what is stored into one array is one unit more."""

    name = "wrong"

    def __init__(self, array: str = "a.n") -> None:
        super().__init__()
        self.array = array

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
        changed = [replace(p, body=self.body(p.body)) for p in program.populations]
        return super().open(replace(program, populations=tuple(changed)), seed, record_spikes)

    def body(self, body: Body) -> Body:
        return tuple(
            self.changed(stmt) if isinstance(stmt, Store) and stmt.array == self.array else stmt for stmt in body
        )

    def changed(self, store: Store) -> Store:
        return replace(store, value=Apply("add", (store.value, Const(1, Int(1, 1))), Int(0, 101)))


class Silent(Reference):
    """An executor on which nobody spikes."""

    name = "silent"

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
        never = Apply("lt", (Const(1, Int(1, 1)), Const(0, Int(0, 0))), Bool())
        changed = [
            replace(p, body=tuple(Spike(never) if isinstance(s, Spike) else s for s in p.body))
            for p in program.populations
        ]
        return super().open(replace(program, populations=tuple(changed)), seed, record_spikes)


def test_the_first_difference_names_the_declaration_and_the_lines_that_assign() -> None:
    net = network(*SEVERAL)
    found = verify(net, neuroport.compile(net, "generic16"), [Reference(), Wrong()], steps=5)
    assert str(found.first_difference) == (
        "after step 0: 'a.n' element 0 is 13 on reference and 15 on wrong "
        "(declared at n.yaml:12, assigned at n.yaml:18, n.yaml:19)"
    )


def test_a_difference_of_spikes_names_the_condition() -> None:
    net = network()
    found = verify(net, neuroport.compile(net, "generic16"), [Reference(), Silent()], steps=5)
    assert str(found.first_difference) == (
        "step 0: neuron 0 of 'a' spikes on reference and not on silent (declared at n.yaml:28, assigned at n.yaml:19)"
    )


def test_verify_prints_the_places_of_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backends.BUILT_IN, "wrong", Wrong)
    monkeypatch.chdir(tmp_path)
    Path("n.yaml").write_text(TEXT)
    asked = ["verify", "n.yaml", "--against", "reference", "--against", "wrong", "--chip", "generic16", "--steps", "5"]
    assert CliRunner().invoke(main, asked).stdout == (
        "places on generic16 (integer): different on reference, wrong: after step 0: 'a.n' element 0 is 11 on "
        "reference and 12 on wrong (declared at n.yaml:12, assigned at n.yaml:18)\n"
    )
    first = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)["first_difference"]
    assert (first["declared"], first["assigned"]) == ("n.yaml:12:7", ["n.yaml:18:9"])


# ---------------------------------------------------------------------------------------------------- generated code


def emulator(program: Program) -> str:
    """The emulator's module without what every module has."""
    return module_text(program).partition("# Indices of the control words.\n")[2]


def source(program: Program) -> str:
    """The reference's functions."""
    return Reference().source(program)


FORMS: dict[str, Callable[[Program], str]] = {
    "integer": printer.text,
    "emulator": emulator,
    "genn": genn_text,
    "reference": source,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_program_quotes_the_lines_of_its_models(form: str, golden: Callable[..., None]) -> None:
    golden(FORMS[form](neuroport.compile(network(), "generic16")), form)


def test_a_module_of_several_copies_quotes_the_lines(golden: Callable[..., None]) -> None:
    shared = (
        ("    spike: x > 0.5\n", ""),
        ("      w: {init", "      c: {init: 0, range: [0, 1], over_copies: shared}\n      w: {init"),
        ("    on_pre:", "    step:"),
        ("w = 0.5 * w", "c = sum_copies(0.01 * pre.x * post.x)"),
    )
    net = replace(network(*shared), copies=3)
    golden(emulator(neuroport.compile(net, "generic16")))


MOVED = (("neuroport: 1\n", "# a line more\nneuroport: 1\n"), ("x = x + u", "x = (x + u)  # and a word"))


def test_what_is_compiled_does_not_depend_on_where_a_model_stands() -> None:
    one, other = network(), network(*MOVED, file="elsewhere/m.yaml")
    programs = [neuroport.compile(net, "generic16") for net in (one, other)]
    texts = [module_text(program) for program in programs]
    assert texts[0] != texts[1]
    assert uncommented(texts[0], "#") == uncommented(texts[1], "#")
    models = [genn_model(program) for program in programs]
    assert models[0] != models[1]
    assert models[0].uncommented() == models[1].uncommented()


def without_places(program: Program) -> Program:
    """The same program, made of no text."""

    def bare(body: Body) -> Body:
        return tuple(replace(stmt, place=None) for stmt in body)

    return replace(
        program,
        populations=tuple(replace(p, body=bare(p.body)) for p in program.populations),
        projections=tuple(
            replace(p, step=bare(p.step), arrive=bare(p.arrive), post_body=bare(p.post_body))
            for p in program.projections
        ),
        events=tuple(replace(e, body=bare(e.body)) for e in program.events),
    )


def test_comments_do_not_make_a_module_too_large_to_be_inlined() -> None:
    program = neuroport.compile(neuroport.load("pal_backward"), "generic16")
    text, bare = module_text(program), module_text(without_places(program))
    assert text.count("\n") - bare.count("\n") > 40
    assert uncommented(text, "#") == uncommented(bare, "#")


def test_folders_stay_out_of_generated_code() -> None:
    program = neuroport.compile(network(file="some/folder/n.yaml"), "generic16")
    for form in FORMS.values():
        assert "n.yaml:15  x = x + u" in form(program) and "folder" not in form(program)


def test_the_name_of_a_file_cannot_end_a_comment() -> None:
    text = module_text(neuroport.compile(network(file="folder/a\nb.yaml"), "generic16"))
    assert "# a b.yaml:15  x = x + u\n" in text


def test_equal_functions_are_written_once_whatever_lines_they_came_from() -> None:
    again = TEXT[TEXT.index("  m:\n") : TEXT.index("synapses:")].replace("  m:", "  other:")
    again = again.replace("if x > 0.25:\n        n = n + 1", "if x > 0.25: n = n + 1")
    joined = TEXT[TEXT.index("  p: {") :].replace("p: {source: a, target: a", "q: {source: b, target: b")
    net = network(
        ("synapses:", f"{again}synapses:"),
        ("neuron: m}", "neuron: m}\n  b: {size: 3, neuron: other}"),
        ("projections:\n", f"projections:\n{joined}"),
    )
    text = emulator(neuroport.compile(net, "generic16"))
    assert text.count("  x = x + u") == 1
    assert "# Also: One step of every neuron of population b.\ndef a_neurons(" in text
