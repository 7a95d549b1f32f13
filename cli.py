"""Run this checkout's command line without installing it: python cli.py ..."""

from neuroport.__main__ import main

if __name__ == "__main__":
    main()
