"""Each folder of the package imports from the floors below it only; backends know programs, and not each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import neuroport

FLOORS: tuple[set[str], ...] = (
    {"__main__"},
    {"cli"},
    {"commands"},
    {"hil", "sweeps"},
    {""},
    {"api"},
    {"session", "trace"},
    {"backends"},
    {"nir"},
    {"build", "catalogue", "elaborate", "quantise"},
    {"files"},
    {"chips"},
    {"copies"},
    {"language"},
    {"connections", "stimuli"},
    {"yaml"},
    {"program"},
    {"network"},
    {"datasets", "disk", "distributions", "kernels", "metrics", "networks", "pages"},
    {"numerics"},
    {"errors", "shelf", "signals", "version"},
)
"""From above; "" is neuroport/__init__.py."""
LEVEL = {folder: -k for k, floor in enumerate(FLOORS) for folder in floor}
FOR_BACKENDS = {"backends", "copies", "program", "numerics", "errors", "signals"}
FOR_SESSIONS = {"session", "backends", "copies", "program", "metrics", "disk", "pages", "numerics", "errors", "version"}
"""What runs a compiled experiment knows neither networks nor their files."""
SHARED_BY_BACKENDS = {"generated", "functions", "unfold", "expand", "turns", "scratch"}
PUBLIC_OF_BACKENDS = {"names", "load", "ready"}
HOME, LINKED = Path(neuroport.__file__).parent, ("backends", "kernels", "networks")


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and module of every import, those for types alone left out."""
    typing = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    apart = {id(part) for node in typing for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in apart:
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "neuroport.__main__.relative"
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.count(".") < 2:
                yield from ((node.lineno, f"{node.module}.{a.name}") for a in node.names)
            else:
                yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names)


def _files() -> Iterator[Path]:
    """Every module; rglob does not follow links, so what is linked is walked by itself."""
    yield from (p for p in HOME.rglob("*.py") if p.relative_to(HOME).parts[0] not in LINKED)
    for link in LINKED:
        yield from (HOME / link).rglob("*.py")


def faults(parts: tuple[str, ...], tree: ast.Module) -> Iterator[str]:
    """What a module, given by its path below the package, must not import."""
    folder = "" if parts == ("__init__",) else parts[0]
    assert folder in LEVEL, f"'{folder}' stands on no floor: give it one in FLOORS and in docs/architecture.md"
    for line, module in _imported(tree):
        package, _, rest = module.partition(".")
        if package != "neuroport":
            continue
        names = rest.split(".")
        other = names[0] if names[0] in LEVEL else ""
        upward = other != folder and LEVEL[other] >= LEVEL[folder]
        if upward or not _known(folder, parts[1:], other, names[1:]):
            yield f"{line} imports {module}"


def _known(folder: str, inside: tuple[str, ...], other: str, names: list[str]) -> bool:
    """Whether what runs compiled programs knows of a module; the table of backends imports each of them late."""
    if folder == "session":
        return other in FOR_SESSIONS and (other != "backends" or not names or names[0] in PUBLIC_OF_BACKENDS)
    if folder == "backends" and inside != ("__init__",):
        return other in FOR_BACKENDS and (other != "backends" or names[0] in {inside[0]} | SHARED_BY_BACKENDS)
    return folder != "backends" or other in FOR_BACKENDS


@pytest.mark.parametrize("path", sorted(_files()), ids=lambda p: str(p.relative_to(HOME)))
def test_imports_lead_down(path: Path) -> None:
    parts = path.relative_to(HOME).with_suffix("").parts
    assert [f"{path}:{fault}" for fault in faults(parts, ast.parse(path.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("program", "ir"), "from neuroport.session.session import Session"),
        (("program", "ir"), "from neuroport import session"),
        (("program", "ir"), "import neuroport.network.network as n\nfrom neuroport.chips import chip"),
        (("network", "model"), "def late():\n    from neuroport import load"),
        (("backends", "genn", "code"), "from neuroport.backends.emulator.emit import emit"),
        (("backends", "genn", "code"), "from neuroport.backends import emulator"),
        (("backends", "genn", "code"), "from neuroport.network.network import Network"),
        (("backends", "generated"), "from neuroport.network.network import Network"),
        (("backends", "generated"), "from neuroport.backends.genn.code import Writer"),
        (("backends", "__init__"), "from neuroport.elaborate.network import elaborate"),
        (("program", "ir"), "from ..session.session import Session"),
        (("session", "walk"), "from neuroport.backends.genn import Genn"),
        (("session", "walk"), "from neuroport.network.protocol import Run"),
    ],
)
def test_a_planted_import_is_found(parts: tuple[str, ...], text: str) -> None:
    assert len(list(faults(parts, ast.parse(text)))) == 1


def test_the_page_on_the_house_has_every_room(root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition("## The rooms")[2].partition("\n## ")[0]
    rooms = [line.split("|")[2] for line in table.splitlines() if line.startswith("|")]
    told = {name.removesuffix(".py").removesuffix("/") for room in rooms for name in re.findall(r"`([^`]+)`", room)}
    assert told == set(LEVEL) - {"", "__main__"} | {"__init__"}
