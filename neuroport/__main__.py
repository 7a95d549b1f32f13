"""Run the command line as a module: python -m neuroport ..."""

from neuroport.cli import main

if __name__ == "__main__":
    main(prog_name="neuroport")
