"""Grid codes and kinds, and which edition holds on a day. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from service.errors import InvalidValue
from service.files.values import without_unseen

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


def name_of(given: str | None, most: int, field: str) -> str | None:
    """A name as one line without unseen signs; None for an empty one. Raises InvalidValue.

    >>> name_of(" 北山\u202e\n 网格 ", 60, "name")
    '北山 网格'
    """
    name = " ".join(without_unseen(given or "").split())
    if any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in name):
        raise InvalidValue(field, "名称里有看不见的控制字符，删掉再存。")
    if len(name) > most:
        raise InvalidValue(field, f"名称最多 {most} 个字。")
    return name or None


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


_SERIAL = 3
_SPECIAL_FROM = 900  # some offices number their special grids from here on
_NUMBERED = re.compile(r"(.*?)(\d+)$")
_NUMERALS = "〇一二三四五六七八九"


def next_code(home: str, used: Iterable[str]) -> str:
    """A code for a new grid of the community `home`: the next serial that no edition and no draft ever used.

    Codes of another build than community + three digits go on from the largest number behind the commonest beginning.

    >>> next_code("500237002001", ["500237002001001", "500237002001019", "500237002001900"])
    '500237002001020'
    >>> next_code("1", ["101", "107", "112"]), next_code("c", ["a-09"]), next_code("c", [])
    ('113', 'a-10', 'c001')
    """
    known = set(used)
    serials = {int(code[len(home) :]) for code in known if _has_serial(home, code)}
    if serials or not known:
        usual = max((one for one in serials if one < _SPECIAL_FROM), default=0) + 1
        free = [one for one in (*range(usual, _SPECIAL_FROM), *range(1, 1000)) if one not in serials]
        if not free:
            raise InvalidValue("new_code", f"{home} 的三位序号用完了，请自己写一个编码。")
        return f"{home}{free[0]:0{_SERIAL}d}"
    found = [match.groups() for code in sorted(known) if (match := _NUMBERED.match(code))]
    begins = [begin for begin, _ in found]
    if not found:
        return _free(f"{home}001", known)
    usual_begin = max(sorted(set(begins)), key=begins.count)
    number = max(int(digits) for begin, digits in found if begin == usual_begin) + 1
    wide = max(len(digits) for begin, digits in found if begin == usual_begin)
    return _free(f"{usual_begin}{number:0{wide}d}", known)


def _has_serial(home: str, code: str) -> bool:
    rest = code[len(home) :]
    return code.startswith(home) and len(rest) == _SERIAL and rest.isdigit() and len(home) > _SERIAL


def _free(code: str, known: set[str]) -> str:
    while code in known:
        match = _NUMBERED.match(code)
        begin, digits = match.groups() if match else (code, "0")
        code = f"{begin}{int(digits) + 1:0{len(digits)}d}"
    return code


def next_micro_code(parent: str, used: Iterable[str]) -> str:
    """A code for a new micro-grid: its grid's with two digits more.

    >>> next_micro_code("500237002001014", ["50023700200101401", "50023700200101403"])
    '50023700200101404'
    """
    tails = {code[len(parent) :] for code in used if code.startswith(parent)}
    serials = {int(tail) for tail in tails if len(tail) == 2 and tail.isdigit()}
    return f"{parent}{max(serials, default=0) + 1:02d}"


def serials_in_order(places: Sequence[tuple[float, float, float]]) -> list[int]:
    """Order (indexes) of grids from west to east in rows from north to south (GB serials, DOMAIN §1).

    places: (lon, lat, area in square degrees) of each. A row begins with the northernmost grid that is left and takes
    those whose middles lie less than one typical grid farther south: the square root of the median area.

    >>> serials_in_order([(1, 0, 1), (0, 0.1, 1), (0, 2, 1), (1, 1.8, 1)])
    [2, 3, 1, 0]
    """
    if not places:
        return []
    areas = sorted(area for _, _, area in places)
    height = areas[len(areas) // 2] ** 0.5
    left = sorted(range(len(places)), key=lambda i: (-places[i][1], places[i][0], i))
    out: list[int] = []
    while left:
        top = places[left[0]][1]
        row = [i for i in left if top - places[i][1] < height]
        out += sorted(row, key=lambda i: (places[i][0], i))
        left = [i for i in left if i not in row]
    return out


def renumbered(home: str, codes: Sequence[str], places: Sequence[tuple[float, float, float]]) -> dict[str, str]:
    """Old code to new one for all tiles of a community: serials from 001 on by `serials_in_order`. Codes of another
    build keep their set and are dealt out in that order."""
    order = [codes[i] for i in serials_in_order(places)]
    if all(_has_serial(home, code) for code in codes):
        fresh = [f"{home}{serial:0{_SERIAL}d}" for serial in range(1, len(codes) + 1)]
    else:
        fresh = sorted(codes, key=lambda code: (len(code), code))
    return dict(zip(order, fresh, strict=True))


def grid_name(community: str, code: str) -> str:
    """What a new grid is called until somebody says better.

    >>> grid_name("聚鹤社区", "500237002001020"), grid_name("聚鹤社区", "500237002001115"), grid_name("x", "a-10")
    ('聚鹤社区第二十网格', '聚鹤社区第一百一十五网格', 'a-10')
    """
    begin, serial = short_code(code)
    return f"{community}第{numeral(int(serial))}网格" if begin and int(serial) else code


def numeral(number: int) -> str:
    """A number from 1 to 999 in Chinese.

    >>> [numeral(n) for n in (1, 10, 12, 20, 105, 110, 999)]
    ['一', '十', '十二', '二十', '一百〇五', '一百一十', '九百九十九']
    """
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    out = f"{_NUMERALS[hundreds]}百" if hundreds else ""
    if tens:
        out += f"{_NUMERALS[tens]}十" if tens > 1 or hundreds else "十"
    elif hundreds and ones:
        out += "〇"
    return out + (_NUMERALS[ones] if ones else "")
