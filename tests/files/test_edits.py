"""Changes to the text of a YAML file: they are made, and nothing else is."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from neuroport.yaml import edits, nodes
from neuroport.yaml.edits import Changes, Ends


def check(text: str, changes: Changes, expected: str) -> None:
    assert edits.changed(text, changes) == expected
    assert edits.plain(nodes.parse(expected, "new")) == edits.plain(nodes.parse(text, "old"), changes)


def of(**ranges: Ends) -> Changes:
    return {"p": {"a": {"ranges": dict(ranges)}}}


V, U = Ends("-1 mV", "2 mV"), Ends("0", "0.5")
CASES = {
    "a block": (
        "p:\n  a:\n    size: 1  # one\n    # after\nq: 1\n",
        of(v=V, u=U),
        "p:\n  a:\n    size: 1  # one\n    ranges: {v: [-1 mV, 2 mV], u: [0, 0.5]}\n    # after\nq: 1\n",
    ),
    "a flow": ("p: {a: {size: 1}}\n", of(v=V), "p: {a: {size: 1, ranges: {v: [-1 mV, 2 mV]}}}\n"),
    "a flow over lines": (
        "p:\n  a: {\n    size: 1,   # one,\n    n: lif, # }\n  }  # end\n",
        of(v=V),
        "p:\n  a: {\n    size: 1,   # one,\n    n: lif, ranges: {v: [-1 mV, 2 mV]}, # }\n  }  # end\n",
    ),
    "an empty flow": ("p: {a: {ranges: {}}}", of(v=V), "p: {a: {ranges: {v: [-1 mV, 2 mV]}}}"),
    "nothing after a key": (
        "p:\n  a:\n    ranges:   # none\n    size: 1\n",
        of(v=V),
        "p:\n  a:\n    ranges: {v: [-1 mV, 2 mV]}   # none\n    size: 1\n",
    ),
    "a null": ("p: {a: {ranges: ~, n: 1}}", of(v=V), "p: {a: {ranges: {v: [-1 mV, 2 mV]}, n: 1}}"),
    "in place": (
        "p: {a: {ranges: {u: [0,  7], v: [-9 mV,   8 mV], w: [0, 1]}, n: 1}}",
        of(v=V, u=Ends("0", "0.5", (False, True))),
        "p: {a: {ranges: {u: [0,  0.5], v: [-1 mV,   2 mV], w: [0, 1]}, n: 1}}",
    ),
    "in place and new": (
        "p: {a: {ranges: {u: [0, 7]}}}",
        of(v=V, u=U),
        "p: {a: {ranges: {u: [0, 0.5], v: [-1 mV, 2 mV]}}}",
    ),
    "block lists": (
        "p:\n  a:\n    ranges:\n      v:  # of v\n      - -9 mV   # low\n      - 8 mV\n      # u\n    n: 1\n",
        of(v=V, u=U),
        "p:\n  a:\n    ranges:\n      v:  # of v\n      - -1 mV   # low\n      - 2 mV\n      u: [0, 0.5]\n      # u\n"
        "    n: 1\n",
    ),
    "quoted": ("p: {'a': {\"ranges\": {v: ['-9 mV', 8 mV]}}}", of(v=V), "p: {'a': {\"ranges\": {v: [-1 mV, 2 mV]}}}"),
    "no newline at the end": (
        "p:\n  a:\n    size: 1",
        of(v=V),
        "p:\n  a:\n    size: 1\n    ranges: {v: [-1 mV, 2 mV]}",
    ),
    "CRLF": ("p:\r\n  a:\r\n    n: 1\r\nq: 1", of(u=U), "p:\r\n  a:\r\n    n: 1\r\n    ranges: {u: [0, 0.5]}\r\nq: 1"),
    "CRLF and no newline at the end": (
        "p:\r\n  a:\r\n    n: 1",
        of(u=U),
        "p:\r\n  a:\r\n    n: 1\r\n    ranges: {u: [0, 0.5]}",
    ),
    "characters beyond the usual": (
        "t: \U0001d4b3 é\np: {a: {n: 'ü\U0001f600'}}  # \U0001f600\n",
        of(u=U),
        "t: \U0001d4b3 é\np: {a: {n: 'ü\U0001f600', ranges: {u: [0, 0.5]}}}  # \U0001f600\n",
    ),
    "after a text of lines": (
        "p:\n  a:\n    n: |\n      x = 1\n\n      y = 2\n\n  # c\nq: 1\n",
        of(u=U),
        "p:\n  a:\n    n: |\n      x = 1\n\n      y = 2\n    ranges: {u: [0, 0.5]}\n\n  # c\nq: 1\n",
    ),
    "an alias of ranges": (
        "p:\n  b: {ranges: &r {v: [-9 mV, 8 mV], u: [0, 1]}}\n  a: {ranges: *r}  # as b\n",
        of(v=V),
        "p:\n  b: {ranges: &r {v: [-9 mV, 8 mV], u: [0, 1]}}\n  a: {ranges: {v: [-1 mV, 2 mV], u: [0, 1]}}  # as b\n",
    ),
    "what an alias stands for": (
        "p:\n  a: {ranges: &r {v: [-9 mV, 8 mV]}}\n  b: {ranges: *r}\n",
        of(v=V),
        "p:\n  a: {ranges: &r {v: [-1 mV, 2 mV]}}\n  b: {ranges: {v: [-9 mV, 8 mV]}}\n",
    ),
    "both alike": (
        "p:\n  a: {ranges: &r {v: [-9 mV, 8 mV]}}\n  b: {ranges: *r}\n",
        {"p": {"a": {"ranges": {"v": V}}, "b": {"ranges": {"v": V}}}},
        "p:\n  a: {ranges: &r {v: [-1 mV, 2 mV]}}\n  b: {ranges: *r}\n",
    ),
    "a whole object that is an alias": (
        "p:\n  b: &b\n    size: 1 # one\n    n: {x: 'two ', y: \"a\\tb\", z: }\n  a: *b\n",
        of(v=V),
        "p:\n  b: &b\n    size: 1 # one\n    n: {x: 'two ', y: \"a\\tb\", z: }\n"
        '  a: {size: 1, n: {x: "two ", y: "a\\u0009b", z: null}, ranges: {v: [-1 mV, 2 mV]}}\n',
    ),
    "aliases of ends and lists": (
        "low: &l -9 mV\nboth: &v [*l, 8 mV]\np: {a: {ranges: {v: *v, u: [*l, 1]}}, b: *v}\n",
        of(v=V, u=Ends("0", "1", (True, False))),
        "low: &l -9 mV\nboth: &v [*l, 8 mV]\np: {a: {ranges: {v: [-1 mV, 2 mV], u: [0, 1]}}, b: *v}\n",
    ),
    "an anchored end": (
        "p: {a: {ranges: {v: [&l -9 mV, 8 mV]}}, b: *l}\n",
        of(v=V),
        "p: {a: {ranges: {v: [&l -1 mV, 2 mV]}}, b: -9 mV}\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_made_and_nothing_else(case: str) -> None:
    check(*CASES[case])


class Writer:
    """Writes a tree as YAML in a layout that is drawn: blocks and flows, comments, quotes, anchors, line ends."""

    def __init__(self, seed: int) -> None:
        self.draw, self.count, self.anchors = random.Random(seed), 0, list[tuple[str, Any]]()
        self.newline = self.draw.choice(["\n", "\r\n"])

    def comment(self) -> str:
        if self.draw.random() < 0.6:
            return ""
        self.count += 1
        return "  " * self.draw.randint(1, 2) + f"# comment {self.count}: [a, {{b}}] 'c"

    def aliased(self, value: Any) -> str:
        """An alias of an equal tree that was anchored before, if there is one."""
        same = [name for name, known in self.anchors if known == value]
        return f"*{self.draw.choice(same)}" if same and self.draw.random() < 0.7 else ""

    def anchor(self, value: Any) -> str:
        if self.draw.random() < 0.75:
            return ""
        self.count += 1
        name = f"n{self.count}"
        self.waiting.append((name, value))
        return f"&{name} "

    def document(self, tree: dict[str, Any]) -> str:
        self.waiting: list[tuple[str, Any]] = []
        lines = list(self.block(tree, 0))
        return self.newline.join(lines) + self.draw.choice(["", self.newline])

    def block(self, tree: dict[str, Any], indent: int) -> Iterator[str]:
        space = " " * indent
        for key, value in tree.items():
            if self.draw.random() < 0.2:
                yield " " * self.draw.randrange(8) + self.comment().strip()
            head = f"{space}{self.key(key)}:"
            alias = self.aliased(value)
            if alias:
                yield f"{head} {alias}{self.comment()}"
            elif isinstance(value, dict) and value and self.draw.random() < 0.6:
                yield f"{head} {self.anchor(value)}".rstrip() + self.comment()
                yield from self.block(value, indent + self.draw.randint(1, 4))
                self.settle(value)
            elif isinstance(value, list) and self.draw.random() < 0.3:
                yield f"{head} {self.anchor(value)}".rstrip() + self.comment()
                yield from (f"{space}{' ' * 2}- {self.scalar(item)}{self.comment()}" for item in value)
                self.settle(value)
            else:
                text = f"{head} {self.anchor(value)}{self.flow(value, indent)}"
                yield text + self.comment()
                self.settle(value)

    def settle(self, value: Any) -> None:
        """Anchors of what is complete may be used."""
        self.anchors += [pair for pair in self.waiting if pair[1] is value]
        self.waiting = [pair for pair in self.waiting if pair[1] is not value]

    def flow(self, value: Any, indent: int) -> str:
        gap = self.draw.choice([" ", "  ", self.newline + " " * (indent + 6)])
        if isinstance(value, dict):
            parts = (f"{self.key(k)}: {self.aliased(v) or self.flow(v, indent)}" for k, v in value.items())
            return "{" + f",{gap}".join(parts) + self.draw.choice(["", " "]) + "}"
        if isinstance(value, list):
            return "[" + f",{gap}".join(self.aliased(v) or self.scalar(v) for v in value) + "]"
        return self.scalar(value)

    def key(self, text: str) -> str:
        return self.draw.choice([text, text, f'"{text}"', f"'{text}'"])

    def scalar(self, text: str) -> str:
        return self.draw.choice([text, text, text, f"'{text}'", f'"{text}"'])


ENDS = ("-1", "0", "1", "2.5 mV", "-70 mV", "1e-3")


def tree(draw: random.Random) -> dict[str, Any]:
    def ranges() -> dict[str, Any]:
        return {v: draw.sample(ENDS, 2) for v in draw.sample("uvwx", draw.randint(0, 3))}

    def thing() -> dict[str, Any]:
        whole = {"size": "1", "neuron": "lif_é"}
        if draw.random() < 0.6:
            whole["ranges"] = ranges()  # type: ignore[assignment]
        if draw.random() < 0.6:
            whole["params"] = {"rate": "20 Hz"}  # type: ignore[assignment]
        return whole

    return {"name": "n", "p": {n: thing() for n in "abc"}, "q": {n: thing() for n in "de"}, "record": {"spikes": "all"}}


def some_changes(draw: random.Random, whole: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for section in "pq":
        for name, thing in whole[section].items():
            chosen = draw.sample("uvwxyz", draw.randint(0, 3))
            if chosen:
                old = thing.get("ranges", {})
                ends = {}
                for v in chosen:
                    low, high = (draw.choice([*ENDS, old.get(v, ENDS)[k]]) for k in (0, 1))
                    was = old.get(v, ["", ""])
                    ends[v] = Ends(low, high, (low != was[0], high != was[1]))
                changes.setdefault(section, {})[name] = {"ranges": ends}
    return changes


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_files_of_any_layout_keep_all_but_the_change(first: int) -> None:
    met: set[str] = set()
    for seed in range(first, first + 100):
        draw = random.Random(seed)
        whole = tree(draw)
        text = Writer(seed).document(whole)
        before = nodes.parse(text, "old")
        assert edits.plain(before) == whole, text
        changes = some_changes(draw, whole)
        made = edits.changed(text, changes)
        assert edits.plain(nodes.parse(made, "new")) == edits.plain(before, changes), (text, made)
        assert re.findall("# comment.*", made) == re.findall("# comment.*", text)
        assert ("\r" in text) == ("\r" in made) or "\n" not in text
        assert text.endswith("\n") == made.endswith("\n")
        assert edits.changed(text, {}) == text
        met |= {mark for mark in ("*", "&", "\r", "ranges: {}", "{size") if mark in text and changes}
    assert len(met) >= 4
