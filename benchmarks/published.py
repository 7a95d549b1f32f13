"""Models on `ideal` and on a chip, beside independent programs: the tables of docs/published.md and docs/models.md.

    python benchmarks/published.py [NAME]… [--chip C] [--seeds N] [--write]
    python benchmarks/published.py --chips [--write]

NAME is a published network (`published/brunel`) or a model of the library (`adex`). `ideal` is float64. Where something
is drawn, every number is the mean ± standard deviation over seeds; a difference is that of the means, in percent.
--chips makes the table of which models of the library run on which chips instead. --write puts the rows into the page,
in place of those of the same models.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support import on_chips
from tests.support.published.model import Model
from tests.support.tabulated import CHIP, LIBRARY, PAGES, Page, lines, measured, written

DOCS = Path(__file__).resolve().parent.parent / "docs"


def show(page: Page, model: Model, chip: str, seeds: int, write: bool) -> None:
    """Print the rows of a model, and put them into its page."""
    found = lines(page, measured(model, chip, seeds))
    print("\n".join(found), flush=True)
    if write:
        file = DOCS / page.file
        file.write_text(written(page, file.read_text("utf-8"), {model.name: found}), "utf-8")


def show_chips(write: bool) -> None:
    """Print which models run on which chips, and put that into its page."""
    print(on_chips.table())
    if write:
        file = DOCS / LIBRARY.file
        file.write_text(on_chips.written(file.read_text("utf-8")), "utf-8")


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="published/brunel, adex, …; without one all")
    parser.add_argument("--chip", default=CHIP)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--chips", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"into the page, with the chip {CHIP} only")
    args = parser.parse_args()
    if args.write and args.chip != CHIP:
        parser.error(f"the pages have {CHIP}")
    if args.chips:
        show_chips(args.write)
    for page in () if args.chips else PAGES:
        chosen = [model for model in page.models() if not args.names or model.name in args.names]
        if chosen:
            print(page.header.replace(CHIP, args.chip))
        for model in chosen:
            show(page, model, args.chip, args.seeds, args.write)


if __name__ == "__main__":
    main()
