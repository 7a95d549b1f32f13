"""Keep of another project's inventory the names that the reference leads to: the site is built without a network.

    python docs/site/inventory.py OBJECTS.INV docs/site/python.inv

python.inv comes from the documentation of Python 3.11.2 (`objects.inv` in Debian's package python3.11-doc), and is
made anew when a name is added here. NumPy's inventory is in no package: the reference says what its types are.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

from sphinx.util.inventory import InventoryFile

NAMES = """
    bool bytes dict float frozenset int list object set str tuple None True False Exception KeyError ValueError
    collections.abc.Callable collections.abc.Iterable collections.abc.Iterator collections.abc.Mapping
    collections.abc.Sequence contextlib.AbstractContextManager contextlib.contextmanager pathlib.Path typing.Any
    typing.Generic typing.Literal typing.Self
""".split()


def trimmed(source: Path, target: Path) -> None:
    """Write what of an inventory the site needs."""
    inventory = InventoryFile.loads(source.read_bytes(), uri="")
    entries = []
    for kind, items in inventory.data.items():
        for name, item in items.items():
            if kind.startswith("py:") and name in NAMES:
                entries.append(f"{name} {kind} 1 {item.uri} {item.display_name}\n")
    head = "# Sphinx inventory version 2\n# Project: Python\n# Version: 3.11\n"
    head += "# The remainder of this file is compressed using zlib.\n"
    target.write_bytes(head.encode() + zlib.compress("".join(sorted(entries)).encode(), 9))


if __name__ == "__main__":
    trimmed(Path(sys.argv[1]), Path(sys.argv[2]))
