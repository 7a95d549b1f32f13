"""What people write who come from other simulators and languages: each gets a sentence that says what to write."""

from __future__ import annotations

import random

import pytest

from neuroport.errors import Place, Problem
from neuroport.language.check import check_neuron
from neuroport.language.syntax import parse_block, parse_expression
from neuroport.network.model import Input, NeuronModel, Parameter, State
from tests.support.network_mutants import PARTS

HERE = Place("m.yaml", 10, 5)
LINE = "a line is NAME = VALUE, if CONDITION: or send(INPUT, VALUE)"


def problems(text: str) -> tuple[Problem, ...]:
    """What the language says of the update of a neuron."""
    block, found = parse_block(text, HERE)
    states = (State(name="v", range=(-1, 1)), State(name="k", type="int", range=(0, 9)))
    parameters, inputs = (Parameter(name="tau"),), (Input(name="i"),)
    return found or check_neuron(
        NeuronModel(name="cell", parameters=parameters, states=states, inputs=inputs, update=block)
    )


ALLOWED = ["k += 1", "v = exp(-dt / tau) * v", "v = v if k else 0", "v = 1; k = 2", "v = 1;", "e = 2.718", "v = v # é"]


@pytest.mark.parametrize("text", ALLOWED)
def test_habits_that_are_part_of_the_language(text: str) -> None:
    assert problems(text) == ()


HABITS = {
    "dv/dt = (i - v) / tau": [
        "5: this is a differential equation, and models say what a step does: write v = v + dt * (...), or v = v * "
        "exp(-dt / tau) where it decays"
    ],
    "dv/dt = -v / tau : volt": [
        "5: this is a differential equation, and models say what a step does: write v = v + dt * (...), or v = v * "
        "exp(-dt / tau) where it decays"
    ],
    "v' = -v / tau": [
        "6: this is a differential equation, and models say what a step does: write v = v + dt * (...), or v = v * "
        "exp(-dt / tau) where it decays"
    ],
    "v = np.clip(v, 0, 1)": [
        "9: 'np.clip' is not part of the model language; write clip(...) without what stands before it"
    ],
    "v = math.exp(-v)": [
        "9: 'math.exp' is not part of the model language; write exp(...) without what stands before it"
    ],
    "v = np.maximum(v, 0)": ["9: 'np.maximum' is not part of the model language; write max(a, b)"],
    "v = np.random.rand()": ["9: 'np.random.rand' is not part of the model language; write uniform()"],
    "v = np.cos(v)": [
        "9: 'np.cos' is not part of the model language; there are abs, before, ceil, clip, exp, exprel, "
        "floor, int, log, max, max_incoming, max_outgoing, max_population, mean_copies, min, normal, poisson, "
        "relu, round, saturate, sigmoid, softplus, sqrt, sum_copies, sum_incoming, sum_outgoing, "
        "sum_population, sum_shared, tanh, trunc_div, uniform, wrap"
    ],
    "v = np.pi * v": ["9: a dot is only allowed in pre.NAME, post.NAME and twin.NAME; write 3.141592653589793"],
    "v = self.v": ["9: a dot is only allowed in pre.NAME, post.NAME and twin.NAME"],
    "v = v ** 3.5": ["9: ** takes a whole exponent from 2 to 8; write exp(y * log(x)) for a positive x"],
    "v = v ** 0.5": ["9: ** takes a whole exponent from 2 to 8; write sqrt(v)"],
    "v = v ** -1": ["9: ** takes a whole exponent from 2 to 8; write 1 / v"],
    "v = v ** True": [
        "9: ** takes a whole exponent from 2 to 8; write exp(y * log(x)) for a positive x",
        "14: True is not a number; compare, or write 1 or 0",
    ],
    "v **= 9": ["5: ** takes a whole exponent from 2 to 8; write a product of powers, such as v ** 8 * v for v ** 9"],
    "v = v ** 1": ["9: ** takes a whole exponent from 2 to 8; write v"],
    "v = (v + 1) ** 2.0": ["9: ** takes a whole exponent from 2 to 8; write x ** 2"],
    "v = v ** -3": ["9: ** takes a whole exponent from 2 to 8; write 1 / v ** 3"],
    "v = v ** 2 ** 2": [
        "9: ** takes a whole exponent from 2 to 8; write (v ** 2) ** 2 if that is meant: what stands last is "
        "taken first"
    ],
    "v = v^2": ["9: operator ^ is not allowed; there are + - * / // % ** << >>; write v ** 2"],
    "v = (v + 1)^2": ["9: operator ^ is not allowed; there are + - * / // % ** << >>; write x ** 2 for a square"],
    "k = k & 1": ["9: operator & is not allowed; there are + - * / // % ** << >>; write `and` between conditions"],
    "k = k | 1": ["9: operator | is not allowed; there are + - * / // % ** << >>; write `or` between conditions"],
    "v = -50 mV": [
        "13: numbers in models have no units and mean mV here: write 50 for 50 mV, or declare a parameter with its unit"
    ],
    "v = 5mV": [
        "9: numbers in models have no units and mean mV here: write 5 for 5 mV, or declare a parameter with its unit"
    ],
    "v = 0.2 s": [
        "13: numbers in models have no units and mean ms here: write 200 for 0.2 s, or declare a parameter with "
        "its unit"
    ],
    "v = 3 steps": ["11: numbers in models have no units: write 3 for 3 steps, of a variable that counts steps"],
    "v = 5 * mV": [
        "13: 'mV' is not known here; numbers in models have no units: write them in mV, or declare a parameter"
    ],
    "v = 1e-3 * ms": [
        "16: 'ms' is not known here; numbers in models have no units: write them in ms, or declare a parameter"
    ],
    "v = 5 * mV / ms": [
        "13: 'mV' is not known here; numbers in models have no units: write them in mV, or declare a parameter"
    ],
    "lambda = 3": ["12: 'lambda' is no name, for it is a word of Python's syntax; choose another, such as lambda_"],
    "v = lambda * 2": ["18: 'lambda' is no name, for it is a word of Python's syntax; choose another, such as lambda_"],
    "v = 1 if v > 0 && k < 2 else 0": ["9: && is not part of the model language; write `and`"],
    "v = 1 if v > 0 || k < 2 else 0": ["9: || is not part of the model language; write `or`"],
    "v = 1 if !k else 0": ["14: ! is not part of the model language; write `not`"],
    "k++": ["8: ++ is not part of the model language; write k = k + 1"],
    "++k": ["5: this value is not used; write k = k + 1"],
    "k--": ["8: -- is not part of the model language; write k = k - 1"],
    "v = min([v, 1])": [
        "9: min takes 2 to 8 arguments, 1 given",
        "13: a list is not part of the model language; give functions their values one by one, such as min(a, b)",
    ],
    "v = random()": ["9: there is no function 'random'; write uniform()"],
    "v = rand() < 0.5": ["9: there is no function 'rand'; write uniform()"],
    "v = 1 if True else 0": ["14: True is not a number; compare, or write 1 or 0"],
    "v = true": ["9: 'true' is not known here; compare, or write 1 or 0"],
    "return v": ["5: return is not part of the model language; assign the value to a variable"],
    "if v > 1 then": ["14: a line with if, elif or else ends with a colon, and the lines below are indented"],
    "if (v > 1) {": ["16: braces are not part of the model language; write `if CONDITION:` and indent the lines below"],
    "v = v > 1 ? 1 : 0": ["15: a ? b : c is not part of the model language; write b if a else c"],
    "if v > 1": ["13: a line with if, elif or else ends with a colon, and the lines below are indented"],
    "if v = 1:": ["8: a condition compares with =="],
    "else if v > 1:": ["5: else if is not part of the model language; write elif"],
    "v := 3": ["7: an assignment has one ="],
    "v <- 3": ["5: this compares and does not assign; write v = VALUE"],
    "v == 3": ["5: this compares and does not assign; write v = VALUE"],
    "v: float = 3": [
        "5: a declaration is not part of the model language; declare variables under `state:`, `params:` or "
        "`inputs:`, and write NAME = VALUE"
    ],
    "v : volt": [
        "5: a declaration is not part of the model language; declare variables under `state:`, `params:` or "
        "`inputs:`, and write NAME = VALUE"
    ],
    "v = v − 1": ["11: the character '−' is not part of the model language; write -"],
    "v = v × 2": ["11: the character '×' is not part of the model language; write *"],
    "v = v² + 1": ["10: the character '²' is not part of the model language; write x ** 2"],
    "τ = 3": ["5: 'τ' is no name; use letters, digits and _, not starting with a digit, such as tau"],
    "v = v / τ": ["13: 'τ' is no name; use letters, digits and _, not starting with a digit, such as tau"],
    "v = i_pre": ["9: 'i_pre' is not known here; write pre.i"],
    "v = pow(v, 2)": ["9: there is no function 'pow'; write x ** 2, or exp(y * log(x)) for a positive x"],
    "v = where(v > 0, v, 0)": ["9: there is no function 'where'; write a if condition else b"],
    "v = sum(v)": [
        "9: there is no function 'sum'; write a + b; what arrives at an input is a sum already; over all neurons or "
        "synapses there are sum_population, sum_incoming and sum_outgoing"
    ],
    "v = softmax(v)": [
        "9: there is no function 'softmax'; under on_event write top = max_population(x), e = exp(min(x - top, 0)), "
        "and e / max(sum_population(e), 1)"
    ],
    "v = argmax(v)": ["9: there is no function 'argmax'; under on_event write 1 if x == max_population(x) else 0"],
    "v = inf": ["9: 'inf' is not known here; write a number that the range allows"],
    "v = nan": ["9: 'nan' is not known here; write a condition, such as a / b if b > 0 else 0"],
    "v = 1e-400": ["9: this number is too small; write 0, or at least 5e-324"],
    "v = 0.1 * 0e5 + .00_1e-999": ["21: this number is too small; write 0, or at least 5e-324"],
    "v = v + xi": ["13: 'xi' is not known here; write normal() * sqrt(dt) in the place of xi * dt"],
    "v = 1e999": ["9: this number is too large; numbers go up to 1.7e308"],
    "v = 1 // a comment here": ["16: a comment begins with #"],
    "// a comment": ["5: a comment begins with #"],
    'v = "5 mV"': ["9: '5 mV' is not a number; write one"],
    "v = 3j": ["9: 3j is not a number; write one"],
    "v = ...": ["9: Ellipsis is not a number; write one"],
    "v = (1, 2)": ["9: a tuple is not part of the model language; write one value"],
    "v = {1: 2}": ["9: a dictionary is not part of the model language; write one value"],
    'v = f"{v}"': ["9: a text is not part of the model language; write a number"],
    "v = lambda x: x": [
        "9: a lambda is not part of the model language; write the value itself; a variable needs another name"
    ],
    "pass": ["5: pass is not part of the model language; leave the block, or the branch, out"],
    "def f(x): return x": [
        "5: a function definition is not part of the model language; write the statements where they are needed"
    ],
    "while v > 0: v = 0": [
        "5: a while loop is not part of the model language; every neuron and synapse computes its own statements "
        "once in every step"
    ],
    "for i in range(3): v = 0": [
        "5: a for loop is not part of the model language; every neuron and synapse computes its own statements "
        "once in every step"
    ],
    "print(v)": ["5: there is no function 'print'; record the variable: `record: {states: {OBJECT.VARIABLE: 1 ms}}`"],
    "v[0] = 1": ["5: an assignment has one plain name on its left side; write NAME = VALUE"],
    "v = k = 1": ["5: an assignment has one plain name on its left side; write NAME = VALUE"],
    "pre.v += 1": [
        "5: assignment to pre.v: many synapses share it, so the result would depend on the order in which they are "
        "processed; send to an input, or write the synapse's own variables"
    ],
    "x.y = 1": ["5: an assignment has one plain name on its left side; write NAME = VALUE"],
    "assert v > 0": ["5: assert is not part of the model language; declare a `range:` for the variable"],
    "v = v @ k": [
        "9: operator @ is not allowed; there are + - * / // % ** << >>; each synapse sends its own weight times what "
        "it carries"
    ],
    "v = v is None": [
        "9: this comparison is not allowed; there are < <= > >= == !=",
        "14: None is not a number; write one",
    ],
    "v = v in k": ["9: this comparison is not allowed; there are < <= > >= == !="],
    "v = (v := 3)": ["10: := is not part of the model language; assign on a line of its own, NAME = VALUE"],
    "v = exp(x=1)": ["9: exp takes its arguments one by one, without names"],
    " v = 1": [f"5: the model language cannot read this: unexpected indent; {LINE}"],
    "v = (1": [f"9: the model language cannot read this: '(' was never closed; {LINE}"],
    "v = 1)": [f"10: the model language cannot read this: unmatched ')'; {LINE}"],
    "v = 0777": [
        f"9: the model language cannot read this: leading zeros in decimal integer literals are not permitted; use "
        f"an 0o prefix for octal integers; {LINE}"
    ],
    "None = 3": ["5: 'None' is no name, for it is a word of Python's syntax; choose another, such as None_"],
    "global v": ["5: global is not part of the model language; write the variable's name"],
    "v = 123456789012345678901234567890": [
        "9: 123456789012345678901234567890 is no int of 64 bits; write it as a real number (1.2345678901234568e+29)"
    ],
    "v = exp(v)(2)": [
        "9: this call is not part of the model language; call a function of the language by its plain name"
    ],
}
"""Texts, and the columns and sentences of all their problems."""


@pytest.mark.parametrize("text", HABITS)
def test_a_habit_gets_a_sentence_that_says_what_to_write(text: str) -> None:
    assert [str(p) for p in problems(text)] == [f"m.yaml:10:{sentence}" for sentence in HABITS[text]]


def test_a_word_of_pythons_syntax_is_no_name_in_a_model() -> None:
    model = NeuronModel(name="cell", states=(State(name="lambda", place=HERE),), update=parse_block("", HERE)[0])
    assert [str(p) for p in check_neuron(model)] == [
        "m.yaml:10:5: 'lambda' is a word of Python's syntax, which the model language has; choose another name, "
        "such as lambda_"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v = 1", "'v = 1' is not an expression; give one value, or compare with =="),
        ("v > 1 && k", "&& is not part of the model language; write `and`"),
        ("v >", "the model language cannot read this: invalid syntax; write one value"),
        ("v; k", "'v; k' is not an expression; give one value"),
        ("1" * 5000, "this number has too many digits; write it as a real number, such as 1e30"),
        ("1" * 400, "this number is too large; numbers go up to 1.7e308"),
    ],
)
def test_a_habit_in_an_expression_gets_its_sentence(text: str, message: str) -> None:
    assert [p.text for p in parse_expression(text, HERE)[1]] == [message]


def test_whatever_is_pasted_into_a_text_gets_sentences() -> None:
    rng = random.Random(1)
    base = "x = a * 0.5 + exp(-dt / tau) if v > 0 and not k else min(v, 1)"
    for _ in range(3000):
        cut = sorted(rng.randrange(len(base) + 1) for _ in range(2))
        piece = rng.choice(
            (rng.choice(PARTS), "".join(rng.choice("'\"\\#{}[]();:=!&|^~@$?`%−τ×\t \n.") for _ in range(3)))
        )
        text = base[: cut[0]] + piece + base[cut[1] :]
        for problem in problems(text):
            assert problem.place is not None and problem.place.line >= 10 and "\n" not in problem.text
            assert "ast." not in problem.text and "<" not in problem.text.replace("<<", "").replace("< <=", "")
