"""Printed responsibility maps: real PDFs of the demo and of the small town, read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from service.clock import local_date
from service.config import Settings
from service.db.engine import Database
from service.documents.fonts import coverage
from service.errors import InvalidValue, NotAllowed, NotFound, TooMany
from service.people.access import EVERYWHERE, Area
from service.people.rules import Viewer
from service.places.ground import Ground
from service.responsibility.showing import Showing
from service.responsibility.snapshot import Snapshot
from service.wall.asked import ask, check, choices, people_with_grids
from service.wall.content import VACANT, Teller, content_of
from service.wall.printing import as_pdf, as_picture, lay_out
from service.wall.sheets import Setting, table_of
from tests.conftest import MONDAY_NOON
from tests.responsibility.town import (
    A1,
    A2,
    B1,
    SECOND_EDITION,
    SPECIAL,
    WEST_HOME,
    box,
    bring,
    keeper_of,
    layer,
    load_town,
    sheet,
)
from tests.stores import Stores, settings_of
from tests.wall.conftest import Read, read_pdf

TODAY = local_date(MONDAY_NOON)
SETTING = Setting("龙门街道", "https://grid.example", True, "渝S(2026)001号", MONDAY_NOON, TODAY)
ADMIN = Viewer("admin", area=EVERYWHERE)
BIG, SCHOOL = "500237002001", "500237002001019"


@pytest.fixture
def town(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Database]:
    with stores.copied(store_kind, load_town, tmp_path) as url, closing(Database(url)) as database:
        yield database


@pytest.fixture
def demo(demo_app: Flask) -> Any:
    return demo_app.extensions["steward"]


def printed(source: Any, what: str, *codes: str, viewer: Viewer = ADMIN, on: date = TODAY, **given: Any) -> Read:
    """`source`: the service's, or a store."""
    if isinstance(source, Database):
        snapshot, ground = keeper_of(source).on(on), Ground(source).data()
    else:
        snapshot, ground = source.responsibility.on(on), source.ground.data()
    asked = ask(what, codes, on, given.get("paper", "a3"), given.get("names", "names"), SETTING.address)
    check(snapshot, asked, EVERYWHERE)
    sheets = lay_out(Showing(snapshot, viewer, whole=True), ground, asked, SETTING)
    return read_pdf(as_pdf(sheets, SETTING))


def test_a_community_on_a3(demo: Any) -> None:
    read = printed(demo, "community", BIG)
    snapshot: Snapshot = demo.responsibility.on(TODAY)
    assert sorted(read.sizes[0]) == [297, 420] and len(read.pages) == 1
    for words in (
        "聚鹤社区网格责任图",
        "龙门街道",
        f"责任以 {TODAY.isoformat()} 为准",
        "界线：首版",
        "演示数据",
        "渝S(2026)001号",
        "200 m",
    ):
        assert read.says(words), words
    for zone in snapshot.tiling.zones:
        leader = snapshot.leader_of(zone.code)
        if zone.community_code == BIG:
            assert read.text.count(zone.code[-3:]) >= 2, "on the map and in the table"
            assert read.says(leader.person.name if leader else VACANT)
    assert read.says("龙江社区") and read.says("梨早村"), "the neighbours' names"
    assert all("NotoSansCJK" in font for font in read.fonts) and read.fonts


def test_a_grid_on_a4_and_a_person_with_several(demo: Any) -> None:
    read = printed(demo, "grid", SCHOOL, paper="a4")
    assert sorted(read.sizes[0]) == [210, 297]
    assert read.says("聚鹤小学专属网格责任图") and read.says(SCHOOL) and read.says("社区书记")
    found = people_with_grids(demo.responsibility.on(TODAY))
    code = next(code for code, grids in found.items() if len(grids) == 3)
    read = printed(demo, "officer", code)
    name = demo.responsibility.on(TODAY).persons[code].name
    assert read.says(f"{name} 责任网格图")
    for grid in found[code]:
        assert grid[-3:] in read.text


def test_a_persons_sheet_names_streets_and_buildings_too(demo: Any) -> None:
    snapshot = demo.responsibility.on(TODAY)
    read = printed(demo, "officer", "R104")
    assert read.says("另负责：路长 ")
    for kind, code in snapshot.subjects_of("R104"):
        if kind == "street":
            assert read.says(snapshot.nearby.rows[snapshot.nearby.by_subject[kind, code]].name)


def test_a_long_word_stays_in_its_cell(stores: Stores, store_kind: str, tmp_path: Path) -> None:
    """Latin letters without a space may break, so that they don't run over the next column."""
    word = "Wolfeschlegelsteinhausenbergerdorff"
    long_name = sheet(tmp_path / "long.csv", [{"code": "P2", "name": word, "phone": "13800000002"}])
    with stores.copied(store_kind, load_town, tmp_path) as url, closing(Database(url)) as town:
        bring(town, settings_of(url, tmp_path / "data"), "people", long_name)
        snapshot = keeper_of(town).on(TODAY)
        content = content_of(Teller(Showing(snapshot, ADMIN, whole=True), "names"), "community", WEST_HOME)
        cell = str(table_of(content)["rows"])
        assert word not in cell and word in cell.replace("\\u200b", "")
        assert printed(town, "community", WEST_HOME, on=date(2026, 11, 28)).says(word)


def test_every_letter_has_a_glyph(demo: Any) -> None:
    """No .notdef box on any sheet of the demo."""
    read = printed(demo, "community", *{zone.community_code for zone in demo.responsibility.on(TODAY).tiling.zones})
    letters = {ord(sign) for sign in "".join(read.text.split())}
    assert letters <= coverage()
    assert "〓" not in read.text and "\x00" not in read.text


@pytest.mark.parametrize(
    ("names", "viewer", "said", "unsaid"),
    [
        ("names", ADMIN, ["王五（代李四）", "吴十"], ["1380000", "138****"]),
        ("phones", ADMIN, ["王五（代李四）", "13800000002"], ["138****"]),
        ("roles", ADMIN, ["已落实", "1 人"], ["王五", "吴十", "1380000", "李四"]),
        ("names", Viewer("viewer", area=EVERYWHERE), ["王五（代李四）", "钱*"], ["钱七", "1380000"]),
        ("phones", Viewer("viewer", area=EVERYWHERE), ["138****0002"], ["13800000002"]),
        ("phones", Viewer("manager", area=Area(communities=frozenset({"other"}))), ["138****0002"], ["13800000002"]),
    ],
)
def test_names_and_phones_by_choice_and_by_role(
    town: Database, names: str, viewer: Viewer, said: list[str], unsaid: list[str]
) -> None:
    read = printed(town, "community", WEST_HOME, viewer=viewer, names=names)
    assert read.says(VACANT), "the second grid has no leader"
    for words in said:
        assert read.says(words), words
    for words in unsaid:
        assert not read.says(words), words


def test_who_a_teller_gave_whole(town: Database) -> None:
    snapshot = keeper_of(town).on(TODAY)
    teller = Teller(Showing(snapshot, ADMIN, whole=True), "phones")
    content_of(teller, "grid", A1)
    assert teller.whole == {"P3", "P4", "P5", "P6"}


def test_a_coming_edition_before_its_day(town: Database) -> None:
    before = printed(town, "grid", A2, on=SECOND_EDITION - timedelta(days=1))
    later = printed(town, "grid", A2, on=date(2027, 1, 1))
    assert before.says("界线：首版") and not before.says("起执行")
    assert later.says(f"界线：{SECOND_EDITION.isoformat()} 版") and later.says("自 2027-01-01 起执行")


def test_a_community_of_sixty_goes_on_overleaf(database: Database, settings: Settings, tmp_path: Path) -> None:
    names = [
        "很长的网格名称" * 4,
        "<script>alert(1)</script>",
        "#set page(fill: red)",
        "$x$ *b* _i_ \\",
        "\u202e倒过来",
    ]
    home = [(box(0, 0, 12, 10), {"code": WEST_HOME, "name": "“大”社区 #[x]"})]
    bring(database, settings, "communities", layer(tmp_path / "c.geojson", home))
    grids = [
        (
            box(i % 10 * 1.2, i // 10 * 1.6, i % 10 * 1.2 + 1.2, i // 10 * 1.6 + 1.6),
            {
                "code": f"{WEST_HOME}{i + 1:03}",
                "name": f"{names[i % 5]}{i}",
                "community_code": WEST_HOME,
                "kind": "grid",
            },
        )
        for i in range(60)
    ]
    bring(database, settings, "grids", layer(tmp_path / "g.geojson", grids))
    people = [{"code": f"P{i}", "name": f"{names[i % 5]}人{i}", "phone": f"138000{i:05}"} for i in range(60)]
    bring(database, settings, "people", sheet(tmp_path / "p.csv", people))
    duties = [
        {
            "role": "grid_leader",
            "subject_kind": "grid",
            "subject_code": f"{WEST_HOME}{i + 1:03}",
            "person_code": f"P{i}",
        }
        for i in range(60)
    ]
    bring(database, settings, "duties", sheet(tmp_path / "d.csv", duties))
    read = printed(database, "community", WEST_HOME, paper="a4", names="phones")
    assert 2 <= len(read.pages) <= 4 and len(set(read.sizes)) == 1
    assert read.says("（续）") and read.says("其余见下页")
    for i in range(60):
        assert read.says(f"138000{i:05}"), i
    for name in names[:4]:
        assert read.says(name), "as it is written, not as markup"
    assert read.says("倒过来") and "\u202e" not in read.text


def test_many_in_one_file_in_order(town: Database) -> None:
    read = printed(town, "grid", A1, SPECIAL, B1, paper="a4")
    assert len(read.pages) == 3
    for page, code in zip(read.pages, (A1, SPECIAL, B1), strict=True):
        assert code in page


def test_the_preview_is_a_picture(town: Database) -> None:
    snapshot, ground = keeper_of(town).on(TODAY), Ground(town).data()
    asked = ask("grid", [A1], TODAY, "a4", "names", "")
    picture = as_picture(lay_out(Showing(snapshot, ADMIN), ground, asked, SETTING), SETTING, "a4")
    assert picture.startswith(b"\x89PNG") and len(picture) > 10_000


def test_what_may_be_asked(town: Database) -> None:
    snapshot = keeper_of(town).on(TODAY)
    manager, officer = Area(communities=frozenset({WEST_HOME})), Area(grids=frozenset({A1}), person="P3")
    assert [one.code for one in choices(snapshot, "community", manager)] == [WEST_HOME]
    assert choices(snapshot, "community", officer) == []
    assert [one.code for one in choices(snapshot, "grid", officer)] == [A1]
    assert [one.code for one in choices(snapshot, "officer", officer)] == ["P3", "P4"]
    assert {one.code for one in choices(snapshot, "officer", EVERYWHERE)} == {"P3", "P4", "P8"}
    for what, code, area, error in (
        ("grid", B1, manager, NotAllowed),
        ("community", WEST_HOME, officer, NotAllowed),
        ("officer", "P8", officer, NotAllowed),
        ("grid", "nothing", EVERYWHERE, NotFound),
        ("officer", "P1", EVERYWHERE, NotFound),
    ):
        with pytest.raises(error):
            check(snapshot, ask(what, [code], TODAY, "a3", "names", ""), area)
    for wrong in ({"what": "x"}, {"paper": "a0"}, {"names": "all"}, {"codes": []}):
        given = {"what": "grid", "codes": [A1], "on": TODAY, "paper": "a3", "names": "names", "address": ""} | wrong
        with pytest.raises(InvalidValue):
            ask(**given)  # type: ignore[arg-type]
    with pytest.raises(TooMany):
        ask("grid", [str(n) for n in range(301)], TODAY, "a3", "names", "")
