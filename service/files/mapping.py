"""Which column is which: headers in Chinese and English, with units, spaces and full-width letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidValue
from service.files.parsed import Parsed, Problem
from service.files.table import SourceTable, shown

Parser = Callable[[NDArray[np.object_], str], Parsed]
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>")


@dataclass(frozen=True)
class Field:
    """A field that an import knows. `parse` takes (column, field name); without it the raw values are handed on.

    synonyms: the surest first, as one text parted by “、” where there are many.
    """

    name: str
    synonyms: Sequence[str] = ()
    required: bool = False
    parse: Parser | None = None
    label: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Headers that mean this field, the surest first."""
        others = self.synonyms.split("、") if isinstance(self.synonyms, str) else self.synonyms
        return (self.name, *([self.label] if self.label else []), *(word for word in others if word))

    @property
    def spoken(self) -> str:
        return f"{self.label}（{self.name}）" if self.label and self.label != self.name else self.name


@dataclass
class Mapped:
    """values: per recognised field an array (n,); used: field to column; unmapped: columns nobody asked for."""

    values: dict[str, NDArray[Any]] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __contains__(self, name: object) -> bool:
        return name in self.values


def map_columns(
    table: SourceTable,
    fields: Sequence[Field],
    explicit: Mapping[str, str] | None = None,
    sets: Mapping[str, str] | None = None,
    recognise: bool = True,
) -> Mapped:
    """Fields from a table: `--map field=column` first, then by header, `--set field=value` for every row.

    Raises InvalidValue for an unknown field or column and for a required field that no column holds.
    """
    explicit, sets = dict(explicit or {}), dict(sets or {})
    known = {f.name: f for f in fields}
    _check_fields(known, explicit, sets)
    used = {name: _named_column(table, name, column) for name, column in explicit.items()}
    if recognise:
        _recognise(list(table.columns), [f for f in fields if f.name not in used and f.name not in sets], used)
    _check_required(table, fields, used, sets)
    mapped = Mapped(used=used, unmapped=[c for c in table.columns if c not in used.values()])
    for f in fields:
        if f.name in sets:
            raw = np.full(len(table), sets[f.name] or None, dtype=object)
        elif f.name in used:
            raw = table.columns[used[f.name]]
        else:
            continue
        if f.parse is None:
            mapped.values[f.name] = raw
            continue
        parsed = f.parse(raw, f.name)
        mapped.values[f.name] = parsed.values
        mapped.problems += parsed.problems
        mapped.notes += parsed.notes
    return mapped


def recognised(columns: Iterable[str], fields: Sequence[Field]) -> dict[str, str]:
    """Field to column, by the headers alone."""
    used: dict[str, str] = {}
    _recognise(list(columns), fields, used)
    return used


def plain_header(text: str, brackets: bool = True) -> str:
    """A header without case, width, spaces, signs and, unless `brackets` is kept, what stands in brackets.

    >>> plain_header("经度 (°)", brackets=False), plain_header("Ｇrid_Code ")
    ('经度', 'gridcode')
    """
    text = unicodedata.normalize("NFKC", text).lower()
    if not brackets:
        text = _BRACKETS.sub("", text)
    return re.sub(r"[\W_]+", "", text)


def _recognise(columns: list[str], fields: Sequence[Field], used: dict[str, str]) -> None:
    """Own names of all fields before synonyms, whole headers before those without their brackets."""
    free = [c for c in columns if c not in used.values()]
    for brackets in (True, False):
        by_word: dict[str, str] = {}
        for column in free:
            by_word.setdefault(plain_header(column, brackets), column)
        by_word.pop("", None)
        for own in (True, False):
            for f in fields:
                if f.name in used:
                    continue
                words = f.words[: 1 + bool(f.label)] if own else f.words
                found = next((by_word[w] for w in map(plain_header, words) if by_word.get(w) in free), None)
                if found is not None:
                    used[f.name] = found
                    free.remove(found)


def _named_column(table: SourceTable, name: str, column: str) -> str:
    if column in table.columns:
        return column
    alike = [c for c in table.columns if plain_header(c) == plain_header(column)]
    if len(alike) == 1:
        return alike[0]
    raise InvalidValue(name, f"--map {name}={column}：文件里没有“{column}”这一列。现有的列：{_listed(table)}。")


def _check_fields(known: Mapping[str, Field], explicit: Mapping[str, str], sets: Mapping[str, str]) -> None:
    for option, given in (("--map", explicit), ("--set", sets)):
        for name in given:
            if name not in known:
                raise InvalidValue(name, f"{option} {name}=…：没有“{name}”这个字段。可用的字段：{'、'.join(known)}。")
    for name in explicit.keys() & sets.keys():
        raise InvalidValue(name, f"“{name}”同时用了 --map 和 --set，只能用一个。")


def _check_required(
    table: SourceTable, fields: Sequence[Field], used: Mapping[str, str], sets: Mapping[str, str]
) -> None:
    absent = [f for f in fields if f.required and f.name not in used and f.name not in sets]
    if absent:
        names = "、".join(f.spoken for f in absent)
        typed = " ".join(f"--map {f.name}=列名" for f in absent)
        raise InvalidValue(
            absent[0].name, f"没有认出必填的字段：{names}。文件里的列：{_listed(table)}。请写明，例如 {typed}。"
        )


def _listed(table: SourceTable) -> str:
    names = [shown(name, 30) for name in table.columns]
    if not names:
        return "（一列也没有）"
    return "、".join(names[:60]) + ("……" if len(names) > 60 else "")
