"""Files that a command will write: looked at before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from service.errors import InvalidValue


def check_target(path: Path) -> None:
    """Raises InvalidValue when a file can't be written there; leaves nothing behind."""
    if path.is_dir():
        raise InvalidValue("file", f"“{path}”是文件夹，不是文件。请写上文件名。")
    if not path.parent.is_dir():
        raise InvalidValue("file", f"写不了“{path}”：没有“{path.parent}”这个文件夹。先建好它，或换一个位置。")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InvalidValue("file", f"写不了“{path}”：没有写入的权限。换一个位置。")
