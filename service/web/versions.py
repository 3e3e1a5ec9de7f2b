"""The version that a page showed, as its form sends it back: the one parser for every form that keeps one."""

from __future__ import annotations

from service.errors import InvalidValue

_MOST = 2**31 - 1  # what the column holds


def seen_version(text: str, least: int = 1) -> int:
    """Raises InvalidValue when it is missing or isn't a version: without it somebody's newer row would be overwritten.
    `least`: 0 for what may never have been changed yet.

    >>> seen_version("12")
    12
    """
    if text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= _MOST:
        return int(text)
    raise InvalidValue("version", "页面不完整，看不出你改的是哪一版。重新打开这一条，再改一次。")
