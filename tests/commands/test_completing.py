"""Completion of the command line, asked as shells ask: through click, and in real shells where there are some."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import CompletionItem, ShellComplete

import neuroport
from neuroport.backends import names as backend_names
from neuroport.catalogue import ALL
from neuroport.cli import COMPLETE, main
from neuroport.commands import completing
from neuroport.commands.paths import paths
from tests.support.checkout import ROOT

NET = """\
neuroport: 1
name: small
dt: 1 ms
populations: {cells: {size: 2, neuron: lif}}
projections: {own: {source: cells, target: cells, input: i, synapse: sal, connect: all_to_all}}
stimuli: {push: {series: {values: [0 nA], every: 1 ms}, population: cells, input: i}}
"""


def offered(line: str) -> list[CompletionItem]:
    """What is offered for the last word of a line."""
    completing.prepare(main)
    *before, word = line.split(" ")
    return ShellComplete(main, {}, "neuroport", COMPLETE).get_completions(before, word)


def plain(line: str) -> list[str]:
    return [item.value for item in offered(line) if item.type == "plain"]


@pytest.mark.parametrize(
    ("line", "names", "other"),
    [
        ("ru", ["run"], None),
        ("list ", [*ALL, "backends"], None),
        ("run sal_sa", ["sal_sampling", "sal_sampling_published"], "file"),
        ("run published/co", ["published/coba"], "file"),
        ("verify sal_pair balanc", ["balanced"], "file"),
        ("hil serve balanc", ["balanced"], "file"),
        ("sweep ta", ["table"], "file"),
        ("sweep balanc", ["balanced"], "file"),
        ("sweep balanced --chip generic8_mis", [n for n in ALL["chips"] if n.startswith("generic8_mis")], "file"),
        ("sweep balanced --seed ", [], None),
        ("sweep table ", [], "dir"),
        ("hil bench --net balanc", ["balanced"], "file"),
        ("export balanc", ["balanced"], "file"),
        ("run balanced --chip generic8_mis", [n for n in ALL["chips"] if n.startswith("generic8_mis")], "file"),
        ("run balanced --backend ", [*backend_names(), "auto"], None),
        ("drift balanced --backend a", [], None),
        ("verify balanced --against r", ["reference"], None),
        ("doctor --backend em", ["emulator"], None),
        ("run balanced --mismatch ", ["duration=", "gain=", "threshold=", "time=", "weight="], None),
        ("run balanced -o ", [], "file"),
        ("run --resume ", [], "file"),
        ("compare a.h5 ", [], "file"),
        ("join a.h5.part ", [], "file"),
        ("run balanced --chip-instance ", [], "file"),
        ("hil keys ", [], "dir"),
        ("hil serve balanced --save ", [], "dir"),
        ("hil replay ", [], "file"),
        ("import ", [], "file"),
        ("import a.nir --calibrate ", [], "file"),
        ("import a.nir --chip generic1", ["generic16"], "file"),
        ("compile balanced --emit rep", ["report"], None),
        ("run balanced --for ", [], None),
        ("plot a.h5 --panels m", ["metrics", "matrix"], None),
        ("plot a.h5 --panels metrics,m", ["metrics,matrix"], None),
        ("plot a.h5 --style ", ["light", "dark"], None),
        ("plot a.h5 --populations ", [], None),
        ("show adaptive_l", ["adaptive_lif"], "file"),
        ("show stdp_pair", ["stdp_pair"], "file"),
        ("show syn", ["synapse", "synaptic_scaling"], "file"),
        ("show synapse sal_t", ["sal_triangular"], None),
        ("show neuron sal_t", [], None),
        ("show model lif", ["lif"], None),
        ("show balanced exc_to", ["exc_to_exc", "exc_to_inh"], None),
        ("show metric ", list(ALL["metrics"]), None),
        ("run balanced --set exc.tau", ["exc.tau_m=", "exc.tau_exc=", "exc.tau_inh="], None),
        ("run --quiet balanced --set record.st", ["record.states."], None),
        ("run balanced --set record.weights.inh_to_inh.", ["record.weights.inh_to_inh.w="], None),
        ("run balanced --set exc.tau_m=1", [], None),
        ("run --set exc.", [], None),
        ("run nosuch --set exc.", [], None),
    ],
)
def test_what_is_offered(line: str, names: list[str], other: str | None) -> None:
    items = offered(line)
    assert [item.value for item in items if item.type == "plain"] == names
    assert {item.type for item in items if item.type != "plain"} == ({other} if other else set())


def test_paths_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(NET)
    top = ["seed=", "dt=", "chip=", "copies=", "cells.", "own.", "push.", "record."]
    assert plain("run small.yaml --set ") == top
    assert plain("run small.yaml --set push.") == ["push.values=", "push.every="]
    assert plain("check small.yaml --set own.init.") == ["own.init.w="]
    helps = {item.value: item.help for item in offered("run small.yaml --set cells.")}
    assert (helps["cells.tau_m="], helps["cells.init."]) == ("parameter, ms", "what cells.init has")
    Path("small.yaml").write_text("neuroport: [")
    assert plain("run small.yaml --set ") == []


def test_populations_of_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    neuroport.run(neuroport.load("stdp_pair"), "reference", duration=2, trace="a.h5")
    assert plain("plot a.h5 -o a.png --populations ") == ["source", "together", "alone", "cell"]
    assert plain("plot a.h5 --populations source,") == ["source,together", "source,alone", "source,cell"]


@pytest.mark.parametrize("name", ["balanced", "stdp_pair", "sal_sampling", "gle_lagline", "cartpole"])
def test_every_path_leads_somewhere(name: str) -> None:
    """What is offered is a path that --set takes: what can be wrong is the value."""
    network = neuroport.load(name)
    wrong = ("unknown", "has no parameter", "has no variable", "is no item", "cannot be set inside")
    for path, what in paths(network):
        assert what, path
        with pytest.raises(neuroport.InvalidInput) as caught:
            neuroport.load(name, [f"{path}=[[{{}}]]"])
        assert not any(word in str(caught.value) for word in wrong), caught.value


def test_every_parameter_of_a_network_is_offered() -> None:
    for name in ("stdp_pair", "sal_micro"):
        network, there = neuroport.load(name), dict(paths(neuroport.load(name)))
        for population in network.populations:
            assert {f"{population.name}.{p.name}" for p in population.neuron.parameters} <= set(there)
        for projection in network.projections:
            assert {f"{projection.name}.{p.name}" for p in projection.synapse.parameters} <= set(there)


def parameters(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Parameter]]:
    yield from ((f"{path} {parameter.name}", parameter) for parameter in command.params)
    for name, inner in getattr(command, "commands", {}).items():
        yield from parameters(inner, f"{path} {name}")


@pytest.mark.parametrize(
    ("name", "parameter"), parameters(main), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_parameter_is_offered_something_or_is_free(name: str, parameter: click.Parameter) -> None:
    """A new option has a metavar that says what it takes, or is named among those of which nothing is known."""
    if not isinstance(parameter.type, click.types.StringParamType) or getattr(parameter, "is_flag", False):
        return
    assert completing.offered(parameter) is not None or parameter.metavar in completing.FREE, parameter.metavar


# ------------------------------------------------------------------------------------------------------------- shells


@pytest.fixture
def command(tmp_path: Path) -> dict[str, str]:
    """An environment in which `neuroport` is this checkout."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "neuroport"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m neuroport "$@"\n')
    script.chmod(0o755)
    (tmp_path / "here").mkdir()
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(tmp_path)}


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


@pytest.mark.parametrize("heavy", ["exc.", "sal"])
def test_completing_imports_nothing_that_compiles(heavy: str) -> None:
    line = f"neuroport run balanced --set {heavy}" if heavy == "exc." else f"neuroport run {heavy}"
    environment = {**os.environ, COMPLETE: "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    program = (
        "import sys\nfrom neuroport.cli import main\n"
        "try:\n    main(prog_name='neuroport')\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('llvmlite', 'matplotlib', 'rich', 'zmq') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    *lines, modules = done.stdout.splitlines()
    assert modules == "[]" and len(lines) > 5


def test_the_scripts_of_click_are_those_that_are_changed() -> None:
    """A version of click with other scripts would leave them as they are."""
    assert "compopt -o nospace" in completing.Bash.source_template
    assert "further -U -S ''" in completing.Zsh.source_template


def typed(shell: list[str], environment: dict[str, str], folder: Path, keys: list[tuple[str, str]]) -> str:
    """What a terminal shows where keys are pressed in a shell, each followed by a text that must come."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(shell[0], shell, environment)
    shown, deadline = "", time.monotonic() + 60
    try:
        for key, awaited in keys:
            os.write(terminal, key.encode())
            since = len(shown)
            while awaited not in shown[since:] and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.5)[0]:
                    shown += os.read(terminal, 65536).decode(errors="replace")
        return shown
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


@pytest.mark.dear
def test_in_bash(command: dict[str, str], tmp_path: Path) -> None:
    needs("bash")
    (tmp_path / "here" / "mine and yours.yaml").write_text(NET)
    shell = ["bash", "--norc", "--noprofile", "-i"]
    shown = typed(
        shell,
        {**command, "PS1": "> "},
        tmp_path / "here",
        [
            (
                'bind "set enable-bracketed-paste off"; eval "$(_NEUROPORT_COMPLETE=bash_source neuroport)"; '
                "echo do\\ne\n",
                "done",
            ),
            ("neuroport run balanced --set exc.tau_m\t", "exc.tau_m="),
            ("X", "X"),  # no space has come after the =
            ("\x15neuroport show synapse sal_t\t", "sal_triangular "),
            ("\x15neuroport check mi\t", "mine\\ and\\ yours.yaml"),
        ],
    )
    for wanted in ("--set exc.tau_m=X", "sal_triangular ", "mine\\ and\\ yours.yaml"):
        assert wanted in shown, shown


@pytest.mark.dear
def test_in_fish(command: dict[str, str], tmp_path: Path) -> None:
    needs("fish")
    script = "_NEUROPORT_COMPLETE=fish_source neuroport | source; complete -C 'neuroport run balanced --set exc.tau'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], env=command, cwd=tmp_path, capture_output=True, text=True
    )
    lines = sorted(done.stdout.splitlines())
    assert lines == [f"exc.{name}=\tparameter, ms" for name in ("tau_exc", "tau_inh", "tau_m")], done.stderr


@pytest.mark.dear
def test_in_zsh(command: dict[str, str], tmp_path: Path) -> None:
    needs("zsh")
    shown = typed(
        ["zsh", "-f", "-i"],
        {**command, "PS1": "> "},
        tmp_path / "here",
        [
            (
                'autoload -Uz compinit && compinit -u -D; eval "$(_NEUROPORT_COMPLETE=zsh_source neuroport)"; '
                "echo do\\ne\n",
                "done",
            ),
            ("neuroport run balanced --set exc.tau_m\t", "exc.tau_m="),
            ("X", "X"),
        ],
    )
    assert "exc.tau_m=X" in shown, shown
