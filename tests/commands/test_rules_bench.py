"""The bench of learning rules, `benchmarks/rules.py`: runs as files, what is told of them, what is counted."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import neuroport
from tests.support import needs
from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks import rules as bench
from benchmarks.rivals import cases, counting, entries, found, hosts, page, rates, running, store
from benchmarks.rivals.cases import Case, Need
from benchmarks.rivals.counting import memory
from benchmarks.rivals.entries import Rule, Setup
from neuroport.api.compile import lower_and_plan, manufactured
from neuroport.chips import description as chips

SETUP = Setup(
    "two_routes", (), {"up1.lr": 1.0}, (0.1, 0.2), ("stimuli.test.patterns.hold=9",), ("seed=7",), "train", True
)
RULES = {name: Rule(name, name.upper(), "some", "some.md", {"digits": SETUP}) for name in ("one", "two")}
RATES = {name: {"digits": 0.2} for name in RULES}


def result(last: float, **more: Any) -> dict[str, Any]:
    """What a run left."""
    told = {"test": [10.0, last], "updates": [[60.0, 30.0, 0.0]], "overflows": {"h1.ff": 40}, "not_finite": {}}
    return told | {"spikes": {}, "steps": 1000, "copies": 20, "build_s": 0.1, "run_s": 0.5} | more


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Case]:
    """A bench of two rules whose runs take no time; those that were done."""
    done: list[Case] = []

    def run(rule: Rule, case: Case, chosen: float) -> dict[str, Any]:
        done.append(case)
        return result(80.0 + case.seed)

    monkeypatch.setattr(entries, "rules", lambda: RULES)
    monkeypatch.setattr(
        rates, "known", lambda: {n: {"digits": {"chosen": 0.2, "tried": [[0.2, 90, 1]]}} for n in RULES}
    )
    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(counting, "counted", lambda *_: needed())
    return done


def needed() -> dict[str, Any]:
    """What was counted."""
    counted = {"steps": 8, "multiplications": 12_000.0, "additions": 900.0, "spiked": {"x": {"additions": 100.0}}}
    bits = {"visible": 16.0, "hidden": 32.0, "state": 32.0, "feedback": 5.9}
    return {"operations": counted, "bits": {"generic16": bits, "generic8": bits | {"visible": 8.0}}}


def test_quick_runs_are_printed(runs: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["--out", str(tmp_path), "--quick"])
    bench.main(["--out", str(tmp_path), "--quick", "--table"])
    assert "| rule | ideal (n 1) | ideal, 20 % (n 2) | " in (told := capsys.readouterr().out)
    assert "| ONE | 81.0 | 81.0 ± 0.0 | 81.0 | 81.0 ± 0.0 | 81.0 | 81.0 ± 0.0 |" in told


def test_every_run_is_a_file_and_is_done_once(runs: list[Case], tmp_path: Path) -> None:
    bench.main(["--out", str(tmp_path), "--quick"])
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert len(runs) == len(set(runs)) == 2 * 3 * (1 + 2) and len(files) == len(runs) + len(RULES)
    bench.main(["--out", str(tmp_path), "--quick"])
    assert len(runs) == 18 and {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_a_bench_that_was_ended_goes_on(runs: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bench.run

    def ended(rule: Rule, case: Case, chosen: float) -> dict[str, Any]:
        if len(runs) == 7:
            raise KeyboardInterrupt
        return whole(rule, case, chosen)

    monkeypatch.setattr(bench, "run", ended)
    with pytest.raises(SystemExit) as stopped:
        bench.main(["--out", str(tmp_path), "--quick"])
    assert stopped.value.code == 130
    before = {file.name for file in tmp_path.iterdir()}
    assert len(before) == 7 + len(RULES)
    monkeypatch.setattr(bench, "run", whole)
    bench.main(["--out", str(tmp_path), "--quick"])
    assert len(runs) == len(set(runs)) == 18 and before < {file.name for file in tmp_path.iterdir()}


def test_only_what_matches_is_done(runs: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["--out", str(tmp_path), "--only", "two-generic8.*chip5"])
    assert {case.chip_seed for case in runs} == {5} and {case.rule for case in runs} == {"two"} and len(runs) == 2 * 3
    assert capsys.readouterr().out.count(" %, 0.6 s\n") == 6
    bench.main(["--out", str(tmp_path), "--only", "two-generic8.*chip5", "--list"])
    assert capsys.readouterr().out == ""


def test_a_finished_file_is_never_overwritten(tmp_path: Path) -> None:
    assert store.keep(tmp_path, "a.json", {"value": 1}) and not store.keep(tmp_path, "a.json", {"value": 2})
    assert store.load(tmp_path, "a.json", bool) == {"value": 1} and [f.name for f in tmp_path.iterdir()] == ["a.json"]


def test_nothing_is_kept_of_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        store.keep(tmp_path, "a.json", {"a": 1, "b": object()})
    assert list(tmp_path.iterdir()) == [] and store.load(tmp_path, "a.json", bool) is None


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill")
def test_a_killed_bench_leaves_whole_files(tmp_path: Path) -> None:
    program = (
        "import itertools, sys, pathlib\n"
        "from benchmarks.rivals import store\n"
        "for k in itertools.count():\n"
        "    store.keep(pathlib.Path(sys.argv[1]), f'{k}.json', {'values': list(range(20000))})\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        while not (tmp_path / "2.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    store.clean(tmp_path, age=0)
    files = sorted(tmp_path.iterdir())
    assert len(files) >= 3 and all(json.loads(file.read_text()) == {"values": [*range(20000)]} for file in files)


def test_other_settings_have_other_files() -> None:
    names = cases.named(cases.bench(RULES.values()), RULES, RATES)
    assert len(names) == len(cases.bench(RULES.values()))
    other = cases.named(cases.bench(RULES.values()), RULES, {name: {"digits": 0.1} for name in RULES})
    assert not names.keys() & other.keys() and len(other) == len(names)
    assert cases.named(cases.bench(RULES.values()), RULES, {}) == {}


def test_all_conditions_of_all_rules_come_before_the_rest() -> None:
    order = cases.bench(RULES.values())
    first = [case for case in order[:78] if case.bits is None]
    assert len(order) == 2 * (3 * 3 + 3 * 2 * 5 * 3 + 9 * 3) and len(first) == 78
    assert cases.bench(RULES.values(), short=True) == order[: 78 + 2 * 9 * 3]
    for k, seed in enumerate((1, 2, 3, 1, 2), 1):
        some = {case for case in first if case.chip_seed == k}
        assert {case.seed for case in some} == {seed} and len(some) == 2 * 3 * 2
    assert sum(case.mismatch == 0 for case in first) == 2 * 3 * 3


def test_rates_are_tried_on_other_patterns_and_the_best_is_chosen(tmp_path: Path) -> None:
    tried = list(cases.tuning(RULES.values()))
    assert len(tried) == 2 * 2 * 3
    for case in tried:
        assert "stimuli.test.patterns.hold=9" in case.sets(SETUP, 0.0) and f"up1.lr={case.rate}" in case.sets(
            SETUP, 0.0
        )
        reached = result(90.0 if case.rate == 0.1 else 70.0 + case.seed)
        failed = case.rule == "two" and case.rate == 0.1
        store.keep(tmp_path, case.name(SETUP, 0.0), {"error": "OverflowError: no"} if failed else reached)
    known = rates.choose(tmp_path, RULES.values(), {"three": {}})
    assert rates.chosen(known) == {"one": {"digits": 0.1}, "two": {"digits": 0.2}, "three": {}}
    assert known["two"]["digits"]["tried"] == [[0.1, 0.0, 0.0], [0.2, 72.0, 1.0]]
    rates.write(known, tmp_path / "rates.json")
    assert rates.known(tmp_path / "rates.json") == known


def results(**by_rule: Mapping[Case, dict[str, Any]]) -> found.Found:
    """Results as they come out of their files."""
    runs = {case: run for some in by_rule.values() for case, run in some.items()}
    return found.Found(runs, {Need("digits", name): needed() for name in RULES})


@pytest.fixture
def some(runs: list[Case]) -> found.Found:
    """Three seeds of two rules in floating point and with some bits; one run failed, one learned nothing."""
    one = {Case("digits", "one", seed=seed): result(90.0 + seed) for seed in (1, 2, 3)}
    one |= {Case("digits", "one", "generic16", seed=seed): result(91.0) for seed in (1, 2, 3)}
    one |= {
        Case("digits", "one", "generic16", bits=bits): result(last) for bits, last in ((2, 95.0), (4, 80.0), (8, 92.0))
    }
    two = {Case("digits", "two", seed=1): result(96.0), Case("digits", "two", seed=2): result(11.0)}
    two |= {Case("digits", "two", seed=3): {"error": "OverflowError: no"}}
    two |= {Case("digits", "two", "generic8", 20, 1, 1): result(50.0, not_finite={"up1.w": 3})}
    return results(one=one, two=two)


def test_tables_tell_mean_deviation_and_what_failed(some: found.Found) -> None:
    assert page.told(some.accuracy("digits", "one", "ideal"), 3) == "92.0 ± 1.0"
    assert page.told(some.accuracy("digits", "two", "ideal"), 3) == "35.7 ± 52.5 (1 failed, 1 at chance)"
    assert page.told(some.accuracy("digits", "two", "generic8", 20), 5) == "0.0 (n 1, 1 failed)"
    assert page.told(some.accuracy("digits", "two", "generic16"), 3) == "-"
    lines = page.accuracies("digits")(some).splitlines()
    assert (
        lines[0] == "| rule | ideal (n 3) | generic16 (n 3) | generic8, 20 % (n 1) |"
        and lines[1] == "|---|---|---|---|"
    )
    assert lines[2] == "| ONE | 92.0 ± 1.0 | 91.0 ± 0.0 | - |" and len(lines) == 4
    assert page.accuracies("conv")(some) == "| rule |\n|---|"


def test_bits_that_are_needed_are_those_from_which_on_it_works(some: found.Found) -> None:
    assert some.bits("digits", "one") == (2, 4, 8, 16) and some.needed("digits", "one") == 8
    assert "| ONE | 95.0 | 80.0 | 92.0 | 91.0 ± 0.0 | 92.0 ± 1.0 | 8 |" in page.words(some)


def test_tables_of_what_rules_need(some: found.Found) -> None:
    assert page.costs(some).splitlines()[2] == "| ONE | 16 | 32 | 32 | 6 | 86 | 78 | 8 | 12 k | 0.9 k | 0.0 k | 0.5 |"
    assert "[ONE](some.md) | 92.0 → ? | 60° | 86 | 13 k | 8 |" in page.summary(some)
    assert "| ONE | 60 30 0 | 60 30 0 | - |" in page.angles(some)
    assert "| ONE | 2 | - |" in page.limits(some)
    assert page.counts(some).splitlines()[2:] == ["| digits | 9 | 1 | 3 | 13 |", "| all | 9 | 1 | 3 | 13 |"]
    assert "| ONE | digits | **0.2: 90.0** |" in page.tuned(some)


def test_the_page_gets_its_tables_and_keeps_its_text(some: found.Found) -> None:
    text = "Before.\n\n<!-- bench: words -->\nold\n<!-- end of words -->\n\nAfter.\n"
    written = page.written(text, some)
    assert written == text.replace("old\n", f"\n{page.words(some)}\n\n") and page.written(written, some) == written


def test_the_page_has_a_place_for_every_table() -> None:
    text = page.PAGE.read_text("utf-8")
    assert [name for name in page.TABLES if f"<!-- bench: {name} -->" not in text] == []


def test_figures_are_drawn(some: found.Found, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from benchmarks.rivals import figures

    figures.draw(some, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"bench.png", "bench_chips.png"}


# ---------------------------------------------------------------------------------------------------- what is counted

NETWORK = """
neuroport: 1
name: counted
dt: 1 ms
copies: 4
neurons:
  cell:
    inputs: {ff: {range: [-8, 8]}, back: {range: [-8, 8]}, goal: {range: [-8, 8]}}
    state: {r: {init: 0, range: [-1, 1]}, e: {init: 0, range: [-8, 8]}}
    update: |
      r = tanh(ff)
      e = goal - r + back
synapses:
  learned:
    params: {lr: {default: 0.1, range: [0, 1]}}
    state:
      w: {weight: true, range: [-1, 1], over_copies: shared}
      g: {range: [-1, 1], class: plastic, over_copies: shared}
      s: {range: [-8, 8], class: plastic, over_copies: shared}
    step: |
      s = sum_copies(pre.r * post.e)
      send(target, w * pre.r)
    on_event:
      learn: |
        g = lr * mean_copies(pre.r * post.e)
        w = w + g
  fixed:
    state: {w: {weight: true, range: [-1, 1]}}
    step: send(target, w * pre.e)
    on_event: {renew: w = 0}
populations:
  a: {size: 3, neuron: cell}
  b: {size: 2, neuron: cell}
projections:
  up: {source: a, target: b, input: ff, synapse: learned, connect: all_to_all, weight: 0.1}
  down: {source: b, target: a, input: back, synapse: fixed, connect: all_to_all, weight: 0.1}
stimuli:
  train: {patterns: {values: [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], hold: 5 steps}, population: a, input: ff}
protocol:
  - {present: train, each: [{at: end, event: learn}]}
"""


def test_operations_are_those_of_the_program() -> None:
    program, plan = lower_and_plan(neuroport.loads(NETWORK), chips.load("ideal"), None)
    counts = counting.operations(program, *counting.pattern(plan, "train"))
    assert counts["steps"] == 5 and counts["spiked"] == {}
    assert counts["functions"] == 5 * (3 + 2)
    # sends and the product that is added up in a step, products of the batch, its mean and rate
    assert counts["multiplications"] == 5 * (6 + 6 + 6) + 6 * (1 + 2 / 4)
    assert counts["additions"] == 5 * (2 * 5 + 6 + 6 + 6) + 6 * (1 + 1 / 4)


def test_bits_are_those_of_the_words_that_learning_needs() -> None:
    wide, short = (neuroport.compile(neuroport.loads(NETWORK), chip=f"generic{bits}") for bits in (16, 8))
    assert memory(wide, {"learn"}) == {"hidden": 32, "visible": 16, "state": 64, "feedback": 16}
    assert memory(short, {"learn"}) == {"hidden": 32, "visible": 8, "state": 64, "feedback": 8}
    assert memory(short, {"learn", "renew"})["feedback"] == 8 + 32
    assert "hidden" not in memory(short, ())


# ------------------------------------------------------------------------------------------------------ the real bench


def test_every_setup_is_a_network_with_what_is_measured() -> None:
    needs.digits()
    for rule in entries.rules().values():
        assert set(rule.setups) <= set(entries.TASKS)
        for task, setup in rule.setups.items():
            assert 1 <= len(setup.rates) <= 6
            for case in (Case(task, rule.name, rate=0.01), Case(task, rule.name, quick=True)):
                if setup.host:
                    assert hosts.network(setup.host, hosts.options(case.sets(setup, 0.01)))[1] > 0
                    continue
                network = neuroport.load(setup.path, case.sets(setup, 0.01))
                assert {"test", *(["updates"] if setup.angles else [])} <= {metric.name for metric in network.metrics}


@pytest.mark.parametrize("rule", sorted(entries.rules()))
def test_every_setup_goes_onto_a_chip_that_deviates(rule: str) -> None:
    needs.digits()
    for task, setup in entries.rules()[rule].setups.items():
        case = Case(task, rule, "generic8", 20, 1)
        sets = case.sets(setup, setup.rates[0])
        if setup.host:
            network, _ = hosts.network(setup.host, hosts.options(sets))
            assert memory(neuroport.compile(network, running.chip(setup, case, ("weight",)), 1), ())["visible"] == 8
            continue
        network = neuroport.load(setup.path, sets)
        chip = running.chip(setup, case, network.kinds)
        program, plan = lower_and_plan(network, chip, manufactured(chip, 1))
        assert counting.pattern(plan, setup.train)[0] > 0 and memory(program, ())["visible"] == 8


@pytest.mark.dear
def test_a_host_learns_with_a_chip_in_its_loop_and_without() -> None:
    needs.digits()
    sets = ('data="digits"', "layers=[64, 12, 10]", "epochs=1")
    reached = []
    for in_loop in ("true", "false"):
        setup = dataclasses.replace(SETUP, sets=(*sets, f"in_loop={in_loop}"), rate={"rate": 1.0}, host="tssl_bp")
        rule = Rule("host", "HOST", "some", "some.md", {"digits": setup})
        told = running.run(rule, Case("digits", "host", "generic8", 20, 1, 2), 0.01)
        assert len(told["test"]) == 1 and told["test"][-1] > 25 and told["not_finite"] == {} and json.dumps(told)
        assert len(told["updates"][-1]) == 2 and all(5 < angle < 60 for angle in told["updates"][-1])
        assert told["copies"] == 50 and told["spikes"] and told["sets"][-1] == "seed=2"
        reached.append(told["test"][-1])
    assert reached[0] != reached[1]
    needed = counting.counted(rule, "digits", 0.01)
    assert needed["bits"]["generic8"] == {"visible": 8} and needed["operations"]["steps"] == 7
    assert told["steps"] % needed["operations"]["steps"] == 0


def test_a_chip_of_a_rule_is_in_the_place_of_generic8() -> None:
    setup = entries.rules()["emstdp_chip"].setups["digits"]
    assert running.chip(setup, Case("digits", "emstdp_chip", "generic8"), ("weight",)).name == "emstdp"
    assert running.chip(setup, Case("digits", "emstdp_chip", "generic16"), ("weight",)).name == "generic16"


def test_rates_of_layers_are_multiples_of_the_rate() -> None:
    sets = entries.rules()["pal"].setups["digits"].with_rate(50.0)
    assert sets[-3:] == ("up1.eta=50.0", "up2.eta=5.0", "up3.eta=0.1")


def test_learning_rates_are_those_that_were_tried() -> None:
    for name, known in rates.known().items():
        for task, one in known.items():
            given = entries.rules()[name].setups[task].rates
            assert tuple(rate for rate, _, _ in one["tried"]) == given and one["chosen"] in given


@pytest.mark.dear
def test_a_run_is_told_whole() -> None:
    needs.digits()
    rule = entries.rules()["feedback_alignment"]
    told = running.run(rule, Case("digits", rule.name, "generic8", 10, 1, 2, quick=True), 0.5)
    assert len(told["test"]) == 3 and told["test"][-1] > 80 and len(told["updates"][-1]) == 3
    assert told["case"]["seed"] == 2 and told["copies"] == 20 and told["not_finite"] == {} and json.dumps(told)


def test_bits_make_another_chip() -> None:
    made = running.chip(SETUP, Case("digits", "no", "generic16", 10, 1, bits=5), ("weight",))
    assert made.word("weight").bits == 5 and made.word("plastic").bits == 32 and made.name == "generic16_w5_weight10"
