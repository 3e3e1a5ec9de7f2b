"""Grid codes and kinds, and which edition holds on a day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

KINDS = {"grid": "网格", "special": "专属网格", "micro_grid": "微网格"}
TILING_KINDS = ("grid", "special")
COMMUNITY_KINDS = {"community": "社区", "village": "村"}
KIND_WORDS = (
    {name: code for code, name in KINDS.items()}
    | {code: code for code in KINDS}
    | {"普通网格": "grid", "基础网格": "grid", "一般网格": "grid"}
)
COMMUNITY_WORDS = (
    {name: code for code, name in COMMUNITY_KINDS.items()}
    | {code: code for code in COMMUNITY_KINDS}
    | {
        "居委会": "community",
        "村委会": "village",
        "行政村": "village",
    }
)


def grid_kind(text: str) -> str | None:
    """The kind that a cell names; None when unknown."""
    return KIND_WORDS.get(text.strip())


def community_kind(text: str) -> str | None:
    """The kind that a cell names; None when unknown."""
    return COMMUNITY_WORDS.get(text.strip())


def community_kind_of_name(name: str) -> str:
    """
    >>> community_kind_of_name("梨早村"), community_kind_of_name("聚鹤社区")
    ('village', 'community')
    """
    return "village" if name.endswith(("村", "村委会")) else "community"


def short_code(code: str) -> tuple[str, str]:
    """A 15-digit unit-grid code as (prefix, last three); other localities' codes whole.

    >>> short_code("500237002001001"), short_code("101")
    (('500237002001', '001'), ('', '101'))
    """
    return (code[:-3], code[-3:]) if len(code) == 15 and code.isdigit() else ("", code)


def edition_in_force(editions: Iterable[tuple[int, date | None]], on: date) -> int | None:
    """Of one community's published editions (id, starts_on), the one that holds on the day; None when none does."""
    begun = [(starts or date.min, key) for key, starts in editions if starts is None or starts <= on]
    return max(begun)[1] if begun else None
