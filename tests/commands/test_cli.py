"""The command line as a user calls it: output, files, exit codes, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport import networks
from neuroport.chips import description as chips
from neuroport.cli import main
from neuroport.program.constants import real
from neuroport.trace.read import open_trace
from tests.support.traces import write

SHORT = ("--backend", "reference", "--for", "300 steps", "--quiet")
LONGER = ("--backend", "reference", "--for", "5000 steps", "--quiet")
PULSE = """\
neuroport: 1
name: pulse
dt: 1 ms
chip: generic16
populations:
  a: {size: 3, neuron: poisson, params: {rate: 200 Hz}}
  b: {size: 2, neuron: lif, params: {tau_m: 10 ms}}
projections:
  ab: {source: a, target: b, input: jump, synapse: static, connect: all_to_all, weight: 2}
protocol: [{run: 100 ms}]
record: {spikes: all}
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def fails(code: int, *arguments: object) -> str:
    """What the command says on stderr when it ends with this exit code."""
    result = call(*arguments)
    assert result.exit_code == code, result.output
    return result.stderr.rstrip("\n")


def answer(*arguments: object) -> Any:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trace") / "pair.h5"
    assert call("run", "sal_pair", "-o", path, "--backend", "reference", "--for", "500 steps", "-q").exit_code == 0
    return path


# ------------------------------------------------------------------------------------------------------------- run


def test_run_json_has_the_promised_fields(tmp_path: Path) -> None:
    out = tmp_path / "x.h5"
    result = answer("run", "sal_pair", *SHORT, "--seed", 5, "-o", out, "--json")
    assert set(result) >= set(
        "network backend arithmetic chip chip_seed seed steps spikes metrics digest build_s run_s trace".split()
    )
    assert (result["network"], result["backend"], result["arithmetic"]) == ("sal_pair", "reference", "integer")
    assert (result["chip"], result["chip_seed"], result["seed"], result["steps"]) == ("generic8", None, 5, 300)
    assert result["spikes"]["units"] > 0
    assert [step for step, _ in result["metrics"]["weights"]] == [300]
    assert result["trace"] == str(out)
    opened = open_trace(out)
    assert opened.digest == result["digest"]
    assert opened.spike_counts == result["spikes"]
    assert (opened.complete, opened.steps, opened.seed) == (True, 300, 5)
    assert len(result["digest"]) == 64


@pytest.mark.dear
def test_the_same_run_gives_the_same_digest_on_both_executors() -> None:
    digests = {answer("run", "loihi_lif", "--backend", b, "--json", "-q")["digest"] for b in ("reference", "emulator")}
    assert len(digests) == 1


def test_a_chip_seed_changes_the_run_and_is_told() -> None:
    common = ("run", "sal_pair", *LONGER, "--chip", "generic8_mismatch10", "--json")
    first, second = answer(*common, "--chip-seed", 1), answer(*common, "--chip-seed", 2)
    assert (first["chip_seed"], second["chip_seed"]) == (1, 2)
    assert first["digest"] != second["digest"]


def test_a_saved_instance_is_the_same_chip_as_its_seed(tmp_path: Path) -> None:
    from neuroport.chips import description as chips
    from neuroport.chips import instance

    path = tmp_path / "chip.h5"
    instance.save(instance.manufacture(chips.load("generic8_mismatch10"), 3), path)
    common = ("run", "sal_pair", *LONGER, "--json")
    saved = answer(*common, "--chip-instance", path)
    drawn = answer(*common, "--chip", "generic8_mismatch10", "--chip-seed", 3)
    assert saved["digest"] == drawn["digest"]
    assert saved["chip_seed"] == 3
    assert "generic8_mismatch10, chip seed 3" in call("show", path).stdout
    assert fails(2, *common, "--chip-instance", path, "--chip-seed", 3) == (
        "error: give a chip seed or a chip instance, not both; an instance has its seed in it"
    )
    assert fails(2, *common, "--chip-instance", path, "--chip", "generic16") == (
        f"error: {path}: this is an instance of chip 'generic8_mismatch10', not of 'generic16'; "
        "leave the chip out or change it"
    )


def test_run_prints_a_summary_for_people(tmp_path: Path) -> None:
    out = tmp_path / "x.h5"
    lines = call("run", "sal_pair", *SHORT, "-o", out).stdout.splitlines()
    assert lines[0] == "sal_pair on generic8 (integer), backend reference, seed 1"
    assert lines[1:3] == ["  metric   value     at step", "  weights  1.5, 0.5      300"]
    assert "simulated  300 steps (0.3 s)" in lines
    assert lines[-1] == f"trace      {out}"
    assert lines[-2].startswith("digest     ")


def test_set_changes_the_network() -> None:
    result = answer("run", "sal_pair", *SHORT, "--set", "seed=9", "--json")
    assert result["seed"] == 9


def test_an_existing_trace_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "x.h5"
    out.write_text("precious")
    assert fails(2, "run", "sal_pair", *SHORT, "-o", out) == (
        f"error: {out}: exists already; choose another name, or replace it with --overwrite"
    )
    assert fails(2, "run", "sal_pair", *SHORT, "-o", out, "--overwrite") == (
        f"error: {out}: is no trace, and only a trace is replaced; choose another name, or remove it yourself"
    )
    assert out.read_text() == "precious"
    out.write_bytes(write(tmp_path / "old.h5").read_bytes())
    assert call("run", "sal_pair", *SHORT, "-o", out, "--overwrite").exit_code == 0
    assert open_trace(out).complete


def test_the_output_is_checked_before_the_network_is_read(tmp_path: Path) -> None:
    lost = tmp_path / "no" / "x.h5"
    assert fails(2, "run", "absent.yaml", "-o", lost) == (
        f"error: {lost}: the folder '{lost.parent}' does not exist; create it or choose another one"
    )


def test_a_run_that_cannot_start_leaves_no_file(tmp_path: Path) -> None:
    assert fails(2, "run", "sal_pair", "--chip", "loihi1", "-o", tmp_path / "x.h5", "-q")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_keeps_and_names_the_partial_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroport.commands.run import Progress

    def interrupt(self: Progress, done: int, total: int) -> None:
        self.done, self.total = done, total
        if done >= 1000:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "__call__", interrupt)
    out = tmp_path / "x.h5"
    result = call("run", "loihi_lif", "--backend", "reference", "--for", "5000 steps", "-o", out, "-q")
    assert result.exit_code == 130
    first, second = result.stderr.splitlines()
    assert first.startswith("interrupted after 1,")
    assert first.endswith(" of 5,000 steps")
    assert second.startswith(f"what was recorded until then is in {out}, marked incomplete; go on with ")
    opened = open_trace(out)
    assert not opened.complete
    assert opened.steps >= 1000
    assert f"; INCOMPLETE: the run was cut off after step {opened.steps - 1}; go on with " in call("show", out).stdout


def test_messages_of_runs_that_cannot_be() -> None:
    shipped = ", ".join(networks.names())
    assert fails(2, "run", "nothing") == (
        f"error: nothing: there is no such file, and no network of that name comes with neuroport; there are: {shipped}"
    )
    assert fails(2, "run", "published/nothing") == (
        "error: published/nothing: there is no such file, and no network of that name comes with neuroport; there are: "
        f"{shipped}"
    )
    for path, name in (("nowhere/sal_pair.yaml", "sal_pair"), ("hodgkin_huxley.yml", "published/hodgkin_huxley")):
        assert fails(2, "run", path) == (
            f"error: {path}: there is no such file; '{name}' comes with neuroport, and its name alone finds it"
        )
    assert call("check", "published/hodgkin_huxley").exit_code == 0
    assert fails(2, "run", "sal_pair", "--backend", "abacus", "-q").startswith("error: there is no backend 'abacus'; ")
    assert fails(2, "run", "sal_pair", "--chip", "abacus", "-q").startswith("error: there is no chip 'abacus'; ")


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ("3 mV", "3 mV is not a time; give a number of steps or a time such as '100 ms'"),
        ("soon", "'soon' is not a number with a unit such as '20 ms'"),
        ("1.6 ms", "1.6 ms is 1.6 steps of 1 ms; give a whole number of steps, such as 2 ms"),
        ("0.5 ms", "0.5 ms is 0.5 steps of 1 ms; give a whole number of steps, such as 1 ms"),
        ("2.5", "2.5 steps cannot be computed; give a whole number, such as 3 steps"),
        ("0 s", "a run cannot last 0 steps; give a number of steps from 1 to 2**62"),
        ("1e300 s", "1e+300 s is more than 2**62 steps; give a shorter time"),
    ],
)
def test_a_time_that_no_run_can_last(span: str, text: str) -> None:
    assert fails(2, "run", "loihi_lif", "--for", span, "-q") == f"error: {text}"


@pytest.mark.parametrize("span", ["3", "3 steps", "3 ms", "0.003 s"])
def test_a_plain_number_is_steps(span: str) -> None:
    assert answer("run", "loihi_lif", "--backend", "reference", "--for", span, "--json", "-q")["steps"] == 3


@pytest.mark.dear
def test_circuits_deviate_as_the_command_line_says() -> None:
    common = ("run", "sal_pair", *LONGER, "--json", "--chip-seed", 3)
    drawn = answer(*common, "--chip", "generic8_mismatch10")
    told = [x for kind in ("weight", "bias", "amplitude") for x in ("--mismatch", f"{kind}=10%")]
    same = answer(*common, "--chip", "generic8", *told)
    assert same["chip"] == "generic8_weight10_bias10_amplitude10"
    assert same["digest"] == drawn["digest"]
    assert answer(*common, "--chip", "generic8", *told[2:])["digest"] != drawn["digest"]
    for command in ("check", "compile", "verify"):
        assert call(command, "sal_pair", "--chip", "generic8", *told, "--chip-seed", 3).exit_code == 0


def test_deviations_that_mean_nothing() -> None:
    for command in ("run", "check", "compile", "verify"):
        assert fails(2, command, "sal_pair", "--mismatch", "wieght=10%") == (
            "error: --mismatch: no parameter or weight of this network is of kind wieght; its kinds are amplitude, "
            "bias, duration, gain, psp, weight"
        )
        assert fails(2, command, "sal_pair", "--mismatch", "weight=x") == (
            "error: 'weight=x' is no deviation; write KIND=SIGMA with a relative sigma from 0 to 2 "
            "(weight=0.1 or weight=10%), or KIND=N steps (duration=1 step)"
        )


def test_a_chip_seed_needs_a_chip_that_deviates() -> None:
    text = (
        "error: a chip seed stands for a specimen, and all specimens of chip 'generic8' are alike; leave the seed out, "
        "choose one of generic8_mismatch10, generic8_mismatch10_all, generic8_mismatch10_steps, or describe a chip "
        "with `mismatch` in a file of your own, such as mismatch: {weight: {sigma: 0.1}}, and give its name as that of "
        "the chip"
    )
    for command in ("run", "check", "compile", "verify"):
        assert fails(2, command, "sal_pair", "--chip-seed", 3) == text
    assert fails(2, "run", "sal_pair", "--chip-seed", "0:2", "-q") == text
    assert fails(2, "run", "sal_pair", "--chip-seed", "0:2", "--backend", "reference", "-q") == text
    assert fails(2, "show", "generic8", "--chip-seed", 3) == text


def test_the_summary_tells_which_metrics_were_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        PULSE.replace(
            "protocol: [{run: 100 ms}]",
            "metrics: {soon: {rate: b}, late: {rate: b}, never: {rate: b}}\n"
            "protocol: [{run: 10 ms}, {measure: [soon]}, "
            "{repeat: 2, as: k, do: [{if: k > 5, then: [{measure: [late]}]}]}]",
        )
    )
    lines = call("run", path, "--backend", "reference", "-q").stdout.splitlines()
    assert lines[1:7] == [
        "  metric  value  at step",
        "  soon        0       10",
        "  late        -        -",
        "  never       -        -",
        "  late was not measured: the protocol ended before its first measure item",
        "  never was not measured: no measure item names it",
    ]


def test_the_summary_shows_first_and_last_when_there_are_two(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    protocol = "metrics: {r: {rate: b}}\nprotocol: [{repeat: 2, do: [{run: 10 ms}, {measure: [r]}]}]"
    path.write_text(PULSE.replace("protocol: [{run: 100 ms}]", protocol).replace("200 Hz", "0 Hz"))
    lines = call("run", path, "--backend", "reference", "-q").stdout.splitlines()
    assert lines[1:3] == [
        "  metric  measured  first  at step  last  at step",
        "  r              2      0       10     0       20",
    ]


def test_a_name_is_listed_once() -> None:
    keys = "neuroport, name, title, dt, seed, copies, chip, models, neurons, synapses, populations, projections, "
    keys += "stimuli, ports, targets, readouts, metrics, protocol, record"
    own = "source, together, alone, cell, relay, together_to_cell, alone_to_cell, rate"
    assert fails(2, "run", "stdp_pair", "--set", "drive.foo=1") == (
        f"error: --set drive.foo: unknown name 'drive'; allowed are {keys}, {own}"
    )


def test_a_network_without_protocol_needs_a_duration(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(PULSE.replace("protocol: [{run: 100 ms}]\n", ""))
    text = (
        "the network has no protocol; say how long it is to run (on the command line --for TIME, in Python duration=…)"
    )
    assert fails(2, "run", path, "-q") == f"error: {path}:1:1: {text}"


def test_bad_use_has_exit_code_2() -> None:
    assert call("run").exit_code == 2
    assert call("run", "sal_pair", "--no-such-option").exit_code == 2
    assert call("no-such-command").exit_code == 2


def test_errors_of_the_system_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "x.h5")

    monkeypatch.setattr("neuroport.api.run.run", full)
    assert fails(1, "run", "sal_pair", "-q") == "error: x.h5: No space left on device"


# --------------------------------------------------------------------------------------------------- check and show


def test_check_says_that_there_are_no_problems() -> None:
    result = call("check", "sal_pair")
    assert (result.exit_code, result.stdout) == (
        0,
        "sal_pair: no problems on chip generic8; 2 neurons, 2 synapses\n",
    )
    assert answer("check", "sal_pair", "--json") == {
        "ok": True,
        "network": "sal_pair",
        "problems": [],
        "notices": [],
    }


def test_check_names_every_problem_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(PULSE.replace("target: b", "target: c").replace("200 Hz", "200 mV"))
    lines = fails(2, "check", path).splitlines()
    assert len(lines) >= 2
    assert all(line.startswith(f"error: {path}:") for line in lines)
    result = call("check", path, "--json")
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    assert {(p["file"], p["line"]) for p in problems} >= {(str(path), 6), (str(path), 9)}


def test_check_names_an_unknown_chip_with_the_other_problems(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(PULSE.replace("generic16", "generic9").replace("target: b", "target: c"))
    names = ", ".join(chips.names())
    unknown = f"there is no chip 'generic9'; did you mean 'generic8'? chips are {names}, or the path of a .yaml file"
    assert fails(2, "check", path) == (
        f"error: {path}:4:7: {unknown}\nerror: {path}:9:27: unknown population 'c'; allowed are a, b"
    )
    assert fails(2, "check", "sal_pair", "--set", "chip=generic9") == f"error: --set chip: {unknown}"


def test_check_takes_changes_and_a_chip(tmp_path: Path) -> None:
    path = tmp_path / "pulse.yaml"
    path.write_text(PULSE)
    text = "pulse: no problems on chip loihi1; 6 neurons, 8 synapses\n"
    assert call("check", path, "--set", "a.size=4", "--chip", "loihi1").stdout == text
    assert fails(2, "check", "sal_pair", "--set", "units.size=none") == (
        "error: --set units.size: size of population 'units' must be a whole number; found the text 'none'"
    )


@pytest.mark.parametrize("content", [b"", b"\x00\x01\xff", b"[1, 2", b"neuroport: 1", b"- a\n- b\n"])
@pytest.mark.parametrize("command", [("check",), ("run",), ("show",), ("compile",), ("verify",)])
def test_broken_files_give_sentences(tmp_path: Path, content: bytes, command: tuple[str, ...]) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    assert fails(2, *command, path).startswith(f"error: {path}")


def test_show_of_a_network() -> None:
    lines = call("show", "sal_pair").stdout.splitlines()
    assert lines[0] == "sal_pair: Two neurons whose weights meet under SAL"
    assert lines[1] == "dt 1 ms, seed 1, chip generic8"
    assert any(line.split()[:3] == ["units", "2", "sampling_unit"] for line in lines)
    assert "records recurrent.w every 5000 steps" in lines


def test_show_of_a_chip(tmp_path: Path) -> None:
    from neuroport.chips.description import load, to_yaml

    text = call("show", "loihi1").stdout
    assert text.startswith("loihi1: Loihi 1 - 24-bit state rounded toward zero, ")
    assert "  weight          8  nearest      saturate      per projection         no  -\n" in text
    assert "  accumulator    22  nearest      wrap          twos complement        no  -\n" in text
    assert "  neurons per core        1,024\n" in text
    assert "  plastic synapses        no\n" in text
    assert "  functions               none\n" in text
    assert text.endswith("nothing deviates: every circuit is as designed\n")
    path = tmp_path / "mine.yaml"
    path.write_text(to_yaml(load("generic8_mismatch10_steps")).replace("generic8", "mine"))
    lines = call("show", path).stdout.splitlines()
    assert lines[0].startswith("mine_mismatch10_steps: ")
    assert lines[-6:-1] == [
        "  deviating kind  distribution  sigma  steps",
        "  weight          lognormal       0.1      0",
        "  bias            lognormal       0.1      0",
        "  amplitude       lognormal       0.1      0",
        "  duration        -                 0      1",
    ]
    assert "arithmetic float32; no words, no rounding\n" in call("show", "ideal32").stdout


def test_show_writes_the_specimen_of_a_chip(tmp_path: Path) -> None:
    path = tmp_path / "chip3.h5"
    made = call("show", "generic8_mismatch10", "--chip-seed", 3, "-o", path).stdout
    assert made.startswith("chip instance: generic8_mismatch10, chip seed 3\n")
    assert made.endswith(f"\nwritten to {path}\n")
    assert call("show", path).stdout.startswith("chip instance: generic8_mismatch10, chip seed 3\n")
    common = ("run", "sal_pair", *LONGER, "--json")
    drawn = answer(*common, "--chip", "generic8_mismatch10", "--chip-seed", 3)
    assert answer(*common, "--chip-instance", path)["digest"] == drawn["digest"]
    again = ("show", "generic8_mismatch10", "--chip-seed", 4, "-o", path)
    assert fails(2, *again) == (f"error: {path}: exists already; choose another name, or replace it with --overwrite")
    assert call(*again, "--overwrite").exit_code == 0
    assert call("show", path).stdout.startswith("chip instance: generic8_mismatch10, chip seed 4\n")
    assert fails(2, "show", "generic8_mismatch10", "-o", path) == (
        "error: -o writes a specimen of the chip; say which one with --chip-seed N"
    )


def test_show_decides_what_a_name_is(tmp_path: Path) -> None:
    of_chips = ", ".join(chips.names())
    assert not set(networks.names()) & set(chips.names())
    assert fails(2, "show", "sal_pair", "--chip-seed", 3) == (
        f"error: --chip-seed, -o and --overwrite go with a chip, and 'sal_pair' is none; chips are {of_chips}"
    )
    # a file that has keys of both is read as a network
    both = tmp_path / "both.yaml"
    both.write_text(PULSE + "words: {state: {bits: 16}}\n")
    assert fails(2, "show", both).startswith(f"error: {both}:12:1: unknown key 'words' in a network file; ")


def test_show_of_a_trace(trace: Path) -> None:
    text = call("show", trace).stdout
    assert text.startswith(
        "trace of sal_pair on generic8 (integer), backend reference, seed 1\n500 steps of 1 ms (0.5 s)\n"
    )
    assert f"digest {open_trace(trace).digest}" in text


def test_show_joins_the_parts_of_a_killed_run(tmp_path: Path) -> None:
    net = str(networks.path("loihi_lif"))
    code = (
        "import os, neuroport\n"
        "from neuroport.trace.write import Writer\n"
        "Writer.capture = lambda self, capture: (self.flush(), os.kill(os.getpid(), 9))\n"
        f"neuroport.run(neuroport.load({net!r}), backend='reference', trace='x.h5')\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False, env=_environment())
    assert killed.returncode == -9
    assert (tmp_path / "x.h5.part").is_dir()
    result = call("show", tmp_path / "x.h5")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"joined the parts of an interrupted run into {tmp_path / 'x.h5'}\n")
    assert "INCOMPLETE" in result.stdout


def test_show_tells_of_the_parts_of_a_later_run(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    (tmp_path / "a.h5.part").mkdir()
    note = f"note: {path}.part has parts of this run, or of a later one that is going on or was cut off"
    also = f"note: where nothing is going on, '{path}.part' holds nothing that was recorded; remove it"
    assert call("show", path).stdout.splitlines()[-2:] == [note, also]


def test_a_file_that_is_no_trace_gets_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_text("no")
    text = "cannot be read as a trace (file signature not found); it is damaged, cut off, or another kind of file"
    for command in (("show", path), ("plot", path, "-o", tmp_path / "o.png"), ("compare", path, path)):
        assert fails(2, *command) == f"error: {path}: {text}"
    assert fails(2, "export", path, "-o", tmp_path / "o.yaml") == f"error: {path}: {text}"


# ---------------------------------------------------------------------------------------------- compare and verify


def test_compare_of_equal_and_different_runs(tmp_path: Path, trace: Path) -> None:
    other, same = tmp_path / "other.h5", tmp_path / "same.h5"
    common = ("--backend", "reference", "--for", "500 steps", "-q")
    call("run", "sal_pair", *common, "-o", same)
    call("run", "sal_pair", *common, "-o", other, "--seed", 2)
    equal = call("compare", trace, same)
    assert (equal.exit_code, equal.stdout[:11]) == (0, "identical: ")
    different = call("compare", trace, other, "--json")
    assert different.exit_code == 1
    result = json.loads(different.stdout)
    assert not result["identical"]
    assert result["first_difference"] == result["differences"][0]
    assert result["first_difference"]["kind"] in ("states", "weights")


def test_compare_of_learning_with_and_without_sal(tmp_path: Path) -> None:
    with_sal, without = tmp_path / "pair.h5", tmp_path / "off.h5"
    common = ("run", "sal_pair", "--backend", "reference", "--set", "protocol.1.repeat=2", "-q")
    assert call(*common, "-o", with_sal).exit_code == 0
    assert call(*common, "--set", "recurrent.eta_s=0", "-o", without).exit_code == 0
    result = json.loads(call("compare", with_sal, without, "--json").stdout)
    ours, theirs = (open_trace(path).weight_samples("recurrent.w").values[1, 0].item() for path in (with_sal, without))
    text = f"weight 'recurrent.w': after step 9999 element 0 is {ours!r} in the first, {theirs!r} in the second"
    first = {"kind": "weights", "where": "recurrent.w", "step": 9999, "text": text}
    assert result["first_difference"] == first
    assert [d["kind"] for d in result["differences"]] == ["weights", "weights"]


def test_compare_names_the_first_spike(tmp_path: Path) -> None:
    def change(capture: Any) -> None:
        steps, neurons = capture.spikes["b"]
        capture.spikes["b"] = (steps[:-1], neurons[:-1])

    a, b = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", change)
    last = open_trace(a).spikes("b")
    result = call("compare", a, b)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        f"spikes of population 'b': at step {last.steps[-1]} neuron {last.neurons[-1]} spikes only in the first",
    )


@pytest.mark.dear
def test_verify_says_identical() -> None:
    result = answer("verify", "loihi_lif", "--json")
    assert (result["identical"], result["first_difference"], result["steps"]) == (True, None, 30)
    assert {"emulator", "reference"} <= set(result["executors"])
    text = call("verify", "loihi_lif").stdout
    executors = ", ".join(result["executors"])
    assert text == f"loihi_lif on loihi1 (integer): identical after 30 steps on {executors}\n"


def test_verify_uses_all_ready_backends_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroport import backends
    from neuroport.session import verify as verification

    asked = []

    def record(program: Any, plan: Any, names: tuple[str, ...], **_: Any) -> verification.Verification:
        asked.append(names)
        return verification.Verification(True, names, 1, None)

    monkeypatch.setattr(verification, "verify", record)
    assert call("verify", "loihi_lif").exit_code == 0
    assert call("verify", "loihi_lif", "--against", "emulator").exit_code == 0
    assert asked == [backends.ready(), ("reference", "emulator")]


def test_a_device_is_for_backends_that_have_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroport.backends import genn

    message = "error: the backend 'emulator' has no choice of devices; leave the device out, or take the backend genn"
    assert fails(2, "run", "loihi_lif", "--device", "cpu") == message
    assert fails(2, "run", "loihi_lif", "--device", "cpu", "--copies", 2) == message
    said = fails(2, "verify", "loihi_lif", "--against", "emulator", "--device", "cpu")
    assert said.endswith("Error: --device is for backends that have a choice of devices: add --against genn.")
    monkeypatch.setattr(genn.Genn, "missing", lambda self: f"it was asked for {self.device}.")
    said = fails(2, "run", "loihi_lif", "--backend", "genn", "--device", "cuda")
    assert said == "error: backend 'genn': it was asked for cuda."


def test_verify_runs_genn_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroport.backends.genn import Genn
    from neuroport.session import verify as verification

    asked = []

    def record(program: Any, plan: Any, executors: tuple[Any, ...], **_: Any) -> verification.Verification:
        asked.append(executors)
        return verification.Verification(True, ("reference", "genn"), 1, None)

    monkeypatch.setattr(verification, "verify", record)
    assert call("verify", "loihi_lif", "--against", "genn", "--device", "hip").exit_code == 0
    ((reference, genn),) = asked
    assert (reference.name, genn) == ("reference", Genn(device="hip"))


def test_verify_names_a_difference_and_has_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroport.session import verify as verification

    difference = verification.Difference("array", 17, "units.x", 1, ("reference", "emulator"), (3, 4))
    found = verification.Verification(False, ("reference", "emulator"), 18, difference)
    monkeypatch.setattr(verification, "verify", lambda *_, **__: found)
    result = call("verify", "loihi_lif")
    assert result.exit_code == 1
    assert result.stdout == (
        "loihi_lif on loihi1 (integer): different on reference, emulator: "
        "after step 17: 'units.x' element 1 is 3 on reference and 4 on emulator\n"
    )
    first = json.loads(call("verify", "loihi_lif", "--json").stdout)["first_difference"]
    assert (first["step"], first["name"], first["element"], first["values"]) == (17, "units.x", 1, [3, 4])


@pytest.mark.dear
def test_verify_of_several_networks() -> None:
    result = answer("verify", "loihi_lif", "loihi_lif", "--json")
    assert result["identical"]
    assert [r["network"] for r in result["results"]] == ["loihi_lif", "loihi_lif"]


@pytest.mark.dear
def test_verify_works_when_a_rule_uses_the_length_of_its_run() -> None:
    assert answer("verify", "sal_pair", "--steps", 50, "--json")["identical"]


# ------------------------------------------------------------------------------------- compile, export, plot, lists


def test_compile_prints_every_form() -> None:
    text = call("compile", "sal_pair", "--emit", "network", "--set", "seed=4").stdout
    assert text.startswith("neuroport: 1\nname: sal_pair\n")
    assert "\nseed: 4\n" in text
    real = call("compile", "sal_pair", "--emit", "program").stdout
    assert real.startswith("program sal_pair: float64, chip generic8, dt 1 ms, seed 1\n\narrays\n")
    assert "  recurrent.w: real (2,), weight, 0.5 … 1.5  # sal_sampling.yaml:22\n" in real
    assert "\n    # sal_sampling.yaml:30  sl = sl + k\n    recurrent.sl := (recurrent.sl + k)\n" in real
    assert "\nprojection recurrent: units -> units, 2 synapses, delay 1 steps\n" in real
    integer = call("compile", "sal_pair", "--emit", "integer").stdout
    assert integer.startswith("program sal_pair: integers, chip generic8, dt 1 ms, seed 1\n")
    assert "recurrent.w.visible: Q(8,6) (2,), visible, -128..127" in integer
    assert "def " in call("compile", "sal_pair", "--emit", "emulator").stdout
    report = call("compile", "sal_pair").stdout
    assert report.startswith("sal_pair on generic8\n")
    assert "recurrent.w.visible" in report


PORTS = """\
neuroport: 1
name: hosted
dt: 1 ms
neurons: {unit: {inputs: {i: {unit: nA}}, state: {v: {init: 0, range: [0, 1]}}, update: v = i}}
populations: {source: {size: 3, neuron: spike_source}, units: {size: 2, neuron: unit}}
ports:
  current: {inject: units.i, range: [-1 nA, 3 nA]}
  level: {read: units.v, write: true}
  action: {spikes: source}
"""


def test_ports_have_a_table(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(PORTS)
    wanted = [
        ["port", "direction", "of", "size", "type", "unit", "lowest", "highest", "step"],
        ["current", "inject", "units.i", "2", "real", "nA", "-1", "3", "0.000122"],
        ["level", "read,", "write", "units.v", "2", "real", "-", "0", "1", "3.05e-05"],
        ["action", "spikes", "source", "3", "int", "-", "-", "-", "-"],
    ]
    lines = [line.split() for line in call("compile", path, "--chip", "generic8").stdout.splitlines()]
    assert all(line in lines for line in wanted), lines
    on_ideal = [line.split() for line in call("compile", path).stdout.splitlines()]
    assert [line for line in on_ideal if line[0] == "current"] == [[*wanted[1][:-1], "-"]]
    shown = [line.split() for line in call("show", path).stdout.splitlines()]
    assert ["current", "inject", "units.i"] in shown and ["action", "spikes", "source"] in shown
    assert call("compile", path, "--emit", "network").stdout.endswith(
        "ports:\n  current: {inject: units.i, range: [-1, 3]}\n  level: {read: units.v, write: true}\n"
        "  action: {spikes: source}\n"
    )


def test_ports_are_changed_by_set(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(PORTS)
    changed = call("compile", path, "--emit", "network", "--set", "current.range=[0, 2]", "--set", "level.write=false")
    assert "  current: {inject: units.i, range: [0, 2]}\n  level: {read: units.v}\n" in changed.stdout
    assert fails(2, "check", path, "--set", "level.range=[0, 2]") == (
        "error: --set level.range: port 'level': 'range' is what a host adds, and this port has the range of its "
        "variable; give that with `ranges` at its population or projection"
    )


def test_an_ideal_chip_has_no_integer_program() -> None:
    assert fails(2, "compile", "sal_pair", "--emit", "integer", "--chip", "ideal") == (
        "error: chip 'ideal' calculates in float64, so there is no integer program; "
        "name a chip that calculates with integers: --chip generic16"
    )


def test_export_and_load_is_equal(tmp_path: Path) -> None:
    out = tmp_path / "pair.yaml"
    assert call("export", "sal_pair", "-o", out).stdout == f"{out}\n"
    assert neuroport.load(out) == neuroport.load(networks.path("sal_pair"))
    assert fails(2, "export", "sal_pair", "-o", out) == (
        f"error: {out}: exists already; choose another name, or replace it with --overwrite"
    )
    assert call("export", "sal_pair", "-o", out, "--overwrite").exit_code == 0
    assert fails(2, "export", "sal_pair", "-o", tmp_path / "x.h5") == (
        f"error: '{tmp_path / 'x.h5'}' would be overwritten by its own arrays; give a name that ends in .yaml"
    )


def test_learned_weights_come_from_a_trace_and_start_the_next_run(tmp_path: Path) -> None:
    trace, out = tmp_path / "t.h5", tmp_path / "learned.yaml"
    changes = ("--set", "protocol.1.repeat=2", "--set", "recurrent.eta_s=0.5")
    assert call("run", "sal_pair", "--backend", "reference", *changes, "-o", trace, "-q").exit_code == 0
    opened = open_trace(trace)
    learned = opened.weights("recurrent")
    assert not np.array_equal(learned.values, [1.5, 0.5])
    assert call("export", trace, "-o", out).exit_code == 0
    program = neuroport.compile(neuroport.load(out))
    assert np.array_equal(program.arrays["recurrent.w"].initial, learned.raw)
    assert np.array_equal(program.arrays["units.b"].initial, opened.final_array("units.b").raw)
    again = opened.network()
    assert again.protocol == neuroport.load(out).protocol


CONNECTIONS = """
neuroport: 1
name: n
dt: 1 ms
chip: generic16
synapses:
  growing:
    state: {w: {weight: true, init: 0.25, range: [0, 1]}, m: {init: 0, range: [0, 1], class: plastic}}
    on_pre: |
      send(target, w)
      w = w + 0.1 * uniform()
      m = m + 0.01
populations: {a: {size: 6, neuron: poisson, params: {rate: 200 Hz}}, b: {size: 6, neuron: lif}}
projections:
  full: {source: a, target: b, input: jump, synapse: growing, connect: all_to_all}
  others: {source: b, target: b, input: jump, synapse: growing, connect: {all_to_all: {self: false}}}
  drawn: {source: a, target: b, input: jump, synapse: growing, connect: {fixed_probability: 0.4}}
  some: {source: a, target: b, input: jump, synapse: growing, connect: {fixed_in_degree: 2}}
  pairs: {source: a, target: b, input: jump, synapse: growing, connect: {pairs: [[5, 1], [0, 2], [3, 0], [0, 1]]}}
  line: {source: a, target: b, input: jump, synapse: growing, connect: one_to_one}
protocol: [run: 50 ms]
"""


def test_learned_values_find_their_synapses_whatever_connected_them(tmp_path: Path) -> None:
    file, trace, out = tmp_path / "n.yaml", tmp_path / "t.h5", tmp_path / "learned.yaml"
    file.write_text(CONNECTIONS, "utf-8")
    assert call("run", file, "--backend", "reference", "-o", trace, "-q").exit_code == 0
    assert call("export", trace, "-o", out).exit_code == 0
    before, after = neuroport.compile(neuroport.load(file)), neuroport.compile(neuroport.load(out, ["seed=99"]))
    for projection in before.projections:
        again = after.projection(projection.name)
        assert np.array_equal(again.pre, projection.pre)
        assert np.array_equal(again.post, projection.post)
        for name in (f"{projection.name}.w", f"{projection.name}.m"):
            learned = open_trace(trace).final_array(name).raw
            assert np.array_equal(after.arrays[name].initial, learned)
            assert projection.name == "others" or not np.array_equal(before.arrays[name].initial, learned)


def test_export_from_a_trace_takes_no_changes(tmp_path: Path, trace: Path) -> None:
    assert fails(2, "export", trace, "-o", tmp_path / "x.yaml", "--set", "seed=2") == (
        "error: --set changes a network file, not a trace; set it in the exported file instead"
    )


GROWING = """
neuroport: 1
name: n
dt: 1 ms
chip: ideal
neurons:
  growing:
    state: {b: {init: 0.5, range: [0, 1], class: plastic}, u: {init: 0, range: [-1, 1]}}
    update: |
      b = FACTOR * b
      u = b
populations:
  p: {size: 2, neuron: growing}
protocol: [run: 4 ms]
"""


@pytest.mark.dear
def test_export_widens_a_range_that_a_learned_value_left(tmp_path: Path) -> None:
    path, trace, out = tmp_path / "n.yaml", tmp_path / "t.h5", tmp_path / "learned.yaml"
    path.write_text(GROWING.replace("FACTOR", "1.5"))
    assert call("run", path, "-o", trace, "-q").exit_code == 0
    done = call("export", trace, "-o", out)
    assert done.stderr == "note: 'p.b' left its range in the run; the range is now 0 to 4\n"
    (population,) = neuroport.load(out).populations
    assert dict(population.ranges) == {"b": (0, 4)}
    for chip in ("ideal", "generic16"):
        program = neuroport.compile(neuroport.load(out), chip=chip)
        assert real(program.arrays["p.b"].initial, program.arrays["p.b"]) == pytest.approx(0.5 * 1.5**4)


@pytest.mark.dear
@pytest.mark.parametrize(
    ("init", "factor", "span", "widened"),
    [("2", "0.5", "[1, 4]", (0, 4)), ("-2", "0.5", "[-4, -1]", (-4, 0)), ("-0.5", "1.5", "[-0.75, 0.9]", (-4, 0.9))],
)
def test_export_widens_only_the_end_that_was_passed(
    tmp_path: Path, init: str, factor: str, span: str, widened: tuple[float, float]
) -> None:
    path, trace, out = tmp_path / "n.yaml", tmp_path / "t.h5", tmp_path / "learned.yaml"
    text = GROWING.replace("init: 0.5, range: [0, 1]", f"init: {init}, range: {span}")
    path.write_text(text.replace("FACTOR", factor))
    assert call("run", path, "-o", trace, "-q").exit_code == 0
    assert call("export", trace, "-o", out).exit_code == 0
    (population,) = neuroport.load(out).populations
    assert dict(population.ranges) == {"b": widened}


@pytest.mark.dear
def test_export_of_what_is_no_number(tmp_path: Path) -> None:
    path, trace, out = tmp_path / "n.yaml", tmp_path / "t.h5", tmp_path / "learned.yaml"
    path.write_text(GROWING.replace("FACTOR", "1e200"))
    assert call("run", path, "-o", trace, "-q").exit_code == 0
    assert fails(2, "export", trace, "-o", out) == (
        f"error: {trace}: ended with 'p.b' at inf, from where no network can start"
    )
    assert not out.exists()


def test_export_does_not_replace_the_trace_it_reads(trace: Path) -> None:
    before, out = trace.read_bytes(), trace.with_suffix(".yaml")
    assert fails(2, "export", trace, "-o", out, "--overwrite") == (
        f"error: '{trace}' would be overwritten by the arrays of '{out}'; give the network file another name"
    )
    assert trace.read_bytes() == before and not out.exists()


def test_plot_of_a_network_file_says_what_to_do(tmp_path: Path) -> None:
    path, page = networks.path("sal_pair"), tmp_path / "page.txt"
    page.write_text("no trace")
    assert fails(2, "plot", path, "-o", tmp_path / "x.png") == (
        f"error: {path}: this is a network file; run it with -o first, then plot the trace"
    )
    assert fails(2, "plot", page, "-o", tmp_path / "x.png") == (
        f"error: {page}: this is no trace; run a network with -o first, then plot the trace"
    )


def test_plot_writes_a_picture_once(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    trace, out = write(tmp_path / "a.h5"), tmp_path / "a.png"
    assert call("plot", trace, "-o", out, "--from", "10 ms", "--to", "60 ms").stdout == f"{out}\n"
    assert out.read_bytes().startswith(b"\x89PNG")
    assert fails(2, "plot", trace, "-o", out).endswith("replace it with --overwrite")
    assert fails(2, "plot", trace, "-o", tmp_path / "b.png", "--from", "soon") == (
        "error: --from 'soon': 'soon' is not a number with a unit such as '20 ms'; give a time such as '10 ms' or "
        "'20 steps'"
    )


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("backends", {"emulator", "reference"}),
        ("chips", {"ideal", "generic16", "generic8", "loihi1"}),
        ("models", {"lif", "sampling_unit", "sal", "stdp_pair"}),
        ("networks", {"sal_sampling", "sal_pair", "balanced", "loihi_lif", "published/hodgkin_huxley"}),
    ],
)
def test_lists(what: str, names: set[str]) -> None:
    rows = answer("list", what, "--json")[what]
    assert names <= {row["name"] for row in rows}
    text = call("list", what).stdout
    assert all(name in text for name in names)


def test_doctor_finds_this_machine_fit() -> None:
    report = answer("doctor", "--json")
    assert report["ok"]
    assert {"level": "ok", "what": "backend emulator", "text": "ready"} in report["findings"]
    assert "backend reference" in call("doctor").stdout
    assert call("doctor", "--backend", "reference").exit_code == 0
    assert fails(2, "doctor", "--backend", "abacus").startswith("error: there is no backend 'abacus'; ")


def test_doctor_says_what_genn_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from neuroport.backends.genn import examine as doctor_genn

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.setattr(doctor_genn.importlib.util, "find_spec", lambda name: None)
    assert [(part.name, part.found, part.text) for part in doctor_genn.parts()] == [
        ("pygenn", False, "is not installed; it is not on PyPI, see https://genn-team.github.io for how to install it"),
        ("C++ compiler", False, "g++ is not on the PATH; install it with your system's packages"),
        ("make", False, "make is not on the PATH; install it with your system's packages"),
        (
            "CUDA toolkit",
            False,
            "neither CUDA_PATH nor nvcc is there; install the CUDA toolkit and set CUDA_PATH (only needed to run on a "
            "GPU)",
        ),
        (
            "GPU driver",
            False,
            "nvidia-smi is not on the PATH; install the NVIDIA driver (only needed to run on a GPU)",
        ),
    ]


def _tool(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_doctor_says_what_genn_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from neuroport.backends.genn import examine as doctor_genn

    nvcc = _tool(tmp_path / "bin" / "nvcc", "")
    compiler, make = _tool(tmp_path / "bin" / "g++", ""), _tool(tmp_path / "bin" / "make", "")
    _tool(tmp_path / "bin" / "nvidia-smi", "echo 'Some GPU, 1.2'")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.setattr(doctor_genn.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(doctor_genn.metadata, "version", lambda name: "5.2.1")
    assert [(part.found, part.text) for part in doctor_genn.parts()] == [
        (False, "5.2.1 is too old; install 5.4 or newer, see https://genn-team.github.io for how"),
        (True, str(compiler)),
        (True, str(make)),
        (
            False,
            f"CUDA_PATH is not set, but there is {nvcc}; set CUDA_PATH to the folder of its toolkit (only needed to "
            "run on a GPU)",
        ),
        (True, "Some GPU, 1.2"),
    ]
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "cuda.h").write_text("")
    assert f"set CUDA_PATH={tmp_path} (only" in doctor_genn.parts()[3].text
    monkeypatch.setenv("CUDA_PATH", str(tmp_path))
    assert doctor_genn.parts()[3] == doctor_genn.Part("CUDA toolkit", True, f"{nvcc} (CUDA_PATH)")
    monkeypatch.setenv("CUDA_PATH", str(tmp_path / "no"))
    assert doctor_genn.parts()[3].text == (
        f"CUDA_PATH is {tmp_path / 'no'}, where there is no bin/nvcc; correct it (only needed to run on a GPU)"
    )
    _tool(tmp_path / "bin" / "nvidia-smi", "exit 9")
    assert doctor_genn.parts()[4].text == "nvidia-smi fails; repair the NVIDIA driver (only needed to run on a GPU)"


def test_a_backend_that_is_asked_for_and_missing_has_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroport.backends.genn import Genn

    monkeypatch.setattr(Genn, "missing", lambda self: "GeNN needs this; do that")
    text = "error: backend 'genn': GeNN needs this; do that"
    assert fails(2, "doctor", "--backend", "genn") == text
    assert fails(2, "run", "loihi_lif", "--backend", "genn", "-q") == text
    assert call("doctor").exit_code == 0


# ------------------------------------------------------------------------------------------------------- the whole


def _environment() -> dict[str, str]:
    root = str(Path(neuroport.__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": root}


def cpu_seconds(*command: str) -> tuple[float, str]:
    """What a process costs, other processes on the machine aside, and its output."""
    before = os.times()
    result = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True, env=_environment())
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return spent, result.stdout


def test_help_is_quick_and_names_all_commands() -> None:
    runs = [cpu_seconds("-m", "neuroport", "--help") for _ in range(3)]
    for name in "run check show compile verify compare drift export plot report join list doctor".split():
        assert f"\n  {name} " in runs[0][1]
    assert "..." not in runs[0][1].partition("Commands:")[2]
    assert min(spent for spent, _ in runs) < cpu_seconds("-c", "import click")[0] + 0.3


def test_version() -> None:
    assert call("--version").stdout == call("-V").stdout == f"neuroport {neuroport.__version__}\n"


@pytest.mark.parametrize("seed", ["-1", str(2**63), str(2**64), "1.5", "one", ""])
@pytest.mark.parametrize(
    ("option", "command"),
    [
        ("--seed", ("run", "sal_pair")),
        ("--seed", ("verify", "sal_pair")),
        ("--chip-seed", ("check", "sal_pair")),
        ("--chip-seed", ("show", "generic8_mismatch10")),
    ],
)
def test_a_seed_in_an_option_is_what_it_is_in_a_file(option, command, seed):
    shown = seed if seed.lstrip("-").isdigit() else repr(seed)
    text = f"error: {option} must be a whole number from 0 to 2**63 - 1; found {shown}"
    assert fails(2, *command, f"{option}={seed}") == text
