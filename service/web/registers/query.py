"""The address of a list: filters, sort, page and columns, read from the query string and written back into links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from service.errors import InvalidValue
from service.records.register import CHOICE, CODE, DATE, MOMENT, PERSON, REFERENCE, Register
from service.web.registers.looks import Look

PAGE_ROWS = 50
_MOST_WORD = 60


@dataclass(frozen=True)
class Query:
    """What a list's address says. `filters`: name to words; `columns`: empty for the register's own."""

    filters: Mapping[str, tuple[str, ...]]
    sort: str = ""
    page: int = 1
    columns: tuple[str, ...] = ()

    def without(self, *names: str) -> Query:
        return replace(self, filters={k: v for k, v in self.filters.items() if k not in names}, page=1)

    def with_words(self, name: str, *words: str) -> Query:
        return replace(self, filters={**self.filters, name: words}, page=1)

    def pairs(self) -> list[tuple[str, str]]:
        """In a fixed order, so that equal lists have equal addresses."""
        out = [(name, word) for name in sorted(self.filters) for word in self.filters[name] if word]
        out += [("sort", self.sort)] if self.sort else []
        out += [("columns", ",".join(self.columns))] if self.columns else []
        out += [("page", str(self.page))] if self.page > 1 else []
        return out

    def text(self) -> str:
        return urlencode(self.pairs(), safe=",.")


def parse_query(register: Register, given: str | Iterable[tuple[str, str]]) -> Query:
    """From a query string (or its pairs). What the register doesn't know is left out: an address may be old.

    Raises InvalidValue for a page that isn't a number.
    """
    pairs = parse_qsl(given) if isinstance(given, str) else list(given)
    filters: dict[str, tuple[str, ...]] = {}
    columns: list[str] = []
    sort, page = "", 1
    known = {"q", "missing", *(["ended"] if register.ends else []), *(["group"] if register.groups else [])}
    known |= {one.name for one in register.filters}
    for name, word in pairs:
        if name == "columns":
            columns += [one for one in word.split(",") if one in register.columns and one not in columns]
        elif name == "sort":
            sort = word if word.removeprefix("-") in register.sortable else ""
        elif name == "page":
            page = _page(word)
        elif word.strip():
            name, word = _joined(name, word.strip()[:_MOST_WORD])
            if name not in known:
                continue
            filters[name] = _range(filters, name, word) if ".." in word else (*filters.get(name, ()), word)
    return Query(filters, sort, page, tuple(columns))


def _page(word: str) -> int:
    if not word.isascii() or not word.isdigit() or not 1 <= int(word) <= 1_000_000:
        raise InvalidValue("page", f"没有第“{word[:20]}”页，从第 1 页看起。")
    return int(word)


def _joined(name: str, word: str) -> tuple[str, str]:
    """A form has two boxes for a period, `due_at.from` and `due_at.to`; an address has `due_at=a..b`."""
    if name.endswith(".from"):
        name = name.removesuffix(".from")
        return name, f"{word}.."
    if name.endswith(".to"):
        name = name.removesuffix(".to")
        return name, f"..{word}"
    return name, word


def _range(filters: Mapping[str, tuple[str, ...]], name: str, word: str) -> tuple[str, ...]:
    """Both halves of a period into one."""
    before = filters.get(name, ())
    if len(before) == 1 and before[0].endswith("..") and word.startswith(".."):
        return (before[0] + word[2:],)
    return (word,)


def shown_columns(look: Look, query: Query, register: Register) -> list[str]:
    """In the register's order; what stands in the first column is always there."""
    if not query.columns:
        return list(look.columns)
    chosen = {*query.columns, register.title}
    order = [*look.columns, *(name for name in register.columns if name not in look.columns)]
    return [name for name in order if name in chosen]


def filter_kind(register: Register, name: str) -> str:
    """How a filter is asked for: choice, day (a period), exact or text."""
    described = register.by_name.get(name)
    if described is None:
        return "exact"
    if described.kind == CHOICE:
        return "choice"
    if described.kind in (DATE, MOMENT):
        return "day"
    return {CODE: "exact", REFERENCE: "exact", PERSON: "text"}.get(described.kind, "text")
