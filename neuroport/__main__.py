"""Run the command line: neuroport ..., or as a module: python -m neuroport ..."""

import signal


def main() -> None:
    """The command line; a Ctrl-C before it is read through ends the process without a word, as of any program."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from neuroport.cli import main as root

    root(prog_name="neuroport", ends=True)


if __name__ == "__main__":
    main()
