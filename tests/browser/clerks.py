"""Files of a new office as clerks make them: titles above the header, their own words, numbers in many shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from PIL import Image

WEST, SOUTH = 109.8700, 31.0700
SIDE = 0.004  # of a grid, in degrees: some 400 m, less than GCJ-02 moves a point here
COMMUNITIES = (("500237900001", "江岸社区"), ("500237900002", "北门社区"))
LEADER = "3001"


@dataclass(frozen=True)
class Cell:
    """A grid of the office: where it stands in two rows of two, and in whose community."""

    code: str
    name: str
    community: str
    column: int
    row: int

    @property
    def west(self) -> float:
        return WEST + self.column * SIDE

    @property
    def south(self) -> float:
        return SOUTH + self.row * SIDE

    def spot(self, across: float, up: float) -> tuple[float, float]:
        """Longitude and latitude (WGS-84) at two shares of the sides."""
        return round(self.west + across * SIDE, 6), round(self.south + up * SIDE, 6)

    @property
    def wkt(self) -> str:
        west, south, east, north = self.west, self.south, self.west + SIDE, self.south + SIDE
        ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
        return f"POLYGON(({', '.join(f'{x:.6f} {y:.6f}' for x, y in ring)}))"


GRIDS = (
    Cell("JA01", "江岸第一网格", "江岸社区", 0, 0),
    Cell("JA02", "江岸第二网格", "江岸社区", 1, 0),
    Cell("BM01", "北门第一网格", "北门社区", 0, 1),
    Cell("BM02", "北门第二网格", "北门社区", 1, 1),
)
SHOPS = {
    "JA01": ("老码头面馆", "峡江超市", "明德药房", "红叶理发店"),
    "JA02": ("江畔茶楼", "巫山烤鱼"),
    "BM01": ("北门五金", "百姓粮油", "顺通修车"),
    "BM02": ("新华书店", "阳光幼教用品"),
}


def communities(folder: Path) -> Path:
    """A title over the whole width, a line about the unit, then the header; a line of the total at the end."""
    book = Workbook()
    sheet = book.active
    sheet.title = "基本情况"
    sheet.append(["龙门街道村（社区）基本情况统计表"])
    sheet.merge_cells("A1:E1")
    sheet["A1"].font, sheet["A1"].alignment = Font(size=16, bold=True), Alignment(horizontal="center")
    sheet.append(["填报单位：龙门街道办事处", None, None, "填报日期：2026年3月"])
    sheet.append(["序号", "村（社区）名称", "统计用区划代码", "城乡分类", "备注"])
    for i, (code, name) in enumerate(COMMUNITIES, 1):
        sheet.append([i, name, code, "城镇社区", None])
    return _kept(book, folder / "龙门街道社区情况表.xlsx")


def grids(folder: Path) -> Path:
    """The boundaries as a column of WKT, as somebody's GIS wrote them; the community by its name."""
    rows = [[one.code, one.name, one.community, 320 + 10 * i, one.wkt] for i, one in enumerate(GRIDS)]
    return _table(folder / "网格划分.xlsx", ("网格编号", "网格名称", "所属社区", "总户数", "网格边界"), rows)


def people(folder: Path) -> Path:
    """Staff numbers as numbers, phones as numbers and as texts with spaces."""
    rows = [
        [1, 3001, "陈大勇", "男", 13900011001, "网格长"],
        [2, 3002, "李小兰", "女", "139 0001 1002", "网格长"],
        [3, 3003, "王国庆", "男", "13900011003", "网格长"],
        [4, 3004, "赵敏", "女", 13900011004, "网格长"],
        [5, 3005, "周书记", "男", 13900011005, "社区书记"],
    ]
    return _table(folder / "网格人员花名册.xlsx", ("序号", "工号", "姓名", "性别", "手机号码", "职务"), rows)


def duties(folder: Path) -> Path:
    rows = [
        [one.code, "网格长", name, "2026/1/1"]
        for one, name in zip(GRIDS, ("陈大勇", "李小兰", "王国庆", "赵敏"), strict=True)
    ]
    return _table(folder / "责任分工.xlsx", ("网格编号", "岗位", "姓名", "任职日期"), rows)


def shops(folder: Path) -> Path:
    """Coordinates picked on a Chinese web map, so GCJ-02, which no cell says."""
    rows: list[Sequence[object]] = []
    for grid in GRIDS:
        for i, name in enumerate(SHOPS[grid.code]):
            lon, lat = gcj02(*grid.spot(0.2 + 0.18 * i, 0.3 + 0.13 * i))
            state = "营业中" if i else "营业"
            rows.append([name, "餐饮" if i == 0 else "零售", f"滨江路{len(rows) + 1}号", state, lon, lat])
            rows[-1] = [f"M{len(rows):03}", *rows[-1][:4], "张三", f"1380013{len(rows):04}", *rows[-1][4:]]
    header = ("商铺编号", "店名", "经营类别", "门牌号", "经营状态", "店主姓名", "联系电话", "经度", "纬度")
    return _table(folder / "商铺台账（高德取点）.xlsx", header, rows)


def wrong_shops(folder: Path) -> Path:
    """Shops of a trial, in WGS-84, that nobody wanted in the register."""
    rows = []
    for i, grid in enumerate(GRIDS):
        lon, lat = grid.spot(0.5, 0.85)
        rows.append([f"T{i + 1:03}", f"试填门店{i + 1}", "营业", lon, lat])
    return _table(folder / "试填.xlsx", ("门店编号", "门店名称", "营业状态", "经度", "纬度"), rows)


def shop_front(folder: Path) -> Path:
    """A photo of the shop."""
    image = Image.new("RGB", (1200, 900), "#9db4c0")
    image.paste("#8a4b2a", (200, 300, 1000, 800))
    image.save(folder / "门头.jpg", quality=90)
    return folder / "门头.jpg"


def gcj02(lon: float, lat: float) -> tuple[float, float]:
    """WGS-84 to GCJ-02 by the published series; written apart from the service's own, which it checks."""
    x, y = lon - 105.0, lat - 35.0
    wave = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    half = math.radians(lat)
    bent = 1 - 0.00669342162296594323 * math.sin(half) ** 2
    north = north * 180.0 / (6378245.0 * (1 - 0.00669342162296594323) / (bent * math.sqrt(bent)) * math.pi)
    east = east * 180.0 / (6378245.0 / math.sqrt(bent) * math.cos(half) * math.pi)
    return round(lon + east, 6), round(lat + north, 6)


def _table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    book = Workbook()
    sheet = book.active
    sheet.append(list(header))
    for row in rows:
        sheet.append(list(row))
    return _kept(book, path)


def _kept(book: Workbook, path: Path) -> Path:
    book.save(path)
    return path
