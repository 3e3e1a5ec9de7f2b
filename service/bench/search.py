"""Finding any of 100,000 names by a part of it, against pandas' str.contains over the same columns."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from service.bench.figures import Context, Figure, figure, percentile_in_turn
from service.registers.search_index import Asked, Fields, Sheaf, choose

_NAMES = 100_000
_PEER = "pandas str.contains"
_KINDS = ("person", "frontage")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕谭向龚方"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国志永世文武成长乐行重光碧必登祖朝"
_STREETS = ("龙门大道", "平湖路", "聚鹤街", "神女路", "广东路", "集仙街", "朝云街", "翠屏街", "滨江路", "净坛街")
_FIRST = "兴隆晨光山城百姓阿珍巫峡大宁江湾神女平湖高唐翠屏朝云集仙净坛登龙圣泉飞凤松峦聚鹤重庆长江"
_TRADES = ("药房", "超市", "小炒", "火锅", "理发店", "便利店", "五金", "服装店", "银行", "茶楼", "干杂店", "烤鱼")
# Chinese, pinyin, initials, codes, ends of phones, and what isn't there.
_ASKED = (
    "王", "李伟", "张秀英", "龙门", "龙门大道8", "药房", "重庆", "查无此处",
    "wang", "liwei", "longmen", "longmendadao", "chongqing", "huoguo", "zzzz",
    "w", "lw", "lmdd", "yf", "P0123", "F04", "f049999", "5678", "0000", "13812345678",
)  # fmt: skip
Row = tuple[str, str, str, str]  # code, name, address, phone


def measure(context: Context) -> list[Figure]:
    """Half persons, half shops with addresses; each question goes to both kinds, as the search box puts it."""
    rows = names(context.rng(), context.count(_NAMES))
    build, sheaves = _built(rows, None)
    again, _ = _built(rows, sheaves)
    table = pd.DataFrame(
        [(*row, *sounds(sheaves, kind, row)) for kind, kept in rows.items() for row in kept],
        columns=["code", "name", "address", "phone", "sound", "initials"],
    )
    tasks = [(lambda q=q: _found(sheaves, q), lambda q=q: _contained(table, q)) for q in _ASKED]
    ours, peer = percentile_in_turn(tasks, 95)
    worst = max(_slowest(sheaves))
    label, nbytes = f"{len(table):,} 个名称", sum(sheaf.nbytes for sheaf in sheaves.values())
    missed = sum(bool(_found(sheaves, q)) != bool(_contained(table, q)) for q in _ASKED)
    return [
        figure(
            f"{label}：每次搜索，第 95 百分位", ours * 1e3, "ms", peer=_PEER, peer_value=peer * 1e3,
            most=50, most_ratio=1, note=f"{len(_ASKED)} 种问法：汉字、拼音、首字母、编码、电话尾号",
        ),
        figure(f"{label}：只找一小片时最慢的一次", worst * 1e3, "ms", most=50, note="网格员：一百个名称里找"),
        figure(f"{label}：第一次建立", build, "s", note="后台线程里读拼音"),
        figure(f"{label}：改动后重建", again, "s", note="读过的拼音不再读"),
        figure(f"{label}：内存", nbytes / 1e6, "MB", note="每个工作进程；拼音词典另约 50 MB"),
        figure(f"{label}：有无结果与对照不同的问法", missed, "个", most=0),
    ]  # fmt: skip


def names(rng: np.random.Generator, count: int) -> dict[str, list[Row]]:
    """Persons and shops as a subdistrict's registers hold them."""
    half = max(1, count // 2)

    def pick(letters: str | tuple[str, ...], n: int) -> list[str]:
        return [letters[i] for i in rng.integers(0, len(letters), n).tolist()]

    phones = [f"1{n:010d}" for n in rng.integers(3_000_000_000, 10_000_000_000, 2 * half).tolist()]
    given = [
        a + b * long
        for a, b, long in zip(pick(_GIVEN, half), pick(_GIVEN, half), (rng.random(half) < 0.8).tolist(), strict=True)
    ]
    people = [a + b for a, b in zip(pick(_SURNAMES, half), given, strict=True)]
    shops = ["".join(one) for one in zip(pick(_FIRST, half), pick(_FIRST, half), pick(_TRADES, half), strict=True)]
    houses = [f"{a}{n}号" for a, n in zip(pick(_STREETS, half), rng.integers(1, 400, half).tolist(), strict=True)]
    return {
        "person": [(f"P{i:06d}", name, "", phones[i]) for i, name in enumerate(people)],
        "frontage": [(f"F{i:06d}", shops[i], houses[i], phones[half + i]) for i in range(half)],
    }


def _built(rows: dict[str, list[Row]], before: dict[str, Sheaf] | None) -> tuple[float, dict[str, Sheaf]]:
    start = time.perf_counter()
    made = {
        kind: Sheaf.of(
            kind,
            kept,
            Fields(lambda row: row[1], lambda row: row[2], lambda row: row[0], lambda row: row[3], kind == "person"),
            before[kind].heard if before else {},
        )
        for kind, kept in rows.items()
    }
    return time.perf_counter() - start, made


def sounds(sheaves: dict[str, Sheaf], kind: str, row: Row) -> tuple[str, str]:
    """The readings of a row that the peer searches: (pinyin, initials), all in one text each."""
    heard = sheaves[kind].heard
    read = [one for text in row[1:3] for one in heard.get(text, ())]
    return " ".join(read).lower(), " ".join("".join(c for c in one if not c.islower()) for one in read).lower()


def _found(sheaves: dict[str, Sheaf], typed: str) -> list[object]:
    asked = Asked.parse(typed)
    return list(choose({kind: sheaf.find(asked, None, None) for kind, sheaf in sheaves.items()}, _KINDS, 12, 5))


def _contained(table: pd.DataFrame, typed: str) -> Sequence[object]:
    """The first twelve rows that hold the words in any column."""
    word = typed.lower()
    hits = table["name"].str.contains(word, regex=False) | table["address"].str.contains(word, regex=False)
    hits |= table["code"].str.lower().str.contains(word, regex=False)
    if word.isascii() and not word.isdigit():
        hits |= table["sound"].str.contains(word, regex=False) | table["initials"].str.contains(word, regex=False)
    if word.isdigit():
        hits |= table["phone"].str.endswith(word)
    return table[hits].head(12).values.tolist()


def _slowest(sheaves: dict[str, Sheaf]) -> list[float]:
    """Seconds of each question when only the last hundred of each kind may be found."""
    masks = {kind: np.arange(len(sheaf.rows)) >= len(sheaf.rows) - 100 for kind, sheaf in sheaves.items()}
    taken = []
    for typed in _ASKED:
        asked, start = Asked.parse(typed), time.perf_counter()
        for kind, sheaf in sheaves.items():
            sheaf.find(asked, masks[kind], masks[kind])
        taken.append(time.perf_counter() - start)
    return taken
