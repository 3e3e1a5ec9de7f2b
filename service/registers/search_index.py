"""Finding names, addresses, codes and phones by any part of them, in Chinese, pinyin or initials. Pure, in memory.

The lines of a kind are joined to one text and searched by str.find: a hundred thousand names take a few milliseconds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.registers.readings import Known, readings

MOST_TEXT = 60
MIN_PHONE = 4
_ENOUGH = 64  # hits of one needle among which the best are chosen
_CHUNK = 512
_FEW = 5_000
_SMALL = {ord(letter): None for letter in "abcdefghijklmnopqrstuvwxyz"}
_SPACES = re.compile(r"\s+")
_APART = re.compile(r"[/、,，;；|\s]+")
EQUAL, BEGINS, WORD, CONTAINS = 0, 2, 4, 6
SOUND = 1  # one rank behind the same match in the text itself
ADDRESS = 2  # a street itself comes before the shops that stand in it


def normalised(text: str) -> str:
    """Small letters, half width, single spaces: how texts and questions are compared.

    >>> normalised(" ＫＦＣ　餐厅（新）")
    'kfc 餐厅(新)'
    """
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip().lower()


@dataclass(frozen=True)
class Asked:
    """What somebody typed: as text, as pinyin or initials, as the last digits of a phone (None: it cannot be)."""

    text: str
    sound: str | None
    phone: str | None

    @classmethod
    def parse(cls, typed: str) -> Asked:
        """
        >>> Asked.parse("Long men"), Asked.parse("5678").phone, Asked.parse("龙门").sound
        (Asked(text='long men', sound='longmen', phone=None), '5678', None)
        """
        text = normalised(typed[:MOST_TEXT])
        close = re.sub(r"[ '\-]", "", text)
        spoken = close.isascii() and close.isalnum() and not close.isdigit()
        digits = close.isascii() and close.isdigit() and len(close) >= MIN_PHONE
        return cls(text, close if spoken else None, close if digits else None)


@dataclass(frozen=True, order=True)
class Hit:
    """An entry that was found; smaller is better. `entry`: its position in the kind's rows."""

    rank: int
    length: int
    entry: int
    by_phone: bool = False


class Haystack:
    """Lines as one text. `owner[line]`: the entry that a line belongs to; `shift[line]`: by how much it ranks behind.

    Lines of pinyin come with a capital at each syllable: they are searched in small letters, the capitals tell words.
    """

    def __init__(self, lines: list[str], owner: np.ndarray, shift: np.ndarray) -> None:
        self.cased = "\n".join(["", *lines, ""])
        self.text = self.cased.lower()
        self.lengths = np.fromiter(map(len, lines), np.int64, count=len(lines))
        self.starts = 1 + np.concatenate([[0], np.cumsum(self.lengths + 1)])[:-1]
        self.owner, self.shift = owner, shift

    @classmethod
    def of(cls, lines: list[tuple[int, str, int]]) -> Haystack:
        """From (entry, line, shift)."""
        owner = np.fromiter((one[0] for one in lines), np.int32, count=len(lines))
        shift = np.fromiter((one[2] for one in lines), np.int8, count=len(lines))
        return cls([one[1] for one in lines], owner, shift)

    def initials(self) -> Haystack:
        """Lines of pinyin without their small letters."""
        return Haystack(self.cased.translate(_SMALL).split("\n")[1:-1], self.owner, self.shift)

    def find(self, needle: str, allowed: np.ndarray | None, most: int) -> list[tuple[int, int]]:
        """(position, line) of the first lines that hold the needle and belong to allowed entries."""
        if allowed is not None:
            lines = np.flatnonzero(allowed[self.owner])
            if len(lines) <= _FEW:
                return self._in_lines(needle, lines, most)
        out: list[tuple[int, int]] = []
        at, seen = self.text.find(needle), -1
        while at >= 0 and len(out) < most:
            places: list[int] = []
            while at >= 0 and len(places) < _CHUNK:
                places.append(at)
                at = self.text.find(needle, at + 1)
            here = np.array(places)
            line = np.searchsorted(self.starts, here + (needle[0] == "\n"), side="right") - 1
            keep = np.concatenate([[line[0] != seen], line[1:] != line[:-1]])
            if allowed is not None:
                keep &= allowed[self.owner[line]]
            seen = int(line[-1])
            out += list(zip(here[keep].tolist(), line[keep].tolist(), strict=True))
        return out[:most]

    def _in_lines(self, needle: str, lines: np.ndarray, most: int) -> list[tuple[int, int]]:
        """The same for few lines: each is looked at, instead of all that hold the needle."""
        begins = (self.starts[lines] - 1).tolist()
        ends = (self.starts[lines] + self.lengths[lines] + 1).tolist()
        places = [self.text.find(needle, start, end) for start, end in zip(begins, ends, strict=True)]
        return [(at, line) for at, line in zip(places, lines.tolist(), strict=True) if at >= 0][:most]

    @property
    def nbytes(self) -> int:
        """Of the texts as Python keeps them, and of the arrays."""
        widest = 1 if self.text.isascii() else 2 if max(self.text) <= "\uffff" else 4
        texts = len(self.text) * widest * (1 if self.text is self.cased else 2)
        return texts + sum(one.nbytes for one in (self.starts, self.lengths, self.owner, self.shift))


@dataclass(frozen=True)
class Fields:
    """Which texts of a row are searched: its name and address (as they sound too), its code, its phone."""

    name: Callable[[Any], str | None]
    address: Callable[[Any], str | None] = lambda _: None
    code: Callable[[Any], str | None] = lambda row: str(row.code)
    phone: Callable[[Any], str | None] = lambda _: None
    person: bool = False


@dataclass(frozen=True)
class Sheaf:
    """All entries of one kind: `rows[i]` is what entry i was made from."""

    kind: str
    rows: Sequence[Any]
    texts: Haystack
    sounds: Haystack
    initials: Haystack
    phones: Haystack
    heard: Known

    @classmethod
    def of(cls, kind: str, rows: Sequence[Any], fields: Fields, known: Known) -> Sheaf:
        """`known`: readings of before, so that only new texts are read."""
        texts: list[tuple[int, str, int]] = []
        sounds: list[tuple[int, str, int]] = []
        phones: list[tuple[int, str, int]] = []
        heard: dict[str, tuple[str, ...]] = {}
        for i, row in enumerate(rows):
            for text, shift in ((fields.name(row), 0), (fields.address(row), ADDRESS)):
                if text:
                    plain = normalised(text)
                    read = heard.get(plain) or known.get(plain) or readings(plain, fields.person)
                    heard[plain] = read
                    texts.append((i, plain, shift))
                    sounds += [(i, one, shift) for one in read]
            if code := fields.code(row):
                texts.append((i, normalised(code), 0))
            phones += [(i, digits, 0) for digits in _numbers(fields.phone(row))]
        spoken = Haystack.of(sounds)
        return cls(kind, rows, Haystack.of(texts), spoken, spoken.initials(), Haystack.of(phones), heard)

    def find(
        self,
        asked: Asked,
        allowed: np.ndarray | None = None,
        phones: np.ndarray | bool | None = False,
        addresses: bool = True,
    ) -> list[Hit]:
        """The best hits, each entry once, best first. `allowed`, `phones`: masks of entries; None: all, False: none.
        `addresses`: whether an entry is found by its address too."""
        best: dict[int, Hit] = {}
        _among(best, self.texts, asked.text, 0, allowed, addresses=addresses)
        if asked.sound:
            # One or two letters are initials, or how a name begins; amid a syllable they'd be found in every name.
            _among(best, self.sounds, asked.sound, SOUND, allowed, len(asked.sound) > 2, addresses)
            _among(best, self.initials, asked.sound, SOUND, allowed, addresses=addresses)
        if asked.phone and not isinstance(phones, bool):
            for _, line in self.phones.find(f"{asked.phone}\n", phones, _ENOUGH):
                _better(best, Hit(BEGINS, int(self.phones.lengths[line]), int(self.phones.owner[line]), True))
        return sorted(best.values())

    @property
    def nbytes(self) -> int:
        """Memory of the texts and readings, without the rows."""
        read = sum(len(text) * 2 + sum(map(len, sounds)) + 250 for text, sounds in self.heard.items())
        return read + sum(hay.nbytes for hay in (self.texts, self.sounds, self.initials, self.phones))


def _numbers(phone: str | None) -> list[str]:
    """The digits of each number in a cell.

    >>> _numbers("13812345678 / 023-57681234"), _numbers(None)
    (['13812345678', '02357681234'], [])
    """
    found = (re.sub(r"\D", "", one) for one in _APART.split(phone or ""))
    return [one for one in found if one]


def _among(
    best: dict[int, Hit],
    hay: Haystack,
    word: str,
    shift: int,
    allowed: np.ndarray | None,
    within: bool = True,
    addresses: bool = True,
) -> None:
    """Whole lines, then lines that begin so, then lines that hold it: the better ones are never crowded out."""
    needles = [f"\n{word}\n", f"\n{word}", word][: 3 if within else 2] if word else []
    for needle in needles:
        for at, line in hay.find(needle, allowed, _ENOUGH):
            if not addresses and int(hay.shift[line]) == ADDRESS:
                continue
            rank = _rank(hay, at + (needle[0] == "\n"), line, len(word)) + shift + int(hay.shift[line])
            _better(best, Hit(rank, int(hay.lengths[line]), int(hay.owner[line])))


def _better(best: dict[int, Hit], hit: Hit) -> None:
    known = best.get(hit.entry)
    if known is None or hit < known:
        best[hit.entry] = hit


def _rank(hay: Haystack, at: int, line: int, length: int) -> int:
    """Equal, begins, a word within (it begins one, or ends the line), or merely contains."""
    begins = at == int(hay.starts[line])
    ends = at + length == int(hay.starts[line]) + int(hay.lengths[line])
    if begins:
        return EQUAL if ends else BEGINS
    before, first = hay.cased[at - 1], hay.cased[at]
    syllable = first.isupper() or (first.isdigit() and not before.isdigit())
    return WORD if ends or syllable or before in _BEFORE_A_WORD else CONTAINS


_BEFORE_A_WORD = frozenset(" -·,，、()（）/#号街道路巷弄县区镇乡村社")


def choose(found: dict[str, list[Hit]], order: Sequence[str], most: int, of_a_kind: int) -> list[tuple[str, Hit]]:
    """The best of all kinds, grouped by kind: groups by their best hit, then in the kinds' order.

    No kind takes more than `of_a_kind` places while others have hits for them.
    """
    at = {kind: i for i, kind in enumerate(order)}
    ranked = sorted(((hit, kind) for kind, hits in found.items() for hit in hits), key=lambda one: _key(one, at))
    taken: list[tuple[Hit, str]] = []
    spare: list[tuple[Hit, str]] = []
    counts = dict.fromkeys(found, 0)
    for one in ranked:
        (taken if counts[one[1]] < of_a_kind else spare).append(one)
        counts[one[1]] += 1
    chosen = sorted(taken[:most] + spare[: max(0, most - len(taken))], key=lambda one: _key(one, at))
    first: dict[str, int] = {}
    for place, (_, kind) in enumerate(chosen):
        first.setdefault(kind, place)
    return [(kind, hit) for hit, kind in sorted(chosen, key=lambda one: first[one[1]])]


def _key(one: tuple[Hit, str], at: dict[str, int]) -> tuple[int, int, int, int]:
    hit, kind = one
    return hit.rank // 2, at[kind], hit.rank, hit.length
