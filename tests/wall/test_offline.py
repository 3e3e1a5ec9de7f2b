"""The map in one file: nothing of it asks for another, texts stay texts, and it stays small."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from flask import Flask

from service.clock import local_date
from service.maps.offline import offline_page
from service.people.access import EVERYWHERE
from service.people.rules import Viewer
from service.responsibility.showing import Showing
from service.wall.asked import ask
from service.wall.offline import offline_data
from service.wall.printing import contents
from service.wall.sheets import Setting
from tests.conftest import MONDAY_NOON
from tests.responsibility.town import EAST_HOME, WEST_HOME
from tests.web.test_masking import COLLEAGUE, LEADER, app

__all__ = ["app"]  # a fixture
TODAY = local_date(MONDAY_NOON)


def page(app: Flask, what: str, codes: list[str], names: str = "phones", title: str | None = None) -> str:
    given = app.extensions["steward"]
    snapshot = given.responsibility.on(TODAY)
    showing = Showing(snapshot, Viewer("admin", area=EVERYWHERE), whole=True)
    told, _ = contents(showing, ask(what, codes, TODAY, "a3", names, ""))
    setting = Setting(title or "龙门街道", "", True, "", MONDAY_NOON, TODAY)
    return offline_page(offline_data(snapshot, given.ground.data(), told, title or "全街道网格责任图", setting))


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'steward\.layer\("duties", (\{.*\})\);', text)
    assert found is not None
    return json.loads(found[1])


def test_the_whole_demo_in_one_small_file(demo_app: Flask) -> None:
    snapshot = demo_app.extensions["steward"].responsibility.on(TODAY)
    text = page(demo_app, "community", sorted({zone.community_code for zone in snapshot.tiling.zones}))
    assert len(text.encode()) < 3 * 1024 * 1024
    data = data_of(text)
    assert len(data["grids"]) == 75 and len(data["homes"]) == 4
    assert sum(one["vacant"] for one in data["grids"]) == 3
    leaders = {one["leader"] for one in data["grids"]}
    assert leaders - {None} and all(one["rings"] and one["people"] for one in data["grids"])
    assert data["ground"]["buildings"] and data["ground"]["streets"] and data["ground"]["areas"]["river"]


def test_nothing_in_it_asks_for_anything(demo_app: Flask) -> None:
    text = page(demo_app, "grid", ["500237002001001"])
    assert not re.search(r"""<(?:script|link|img|iframe|object|embed|base)\b[^>]*\b(?:src|href|data)\s*=""", text)
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style and "@import" not in style and "sourceMappingURL" not in text
    assert "default-src 'none'" in html.unescape(text) and "style=" not in text.partition("<script>")[0]
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink", "https://leafletjs.com"}


def test_hostile_names_are_only_ever_text(app: Flask) -> None:
    title = "</title><script>alert(1)</script>"
    text = page(app, "community", [WEST_HOME, EAST_HOME], title=title)
    markup = text.replace("</script>", "", 3)
    assert text.count("<script>") == 3 and text.count("</script>") == 3 and text.count("<b>") == 0
    for name in (*LEADER.values(), *COLLEAGUE.values()):
        assert "<" not in name or name not in markup, "escaped in the data"
    people = [person[1] for grid in data_of(text)["grids"] for person in grid["people"]]
    assert set(people) >= {*LEADER.values(), *COLLEAGUE.values()}


def test_roles_only_holds_no_name_and_no_number(app: Flask) -> None:
    text = page(app, "community", [WEST_HOME], names="roles")
    assert "西格长" not in text and "西专职" not in text and "138111" not in text
    grid = data_of(text)["grids"][0]
    assert grid["leader"] is None and not grid["vacant"] and grid["people"][0][:2] == ["网格长", ""]
