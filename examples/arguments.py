"""What programs here share: options that are checked before anything runs, and ends that are a sentence."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from neuroport.errors import InvalidInput, NeuroportError
from neuroport.numerics.given import checked_seed


def whole(least: int) -> Callable[[str], int]:
    """The type of an option that is a whole number from `least` on."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least {least}")
        return value

    return read


def real(least: float, most: float, above: bool = False) -> Callable[[str], float]:
    """The type of an option that is a number from `least` to `most`, or `above` the least."""

    def read(text: str) -> float:
        wanted = f"a number {'above' if above else 'from'} {least:g} {'and up ' if above else ''}to {most:g}"
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most or (above and value == least):
            raise argparse.ArgumentTypeError(f"'{text}' is not {wanted}")
        return value

    return read


def seed(text: str) -> int:
    """The type of an option that is a seed."""
    try:
        value: int | str = int(text)
    except ValueError:
        value = text
    try:
        return checked_seed(value)
    except InvalidInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@contextmanager
def ending(parser: argparse.ArgumentParser, kept: Callable[[], str] = str) -> Iterator[None]:
    """What goes wrong inside ends the program with a sentence, and Ctrl-C with what is `kept`."""
    try:
        yield
        sys.stdout.flush()
    except NeuroportError as error:
        parser.exit(error.exit_code, f"{parser.prog}: error: {error}\n")
    except MemoryError:
        parser.exit(1, f"{parser.prog}: error: this machine has not enough memory for it\n")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        parser.exit(130, f"{parser.prog}: interrupted{kept()}\n")
