"""Run this checkout's command line without installing it: python cli.py ..."""

from neuroport.cli import main

if __name__ == "__main__":
    main(prog_name="neuroport")
