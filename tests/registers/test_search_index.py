"""What is found by which words, in which order; checked against plain containment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.registers import search_index
from service.registers.search_index import Asked, Fields, Hit, Sheaf, choose, normalised

FIELDS = Fields(lambda row: row[1], lambda row: row[2], lambda row: row[0], lambda row: row[3])
ROWS = [
    ("F001", "龙门大药房", "平湖路12号", "13812345678"),
    ("F002", "药房", "龙门大道8号", "023-57681234 / 13900005678"),
    ("F003", "张飞牛肉", "神女路3号", None),
    ("F004", "KFC 餐厅", None, "110"),
    ("F005", "重百超市", "龙门街道平湖路1号", None),
    ("F006", None, "集仙街 9 号", None),
]


def sheaf(rows: list[tuple[str, str | None, str | None, str | None]] = ROWS) -> Sheaf:
    return Sheaf.of("frontage", rows, FIELDS, {})


def codes(asked: str, allowed: np.ndarray | None = None, phones: np.ndarray | bool | None = None) -> list[str]:
    return [ROWS[hit.entry][0] for hit in sheaf().find(Asked.parse(asked), allowed, phones)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("药房", ["F002", "F001"]),
        ("龙门", ["F001", "F002", "F005"]),
        ("平湖路", ["F001", "F005"]),
        ("yaofang", ["F002", "F001"]),
        ("YaoFang", ["F002", "F001"]),
        ("yao fang", ["F002", "F001"]),
        ("yf", ["F002", "F001"]),
        ("lmdyf", ["F001"]),
        ("lmdd", ["F002"]),
        ("lmdd8h", ["F002"]),
        ("zfnr", ["F003"]),
        ("kfc", ["F004"]),
        ("ＫＦＣ", ["F004"]),
        ("chongbai", ["F005"]),
        ("zhongbai", ["F005"]),
        ("集仙街9号", []),
        ("集仙街 9", ["F006"]),
        ("f003", ["F003"]),
        ("5678", ["F001", "F002"]),
        ("13812345678", ["F001"]),
        ("1381", []),
        ("678", []),
        ("110", []),
        ("没有", []),
        ("", []),
        ("\n", []),
    ],
)
def test_by_which_words(asked: str, found: list[str]) -> None:
    assert codes(asked) == found


def test_masks_hide_entries_and_phones() -> None:
    mine = np.array([False, True, False, False, False, False])
    assert codes("药房", mine) == ["F002"]
    assert codes("5678", None, mine) == ["F002"]
    assert codes("5678", None, False) == []
    assert codes("药房", np.zeros(6, bool)) == []


def test_ranks_tell_equal_begins_word_contains() -> None:
    rows = [("1", "平湖", None, None), ("2", "平湖路", None, None), ("3", "新平湖", None, None)]
    rows += [("4", "新平湖路", None, None), ("5", "街 平湖路", None, None)]
    found = Sheaf.of("street", rows, FIELDS, {}).find(Asked.parse("平湖"))
    assert [(hit.entry, hit.rank) for hit in found] == [(0, 0), (1, 2), (2, 4), (4, 4), (3, 6)]


FEW = st.sampled_from([0, 10_000])
TEXTS = st.lists(st.text("平湖路龙门街道药店ab12 ", max_size=6), max_size=30)


@given(texts=TEXTS, word=st.text("平湖路龙门ab1", min_size=1, max_size=3), few=FEW, data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_same_as_plain_containment(texts: list[str], word: str, few: int, data: st.DataObject) -> None:
    """With and without a mask, whether lines are looked at one by one or all together."""
    mask = np.array([data.draw(st.booleans()) for _ in texts], dtype=bool)
    rows = [("", text, None, None) for text in texts]
    made = Sheaf.of("street", rows, FIELDS, {})
    asked = Asked(normalised(word), None, None)
    held = [i for i, text in enumerate(texts) if asked.text in normalised(text)]
    before, search_index._FEW = search_index._FEW, few
    try:
        assert sorted(hit.entry for hit in made.find(asked)) == held
        assert sorted(hit.entry for hit in made.find(asked, mask)) == [i for i in held if mask[i]]
    finally:
        search_index._FEW = before


def test_readings_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = sheaf()
    monkeypatch.setattr(search_index, "readings", lambda *_: pytest.fail("read again"))
    again = Sheaf.of("frontage", ROWS, FIELDS, first.heard)
    assert again.sounds.text == first.sounds.text


def test_no_kind_crowds_out_the_others() -> None:
    many = [Hit(2, 5, i) for i in range(40)]
    found = {"frontage": many, "grid": [Hit(6, 9, 7)], "person": [Hit(0, 2, 3)]}
    chosen = choose(found, ("grid", "person", "frontage"), 12, 5)
    assert [kind for kind, _ in chosen] == ["person"] + ["frontage"] * 10 + ["grid"]
    assert len(choose({"frontage": many}, ("frontage",), 12, 5)) == 12
