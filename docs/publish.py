"""Build this version of the site into a folder that may hold others: python docs/publish.py FOLDER [--name NAME]

FOLDER/NAME/ has the version, NAME being neuroport's version unless another one is given; what stood there is replaced.
FOLDER/versions.html lists all that are there, FOLDER/index.html leads to the newest release, or to the first name
where there is none. Every page of every version leads to the list. Other options go to Sphinx: `-D run_examples=0`.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>neuroport</title>{head}
<style>body {{ font-family: sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}</style>
</head><body><h1>neuroport</h1>{body}</body></html>
"""


def newest_first(names: list[str]) -> list[str]:
    """Releases by their numbers, the newest first; then other names."""

    def key(name: str) -> tuple[bool, tuple[int, ...]]:
        release = re.fullmatch(r"\d+(?:\.\d+)*", name) is not None
        return release, tuple(int(part) for part in name.split(".")) if release else ()

    return sorted(sorted(names), key=key, reverse=True)


def list_versions(folder: Path) -> None:
    """Write the list of what the folder has, and what leads to the newest."""
    names = newest_first([path.name for path in folder.iterdir() if (path / "objects.inv").is_file()])
    links = "".join(f'<li><a href="{name}/index.html">{html.escape(name)}</a></li>' for name in names)
    (folder / "versions.html").write_text(PAGE.format(head="", body=f"<p>Versions:</p><ul>{links}</ul>"), "utf-8")
    head = f'<meta http-equiv="refresh" content="0; url={names[0]}/index.html">'
    body = (
        f'<p><a href="{names[0]}/index.html">{html.escape(names[0])}</a> · <a href="versions.html">all versions</a></p>'
    )
    (folder / "index.html").write_text(PAGE.format(head=head, body=body), "utf-8")


def main() -> None:
    """Build, put it into the folder, and list what is there."""
    from neuroport.version import __version__

    parser = argparse.ArgumentParser(description="Build this version of the site into a folder that may hold others.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default=__version__, help="the folder of this version [neuroport's version]")
    given, others = parser.parse_known_args()
    if not NAME.fullmatch(given.name):
        parser.error(
            f"--name is '{given.name}'; it begins with a letter or digit, and has these, '.', '_' and '-' only"
        )
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "site")
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(Path(folder, "doctrees"))]
        named = ["-D", f"version={given.name}", "-D", f"html_title=neuroport {given.name}"]
        listed = ["-A", "versions_page=../versions.html"]
        done = subprocess.run([*command, *named, *listed, *others, str(HERE), str(built)])
        if done.returncode:
            raise SystemExit(done.returncode)
        shutil.rmtree(given.folder / given.name, ignore_errors=True)
        shutil.copytree(built, given.folder / given.name)
    list_versions(given.folder)


if __name__ == "__main__":
    main()
