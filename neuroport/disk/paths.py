"""What stands at a path, said before anything is read from it: a pipe would wait for ever, a device never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MISSING = "there is no such file"


def unreadable(path: str | Path, wanted: str) -> str:
    """ "" or why no file can be read at the path; `wanted`: what to give instead of a folder, "a YAML file"."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except ValueError:  # Pythons say it in different words
        return "cannot be read: no file can have this name"
    except OSError as error:
        return f"cannot be read: {reason(error)}"
    if stat.S_ISDIR(mode):
        return f"is a folder; give {wanted}"
    if not stat.S_ISREG(mode):
        return f"is a pipe, a socket or a device; save what comes from it, and give {wanted}"
    return "" if os.access(path, os.R_OK) else "cannot be read: permission denied"


def exists(path: str | Path) -> bool:
    """Whether anything stands at a path; also where nobody may look, and for a link that leads to itself."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def reason(error: Exception) -> str:
    """What the system says of a file that it does not open."""
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "it is a symbolic link that leads to itself"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
