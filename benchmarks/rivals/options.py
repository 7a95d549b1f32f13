"""The options of benchmarks/rules.py, and which of them go together."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from examples.arguments import whole


def parser(description: str | None) -> argparse.ArgumentParser:
    """What can be given."""
    made = argparse.ArgumentParser(
        description=description,
        usage="%(prog)s --out DIR [options]; --help lists them",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--out", type=folder, required=True, metavar="DIR", help="the folder of results")
    made.add_argument("--jobs", type=whole(1), metavar="N", help="so many runs at a time, each in a process [1]")
    made.add_argument("--only", type=expression, metavar="REGEX", help="only runs in whose file names this is found")
    kind = made.add_mutually_exclusive_group()
    kind.add_argument("--quick", action="store_true", help="a look: one seed, two chips, fewer epochs")
    kind.add_argument("--short", action="store_true", help="without the rest of chips times seeds")
    kind.add_argument("--tune", action="store_true", help="try learning rates, and choose the best")
    made.add_argument("--list", action="store_true", help="name the files that are missing, and run nothing")
    made.add_argument("--table", action="store_true", help="print the tables of what is there")
    made.add_argument("--figure", action="store_true", help="draw the figures of what is there into DIR")
    made.add_argument("--write", action="store_true", help="put tables and figures into docs/")
    return made


def checked(parser: argparse.ArgumentParser, args: argparse.Namespace) -> argparse.Namespace:
    """The same, if it goes together."""
    telling = [f"--{name}" for name in ("table", "figure", "write") if getattr(args, name)]
    doing = [f"--{n}" for n in ("jobs", "only", "short", "tune", "list") if getattr(args, n) not in (None, False)]
    if telling and doing:
        parser.error(f"{telling[0]} is of all runs that are there; it does not go with {doing[0]}")
    if args.write and args.quick:
        parser.error("--write is of whole runs; quick ones are shown by --table and --figure")
    args.jobs = args.jobs or 1
    return args


def folder(text: str) -> Path:
    """The type of an option that is a folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"'{text}' is no name of a folder")
    return Path(text)


def expression(text: str) -> re.Pattern[str]:
    """The type of an option that is a regular expression."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no regular expression: {error}") from None
